"""The network in training: loss, learning and export. Needs the training extra (PyTorch, ONNX)."""

from itertools import pairwise, product
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer

torch = pytest.importorskip("torch", reason="needs the training extra")
pytest.importorskip("onnx", reason="needs the training extra")

from flows.extract.tagger import MODEL_FOLDER  # noqa: E402
from flows.training.data import Cut, make_examples  # noqa: E402
from flows.training.export import write_model  # noqa: E402
from flows.training.loss import collate, head_losses, log_partition  # noqa: E402
from flows.training.model import Network, Shape, forbidden_transitions  # noqa: E402
from tests.test_training import ARTICLE  # noqa: E402

SMALL = Shape(hidden=48, inner=96, heads=4, layers=2)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))


def test_partition_sums_over_all_tag_sequences() -> None:
    torch.manual_seed(1)
    scores, rules = torch.randn(5, 7), forbidden_transitions()
    each = [
        sum(scores[i, t] for i, t in enumerate(tags)) + sum(rules[a, b] for a, b in pairwise(tags))
        for tags in product(range(7), repeat=3)
    ]
    found = log_partition(scores[None], rules[None], torch.tensor([3]))
    assert float(found) == pytest.approx(float(torch.stack(each).logsumexp(0)), abs=1e-4)


def test_one_example_is_learned(tokenizer: Tokenizer) -> None:
    torch.manual_seed(0)
    network = Network((2,), SMALL)
    batch = collate(make_examples(ARTICLE, tokenizer, cut=Cut()))
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    losses = []
    for _ in range(40):
        ((tag, link),) = head_losses(network, batch)
        optimizer.zero_grad()
        (tag + link).backward()
        optimizer.step()
        losses.append(float((tag + link).detach()))
    assert losses[-1] < 0.3 * losses[0]


def test_exported_model_agrees_with_the_network(tokenizer: Tokenizer, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Network((1, 2), SMALL).eval()
    write_model(network, 1, tokenizer, tmp_path, {"layers": 2})
    ids = np.arange(100, 130)[None]
    given = {"ids": ids, "places": np.arange(30)[None], "shapes": np.ones_like(ids)}
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    found = session.run(("tags", "links"), given)
    with torch.no_grad():
        wanted = network(torch.tensor(ids), torch.ones(1, 30, dtype=torch.int64), None)[1]
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.abs(ours - theirs.numpy()).max() < 0.1 * np.abs(theirs.numpy()).max()
