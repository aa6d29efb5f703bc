"""Who speaks and what is spoken about, across articles."""

import polars as pl

from schemas.fields import Texts, choice, field, key
from schemas.statements import SPEAKER_TYPES, TARGET_TYPES
from schemas.table import Table

IDENTITY_REASONS = ("name", "alias")


class Speakers(Table):
    """One row per speaker. Unnamed speakers and bare surnames stay apart for each article."""

    speaker_id: str = key("Hash of the name's key; of article and name where unnamed.")
    name: str = field("Fullest form without honorifics or office.", str_length={"min_value": 1})
    speaker_type: str = choice(SPEAKER_TYPES, "What kind of speaker it is.")
    aliases: Texts = field("Other spellings and short forms met so far, in alphabetical order.")


class SpeakerAliases(Table):
    """One row per spelling in the user's speaker file; a name is a spelling of itself."""

    alias: str = key("Spelling under which articles name the speaker.", str_length={"min_value": 1})
    name: str = field("Name that all spellings stand for.", str_length={"min_value": 1})
    wikidata_id: str = field(
        "Wikidata item, such as `Q42`.", nullable=True, str_matches=r"^Q[1-9][0-9]*$"
    )


class SpeakerAttributes(Table):
    """One row per fact of the user's speaker file, such as a party, office or country."""

    name: str = key("Name that the fact is about.", str_length={"min_value": 1})
    attribute: str = key("Kind of fact, such as `party`.", str_length={"min_value": 1})
    value: str = key("The fact.", str_length={"min_value": 1})
    valid_from: pl.Date = field("First day on which it holds; null for always.", nullable=True)
    valid_to: pl.Date = field("Last day on which it holds; null for still.", nullable=True)
    source: str = field("Where the user has it from.", nullable=True)


class SpeakerIdentities(Table):
    """One row per speaker whom the user's file knows, with how it was recognized."""

    speaker_id: str = key("Speaker as extraction found it.", references="speakers")
    name: str = field("Name in the user's file.", str_length={"min_value": 1})
    how: str = choice(IDENTITY_REASONS, "By the speaker's own name, or by an alias of the file.")


class Targets(Table):
    """One row per target of a stance."""

    target_id: str = key("Hash of the name's key.")
    name: str = field("Name as first met.", str_length={"min_value": 1})
    target_type: str = choice(TARGET_TYPES, "What kind of thing the target is.")
    aliases: Texts = field("Other spellings met so far, in alphabetical order.")


class Issues(Table):
    """One row per line of the user's codeframe: which targets belong to an issue, and how."""

    issue: str = key("Name of the issue, such as `river treaty`.", str_length={"min_value": 1})
    pattern: str = key(
        "Words of a target's name, as an RE2 expression, in any case.", str_length={"min_value": 1}
    )
    polarity: pl.Int8 = field(
        "1 where being for such a target is being for the issue, -1 where it is being against it.",
        ge=-1,
        le=1,
    )


class TargetIssues(Table):
    """One row per target and issue that claims it."""

    target_id: str = key("Target that is claimed.", references="targets")
    issue: str = key("Issue that claims it; of several lines of an issue the longest pattern.")
    polarity: pl.Int8 = field("As in `issues`.", ge=-1, le=1)
