"""Command line of the stance training: `python -m flows.training.stance train|export|evaluate`."""

import argparse
import logging
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from flows.extract.stance_model import STANCE_FOLDER, StanceModel
from flows.extract.tagger import MODEL_FOLDER, read_description
from flows.training.__main__ import read_tokenizer
from flows.training.data import Article, file_sha256, read_articles
from flows.training.stance.card import measure, scores, write_card
from flows.training.stance.data import HELD_BACK, Statements, read_corpora
from flows.training.stance.export import read_network, write_description, write_model
from flows.training.stance.run import Settings, Trainer
from flows.training.stance.tune import attempt, tune

log = logging.getLogger("flows.training.stance")


def train(given: argparse.Namespace) -> None:
    """Train from the given weights, or go on from the last checkpoint."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    corpora = read_corpora(given.data)
    tokenizer = read_tokenizer(given.model.parent / "model")
    trainer = Trainer(
        Settings(epochs=given.epochs, seed=given.seed), given.start, given.checkpoints
    )
    trainer.train(Statements(corpora.train, tokenizer), Statements(corpora.held, tokenizer))


def export(given: argparse.Namespace) -> None:
    """Write the int8 model of one epoch and tune it on the held-back articles."""
    network = read_network(given.checkpoints / f"epoch{given.epochs}.pt")
    number = network.exits.index(given.layers)
    tokenizer = MODEL_FOLDER / "tokenizer.json"
    write_model(network, number, tokenizer, given.model, _provenance(given))
    rules, reached = tune(attempt(StanceModel(given.model), read_corpora(given.data).held))
    description = read_description(given.model)
    description["decoding"].update(rules)
    write_description(given.model, description)
    log.info("held back, row F1 in cross-validation: %s; %s", reached, rules)


def _provenance(given: argparse.Namespace) -> dict[str, Any]:
    settings = Settings(epochs=given.epochs, seed=given.seed)
    corpora = {name: given.data / name / "train.jsonl" for name in HELD_BACK}
    return {
        "layers": given.layers,
        "settings": asdict(settings),
        "start sha256": file_sha256(given.start),
        "corpora": {
            name: {
                "articles": len(read_articles(path, name)),
                "held back": HELD_BACK[name],
                "sha256": file_sha256(path),
            }
            for name, path in corpora.items()
        },
    }


def evaluate(given: argparse.Namespace) -> None:
    """Score the model with gold statements given, on development and held-back articles."""
    held = read_corpora(given.data).held
    sets: dict[str, list[Article]] = {
        f"{name}, held back": [a for a in held if a.corpus == name] for name in HELD_BACK
    }
    if given.dev:
        for name in HELD_BACK:
            sets[f"{name}, dev"] = read_articles(given.data / name / "dev.jsonl", name)
    model = StanceModel(given.model)
    measured = {label: measure(model, articles) for label, articles in sets.items()}
    write_card(given.model, measured)
    for label, found in measured.items():
        log.info("%s: %s", label, scores(found))


def main() -> None:
    """Run one step of the training."""
    parser = argparse.ArgumentParser(prog="python -m flows.training.stance")
    steps = {"train": train, "export": export, "evaluate": evaluate}
    parser.add_argument("step", choices=steps)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--start", type=Path, help="MiniLM's weights or an attribution checkpoint")
    parser.add_argument("--checkpoints", type=Path, help="folder of this training's checkpoints")
    parser.add_argument("--model", type=Path, default=STANCE_FOLDER)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--layers", type=int, default=6, choices=[4, 6])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dev", action="store_true", help="score the development articles as well")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    steps[given.step](given)


if __name__ == "__main__":
    main()
