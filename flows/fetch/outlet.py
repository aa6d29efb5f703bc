"""Collects one outlet: reads what its lists name, then fetches the articles that are new."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from flows.fetch.archive import Archive, Page, outlet_folder
from flows.fetch.config import Manners, Outlet
from flows.fetch.exchange import Answer, FetchError
from flows.fetch.links import Link, read_feed, read_sitemap, read_url_list
from flows.fetch.memory import Memory
from flows.fetch.pages import Terms, read_terms
from flows.fetch.records import Failure, OutletResult
from flows.fetch.visitor import DisallowedError, HostDownError, Visitor

SITEMAPS_PER_OUTLET = 200
FEED_MEDIA = "application/rss+xml, application/atom+xml, application/xml, text/xml, */*;q=0.5"
PAGE_MEDIA = "text/html, application/xhtml+xml, text/plain;q=0.8, */*;q=0.1"
DAY_SECONDS = 86_400


class OutletVisit:
    """One run's visit to one outlet; `progressed` is called after each page."""

    def __init__(
        self,
        outlet: Outlet,
        manners: Manners,
        visitor: Visitor,
        memory: Memory,
        progressed: Callable[[], None],
    ) -> None:
        self._outlet = outlet
        self._manners = manners
        self._visitor = visitor
        self._memory = memory
        self._progressed = progressed
        self._ends_at = time.monotonic() + manners.max_minutes * 60
        self._oldest = time.time() - manners.max_age_days * DAY_SECONDS
        self._result = OutletResult(outlet.name)
        self._answered: set[str] = set()
        self._hosts_down: set[str] = set()

    def discover(self) -> int:
        """Read the outlet's feeds, sitemaps and lists; return how many pages are to be fetched."""
        for path in self._outlet.url_lists:
            self._try("list", str(path), partial(self._read_list, path))
        for url in self._outlet.feeds:
            self._try("feed", url, partial(self._read_feed, url))
        self._read_sitemaps()
        return len(self._memory.waiting(self._outlet.name, self._manners.max_articles))

    def fetch(self, folder: Path, run_id: str) -> OutletResult:
        """Fetch what is to be fetched into WARC files below `folder`.

        Raises:
            OSError: if the files cannot be written.
        """
        name = self._outlet.name
        place = folder / outlet_folder(name)
        with Archive(place, run_id, self._visitor.user_agent, self._mark_stored) as archive:
            for url, listed_in in self._memory.waiting(name, self._manners.max_articles):
                if time.monotonic() > self._ends_at:
                    break
                self._fetch_page(url, listed_in, archive)
                self._progressed()
        self._result.left_over = self._memory.count_waiting(name)
        return self._result

    def _read_list(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise FetchError(f"cannot be read ({error.strerror})") from None
        self._remember(read_url_list(text, str(path)), str(path), None)

    def _read_feed(self, url: str) -> None:
        answer = self._changed(url)
        if answer:
            self._remember(read_feed(answer.content, answer.url), url, answer)

    def _read_sitemaps(self) -> None:
        """Read sitemaps, and the recent ones of an index, each once."""
        queue = list(self._outlet.sitemaps)
        for number, url in enumerate(queue):
            if number == SITEMAPS_PER_OUTLET:
                reason = f"{len(queue) - number} more sitemaps were not read: list those wanted"
                self._result.failures.append(Failure("sitemap", url, reason))
                break
            self._try("sitemap", url, partial(self._read_sitemap, url, queue))

    def _read_sitemap(self, url: str, queue: list[str]) -> None:
        """Read one sitemap; an index appends its recent sitemaps to `queue`."""
        answer = self._changed(url)
        if not answer:
            return
        sitemap = read_sitemap(answer.content, answer.url, answer.limit)
        recent = [link.url for link in sitemap.sitemaps if self._is_recent(link)]
        queue += [found for found in recent if found not in queue]
        self._remember(sitemap.links, url, None if sitemap.sitemaps else answer)

    def _changed(self, url: str) -> Answer | None:
        """The list at `url` if it has changed since it was last read."""
        answer = self._visitor.get(url, {"Accept": FEED_MEDIA} | self._memory.conditions(url))
        return None if answer.status == 304 else answer

    def _remember(self, links: list[Link], where: str, answer: Answer | None) -> None:
        recent = [link for link in links if self._is_recent(link)]
        headers = answer.headers if answer else {}
        self._result.found += self._memory.add_links(
            self._outlet.name, where, recent, headers.get("etag"), headers.get("last-modified")
        )

    def _is_recent(self, link: Link) -> bool:
        return link.dated_at is None or link.dated_at >= self._oldest

    def _fetch_page(self, url: str, listed_in: str, archive: Archive) -> None:
        try:
            answer = self._visitor.get(url, {"Accept": PAGE_MEDIA})
            if self._is_known(answer.url):
                self._mark_stored([(url, url)], "")
                return
            terms = read_terms(answer)
        except HostDownError as error:
            self._note_down(url, error)
        except FetchError as error:
            self._note_failed(url, error)
        else:
            archive.add(Page(url, answer, self._notes(url, listed_in, answer, terms)))
            self._answered.add(answer.url)
            self._result.stored += 1
            self._result.reserved += terms.is_reserved

    def _is_known(self, url: str) -> bool:
        return url in self._answered or self._memory.is_stored(url)

    def _note_down(self, url: str, error: HostDownError) -> None:
        """Report a host that is left alone once, and count no attempt for its pages."""
        if str(error) not in self._hosts_down:
            self._hosts_down.add(str(error))
            self._result.failures.append(Failure("page", url, str(error)))

    def _note_failed(self, url: str, error: FetchError) -> None:
        self._memory.mark_failed(url, lasting=error.lasting)
        if isinstance(error, DisallowedError):
            self._result.disallowed += 1
        else:
            self._result.failures.append(Failure("page", url, str(error)))

    def _notes(self, url: str, listed_in: str, answer: Answer, terms: Terms) -> dict[str, str]:
        notes = {
            "outlet": self._outlet.name,
            "via": listed_in,
            "requested-url": url,
            "robots-txt": f"allowed by {self._visitor.robots_url(answer.url)}",
            "robots-tags": terms.robots,
            "tdm-reservation": terms.reservation or "not stated",
            "tdm-policy": terms.policy,
        }
        return {name: value for name, value in notes.items() if value}

    def _mark_stored(self, pages: Sequence[tuple[str, str]], warc: str) -> None:
        self._memory.mark_stored(self._outlet.name, pages, warc)

    def _try(self, what: str, where: str, read: Callable[[], None]) -> None:
        """Read one list; a failure is noted and does not stop the others."""
        try:
            read()
        except FetchError as error:
            self._result.failures.append(Failure(what, where, str(error)))
        else:
            self._result.lists_read += 1
