"""Measures a stance model with gold statements given, and writes its model card."""

import json
from pathlib import Path

from flows.evaluation import Evaluation, evaluate
from flows.evaluation.corpus import Article as GoldArticle
from flows.evaluation.corpus import Attribution as FoundAttribution
from flows.evaluation.corpus import Row
from flows.extract.records import Stance
from flows.extract.stance_model import StanceModel
from flows.extract.stance_rows import find_stances
from flows.extract.tagger import read_description
from flows.training.data import Article
from flows.training.stance.data import as_attribution, no_name, speaker_of

FIGURES = ("stance P", "stance R", "stance F1", "target F1", "sign", "intensity")


def _row(stance: Stance) -> Row:
    return Row(
        target=[list(span) for span in stance.target],
        stance=stance.stance,
        intensity=stance.intensity,
        confidence=stance.confidence,
    )


def predict(model: StanceModel, article: Article) -> list[FoundAttribution]:
    """The article's gold statements and speakers with the stance rows that the model finds."""
    statements = article.attributions
    found = find_stances(
        article.text,
        [as_attribution(a) for a in statements],
        [speaker_of(a) for a in statements],
        [no_name] * len(statements),
        model,
    )
    return [
        FoundAttribution(
            source=statement["source"],
            cue=statement["cue"],
            content=statement["content"],
            speaker=statement["speaker"],
            speaker_type=statement["speaker_type"],
            stances=[_row(stance) for stance in rows],
        )
        for statement, rows in zip(statements, found, strict=True)
    ]


def measure(model: StanceModel, articles: list[Article]) -> Evaluation:
    """Score a model on articles whose statements and speakers are given."""
    gold = [
        GoldArticle(id=a.article_id, text=a.text, attributions=list(a.attributions))  # type: ignore[arg-type]
        for a in articles
    ]
    return evaluate(gold, {a.article_id: predict(model, a) for a in articles})


def _table(heading: str, measured: dict[str, dict[str, str]]) -> str:
    names = list(next(iter(measured.values())))
    lines = [f"| {heading} | {' | '.join(names)} |", "|" + "---|" * (len(names) + 1)]
    lines += [f"| {label} | {' | '.join(one.values())} |" for label, one in measured.items()]
    return "\n".join(lines)


def scores(found: Evaluation) -> dict[str, str]:
    """The figures of the card, each with its interval, and those of the confidence."""
    figures = {name: found.figures[name] for name in FIGURES}
    return {
        "articles": str(found.articles),
        **{name: f"{f.value:.1f} ({f.low:.1f}–{f.high:.1f})" for name, f in figures.items()},
        **{name: f"{value:.3f}".removesuffix(".000") for name, value in found.calibration.items()},
    }


def write_card(folder: Path, measured: dict[str, Evaluation]) -> None:
    """Write MODEL_CARD.md beside the model from its description and what was measured."""
    about = read_description(folder)
    template = (Path(__file__).parent / "card.md").read_text(encoding="utf-8")
    corpora = {
        name: {
            "articles": str(c["articles"]),
            "held back": str(c["held back"]),
            "SHA-256 of the file": f"`{c['sha256'][:16]}…`",
        }
        for name, c in about["corpora"].items()
    }
    errors = {
        label: {name: str(count) for name, count in found.errors.items()}
        for label, found in measured.items()
    }
    card = template.format(
        version=about["version"],
        layers=about["layers"],
        start_sha256=about["start sha256"],
        corpora=_table("corpus", corpora),
        settings=json.dumps(about["settings"]),
        least=about["decoding"]["least"],
        scores=_table("set", {label: scores(found) for label, found in measured.items()}),
        errors=_table("set", errors),
    )
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
