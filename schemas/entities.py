"""Who speaks and what is spoken about, across articles."""

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
