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
from torch import Tensor

from flows.training.run import rate_factor
from flows.training.stance.data import Example, Statements
from flows.training.stance.loss import Batch, collate, head_losses
from flows.training.stance.network import StanceNetwork, start_encoder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How a network is trained; `batch` in statements."""

    epochs: int = 5
    batch: int = 32
    encoder_rate: float = 2e-4
    head_rate: float = 1e-3
    layer_decay: float = 0.9
    warm_up: float = 0.06
    gate_weight: float = 1.0
    side_weight: float = 0.5
    exit_weight: float = 0.4
    neutral: float = 0.75
    hide: float = 0.04
    seed: int = 1


def batches(examples: list[Example], size: int, rng: random.Random) -> Iterator[Batch]:
    """Group examples of like length into batches, in random order."""
    rng.shuffle(examples)
    groups: list[list[Example]] = []
    for begin in range(0, len(examples), 24 * size):
        pool = sorted(examples[begin : begin + 24 * size], key=lambda e: len(e.look.ids))
        groups += [pool[at : at + size] for at in range(0, len(pool), size)]
    rng.shuffle(groups)
    return (collate(group) for group in groups)


def parameter_groups(network: StanceNetwork, settings: Settings) -> list[dict[str, Any]]:
    """Give every layer its own rate, lower towards the input; heads and kinds the high one."""
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


class Trainer:
    """A network in training, with its optimizer and how far it has come."""

    def __init__(self, settings: Settings, start: Path, folder: Path) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.folder = folder
        self.network = StanceNetwork()
        start_encoder(self.network.encoder, start)
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
        """Take one step at `progress` (0 to 1) of the run; return the losses of the last exit."""
        settings = self.settings
        factor = rate_factor(progress, settings.warm_up)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        losses = head_losses(self.network, batch)
        weights = [settings.exit_weight] * (len(losses) - 1) + [1.0]
        total = torch.stack(
            [
                weight * (tags + settings.gate_weight * gate + settings.side_weight * side)
                for weight, (tags, gate, side) in zip(weights, losses, strict=True)
            ]
        ).sum()
        self.optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        return [loss.item() for loss in losses[-1]]

    def train(self, statements: Statements, held: Statements) -> None:
        """Train to the end of the last epoch; the weights of every epoch are kept."""
        while self.epoch < self.settings.epochs:
            self._train_epoch(statements)
            self.epoch, self.step = self.epoch + 1, 0
            self.save()
            torch.save(self.network.state_dict(), self.folder / f"epoch{self.epoch}.pt")
            log.info("epoch %d held back %s", self.epoch, self.measure(held))

    def _train_epoch(self, statements: Statements) -> None:
        settings = self.settings
        rng = random.Random(f"{settings.seed} {self.epoch}")
        examples = statements.examples(rng, settings.neutral, settings.hide)
        todo = list(batches(examples, settings.batch, rng))
        self.network.train()
        begun, recent = time.monotonic(), []
        for number in range(self.step, len(todo)):
            progress = (self.epoch + (number + 0.5) / len(todo)) / settings.epochs
            recent.append(self.learn(todo[number], progress))
            self.step = number + 1
            if self.step % 25 == 0:
                means = [round(sum(c) / len(recent), 4) for c in zip(*recent, strict=True)]
                pace = (time.monotonic() - begun) / len(recent)
                report = (self.epoch, self.step, len(todo), means, pace)
                log.info("epoch %d step %d/%d losses %s, %.2f s a step", *report)
                begun, recent = time.monotonic(), []
            if self.step % 200 == 0:
                self.save()

    def measure(self, held: Statements) -> list[float]:
        """Return the mean losses (tags, gate, intensity and type) of every exit."""
        self.network.eval()
        rng = random.Random("held back")
        todo = batches(held.examples(rng, 1.0, 0.0), self.settings.batch, rng)
        with torch.no_grad():
            rows = [
                [loss.item() for triple in head_losses(self.network, batch) for loss in triple]
                for batch in todo
            ]
        return [round(sum(c) / len(rows), 4) for c in zip(*rows, strict=True)]
