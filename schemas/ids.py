"""How rows get their names: short hashes of readable keys, the same on every machine and run."""

import hashlib
import re
import unicodedata

from schemas.records import Reject

ID_LENGTH = 20
_WORD = re.compile(r"\w+")


def hashed_id(*parts: str | int) -> str:
    """20 hexadecimal digits of the SHA-256 of `parts`, joined with line feeds."""
    readable_key = "\n".join(str(part) for part in parts)
    return hashlib.sha256(readable_key.encode("utf-8", "surrogatepass")).hexdigest()[:ID_LENGTH]


def normalized_words(text: str) -> str:
    """Words of `text` in lower case and NFKC, a space between them: neither layout nor marks."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def article_id(
    *,
    canonical_url: str | None,
    outlet: str | None,
    title: str | None,
    published_on: str | None,
    raw_sha256: str,
) -> str:
    """Name of an article: by its canonical URL, else by outlet, title and date, else by its bytes.

    `published_on` is an ISO date (`2018-08-14`). Outlet, title and date count only together.
    """
    if canonical_url:
        return hashed_id("url", canonical_url)
    if outlet and title and published_on:
        place = normalized_words(outlet), normalized_words(title)
        return hashed_id("article", *place, published_on)
    return hashed_id("bytes", raw_sha256)


def statement_id(article_id: str, part: str, text: str, occurrence: int) -> str:
    """Name of a statement: its article, part (`title`, `body`), words and which occurrence.

    `occurrence` counts from 0 the earlier statements of the same part with the same normalized
    words. No offsets enter, so that the name outlives a new cleaner or extractor.
    """
    return hashed_id("statement", article_id, part, normalized_words(text), occurrence)


def speaker_id(name: str, speaker_type: str, article_id: str) -> str:
    """Name of a speaker: by the name's words; of its article only, where they may mean another.

    Unnamed speakers, and persons of whom an article gives a single word, stay apart by article.
    """
    words = normalized_words(name)
    if speaker_type == "unnamed" or (speaker_type == "person" and " " not in words):
        return hashed_id("speaker", article_id, words)
    return hashed_id("speaker", words)


def target_id(name: str) -> str:
    """Name of a target: by its words."""
    return hashed_id("target", normalized_words(name))


def reject_id(reject: Reject) -> str:
    """Name of a reject: its stage, place, reason and payload."""
    place = reject.raw_file or "", reject.raw_member or ""
    return hashed_id("reject", reject.stage, *place, reject.reason, reject.payload or "")
