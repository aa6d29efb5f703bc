"""Measures a shipped model on annotated articles and writes its model card."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from flows.extract.records import Attribution
from flows.extract.tagger import Tagger, read_description
from flows.training.data import Article
from flows.training.evaluate import calibration_error, interval, judge, summarize


def _offsets(found: Attribution) -> dict[str, list[list[int]]]:
    return {"source": [list(s) for s in found.source], "content": [list(s) for s in found.content]}


def measure(tagger: Tagger, articles: list[Article]) -> dict[str, Any]:
    """Score a model on articles: every score of `summarize`, its interval, calibration error."""
    total: Counter[str] = Counter()
    per_article, sure, right = [], [], []
    for article in articles:
        found = tagger.attribute([article.text])[0]
        judged = judge(article, [_offsets(f) for f in found])
        per_article.append(judged.counts)
        total.update(judged.counts)
        sure += [f.confidence for f in found]
        right += judged.right
    return {
        "articles": len(articles),
        "attributions": total["gold"],
        "scores": {
            name: {"value": value, "interval": interval(per_article, name)}
            for name, value in summarize(total).items()
        },
        "calibration error": calibration_error(sure, right),
    }


def _score_table(measured: dict[str, dict[str, Any]]) -> str:
    names = list(next(iter(measured.values()))["scores"])
    rows = [f"| set | articles | attributions | {' | '.join(names)} | calibration error |"]
    rows.append("|" + "---|" * (len(names) + 4))
    for label, one in measured.items():
        cells = [
            f"{s['value']:.1f} ({s['interval'][0]:.1f}–{s['interval'][1]:.1f})"
            for s in one["scores"].values()
        ]
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
        epoch=about["epoch"],
        decoding=json.dumps(decoding),
        scores=_score_table(measured),
    )
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
