"""Batches of statements and the losses taken on them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from flows.extract.stance_model import (
    GATE_CONTENT,
    GATE_LOOK,
    INTENSITY_LOOK,
    INTENSITY_TARGET,
    TYPE,
)
from flows.extract.stance_spans import OUT, SIGNS
from flows.training.loss import log_partition
from flows.training.stance.data import Example
from flows.training.stance.network import StanceHead, StanceNetwork, forbidden_transitions


@dataclass(frozen=True)
class Batch:
    """Looks padded to one length.

    `ids`, `kinds`, `mask` [looks, pieces]. `unit_at` [looks, units]: piece of each unit. `tags`
    [looks, signs, units], -1 beyond the last. `content` [looks, units]: weights of the mean over
    the content. `polar` [looks]. `target_look`, `intensities`, `types` [targets], `target_units`
    [targets, units]: weights of the mean over each target.
    """

    ids: Tensor
    kinds: Tensor
    mask: Tensor
    unit_at: Tensor
    tags: Tensor
    content: Tensor
    polar: Tensor
    target_look: Tensor
    target_units: Tensor
    intensities: Tensor
    types: Tensor


def collate(examples: list[Example]) -> Batch:
    """Lay the looks of several statements side by side."""
    count = len(examples)
    length = max(len(e.look.ids) for e in examples)
    most = max(len(e.look.at) for e in examples)
    ids, kinds = np.zeros((2, count, length), dtype=np.int64)
    mask = np.zeros((count, length), dtype=bool)
    unit_at = np.zeros((count, most), dtype=np.int64)
    tags = np.full((count, SIGNS, most), -1, dtype=np.int64)
    content = np.zeros((count, most), dtype=np.float32)
    for row, example in enumerate(examples):
        look, pieces, units = example.look, len(example.look.ids), len(example.look.at)
        ids[row, :pieces], kinds[row, :pieces], mask[row, :pieces] = look.ids, look.kinds, True
        unit_at[row, :units] = look.at
        tags[row, :, :units] = example.tags
        content[row, example.content] = 1.0 / len(example.content)
    targets = [(row, t) for row, example in enumerate(examples) for t in example.targets]
    inside = np.zeros((len(targets), most), dtype=np.float32)
    for number, (_, target) in enumerate(targets):
        inside[number, target.low : target.high] = 1.0 / (target.high - target.low)
    return Batch(
        ids=torch.from_numpy(ids),
        kinds=torch.from_numpy(kinds),
        mask=torch.from_numpy(mask),
        unit_at=torch.from_numpy(unit_at),
        tags=torch.from_numpy(tags),
        content=torch.from_numpy(content),
        polar=torch.tensor([float(e.polar) for e in examples]),
        target_look=torch.tensor([row for row, _ in targets], dtype=torch.long),
        target_units=torch.from_numpy(inside),
        intensities=torch.tensor([t.intensity for _, t in targets], dtype=torch.long),
        types=torch.tensor([t.type_number for _, t in targets], dtype=torch.long),
    )


def tag_loss(scores: Tensor, transitions: Tensor, tags: Tensor) -> Tensor:
    """Return the negative log-likelihood of the tags in two linear-chain CRFs, per look.

    `scores` [looks, units, signs, 3], `transitions` [signs, 3, 3], `tags` [looks, signs, units],
    -1 beyond the last. Every look begins outside. Lafferty, McCallum & Pereira (2001).
    """
    looks, most = scores.shape[:2]
    flat = scores.transpose(1, 2).reshape(looks * SIGNS, most, 3)
    full = (transitions + forbidden_transitions()).repeat(looks, 1, 1)
    flat = torch.cat([flat[:, :1] + full[:, None, OUT], flat[:, 1:]], dim=1)
    gold = tags.reshape(looks * SIGNS, most)
    live = gold >= 0
    chosen = gold.clamp(min=0)
    along = flat.gather(2, chosen[..., None])[..., 0].masked_fill(~live, 0.0).sum()
    rows = torch.arange(len(gold))[:, None]
    steps = full[rows, chosen[:, :-1], chosen[:, 1:]].masked_fill(~live[:, 1:], 0.0)
    partition = log_partition(flat, full, live.sum(1)).sum()
    return (partition - along - steps.sum()) / looks


def side_losses(pooled: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the loss of the gate, and of intensity and type together.

    `pooled` [looks, 1 + units, columns]: the classifier mark, then each unit.
    """
    mark, units = pooled[:, 0], pooled[:, 1:]
    gate = (units[..., GATE_CONTENT] * batch.content).sum(1) + mark[:, GATE_LOOK]
    gate_loss = functional.binary_cross_entropy_with_logits(gate, batch.polar)
    if not len(batch.target_look):
        return gate_loss, gate_loss * 0.0
    means = (units[batch.target_look] * batch.target_units[..., None]).sum(1)
    intensity = means[:, INTENSITY_TARGET] + mark[batch.target_look][:, INTENSITY_LOOK]
    losses = functional.cross_entropy(intensity, batch.intensities)
    return gate_loss, losses + functional.cross_entropy(means[:, TYPE], batch.types)


def head_losses(network: StanceNetwork, batch: Batch) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return (tags, gate, intensity and type) losses of each exit of the network on a batch."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = network(batch.ids, batch.kinds, batch.mask[:, None, None, :])
    rows = torch.arange(len(batch.ids))[:, None]
    losses = []
    for head, (scores, pooled) in zip(network.heads, outputs, strict=True):
        assert isinstance(head, StanceHead)
        of_units = pooled.float()[rows, batch.unit_at]
        seen = torch.cat([pooled.float()[:, :1], of_units], dim=1)
        tags = tag_loss(scores.float()[rows, batch.unit_at], head.transitions, batch.tags)
        losses.append((tags, *side_losses(seen, batch)))
    return losses
