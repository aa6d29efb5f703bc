"""Export of a trained network to int8 ONNX, drawn operator by operator with fused kernels."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from torch import Tensor, nn

from flows.extract.decode import N_EVIDENCE
from flows.extract.links import FEATURE_SIZES, PAIRS
from flows.training.model import (
    LINK_WIDTH,
    Encoder,
    Head,
    Layer,
    LinkScorer,
    Network,
    forbidden_transitions,
)

MICROSOFT = "com.microsoft"
EPSILON = 1e-12
UNTUNED = {
    "capacity": 240,
    "left": 32,
    "right": 16,
    "eager": 1.0,
    "join": 0.5,
    "least": 0.0,
    "calibration": [0.0] * (N_EVIDENCE + 1),
}
"""Windows in pieces, and constants of decoding before they are tuned."""


@dataclass
class Graph:
    """An ONNX graph in the making."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Store an array and return its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append a node of the standard operators with one output and return its name."""
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def fused(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append a node of ONNX Runtime's own fused operators."""
        return self.add(operator, inputs, output, domain=MICROSOFT, **attributes)


def as_array(tensor: Tensor) -> NDArray[np.float32]:
    """A tensor's values."""
    return np.asarray(tensor.detach().float().numpy(), dtype=np.float32)


def quantize_columns(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantize [in, out] symmetrically to int8 with one scale a column."""
    scale = np.maximum(np.abs(weights).max(axis=0), 1e-8) / 127.0
    return np.rint(weights / scale).astype(np.int8), scale.astype(np.float32)


def _dense(graph: Graph, name: str, linear: nn.Linear, states: str, *, bias: bool) -> str:
    """Multiply with int8 weights; the activations' scale is taken from this window alone."""
    values, scale = quantize_columns(as_array(linear.weight).T)
    inputs = [
        states,
        graph.constant(f"{name}.weight", values),
        graph.constant(f"{name}.scale", scale),
        "",
    ]
    if bias:
        inputs.append(graph.constant(f"{name}.bias", as_array(linear.bias)))
    return graph.fused("DynamicQuantizeMatMul", inputs, f"{name}.out")


def _add_and_norm(graph: Graph, name: str, states: str, skip: str, norm: nn.LayerNorm) -> str:
    gain = graph.constant(f"{name}.gain", as_array(norm.weight))
    shift = graph.constant(f"{name}.shift", as_array(norm.bias))
    total = graph.add("Add", [states, skip], f"{name}.sum")
    return graph.add(
        "LayerNormalization", [total, gain, shift], f"{name}.out", axis=-1, epsilon=EPSILON
    )


def add_layer(graph: Graph, name: str, layer: Layer, states: str) -> str:
    """Add one encoder layer; the name of its output."""
    mixed = _dense(graph, f"{name}.qkv", layer.qkv, states, bias=True)
    parts = [f"{name}.{part}" for part in ("query", "key", "value")]
    graph.nodes.append(helper.make_node("Split", [mixed], parts, axis=2, num_outputs=3))
    attended = graph.fused("MultiHeadAttention", parts, f"{name}.attended", num_heads=layer.heads)
    out = _dense(graph, f"{name}.attention", layer.out, attended, bias=True)
    states = _add_and_norm(graph, f"{name}.norm1", out, states, layer.norm1)
    grown = _dense(graph, f"{name}.up", layer.up, states, bias=False)
    bias = graph.constant(f"{name}.up.bias", as_array(layer.up.bias))
    grown = graph.fused("FastGelu", [grown, bias], f"{name}.gelu")
    out = _dense(graph, f"{name}.down", layer.down, grown, bias=True)
    return _add_and_norm(graph, f"{name}.norm2", out, states, layer.norm2)


def add_embedding(graph: Graph, encoder: Encoder) -> str:
    """Add the embedding of pieces, places and shapes; the name of its output."""
    words = as_array(encoder.words.weight)
    values, scale = quantize_columns(words.T)
    rows = graph.constant("words", values.T)
    scales = graph.constant("words.scale", scale[:, None])
    picked = graph.add("Gather", [rows, "ids"], "words.picked")
    picked = graph.add("Cast", [picked], "words.float", to=TensorProto.FLOAT)
    factor = graph.add("Gather", [scales, "ids"], "words.factor")
    states = graph.add("Mul", [picked, factor], "words.out")
    for kind, table in (("places", encoder.places), ("shapes", encoder.shapes)):
        constant = graph.constant(f"{kind}.table", as_array(table.weight))
        added = graph.add("Gather", [constant, kind], f"{kind}.picked")
        states = graph.add("Add", [states, added], f"{kind}.out")
    gain = graph.constant("norm.gain", as_array(encoder.norm.weight))
    shift = graph.constant("norm.shift", as_array(encoder.norm.bias))
    return graph.add(
        "LayerNormalization", [states, gain, shift], "embedded", axis=-1, epsilon=EPSILON
    )


def build_onnx(network: Network, exit_number: int) -> onnx.ModelProto:
    """Draw the network up to one of its exits.

    Inputs `ids`, `places`, `shapes` [1, length] int64, a window without padding; outputs `tags`
    [1, length, 7] and `links` [1, length, width].
    """
    graph = Graph()
    states = add_embedding(graph, network.encoder)
    for number in range(network.exits[exit_number]):
        layer = network.encoder.layers[number]
        assert isinstance(layer, Layer)
        states = add_layer(graph, f"layer{number}", layer, states)
    head = network.heads[exit_number]
    assert isinstance(head, Head)
    for name, linear in (("tags", head.tags), ("links", head.link)):
        add_linear(graph, name, linear, states)
    length = helper.make_tensor_value_info
    drawn = helper.make_graph(
        graph.nodes,
        "attribution",
        [length(n, TensorProto.INT64, [1, "length"]) for n in ("ids", "places", "shapes")],
        [
            length("tags", TensorProto.FLOAT, [1, "length", head.tags.out_features]),
            length("links", TensorProto.FLOAT, [1, "length", head.link.out_features]),
        ],
        graph.constants,
    )
    versions = [helper.make_opsetid("", 20), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(drawn, opset_imports=versions, ir_version=9)


def add_linear(graph: Graph, name: str, linear: nn.Linear, states: str) -> str:
    """Add a linear layer in fp32; the name of its output."""
    weight = graph.constant(f"{name}.weight", as_array(linear.weight).T)
    product = graph.add("MatMul", [states, weight], f"{name}.product")
    if linear.bias is None:
        return product
    return graph.add("Add", [product, graph.constant(f"{name}.bias", as_array(linear.bias))], name)


def _link_scorer(graph: Graph, number: int, scorer: LinkScorer, pair: tuple[int, int]) -> None:
    """Draw one link scorer: `pairs` scores the pairs listed, `none` having no partner."""
    seek, sought = f"spans{pair[0]}", f"spans{pair[1]}"
    rows, chosen = f"rows{number}", f"chosen{number}"

    def named(name: str) -> str:
        return f"link{number}.{name}"

    def picked(linear: nn.Linear, name: str, states: str, places: str) -> str:
        all_of_them = add_linear(graph, named(name), linear, states)
        return graph.add("Gather", [all_of_them, places], named(f"{name}.picked"))

    asking = add_linear(graph, named("seek"), scorer.seek, seek)
    nothing = add_linear(
        graph, named("nothing"), scorer.nothing, graph.add("Relu", [asking], named("seek.relu"))
    )
    last = graph.constant(named("last"), np.array([-1], np.int64))
    graph.add("Squeeze", [nothing, last], f"none{number}")
    tables = np.concatenate([as_array(table.weight) for table in scorer.features])
    looked_up = graph.add(
        "Gather", [graph.constant(named("tables"), tables), f"features{number}"], named("features")
    )
    middle = graph.constant(named("middle"), np.array([1], np.int64))
    described = graph.add("ReduceSum", [looked_up, middle], named("described"), keepdims=0)
    asked = graph.add("Gather", [asking, rows], named("seek.picked"))
    answered = picked(scorer.sought, "sought", sought, chosen)
    hidden = graph.add("Sum", [asked, answered, described], named("hidden"))
    score = add_linear(
        graph, named("score"), scorer.score, graph.add("Relu", [hidden], named("hidden.relu"))
    )
    left = picked(scorer.seek_product, "seek_product", seek, rows)
    right = picked(scorer.sought_product, "sought_product", sought, chosen)
    product = graph.add("Mul", [left, right], named("product"))
    total = graph.add("ReduceSum", [product, last], named("product.sum"), keepdims=1)
    scale = graph.constant(named("scale"), np.array([LINK_WIDTH**-0.5], np.float32))
    scaled = graph.add("Mul", [total, scale], named("product.scaled"))
    both = graph.add("Add", [score, scaled], named("score.all"))
    graph.add("Squeeze", [both, last], f"pairs{number}")


def build_links_onnx(head: Head) -> onnx.ModelProto:
    """Draw the link scorers: inputs and outputs as `flows.extract.tagger` names them."""
    graph = Graph()
    info = helper.make_tensor_value_info
    inputs = [info(f"spans{k}", TensorProto.FLOAT, [None, 3 * LINK_WIDTH]) for k in range(3)]
    outputs = []
    for number, (pair, scorer) in enumerate(zip(PAIRS, head.scorers, strict=True)):
        assert isinstance(scorer, LinkScorer)
        _link_scorer(graph, number, scorer, pair)
        for name in ("rows", "chosen"):
            inputs.append(info(f"{name}{number}", TensorProto.INT64, [None]))
        inputs.append(info(f"features{number}", TensorProto.INT64, [None, len(FEATURE_SIZES)]))
        outputs += [info(f"{n}{number}", TensorProto.FLOAT, [None]) for n in ("pairs", "none")]
    drawn = helper.make_graph(graph.nodes, "links", inputs, outputs, graph.constants)
    return helper.make_model(drawn, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def read_network(checkpoints: list[Path]) -> Network:
    """Load checkpoints `epochN.pt` into one network: the mean of their weights."""
    states = [torch.load(path, weights_only=True) for path in checkpoints]
    network = Network()
    network.load_state_dict(
        {name: torch.stack([s[name] for s in states]).mean(dim=0) for name in states[0]}
    )
    network.eval()
    return network


def write_model(
    network: Network, exit_number: int, tokenizer: Tokenizer, folder: Path, about: dict[str, Any]
) -> None:
    """Write the model's files to `folder`, and model.json with their SHA-256 and `about`."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(build_onnx(network, exit_number), str(folder / "model.onnx"))
    head = network.heads[exit_number]
    assert isinstance(head, Head)
    onnx.save(build_links_onnx(head), str(folder / "links.onnx"))
    tokenizer.save(str(folder / "tokenizer.json"))
    files = ("model.onnx", "links.onnx", "tokenizer.json")
    hashes = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in files}
    transitions = as_array(head.transitions + forbidden_transitions()).round(5).tolist()
    described = {
        "version": f"1-{hashes['model.onnx'][:8]}",
        **about,
        "files": hashes,
        "decoding": {**UNTUNED, "transitions": transitions},
    }
    _write_json(folder / "model.json", described)


def write_description(folder: Path, rules: dict[str, Any]) -> None:
    """Put tuned constants of decoding into model.json."""
    described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    described["decoding"].update(rules)
    _write_json(folder / "model.json", described)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
