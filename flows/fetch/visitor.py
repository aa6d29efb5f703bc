"""Fetches politely: robots.txt, a pause between requests to a host, one at a time, patience."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from threading import Event, Lock

import httpx
from protego import Protego
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from flows.fetch.config import Manners
from flows.fetch.exchange import Answer, FetchError, Limits, exchange

PRODUCT = "Stancebank"
REDIRECTS = frozenset([301, 302, 303, 307, 308])
FAILURES_BEFORE_GIVING_UP = 5
LONGEST_WAIT_SECONDS = 120.0
ROBOTS_BYTES = 500 * 1024
ROBOTS_REDIRECTS = 5


class DisallowedError(FetchError):
    """The host's robots.txt does not allow the URL."""

    def __init__(self, url: str) -> None:
        super().__init__(f"robots.txt does not allow {url}", lasting=True)


class HostDownError(FetchError):
    """The host has failed so often that it is left alone for the rest of the run."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} failed {FAILURES_BEFORE_GIVING_UP} times in a row and is left alone until "
            "the next run"
        )


class StoppedError(Exception):
    """The run is being ended."""


@dataclass(slots=True)
class _Host:
    """What is known of one scheme, host and port in this run; `lock` is held for each request."""

    name: str
    lock: Lock = field(default_factory=Lock)
    free_at: float = 0.0
    failures: int = 0
    robots: Protego | None = None


class Visitor:
    """Fetches URLs, and remembers for the length of a run how each host wants to be treated.

    May be used by several threads; requests to one host never overlap.
    """

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        size = int(manners.max_megabytes * 1_000_000)
        self._limits = Limits(manners.timeout, size, manners.allowed_networks)
        self._hosts: dict[str, _Host] = {}
        self._hosts_lock = Lock()
        self._stopped = Event()
        self.user_agent = f"{PRODUCT}/{version('stancebank')} (+{manners.contact})"

    def get(self, url: str, conditions: Mapping[str, str] | None = None) -> Answer:
        """Fetch `url` and follow its redirects; each step is allowed by its host's robots.txt.

        `conditions` are headers such as `If-None-Match`. The answer has status 200 or 304.

        Raises:
            DisallowedError: if a robots.txt forbids a step.
            FetchError: if there is no such answer after all retries.
        """
        answer = self._follow(url, conditions or {}, self._manners.max_redirects, obey=True)
        if answer.status not in (200, 304):
            raise FetchError(
                f"the server answered with status {answer.status}",
                lasting=400 <= answer.status < 500,
            )
        return answer

    def stop(self) -> None:
        """Let requests in progress end, and every later one raise `StoppedError`."""
        self._stopped.set()

    def robots_url(self, url: str) -> str:
        """Where the robots.txt lies that rules `url`."""
        return str(httpx.URL(url).join("/robots.txt"))

    def _follow(
        self, url: str, conditions: Mapping[str, str], redirects: int, *, obey: bool
    ) -> Answer:
        visited: list[str] = []
        while True:
            if url in visited:
                raise FetchError(f"redirects in a circle, back to {url}", lasting=True)
            visited.append(url)
            if len(visited) > redirects + 1:
                raise FetchError(f"redirects more than {redirects} times", lasting=True)
            if obey:
                self._obey_robots(url)
            answer = self._patiently(url, conditions)
            if answer.status not in REDIRECTS:
                return answer
            url = _redirected(answer)

    def _obey_robots(self, url: str) -> None:
        host = self._host(url)
        if host.robots is None:
            host.robots = self._read_robots(url)
        if not host.robots.can_fetch(url, PRODUCT):
            raise DisallowedError(url)

    def _read_robots(self, url: str) -> Protego:
        """The rules of a host; all is allowed where it has no robots.txt (RFC 9309, 2.3.1)."""
        try:
            answer = self._follow(self.robots_url(url), {}, ROBOTS_REDIRECTS, obey=False)
            body = answer.content if answer.status == 200 else b""
        except HostDownError:
            raise
        except FetchError as error:
            raise FetchError(
                f"its robots.txt cannot be read ({error}), so it is left alone",
                lasting=error.lasting,
            ) from None
        return Protego.parse(body[:ROBOTS_BYTES].decode(errors="replace"))

    def _patiently(self, url: str, conditions: Mapping[str, str]) -> Answer:
        retrying = Retrying(
            stop=stop_after_attempt(self._manners.retries + 1),
            wait=_pause_before_retry,
            retry=retry_if_exception(_is_passing),
            sleep=self._pause,
            reraise=True,
        )
        return retrying(self._once, url, conditions)

    def _once(self, url: str, conditions: Mapping[str, str]) -> Answer:
        """Ask once, alone with the host and not before its pause is over."""
        host = self._host(url)
        headers = {"User-Agent": self.user_agent, "Accept-Encoding": "gzip", **conditions}
        with host.lock:
            if host.failures >= FAILURES_BEFORE_GIVING_UP:
                raise HostDownError(host.name)
            self._pause(host.free_at - time.monotonic())
            try:
                answer = exchange(url, headers, self._limits)
            except FetchError as error:
                host.failures += not error.lasting
                raise
            else:
                host.failures = 0
                return answer
            finally:
                host.free_at = time.monotonic() + self._delay(host)

    def _pause(self, seconds: float) -> None:
        if self._stopped.wait(max(0.0, seconds)):
            raise StoppedError

    def _delay(self, host: _Host) -> float:
        asked = (host.robots and host.robots.crawl_delay(PRODUCT)) or 0.0
        return max(self._manners.crawl_delay, asked)

    def _host(self, url: str) -> _Host:
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise FetchError(f"is no valid URL ({error})", lasting=True) from None
        name = f"{parts.scheme}://{parts.netloc.decode()}"
        with self._hosts_lock:
            return self._hosts.setdefault(name, _Host(name))


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, FetchError) and not (error.lasting or isinstance(error, HostDownError))


def _pause_before_retry(state: RetryCallState) -> float:
    """1, 2, 4 … seconds and a little chance, or what the server asked for, within reason."""
    error = state.outcome and state.outcome.exception()
    asked = error.retry_after if isinstance(error, FetchError) else 0.0
    return min(max(_BACK_OFF(state), asked), LONGEST_WAIT_SECONDS)


_BACK_OFF = wait_exponential_jitter(initial=1, max=30, jitter=0.5)


def _redirected(answer: Answer) -> str:
    location = answer.headers.get("location")
    if not location:
        raise FetchError(f"{answer.url} redirects to nowhere", lasting=True)
    try:
        return str(httpx.URL(answer.url).join(location).copy_with(fragment=None))
    except httpx.InvalidURL as error:
        raise FetchError(f"redirects to no valid URL ({error})", lasting=True) from None
