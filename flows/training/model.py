# mypy: disallow-subclassing-any=False
"""The network: a MiniLM encoder that tags source, cue and content and links them."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from flows.extract.links import FEATURE_SIZES, PAIRS
from flows.extract.pieces import N_SHAPES

N_TAGS = 7
LINK_WIDTH = 128
FORBIDDEN = -1e4


@dataclass(frozen=True)
class Shape:
    """Size of the encoder; the values are those of all-MiniLM-L6-v2."""

    vocabulary: int = 30_522
    positions: int = 512
    hidden: int = 384
    inner: int = 1_536
    heads: int = 12
    layers: int = 6


def forbidden_transitions() -> Tensor:
    """Return [N_TAGS, N_TAGS]: FORBIDDEN from any tag to an inner tag of another span, else 0."""
    rules = torch.zeros(N_TAGS, N_TAGS)
    for inner in range(2, N_TAGS, 2):
        rules[:, inner] = FORBIDDEN
        rules[inner - 1 : inner + 1, inner] = 0.0
    return rules


class Layer(nn.Module):
    """A transformer layer as in BERT: attention and feed-forward, each followed by a norm."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.out = nn.Linear(shape.hidden, shape.hidden)
        self.norm1 = nn.LayerNorm(shape.hidden, eps=1e-12)
        self.up = nn.Linear(shape.hidden, shape.inner)
        self.down = nn.Linear(shape.inner, shape.hidden)
        self.norm2 = nn.LayerNorm(shape.hidden, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        """Map states [windows, length, hidden]; `mask` is True where attention may look."""
        count, length, width = states.shape
        split = self.qkv(states).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        mixed = mixed.transpose(1, 2).reshape(count, length, width)
        states = self.norm1(states + self.dropout(self.out(mixed)))
        grown = functional.gelu(self.up(states))
        return self.norm2(states + self.dropout(self.down(grown)))


class Encoder(nn.Module):
    """MiniLM with one more input embedding: the shape of a piece (see `pieces.N_SHAPES`)."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, shape.hidden)
        self.places = nn.Embedding(shape.positions, shape.hidden)
        self.shapes = nn.Embedding(N_SHAPES, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, eps=1e-12)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.dropout = nn.Dropout(dropout)
        self.words.weight.requires_grad_(False)
        nn.init.zeros_(self.shapes.weight)

    def forward(self, ids: Tensor, shapes: Tensor, mask: Tensor | None) -> list[Tensor]:
        """Return the states after every layer, each [windows, length, hidden]."""
        places = self.places.weight[: ids.shape[1]]
        states = self.dropout(self.norm(self.words(ids) + places + self.shapes(shapes)))
        outputs = []
        for layer in self.layers:
            states = layer(states, mask)
            outputs.append(states)
        return outputs


class LinkScorer(nn.Module):
    """Scores every candidate of a seeking span, and that it has none."""

    def __init__(self) -> None:
        super().__init__()
        width = 3 * LINK_WIDTH
        self.seek = nn.Linear(width, LINK_WIDTH)
        self.sought = nn.Linear(width, LINK_WIDTH, bias=False)
        self.seek_product = nn.Linear(width, LINK_WIDTH)
        self.sought_product = nn.Linear(width, LINK_WIDTH, bias=False)
        self.features = nn.ModuleList(nn.Embedding(n, LINK_WIDTH) for n in FEATURE_SIZES)
        self.score = nn.Linear(LINK_WIDTH, 1)
        self.nothing = nn.Linear(LINK_WIDTH, 1)
        for table in self.features:
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, seek: Tensor, sought: Tensor, index: Tensor, features: Tensor) -> Tensor:
        """Return scores [n, candidates + 1], the last column that of having no partner.

        `seek` [n, 3 * LINK_WIDTH] and `sought` [m, 3 * LINK_WIDTH] represent the spans, `index`
        [n, candidates] numbers the candidates (-1: none), `features` describes each pair.
        """
        asking = self.seek(seek)
        none = self.nothing(functional.relu(asking))
        if not len(sought):
            return torch.cat([none.new_full(index.shape, FORBIDDEN), none], dim=1)
        hidden = asking[:, None] + self.sought(sought)[index]
        for place, table in enumerate(self.features):
            hidden = hidden + table(features[..., place])
        product = self.seek_product(seek)[:, None] * self.sought_product(sought)[index]
        scores = self.score(functional.relu(hidden))[..., 0] + product.sum(-1) / LINK_WIDTH**0.5
        return torch.cat([scores.masked_fill(index < 0, FORBIDDEN), none], dim=1)


class Head(nn.Module):
    """What stands on an encoder layer: tag scores, tag transitions and the three link scorers."""

    def __init__(self, hidden: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(hidden, N_TAGS)
        self.link = nn.Linear(hidden, LINK_WIDTH)
        self.transitions = nn.Parameter(torch.zeros(N_TAGS, N_TAGS))
        self.scorers = nn.ModuleList(LinkScorer() for _ in PAIRS)

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tag scores and the link states of each piece."""
        states = self.dropout(states)
        return self.tags(states), self.link(states)


class Network(nn.Module):
    """The encoder with a head on each of the layers `exits` (counted from 1)."""

    def __init__(self, exits: tuple[int, ...] = (4, 6), shape: Shape | None = None) -> None:
        super().__init__()
        shape = shape or Shape()
        self.exits = exits
        self.encoder = Encoder(shape)
        self.heads = nn.ModuleList(Head(shape.hidden) for _ in exits)

    def forward(
        self, ids: Tensor, shapes: Tensor, mask: Tensor | None
    ) -> list[tuple[Tensor, Tensor]]:
        """Return for each exit the tag scores and link states of each piece."""
        states = self.encoder(ids, shapes, mask)
        return [head(states[at - 1]) for at, head in zip(self.exits, self.heads, strict=True)]


def load_minilm(encoder: Encoder, weights: Path) -> None:
    """Copy the weights of all-MiniLM-L6-v2 (a safetensors file) into an encoder."""
    stored = load_file(weights)
    place = {"words": "word_embeddings", "norm": "LayerNorm"}
    state = {
        f"{ours}.{part}": stored[f"embeddings.{theirs}.{part}"]
        for ours, theirs in place.items()
        for part in (("weight",) if ours == "words" else ("weight", "bias"))
    }
    kind = stored["embeddings.token_type_embeddings.weight"][0]
    state["places.weight"] = stored["embeddings.position_embeddings.weight"] + kind
    names = {
        "out": "attention.output.dense",
        "norm1": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm2": "output.LayerNorm",
    }
    for number in range(len(encoder.layers)):
        source, ours = f"encoder.layer.{number}.", f"layers.{number}."
        for part in ("weight", "bias"):
            attention = [stored[f"{source}attention.self.{n}.{part}"] for n in _QKV]
            state[f"{ours}qkv.{part}"] = torch.cat(attention)
            state |= {f"{ours}{k}.{part}": stored[f"{source}{v}.{part}"] for k, v in names.items()}
    state["shapes.weight"] = encoder.shapes.weight
    encoder.load_state_dict(state)


_QKV = ("query", "key", "value")
