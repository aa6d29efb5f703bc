"""What collecting hands to its flow."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be fetched (`page`, `feed`, `sitemap` or `list`), where, and why."""

    what: str
    url: str
    reason: str


@dataclass(slots=True)
class OutletResult:
    """What one run did for one outlet, counted in pages.

    `lists_read` feeds, sitemaps and lists answered; `found` links in them were new; `stored` pages
    were kept, of which `reserved` reserve text and data mining; `disallowed` ones are forbidden by
    robots.txt; `left_over` ones wait for the next run.
    """

    outlet: str
    lists_read: int = 0
    found: int = 0
    stored: int = 0
    reserved: int = 0
    disallowed: int = 0
    left_over: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def failed_wholly(self) -> bool:
        """Whether nothing at all could be read of the outlet."""
        return not (self.lists_read or self.stored)


@dataclass(frozen=True, slots=True)
class Collected:
    """One run: its name, what became of each outlet, and the folder that holds the pages."""

    run_id: str
    outlets: list[OutletResult]
    folder: Path

    @property
    def has_pages(self) -> bool:
        """Whether there are pages in the folder, of this run or an earlier one."""
        return any(self.folder.rglob("[!.]*.warc.gz"))

    @property
    def failed_wholly(self) -> bool:
        """Whether nothing could be read of any outlet."""
        return all(outlet.failed_wholly for outlet in self.outlets)
