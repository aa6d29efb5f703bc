"""Measures a shipped model on annotated articles and writes its model card."""

import json
from pathlib import Path
from typing import Any, cast

from flows.evaluation.corpus import Attribution as Row
from flows.evaluation.corpus import Offsets
from flows.evaluation.report import evaluate
from flows.extract.records import Attribution
from flows.extract.tagger import Tagger, read_description
from flows.training.data import Article
from flows.training.judge import calibration_error, right_attributions

FIGURES = {
    "content tokens F1": "content tokens",
    "all overlap F1": "overlap",
    "all source right": "source right",
    "all end to end F1": "end to end",
    "quoted end to end F1": "end to end, quoted",
    "indirect end to end F1": "end to end, indirect",
}
"""Figures of `stancebank evaluate` that the card shows, and their headings."""


def _offsets(found: Attribution) -> dict[str, Offsets]:
    spans = {"source": found.source, "cue": found.cue, "content": found.content}
    return {name: [list(span) for span in several] for name, several in spans.items()}


def measure(tagger: Tagger, articles: list[Article]) -> dict[str, Any]:
    """Score a model on articles: FIGURES as (value, low, high) and the calibration error."""
    found = {a.article_id: tagger.attribute([a.text])[0] for a in articles}
    rows = {name: [_offsets(one) for one in several] for name, several in found.items()}
    sure = [one.confidence for several in found.values() for one in several]
    right = [r for a in articles for r in right_attributions(a, rows[a.article_id])]
    gold: list[Any] = [
        {"id": a.article_id, "text": a.text, "attributions": list(a.attributions)} for a in articles
    ]
    report = evaluate(gold, cast(dict[str, list[Row]], rows))
    figures = {name: report.figures[name] for name in FIGURES}
    return {
        "articles": len(articles),
        "attributions": sum(len(a.attributions) for a in articles),
        "figures": {name: (f.value, f.low, f.high) for name, f in figures.items()},
        "calibration error": calibration_error(sure, right),
    }


def _score_table(measured: dict[str, dict[str, Any]]) -> str:
    rows = [
        f"| set | articles | attributions | {' | '.join(FIGURES.values())} | calibration error |",
        "|" + "---|" * (len(FIGURES) + 4),
    ]
    for label, one in measured.items():
        cells = [f"{v:.1f} ({low:.1f}–{high:.1f})" for v, low, high in one["figures"].values()]
        rows.append(
            f"| {label} | {one['articles']} | {one['attributions']} | {' | '.join(cells)} "
            f"| {one['calibration error']:.3f} |"
        )
    return "\n".join(rows)


def write_card(folder: Path, measured: dict[str, dict[str, Any]]) -> None:
    """Write MODEL_CARD.md beside the model from its description and what was measured."""
    about = read_description(folder)
    template = (Path(__file__).parent / "card.md").read_text(encoding="utf-8")
    corpora = "\n".join(
        f"| {name} | {c['articles']} | {c['held back']} | `{c['sha256'][:16]}…` |"
        for name, c in about["corpora"].items()
    )
    decoding = {k: v for k, v in about["decoding"].items() if k not in {"transitions"}}
    card = template.format(
        version=about["version"],
        layers=about["layers"],
        base_sha256=about["base sha256"],
        corpora=corpora,
        settings=json.dumps(about["settings"]),
        epochs=about["epochs"],
        decoding=json.dumps(decoding),
        scores=_score_table(measured),
    )
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
