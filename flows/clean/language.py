"""Which language a text is in, by its content."""

import re

from py3langid import classify

UNDETERMINED = "und"
_SAMPLE_CHARACTERS = 800
_FEWEST_LETTERS = 20
_LETTER = re.compile(r"[^\W\d_]")


def detect_language(text: str) -> str:
    """ISO 639-1 code of the language that `text` is written in; `und` under 20 letters."""
    sample = text[:_SAMPLE_CHARACTERS]
    if len(_LETTER.findall(sample)) < _FEWEST_LETTERS:
        return UNDETERMINED
    code, _ = classify(sample)
    return str(code)
