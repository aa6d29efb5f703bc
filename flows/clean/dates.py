"""Dates as pages and files print them, with the unit that they can be trusted to."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from flows.clean.records import PublicationDate

EARLIEST = datetime(1990, 1, 1)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_MONTH_FIRST = rf"{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})"
_DAY_FIRST = rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH},?\s+(?P<year>\d{{4}})"
WRITTEN_DATE = re.compile(
    rf"\b(?:{_MONTH_FIRST}|{_DAY_FIRST.replace('?P<', '?P<d_')})\b", re.IGNORECASE
)
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}))?")
_ISO_START = re.compile(r"\d{4}-?\d{2}-?\d{2}")
_SECONDS = re.compile(r"[T ]\d\d:?\d\d:?\d\d")
_FRACTION = re.compile(r"(?<=:\d\d)\.\d+")
_OFFSET_WITHOUT_COLON = re.compile(r"([+-]\d\d)(\d\d)$")
_EPOCH = re.compile(r"\d{9,10}(\d{3})?")


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """A moment (UTC, naive), floored to the unit `precision` that its print allows."""

    at: datetime
    precision: str

    def is_possible(self) -> bool:
        """Whether an article can bear the date: from 1990 to tomorrow."""
        tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
        return EARLIEST <= self.at <= tomorrow

    def published(self, source: str) -> PublicationDate:
        """The same as a publication date that was read from `source`."""
        return PublicationDate(self.at, self.precision, source)


def parse_date(printed: str) -> ParsedDate | None:
    """A date in ISO 8601, RFC 2822, epoch seconds or milliseconds, or in English words.

    A time of day counts only with its time zone, and not where it is midnight; without, the
    date is trusted to the day. None where nothing is understood.
    """
    printed = " ".join(printed.split())
    readers: tuple[Callable[[str], ParsedDate | None], ...] = (
        _partial,
        _iso,
        _epoch,
        _rfc2822,
        written_date,
    )
    for reader in readers:
        try:
            parsed = reader(printed)
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
        if parsed:
            return parsed
    return None


def written_date(printed: str) -> ParsedDate | None:
    """The first date in English words (`August 14, 2018`, `14 Aug 2018`) inside `printed`."""
    found = WRITTEN_DATE.search(printed)
    if not found:
        return None
    groups = found.groupdict()
    year, month, day = (groups[name] or groups[f"d_{name}"] for name in ("year", "month", "day"))
    number = _MONTHS.index(month[:3].lower()) + 1
    return ParsedDate(datetime(int(year), number, int(day)), "day")


def _partial(printed: str) -> ParsedDate | None:
    found = _PARTIAL.fullmatch(printed)
    if not found:
        return None
    year, month = found.groups()
    return ParsedDate(datetime(int(year), int(month or 1), 1), "month" if month else "year")


def _iso(printed: str) -> ParsedDate | None:
    if not _ISO_START.match(printed):
        return None
    printed = _OFFSET_WITHOUT_COLON.sub(r"\1:\2", _FRACTION.sub("", printed))
    precision = "second" if _SECONDS.search(printed) else "minute"
    return _trusted(datetime.fromisoformat(printed), precision)


def _epoch(printed: str) -> ParsedDate | None:
    found = _EPOCH.fullmatch(printed)
    if not found:
        return None
    seconds = int(printed) // (1000 if found.group(1) else 1)
    return _trusted(datetime.fromtimestamp(seconds, UTC), "second")


def _rfc2822(printed: str) -> ParsedDate | None:
    return _trusted(parsedate_to_datetime(printed), "second")


def _trusted(moment: datetime, precision: str) -> ParsedDate:
    is_midnight = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    if moment.tzinfo is None or is_midnight:
        return ParsedDate(datetime(moment.year, moment.month, moment.day), "day")
    utc = moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    return ParsedDate(utc if precision == "second" else utc.replace(second=0), precision)
