"""The network: the attribution model's encoder with roles at its input, and stance heads."""

from pathlib import Path

import torch
from torch import Tensor, nn

from flows.extract.pieces import N_SHAPES
from flows.extract.stance_looks import N_KINDS
from flows.extract.stance_model import TYPE
from flows.extract.stance_spans import INSIDE, OUT, SIGNS
from flows.training.model import FORBIDDEN, Encoder, Shape, load_minilm

N_TAGS = 3
N_POOLED = TYPE.stop


def forbidden_transitions() -> Tensor:
    """[3, 3]: FORBIDDEN from outside to inside, else 0."""
    rules = torch.zeros(N_TAGS, N_TAGS)
    rules[OUT, INSIDE] = FORBIDDEN
    return rules


class StanceHead(nn.Module):
    """Tag scores of both signs, and the scores that are pooled over content, look and target.

    Pooling is a mean, so that gate, intensity and type are linear in every piece's state and need
    no second network: see `flows.extract.stance_model` for the columns.
    """

    def __init__(self, hidden: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(hidden, SIGNS * N_TAGS)
        self.pooled = nn.Linear(hidden, N_POOLED)
        self.transitions = nn.Parameter(torch.zeros(SIGNS, N_TAGS, N_TAGS))

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Return tag scores [looks, pieces, signs, 3] and scores to pool."""
        states = self.dropout(states)
        return self.tags(states).unflatten(-1, (SIGNS, N_TAGS)), self.pooled(states)


class StanceNetwork(nn.Module):
    """The encoder with a head on each of the layers `exits` (counted from 1)."""

    def __init__(self, exits: tuple[int, ...] = (4, 6)) -> None:
        super().__init__()
        shape = Shape()
        self.exits = exits
        self.encoder = Encoder(shape)
        self.encoder.shapes = nn.Embedding(N_KINDS, shape.hidden)
        nn.init.zeros_(self.encoder.shapes.weight)
        self.heads = nn.ModuleList(StanceHead(shape.hidden) for _ in exits)

    def forward(
        self, ids: Tensor, kinds: Tensor, mask: Tensor | None
    ) -> list[tuple[Tensor, Tensor]]:
        """Return for each exit the tag scores and the scores to pool of each piece."""
        states = self.encoder(ids, kinds, mask)
        return [head(states[at - 1]) for at, head in zip(self.exits, self.heads, strict=True)]


def start_from_attribution(encoder: Encoder, checkpoint: Path) -> None:
    """Copy the encoder of an attribution checkpoint `epochN.pt`; every role starts alike."""
    stored = torch.load(checkpoint, weights_only=True)
    state = {k.removeprefix("encoder."): v for k, v in stored.items() if k.startswith("encoder.")}
    state["shapes.weight"] = state["shapes.weight"].repeat(N_KINDS // N_SHAPES, 1)
    encoder.load_state_dict(state)


def start_encoder(encoder: Encoder, start: Path) -> None:
    """Load MiniLM (`.safetensors`) or an attribution checkpoint (`.pt`) into the encoder."""
    if start.suffix == ".safetensors":
        load_minilm(encoder, start)
    else:
        start_from_attribution(encoder, start)
