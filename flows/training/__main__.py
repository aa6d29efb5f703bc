"""Command line of the training: `python -m flows.training train|export|evaluate`."""

import argparse
import json
import logging
import os
from dataclasses import asdict
from pathlib import Path

import torch
from tokenizers import Tokenizer

from flows.extract.tagger import MODEL_FOLDER, Tagger
from flows.training.card import measure, write_card
from flows.training.corpora import HELD_BACK, read_corpora, training_files
from flows.training.data import file_sha256, read_articles
from flows.training.export import read_network, write_description, write_model
from flows.training.run import Settings, Trainer
from flows.training.tune import read_all, tune

log = logging.getLogger("flows.training")


def read_tokenizer(base: Path) -> Tokenizer:
    """Read the tokenizer of a MiniLM folder, without truncation or padding."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def train(data: Path, base: Path, checkpoints: Path, seed: int) -> None:
    """Train from all-MiniLM-L6-v2, or go on from the last checkpoint in `checkpoints`."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    corpora = read_corpora(data)
    trainer = Trainer(Settings(seed=seed), base / "model.safetensors", checkpoints)
    trainer.train(corpora.train, corpora.held, read_tokenizer(base))


def export(given: argparse.Namespace) -> None:
    """Write the int8 model of some epochs' mean; tune its decoding on the held-back articles."""
    network = read_network([given.checkpoints / f"epoch{n}.pt" for n in given.epochs])
    about = {
        "layers": given.layers,
        "epochs": given.epochs,
        "settings": asdict(Settings(seed=given.seed)),
        "base sha256": file_sha256(given.base / "model.safetensors"),
        "corpora": {
            name: {
                "articles": len(read_articles(path, name)),
                "held back": HELD_BACK[name],
                "sha256": file_sha256(path),
            }
            for name, path in training_files(given.data).items()
        },
    }
    number = network.exits.index(given.layers)
    write_model(network, number, read_tokenizer(given.base), given.model, about)
    tagger = Tagger(given.model)
    rules, scores = tune(tagger, read_all(tagger, read_corpora(given.data).held))
    write_description(given.model, asdict(rules))
    log.info("held back, end to end F1 in cross-validation: %s; %s", scores, rules)


def evaluate(data: Path, model: Path) -> None:
    """Score the model on the development articles and the held-back ones; write its card."""
    tagger = Tagger(model)
    held = read_corpora(data).held
    sets = {
        "PolNeAR, dev": read_articles(data / "polnear" / "dev.jsonl.gz", "polnear"),
        "World, dev": read_articles(data / "world" / "dev.jsonl", "world"),
        "PolNeAR, held back": [a for a in held if a.corpus == "polnear"],
        "World, held back": [a for a in held if a.corpus == "world"],
    }
    measured = {label: measure(tagger, articles) for label, articles in sets.items()}
    write_card(model, measured)
    log.info("%s", json.dumps(measured, indent=1))


def main() -> None:
    """Run one step of the training."""
    parser = argparse.ArgumentParser(prog="python -m flows.training", description=__doc__)
    parser.add_argument("step", choices=["train", "export", "evaluate"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--base", type=Path, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    parser.add_argument("--model", type=Path, default=MODEL_FOLDER)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layers", type=int, default=4, help="layers of the exported encoder")
    parser.add_argument(
        "--epochs",
        type=int,
        nargs="+",
        default=[Settings.epochs],
        help="epochs to export the mean weights of",
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if given.step == "evaluate":
        return evaluate(given.data, given.model)
    if given.base is None:
        parser.error("--base is needed: the folder of all-MiniLM-L6-v2")
    if given.step == "train":
        return train(given.data, given.base, given.checkpoints, given.seed)
    return export(given)


if __name__ == "__main__":
    main()
