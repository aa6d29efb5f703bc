"""The project's own scores agree with the scorers that lie beside the corpora."""

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows.evaluation import CorpusError, Evaluation, evaluate, read_corpus
from flows.evaluation.corpus import Article
from tests.conftest import Command

TEXT = (
    "Mayor Ann Lee said the bridge must be rebuilt.\n\n"
    "“We will not pay for it,” Treasurer Bob Cole told the council. "
    "Mr Cole condemned the plan and the mayor.\n\nVoters want the bridge."
)


def spans(words: str) -> list[list[int]]:
    start = TEXT.index(words)
    return [[start, start + len(words)]]


def attribution(source: str, content: str, **fields: Any) -> dict[str, Any]:
    return {"source": spans(source), "cue": [], "content": spans(content)} | fields


GOLD: list[dict[str, Any]] = [
    attribution(
        "Mayor Ann Lee",
        "the bridge must be rebuilt",
        speaker="Ann Lee",
        speaker_type="person",
        stances=[{"target": spans("the bridge"), "stance": "favor", "intensity": 2}],
    ),
    attribution(
        "Treasurer Bob Cole",
        "We will not pay for it",
        speaker="Bob Cole",
        speaker_type="person",
        stances=[],
    ),
    attribution(
        "Mr Cole",
        "the plan and the mayor",
        speaker="Bob Cole",
        speaker_type="person",
        stances=[
            {"target": spans("the plan"), "stance": "against", "intensity": 3},
            {"target": spans("the mayor"), "stance": "against", "intensity": 3},
        ],
    ),
]


def score(found: list[dict[str, Any]]) -> Evaluation:
    gold: Any = [{"id": "a", "text": TEXT, "attributions": GOLD}]
    rows: Any = {"a": found}
    return evaluate(gold, rows)


def test_the_annotation_itself_scores_full_marks() -> None:
    figures = score(GOLD).figures
    for name in ("all strict F1", "all end to end F1", "content tokens F1", "triple F1", "speaker"):
        assert figures[name].value == 100


def test_nothing_found_scores_nothing() -> None:
    found = score([])
    assert found.figures["all end to end F1"].value == 0
    assert found.errors["missed: statement not found"] == 3
    assert found.calibration == {}


def test_each_error_is_counted_in_its_class() -> None:
    wrong_speaker = GOLD[0] | {"speaker": "Bob Cole"}
    imagined = GOLD[1] | {"stances": [{"target": spans("it"), "stance": "against"}]}
    flipped = GOLD[2] | {
        "stances": [
            {"target": spans("the plan"), "stance": "favor"},
            {"target": spans("council"), "stance": "against"},
        ]
    }
    errors = score([wrong_speaker, imagined, flipped]).errors
    assert errors["right row, wrong speaker"] == 1
    assert errors["wrong: takes no side"] == 1
    assert errors["right target, wrong sign"] == 1
    assert errors["missed: other target or sign"] == 2
    assert errors["wrong: other target or sign"] == 2


def test_confidence_that_is_always_right_has_no_calibration_error() -> None:
    sure = [a | {"stances": [r | {"confidence": 1.0} for r in a["stances"]]} for a in GOLD]
    assert score(sure).calibration["expected calibration error"] == 0
    unsure = [a | {"stances": [r | {"confidence": 0.25} for r in a["stances"]]} for a in GOLD]
    assert score(unsure).calibration["expected calibration error"] == pytest.approx(0.75)


def test_a_line_that_is_no_article_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text('{"id": "a", "text": "x", "attributions": []}\n{"id": "b"}\n')
    with pytest.raises(CorpusError, match="line 2"):
        read_corpus(path)
    with pytest.raises(CorpusError, match="cannot be read"):
        read_corpus(tmp_path / "missing.jsonl")


