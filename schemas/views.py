"""Views for people, declared like tables; their SQL is in `warehouse/views.sql`."""

import polars as pl

from schemas.articles import Articles
from schemas.entities import Speakers
from schemas.fields import Timestamp, choice, field, same_as
from schemas.statements import STANCES, Stances, Statements
from schemas.table import Table


class SpeakerStatementStance(Table):
    """One row per statement and target; one with stance `neutral` where no side is taken."""

    statement_id: str = same_as(Statements, "statement_id")
    article_id: str = same_as(Statements, "article_id")
    url: str = same_as(Articles, "url")
    title: str = same_as(Articles, "title")
    outlet: str = same_as(Articles, "outlet")
    published_at: Timestamp = same_as(Articles, "published_at")
    speaker: str = field(
        "Name of the speaker; of several, joined with `and` in the order of the article; null "
        "where the article gives none.",
        nullable=True,
    )
    speaker_type: str = same_as(Speakers, "speaker_type", nullable=True)
    statement: str = same_as(Statements, "text")
    kind: str = same_as(Statements, "kind")
    target: str = same_as(Stances, "target_text", nullable=True)
    target_name: str = same_as(Stances, "target_name", nullable=True)
    target_type: str = same_as(Stances, "target_type", nullable=True)
    stance: str = choice(STANCES, "The speaker's side; `neutral` where the statement takes none.")
    intensity: pl.Int8 = same_as(Stances, "intensity", nullable=True)
    confidence: float = field(
        "Probability that speaker, target and sign are all right; of a neutral row, that statement "
        "and speaker are.",
        ge=0.0,
        le=1.0,
    )


class Positions(Table):
    """How often each speaker was for, against and neutral on each target, by month."""

    speaker: str = field("Name of the speaker; people who speak together are counted each.")
    target_name: str = field(
        "Name of the target, as in `targets`; null in the row that counts statements that take no "
        "side, which have no target.",
        nullable=True,
    )
    month: Timestamp = field("First day of the month; null for undated articles.", nullable=True)
    favor: pl.Int64 = field("Statements in favor, those of one cluster counted once.", ge=0)
    against: pl.Int64 = field("Statements against, those of one cluster counted once.", ge=0)
    neutral: pl.Int64 = field("Statements that take no side, counted likewise.", ge=0)
    articles: pl.Int64 = field("Articles that the statements stand in, copies included.", ge=0)
    outlets: pl.Int64 = field("Outlets of these articles.", ge=0)


class Coverage(Table):
    """Articles by outlet and month, zeros included."""

    outlet: str = same_as(Articles, "outlet", nullable=False)
    month: Timestamp = field("First day of the month.")
    articles: pl.Int64 = field("Articles published.", ge=0)
    extracted: pl.Int64 = field("Of these, articles that statements were extracted from.", ge=0)
    statements: pl.Int64 = field("Statements in them.", ge=0)


VIEWS: tuple[type[Table], ...] = (SpeakerStatementStance, Positions, Coverage)
