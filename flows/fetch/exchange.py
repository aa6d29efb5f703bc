"""One request and its answer, within limits of time, size and addresses."""

import ssl
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import httpcore
import httpx

from flows.fetch.addresses import GuardedNetwork, Network, RefusedAddressError

TRANSIENT_STATUSES = frozenset([408, 425, 429, 500, 502, 503, 504])


class FetchError(Exception):
    """A URL could not be fetched; the message says why. `lasting` if trying again is of no use."""

    def __init__(self, message: str, *, lasting: bool = False, retry_after: float = 0) -> None:
        super().__init__(message)
        self.lasting = lasting
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes that one answer may take, and networks that may be asked."""

    seconds: float
    size: int
    allowed_networks: Sequence[Network]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent: `body` as it came, possibly compressed, and when it was asked for it."""

    url: str
    status: int
    headers: httpx.Headers
    body: bytes
    asked_at: float
    limit: int

    @property
    def content(self) -> bytes:
        """The body without its content encoding.

        Raises:
            FetchError: if it is broken or grows past the size limit.
        """
        return unpacked(self.body, self.headers.get("content-encoding", ""), self.limit)

    @property
    def medium(self) -> str:
        """The media type, such as `text/html`."""
        declared: str = self.headers.get("content-type", "")
        return declared.partition(";")[0].strip().lower()


def exchange(url: str, headers: Mapping[str, str], limits: Limits) -> Answer:
    """Ask for `url` once, without following redirects.

    Raises:
        FetchError: if there is no whole answer within the limits, or it asks to come again later.
    """
    target = _checked(url)
    asked_at = time.time()
    network = GuardedNetwork(limits.allowed_networks, time.monotonic() + limits.seconds)
    request = [(b"Host", target.netloc), *((k.encode(), v.encode()) for k, v in headers.items())]
    address = httpcore.URL(
        scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
    )
    try:
        with (
            httpcore.HTTPConnection(
                address.origin, ssl_context=_certificates(), network_backend=network
            ) as connection,
            connection.stream("GET", address, headers=request) as response,
        ):
            answer_headers = httpx.Headers(response.headers)
            _refuse_status(response.status, answer_headers)
            body = _bounded(response.iter_stream(), limits.size)
            return Answer(url, response.status, answer_headers, body, asked_at, limits.size)
    except RefusedAddressError as error:
        raise FetchError(str(error), lasting=True) from None
    except httpcore.TimeoutException:
        raise FetchError(f"gave no whole answer within {limits.seconds:g} seconds") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise FetchError(f"the connection failed ({error or type(error).__name__})") from None


def unpacked(data: bytes, encoding: str, limit: int) -> bytes:
    """Take away a gzip or zlib encoding.

    Raises:
        FetchError: if the data is broken, another encoding, or larger than `limit` bytes unpacked.
    """
    if encoding.strip().lower() in ("", "identity"):
        return data
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        raise FetchError(f"is encoded as {encoding!r} although only gzip was asked for")
    unpacker = zlib.decompressobj(wbits=47)
    try:
        content = unpacker.decompress(data, limit + 1)
    except zlib.error:
        raise FetchError("is not the gzip data that it claims to be") from None
    if len(content) > limit:
        raise FetchError(f"is larger than {limit:,} bytes once unpacked", lasting=True)
    if not unpacker.eof:
        raise FetchError("is cut off within its gzip data")
    return content


def _checked(url: str) -> httpx.URL:
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise FetchError(f"is no valid URL ({error})", lasting=True) from None
    if target.scheme not in ("http", "https") or not target.host:
        raise FetchError("is no http or https URL", lasting=True)
    return target


def _refuse_status(status: int, headers: httpx.Headers) -> None:
    if status in TRANSIENT_STATUSES:
        wait = headers.get("retry-after", "")
        raise FetchError(
            f"the server answered with status {status}",
            retry_after=float(wait) if wait.isdecimal() else 0,
        )


def _bounded(chunks: Iterator[bytes], limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise FetchError(f"is larger than {limit:,} bytes", lasting=True)
    return bytes(body)


@cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()
