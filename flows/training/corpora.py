"""Which articles the model is trained on, and which are held back for tuning."""

from dataclasses import dataclass
from pathlib import Path

from flows.training.data import Article, hold_back, read_articles

HELD_BACK = {"polnear": 40, "world": 12}


@dataclass(frozen=True)
class Corpora:
    """Articles to train on, and those held back for tuning of decoding and confidence."""

    train: list[Article]
    held: list[Article]


def training_files(data: Path) -> dict[str, Path]:
    """Name the training file of each corpus below the data folder."""
    return {
        "polnear": data / "polnear" / "train.jsonl.gz",
        "world": data / "world" / "train.jsonl",
    }


def read_corpora(data: Path) -> Corpora:
    """Read the training files below `data`; raises FileNotFoundError where one is missing."""
    train: list[Article] = []
    held: list[Article] = []
    for corpus, path in training_files(data).items():
        rest, back = hold_back(read_articles(path, corpus), HELD_BACK[corpus])
        train += rest
        held += back
    return Corpora(train, held)
