"""What `stancebank collect` is told: the outlets, and how to treat their servers."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    IPvAnyNetwork,
    ValidationError,
    model_validator,
)

from schemas.errors import StancebankError

STEP_OF_A_FAULT = {"missing": "is missing", "extra_forbidden": "is not a known key"}


class FeedsFileError(StancebankError):
    """The feeds file cannot be used; the message names every key that is wrong."""


def _checked_url(text: object) -> object:
    if isinstance(text, str):
        HttpUrl(text)
    return text


Url = Annotated[str, BeforeValidator(_checked_url)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Manners(_Strict):
    """How servers are treated, and how much of their answers is taken."""

    contact: str = Field(min_length=3, pattern=r"^[\x20-\x7e]+$")
    """A page or mail address for the user agent: whom to write to about these requests."""
    crawl_delay: float = Field(default=1.0, ge=0)
    """Seconds between two requests to a host; a longer one in its robots.txt wins."""
    timeout: float = Field(default=30.0, gt=0)
    """Seconds that one answer may take, from the first byte sent to the last one read."""
    max_megabytes: float = Field(default=5.0, gt=0)
    """Size of the largest page, feed or sitemap that is taken, as sent and unpacked."""
    max_redirects: int = Field(default=5, ge=0)
    retries: int = Field(default=3, ge=0)
    """How often a failed request is tried again in one run."""
    max_articles: int = Field(default=500, ge=1)
    """Articles taken from one outlet in one run; the others follow in the next ones."""
    max_minutes: float = Field(default=60.0, gt=0)
    """Minutes spent on one outlet in one run; what is left follows in the next ones."""
    max_age_days: float = Field(default=30.0, gt=0)
    """Links whose feed or sitemap dates them earlier are left alone."""
    allowed_networks: list[IPvAnyNetwork] = []
    """Networks that may be fetched from although they are not public."""


class Outlet(_Strict):
    """One outlet, and where its articles are listed."""

    name: str = Field(min_length=1)
    feeds: list[Url] = []
    sitemaps: list[Url] = []
    url_lists: list[Path] = []
    """Text files with one URL a line, relative to the feeds file."""

    @model_validator(mode="after")
    def _lists_something(self) -> "Outlet":
        if not (self.feeds or self.sitemaps or self.url_lists):
            raise ValueError("needs at least one of feeds, sitemaps and url_lists")
        return self


class Feeds(_Strict):
    """The whole file."""

    collect: Manners
    outlets: list[Outlet] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Feeds":
        names = [outlet.name for outlet in self.outlets]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"has two outlets named {doubled[0]!r}: put their lists into one")
        return self


def read_feeds(path: Path) -> Feeds:
    """Read and check a feeds file; paths in it become relative to its folder.

    Raises:
        FeedsFileError: naming the keys that are missing, misspelt or have a wrong value.
    """
    try:
        feeds = Feeds.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise FeedsFileError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FeedsFileError(f"{path} is not TOML: {error}.") from None
    except ValidationError as error:
        faults = "".join(f"\n  {_where(e['loc'])} {_what(e)}" for e in error.errors())
        raise FeedsFileError(f"{path} cannot be used:{faults}") from None
    outlets = [_placed(outlet, path.parent) for outlet in feeds.outlets]
    return feeds.model_copy(update={"outlets": outlets})


def _placed(outlet: Outlet, folder: Path) -> Outlet:
    return outlet.model_copy(update={"url_lists": [folder / path for path in outlet.url_lists]})


def _where(location: tuple[int | str, ...]) -> str:
    """A key as one finds it in the file: `outlets[2].feeds[1]`, counted from 1."""
    parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).removeprefix(".") or "the file"


def _what(fault: Any) -> str:
    if fault["type"] in STEP_OF_A_FAULT:
        return STEP_OF_A_FAULT[fault["type"]]
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "value_error":
        return str(message)
    return f"= {fault['input']!r}: {message[:1].lower()}{message[1:]}"
