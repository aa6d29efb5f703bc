"""Batches of examples and the loss taken on them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from flows.extract.links import PAIRS
from flows.training.data import IGNORED, Example
from flows.training.model import FORBIDDEN, Head, Network, forbidden_transitions

CLS, SEP = 101, 102


@dataclass(frozen=True)
class Batch:
    """Windows padded to one length, and the units, spans and links that stand in them.

    `ids`, `shapes`, `mask` [windows, length]. `unit_at` [windows, units]: piece of each unit.
    `tags` [windows, units], -1 beyond the last. `unit_of` [all units]: place of each unit in the
    flattened `unit_at`, in order of the articles. `spans`: per kind [n, 2] of such units.
    `links`: per pair (candidate index, features, target).
    """

    ids: Tensor
    shapes: Tensor
    mask: Tensor
    unit_at: Tensor
    tags: Tensor
    unit_of: Tensor
    spans: tuple[Tensor, ...]
    links: tuple[tuple[Tensor, Tensor, Tensor], ...]


def collate(examples: list[Example]) -> Batch:
    """Lay the windows of several examples side by side."""
    windows = [(e, w) for e in examples for w in e.windows]
    units = [np.searchsorted(e.pieces.first, [w.start, w.end]) for e, w in windows]
    length = max(w.right - w.left for _, w in windows) + 2
    most = max(int(high - low) for low, high in units)
    ids, shapes = np.zeros((2, len(windows), length), dtype=np.int64)
    mask = np.zeros((len(windows), length), dtype=bool)
    unit_at = np.zeros((len(windows), most), dtype=np.int64)
    tags = np.full((len(windows), most), -1, dtype=np.int64)
    for row, ((example, window), (low, high)) in enumerate(zip(windows, units, strict=True)):
        stop = window.right - window.left + 1
        ids[row, 0], ids[row, stop] = CLS, SEP
        ids[row, 1:stop] = example.pieces.ids[window.left : window.right]
        shapes[row, 1:stop] = example.pieces.shapes[window.left : window.right]
        mask[row, : stop + 1] = True
        unit_at[row, : high - low] = example.pieces.first[low:high] - window.left + 1
        tags[row, : high - low] = example.tags[low:high]
    spans, links = _collate_links(examples)
    return Batch(
        ids=torch.from_numpy(ids),
        shapes=torch.from_numpy(shapes),
        mask=torch.from_numpy(mask),
        unit_at=torch.from_numpy(unit_at),
        tags=torch.from_numpy(tags),
        unit_of=torch.from_numpy(np.flatnonzero(tags.ravel() >= 0)),
        spans=spans,
        links=links,
    )


def _collate_links(
    examples: list[Example],
) -> tuple[tuple[Tensor, ...], tuple[tuple[Tensor, Tensor, Tensor], ...]]:
    spans: list[list[np.ndarray]] = [[], [], []]
    links: list[list[tuple[np.ndarray, ...]]] = [[] for _ in PAIRS]
    begun = 0
    for example in examples:
        low, high = np.searchsorted(
            example.pieces.first, [example.windows[0].start, example.windows[-1].end]
        )
        for place, (pair, link) in enumerate(zip(PAIRS, example.links, strict=True)):
            shift = sum(len(s) for s in spans[pair[1]])
            index = np.where(link.candidates.index >= 0, link.candidates.index + shift, -1)
            links[place].append((index, link.candidates.features, link.target))
        for kind, found in enumerate(example.spans):
            spans[kind].append(found - low + begun)
        begun += int(high - low)
    joined = [[np.concatenate(column) for column in zip(*rows, strict=True)] for rows in links]
    return (
        tuple(torch.from_numpy(np.concatenate(s)) for s in spans),
        tuple(
            (torch.from_numpy(a), torch.from_numpy(b), torch.from_numpy(c)) for a, b, c in joined
        ),
    )


def log_partition(scores: Tensor, transitions: Tensor, lengths: Tensor) -> Tensor:
    """Return the log sum over all tag sequences, [sequences].

    `scores` [sequences, units, tags], `transitions` [sequences, tags, tags]. The product of the
    transition matrices is taken pairwise, in log2(units) steps (a parallel scan).
    """
    count, most, tags = scores.shape
    identity = torch.full((tags, tags), FORBIDDEN).fill_diagonal_(0.0)
    steps = transitions[:, None] + scores[:, 1:, None, :]
    live = torch.arange(1, most)[None] < lengths[:, None]
    steps = torch.where(live[..., None, None], steps, identity)
    while steps.shape[1] > 1:
        if steps.shape[1] % 2:
            steps = torch.cat([steps, identity.expand(count, 1, tags, tags)], dim=1)
        steps = (steps[:, ::2, :, :, None] + steps[:, 1::2, None]).logsumexp(dim=3)
    total = scores[:, 0, :, None] + steps[:, 0] if most > 1 else scores[:, 0, :, None]
    return total.flatten(1).logsumexp(dim=1)


def tag_loss(scores: Tensor, transitions: Tensor, tags: Tensor) -> Tensor:
    """Return the negative log-likelihood of the tags in a linear-chain CRF, per unit.

    `scores` [windows, units, tags], `transitions` [tags, tags], `tags` [windows, units], -1 beyond
    the last. A window may start within a span. Lafferty, McCallum & Pereira (2001).
    """
    live = tags >= 0
    gold = tags.clamp(min=0)
    full = transitions + forbidden_transitions()
    along = scores.gather(2, gold[..., None])[..., 0].masked_fill(~live, 0.0).sum()
    across = full[gold[:, :-1], gold[:, 1:]].masked_fill(~live[:, 1:], 0.0).sum()
    partition = log_partition(scores, full.expand(len(tags), -1, -1), live.sum(1)).sum()
    return (partition - along - across) / live.sum()


def span_states(units: Tensor, spans: Tensor) -> Tensor:
    """Represent spans [n, 2] by first, last and mean unit: [n, 3 * width]."""
    running = functional.pad(units.cumsum(0), (0, 0, 1, 0))
    size = (spans[:, 1] - spans[:, 0]).clamp(min=1)[:, None]
    mean = (running[spans[:, 1]] - running[spans[:, 0]]) / size
    return torch.cat([units[spans[:, 0]], units[spans[:, 1] - 1], mean], dim=1)


def link_loss(head: Head, states: Tensor, batch: Batch) -> Tensor:
    """Return the mean cross-entropy of the links; `states` [all units, LINK_WIDTH]."""
    spans = [span_states(states, s) for s in batch.spans]
    losses = []
    for pair, scorer, (index, features, target) in zip(
        PAIRS, head.scorers, batch.links, strict=True
    ):
        if not bool((target != IGNORED).any()):
            continue
        scores = scorer(spans[pair[0]], spans[pair[1]], index, features)
        losses.append(functional.cross_entropy(scores, target, ignore_index=IGNORED))
    return torch.stack(losses).mean() if losses else states.sum() * 0.0


def head_losses(network: Network, batch: Batch) -> list[tuple[Tensor, Tensor]]:
    """Return (tag loss, link loss) of each exit of the network on a batch."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = network(batch.ids, batch.shapes, batch.mask[:, None, None, :])
    losses = []
    for head, (scores, states) in zip(network.heads, outputs, strict=True):
        rows = torch.arange(len(batch.ids))[:, None]
        unit_scores = scores.float()[rows, batch.unit_at]
        unit_states = states.float()[rows, batch.unit_at].flatten(0, 1)[batch.unit_of]
        losses.append(
            (
                tag_loss(unit_scores, head.transitions, batch.tags),
                link_loss(head, unit_states, batch),
            )
        )
    return losses
