"""Who speaks and what is spoken about, across articles."""

import polars as pl

from schemas.fields import Texts, choice, field, key
from schemas.statements import SPEAKER_TYPES, TARGET_TYPES
from schemas.table import Table


class Speakers(Table):
    """One row per speaker. Unnamed speakers and bare surnames stay apart for each article."""

    speaker_id: str = key("Hash of the name's key; of article and name where unnamed.")
    name: str = field("Fullest form without honorifics or office.", str_length={"min_value": 1})
    speaker_type: str = choice(SPEAKER_TYPES, "What kind of speaker it is.")
    aliases: Texts = field("Other spellings and short forms met so far, in alphabetical order.")


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
