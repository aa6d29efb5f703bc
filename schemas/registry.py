"""All tables of the warehouse, parents before children."""

from schemas.articles import Articles, ArticleSignatures, RemovedLines
from schemas.entities import (
    Issues,
    SpeakerAliases,
    SpeakerAttributes,
    SpeakerIdentities,
    Speakers,
    TargetIssues,
    Targets,
)
from schemas.operations import Rejects, Runs, Sources, Tombstones
from schemas.statements import Stances, StatementClusters, Statements, StatementSpeakers
from schemas.table import Table

TABLES: tuple[type[Table], ...] = (
    Runs,
    Sources,
    Articles,
    RemovedLines,
    ArticleSignatures,
    Speakers,
    SpeakerAliases,
    SpeakerAttributes,
    SpeakerIdentities,
    Targets,
    Issues,
    TargetIssues,
    Statements,
    StatementSpeakers,
    Stances,
    StatementClusters,
    Rejects,
    Tombstones,
)
