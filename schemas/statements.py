"""Statements, who made them and what they are for or against."""

import polars as pl

from schemas.fields import Spans, choice, field, key, probability, reference
from schemas.table import Table

SPAN_SEPARATOR = " … "
"""Stands between the parts of a split quotation where its words are joined."""

PARTS = ("title", "body")
KINDS = ("direct", "indirect", "mixed")
STANCES = ("favor", "against", "neutral")
SPEAKER_TYPES = ("person", "organization", "government", "group", "unnamed")
TARGET_TYPES = ("actor", "policy", "event", "claim", "other")
RESOLUTIONS = ("full_name", "short_name", "title", "pronoun", "description", "author")


class Statements(Table):
    """One row per statement that an article attributes to a speaker (see the codebook)."""

    statement_id: str = key(
        "Hash of the article, the part, the normalized words and which occurrence of them it is."
    )
    article_id: str = reference("articles", "Article that the statement stands in.")
    part: str = choice(PARTS, "Field of the article that all offsets of the row refer to.")
    position: pl.Int32 = field("Number of the statement within its article, from 0.", ge=0)
    kind: str = choice(
        KINDS, "Quoted (direct), reported in other words (indirect), or both (mixed)."
    )
    text: str = field(
        "The statement, verbatim; parts of a split quotation are joined with ` … `.",
        str_length={"min_value": 1},
    )
    content_spans: Spans = field("Where the statement stands (characters, end exclusive).")
    cue: str = field("Words that introduce the statement, such as `said`.", nullable=True)
    cue_spans: Spans = field("Where the cue stands.")
    source: str = field("Mention of the speaker beside the statement, verbatim.", nullable=True)
    source_spans: Spans = field("Where the source stands.")
    resolution: str = choice(
        RESOLUTIONS, "How the speaker was found from the source; null without one.", nullable=True
    )
    statement_confidence: float = probability("Probability that statement and source are right.")
    speaker_confidence: float = probability(
        "Probability that the speaker is right, given the statement.", nullable=True
    )
    extractor_version: str = field("Version of the extractor and its model.")
    run_id: str = reference("runs", "Run that wrote the row.")


class StatementSpeakers(Table):
    """One row per speaker of a statement; people who speak together have a row each."""

    statement_id: str = key("Statement that was made.", references="statements")
    speaker_id: str = key("Speaker who made it.", references="speakers")
    position: pl.Int32 = field("Order in which the article names them, from 0.", ge=0)
    run_id: str = reference("runs", "Run that wrote the row.")


class Stances(Table):
    """One row per statement and target that the speaker is for or against."""

    statement_id: str = key("Statement that takes the side.", references="statements")
    position: pl.Int32 = key("Number of the row within its statement, from 0.", ge=0)
    target_id: str = reference("targets", "What the stance is about.")
    target_text: str = field("The target's words, verbatim.", str_length={"min_value": 1})
    target_spans: Spans = field("Where the target stands, in the statement's part.")
    target_name: str = field("The target with pronouns resolved and without articles.")
    target_type: str = choice(TARGET_TYPES, "What kind of thing the target is.")
    stance: str = choice(STANCES, "The speaker's side, never the journalist's.")
    intensity: pl.Int8 = field(
        "1 hedged, conditional or willing; 2 plain; 3 categorical, insult, threat or vow.",
        ge=1,
        le=3,
    )
    basis: str = field("Words that carry the stance, verbatim.", nullable=True)
    basis_spans: Spans = field("Where these words stand.")
    method: str = field("Rule or model that decided the stance.")
    stance_confidence: float = probability("Probability that target and sign are right.")
    confidence: float = probability("Probability that speaker, target and sign are all right.")
    run_id: str = reference("runs", "Run that wrote the row.")


class StatementClusters(Table):
    """One row per statement that is repeated: in other articles, or again in its own."""

    statement_id: str = key("Statement that is repeated or repeats.", references="statements")
    statement_cluster_id: str = field(
        "The `statement_id` of the earliest statement of its cluster."
    )
    position: pl.Int32 = field("Order within the cluster, from 0: earliest first.", ge=0)
    is_representative: bool = field("Whether it is the cluster's longest form.")
    run_id: str = reference("runs", "Run that wrote the row.")
