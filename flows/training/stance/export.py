"""Export of a trained stance network to int8 ONNX, as the attribution model's."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper

from flows.extract.stance_rows import N_EVIDENCE
from flows.training.export import MICROSOFT, Graph, add_embedding, add_layer, add_linear, as_array
from flows.training.model import Layer
from flows.training.stance.network import StanceHead, StanceNetwork, forbidden_transitions

UNTUNED = {"least": 0.0, "calibration": [0.0] * (N_EVIDENCE + 1)}


def build_onnx(network: StanceNetwork, exit_number: int) -> onnx.ModelProto:
    """Draw the network up to one of its exits.

    Inputs `ids`, `places`, `shapes` [1, length] int64 (`shapes`: the kinds of the pieces), a look
    without padding; outputs `tags` [1, length, signs * 3] and `pooled` [1, length, columns].
    """
    graph = Graph()
    states = add_embedding(graph, network.encoder)
    for number in range(network.exits[exit_number]):
        layer = network.encoder.layers[number]
        assert isinstance(layer, Layer)
        states = add_layer(graph, f"layer{number}", layer, states)
    head = network.heads[exit_number]
    assert isinstance(head, StanceHead)
    outputs = {"tags": head.tags, "pooled": head.pooled}
    for name, linear in outputs.items():
        add_linear(graph, name, linear, states)
    info = helper.make_tensor_value_info
    drawn = helper.make_graph(
        graph.nodes,
        "stance",
        [info(n, TensorProto.INT64, [1, "length"]) for n in ("ids", "places", "shapes")],
        [info(n, TensorProto.FLOAT, [1, "length", o.out_features]) for n, o in outputs.items()],
        graph.constants,
    )
    versions = [helper.make_opsetid("", 20), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(drawn, opset_imports=versions, ir_version=9)


def read_network(checkpoint: Path) -> StanceNetwork:
    """Load the weights of a checkpoint `epochN.pt` into a network ready for inference."""
    network = StanceNetwork()
    network.load_state_dict(torch.load(checkpoint, weights_only=True))
    network.eval()
    return network


def write_model(
    network: StanceNetwork, exit_number: int, tokenizer: Path, folder: Path, about: dict[str, Any]
) -> None:
    """Write model.onnx to `folder`, and model.json with hashes and `about`.

    `tokenizer` is the attribution model's: it is named in model.json and checked, not copied.
    """
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(build_onnx(network, exit_number), str(folder / "model.onnx"))
    beside = Path(os.path.relpath(tokenizer, folder)).as_posix()
    files = ("model.onnx", beside)
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    head = network.heads[exit_number]
    assert isinstance(head, StanceHead)
    transitions = as_array(head.transitions + forbidden_transitions()).round(5).tolist()
    described = {
        "version": f"1-{hashes['model.onnx'][:8]}",
        **about,
        "tokenizer": beside,
        "files": hashes,
        "decoding": {**UNTUNED, "transitions": transitions},
    }
    write_description(folder, described)


def write_description(folder: Path, described: dict[str, Any]) -> None:
    """Write model.json."""
    text = json.dumps(described, indent=1) + "\n"
    (folder / "model.json").write_text(text, encoding="utf-8")