def test_the_command_prints_figures_and_json(tmp_path: Path, stancebank: Command) -> None:
    path = tmp_path / "gold.jsonl.gz"
    line = json.dumps({"id": "a", "text": TEXT, "attributions": GOLD})
    path.write_bytes(gzip.compress(line.encode()))
    shown = stancebank(tmp_path, "evaluate", str(path))
    assert shown.returncode == 0, shown.stderr
    assert "triple F1" in shown.stdout
    figures = json.loads(stancebank(tmp_path, "evaluate", str(path), "--json").stdout)["figures"]
    assert 0 <= figures["all end to end F1"]["value"] <= 100


def disturbed(articles: list[Article], seed: int) -> list[dict[str, Any]]:
    """Articles whose attributions were dropped, moved, re-attributed and turned about."""
    rng = random.Random(seed)
    found = []
    for article in articles:
        kept = [a for a in article["attributions"] if rng.random() < 0.8]
        rows = [disturb(a, article, rng) for a in kept]
        found.append({"id": article["id"], "attributions": rows + rows[:2]})
    return found


def disturb(gold: Any, article: Article, rng: random.Random) -> Any:
    row = json.loads(json.dumps(gold))
    if rng.random() < 0.4:
        row["content"] = moved(row["content"], rng)
    if rng.random() < 0.3:
        row["source"] = rng.choice([[], rng.choice(article["attributions"]).get("source")])
    if rng.random() < 0.3:
        row["speaker"] = rng.choice([None, "Hillary Clinton", "voters", "Mr. Trump"])
    for stance in row.get("stances", []):
        if rng.random() < 0.4:
            stance["stance"] = rng.choice(["favor", "against", "neutral"])
            stance["target"] = moved(stance["target"], rng)
    return row


def moved(spans: list[list[int]], rng: random.Random) -> list[list[int]]:
    return [[s + rng.randint(-9, 9), e + rng.randint(-9, 30)] for s, e in spans]


def official(script: Path, gold: Path, found: Path) -> Any:
    command = [sys.executable, str(script), str(gold), str(found), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


@pytest.mark.parametrize("corpus", ["labels/dev.jsonl", "world/dev.jsonl"])
def test_own_scores_equal_the_official_ones(shared_data: Path, tmp_path: Path, corpus: str) -> None:
    scorers = shared_data.parent / "eval"
    if not scorers.is_dir():
        pytest.skip(f"needs the scorers beside the corpora (looked in {scorers})")
    gold = read_corpus(shared_data / corpus)
    rows = disturbed(gold, seed=7)
    path = tmp_path / "found.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    figures = evaluate(gold, {row["id"]: row["attributions"] for row in rows}).figures
    theirs = official(scorers / "score_attribution.py", shared_data / corpus, path)
    for kind in ("all", "quoted", "direct", "mixed", "indirect"):
        ours = {
            "strict": figures[f"{kind} strict F1"].value,
            "overlap": figures[f"{kind} overlap F1"].value,
            "e2e": figures[f"{kind} end to end F1"].value,
        }
        assert ours == pytest.approx({name: 100 * theirs[kind][name][2] for name in ours})
        assert figures[f"{kind} source right"].value == pytest.approx(100 * theirs[kind]["src"])
        assert figures[f"{kind} source exact"].value == pytest.approx(100 * theirs[kind]["srcX"])
    assert figures["content tokens F1"].value == pytest.approx(100 * theirs["tok"][2])
    theirs = official(scorers / "score_statements.py", shared_data / corpus, path)
    for ours_name, name in (("target", "target"), ("stance", "stance"), ("triple", "triple")):
        value = figures[f"{ours_name} F1"].value
        assert value == pytest.approx(100 * theirs[name][2])
    for ours_name, name in (
        ("speaker", "speaker"),
        ("speaker exact", "speaker_exact"),
        ("sign", "sign"),
        ("intensity", "intensity"),
    ):
        assert figures[ours_name].value == pytest.approx(100 * theirs[name])
