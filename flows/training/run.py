"""The training run: it writes checkpoints as it goes and resumes from the last one."""

import json
import logging
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from flows.training.data import Article, Cut, Example, make_examples, restyle_quotes
from flows.training.loss import Batch, collate, head_losses
from flows.training.model import Network, load_minilm

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How a network is trained; lengths in pieces, `batch` in windows."""

    epochs: int = 5
    batch: int = 12
    encoder_rate: float = 2e-4
    head_rate: float = 1e-3
    layer_decay: float = 0.9
    warm_up: float = 0.06
    link_weight: float = 0.5
    exit_weight: float = 0.3
    restyle: float = 0.15
    windows_each: int = 4
    capacity: tuple[int, int] = (180, 300)
    left: tuple[int, int] = (16, 48)
    right: tuple[int, int] = (8, 24)
    seed: int = 1


def epoch_examples(
    articles: list[Article], tokenizer: Tokenizer, settings: Settings, epoch: int
) -> list[Example]:
    """Cut all articles into examples, with windows and quotation marks new in every epoch."""
    rng = random.Random(f"{settings.seed} {epoch}")
    examples = []
    for article in articles:
        text = article.text
        if rng.random() < settings.restyle:
            text = restyle_quotes(text, rng)
        cut = Cut(
            rng.randint(*settings.capacity),
            rng.randint(*settings.left),
            rng.randint(*settings.right),
            settings.windows_each,
        )
        examples += make_examples(article, tokenizer, cut=cut, text=text)
    rng.shuffle(examples)
    return examples


def batches(examples: list[Example], size: int, seed: str) -> Iterator[Batch]:
    """Group examples of like window length into batches of about `size` windows."""
    rng = random.Random(seed)
    groups: list[list[Example]] = []
    for begin in range(0, len(examples), 60):
        pool = sorted(
            examples[begin : begin + 60], key=lambda e: max(w.right - w.left for w in e.windows)
        )
        groups.append([])
        for example in pool:
            if sum(len(e.windows) for e in groups[-1]) + len(example.windows) > size + 1:
                groups.append([])
            groups[-1].append(example)
    rng.shuffle(groups)
    return (collate(group) for group in groups if group)


def parameter_groups(network: Network, settings: Settings) -> list[dict[str, Any]]:
    """Give every layer its own rate, lower towards the input; heads and new inputs the high one."""
    groups: dict[float, list[Tensor]] = {}
    depth = len(network.encoder.layers)
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = settings.head_rate
        if name.startswith("encoder.layers."):
            below = depth - 1 - int(name.split(".")[2])
            rate = settings.encoder_rate * settings.layer_decay**below
        elif name.startswith("encoder.") and not name.startswith("encoder.shapes"):
            rate = settings.encoder_rate * settings.layer_decay**depth
        groups.setdefault(rate, []).append(parameter)
    return [{"params": found, "lr": rate} for rate, found in groups.items()]


def rate_factor(progress: float, warm_up: float) -> float:
    """Rise linearly to 1 at `warm_up`, then fall linearly to 0 at progress 1."""
    return min(progress / warm_up, max(0.0, (1.0 - progress) / (1.0 - warm_up)))


class Trainer:
    """A network in training, with its optimizer and how far it has come."""

    def __init__(self, settings: Settings, weights: Path, folder: Path) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.folder = folder
        self.network = Network()
        load_minilm(self.network.encoder, weights)
        self.optimizer = torch.optim.AdamW(
            parameter_groups(self.network, settings), weight_decay=0.01, fused=True
        )
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.epoch = self.step = 0
        self._resume()

    def _resume(self) -> None:
        path = self.folder / "last.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        if state["settings"] != json.dumps(asdict(self.settings)):
            raise ValueError(f"{path} was trained with other settings: move it away to start anew")
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.step = state["epoch"], state["step"]
        log.info("resumed at epoch %d, step %d", self.epoch, self.step)

    def save(self) -> None:
        """Write the checkpoint atomically."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "settings": json.dumps(asdict(self.settings)),
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
        }
        fresh = self.folder / "last.pt.new"
        torch.save(state, fresh)
        fresh.replace(self.folder / "last.pt")

    def learn(self, batch: Batch, progress: float) -> list[float]:
        """Take one step at `progress` (0 to 1) of the run; return the losses of every exit."""
        factor = rate_factor(progress, self.settings.warm_up)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        losses = head_losses(self.network, batch)
        weights = [self.settings.exit_weight] * (len(losses) - 1) + [1.0]
        total = sum(
            weight * (tag + self.settings.link_weight * link)
            for weight, (tag, link) in zip(weights, losses, strict=True)
        )
        assert isinstance(total, Tensor)
        self.optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        return [float(loss.detach()) for pair in losses for loss in pair]

    def train(self, articles: list[Article], held: list[Article], tokenizer: Tokenizer) -> None:
        """Train to the end of the last epoch; the weights of every epoch are kept."""
        settings = self.settings
        while self.epoch < settings.epochs:
            examples = epoch_examples(articles, tokenizer, settings, self.epoch)
            todo = list(batches(examples, settings.batch, f"{settings.seed} {self.epoch}"))
            self.network.train()
            begun, recent = time.monotonic(), []
            for number in range(self.step, len(todo)):
                progress = (self.epoch + (number + 0.5) / len(todo)) / settings.epochs
                recent.append(self.learn(todo[number], progress))
                self.step = number + 1
                if self.step % 25 == 0:
                    means = [sum(c) / len(recent) for c in zip(*recent, strict=True)]
                    pace = (time.monotonic() - begun) / len(recent)
                    log.info(
                        "epoch %d step %d/%d losses %s, %.2f s a step",
                        self.epoch,
                        self.step,
                        len(todo),
                        [round(m, 4) for m in means],
                        pace,
                    )
                    begun, recent = time.monotonic(), []
                if self.step % 100 == 0:
                    self.save()
            self.epoch, self.step = self.epoch + 1, 0
            self.save()
            torch.save(self.network.state_dict(), self.folder / f"epoch{self.epoch}.pt")
            log.info("epoch %d held back %s", self.epoch, self.measure(held, tokenizer))

    def measure(self, held: list[Article], tokenizer: Tokenizer) -> list[float]:
        """Return the mean losses of every exit on held-back articles."""
        self.network.eval()
        examples = [e for a in held for e in make_examples(a, tokenizer, cut=Cut())]
        with torch.no_grad():
            rows = [
                [float(loss) for pair in head_losses(self.network, batch) for loss in pair]
                for batch in batches(examples, self.settings.batch, "held")
            ]
        return [round(sum(c) / len(rows), 4) for c in zip(*rows, strict=True)]
