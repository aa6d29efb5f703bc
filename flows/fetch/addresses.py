"""Connections to public addresses only, and none that outlasts its deadline.

Names are resolved here and the very address that was checked is connected to, so that neither a
redirect nor a name server that changes its mind leads into a private network.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class RefusedAddressError(Exception):
    """A host has a private, loopback, link-local or otherwise not public address."""


class GuardedNetwork(httpcore.NetworkBackend):
    """Opens connections to public addresses and to those in `allowed`, until `deadline`.

    `deadline` is a reading of `time.monotonic()`; waiting past it raises `httpcore.ReadTimeout` or
    `httpcore.ConnectTimeout`, however steadily single bytes drip in.
    """

    def __init__(self, allowed: Sequence[Network], deadline: float) -> None:
        self._allowed = allowed
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that answers.

        Raises:
            RefusedAddressError: if one of its addresses is not public.
            httpcore.ConnectError: if it has no address or none answers.
        """
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in checked_addresses(host, port, self._allowed):
            try:
                stream = self._sockets.connect_tcp(
                    address, port, _left(self._deadline, timeout), local_address, socket_options
                )
            except httpcore.ConnectError as error:
                failure = error
            else:
                return _DatedStream(stream, self._deadline)
        raise failure


class _DatedStream(httpcore.NetworkStream):
    """A connection on which no wait goes past the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, timeout)
        secured = self._stream.start_tls(ssl_context, server_hostname, left)
        return _DatedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def checked_addresses(host: str, port: int, allowed: Sequence[Network]) -> list[str]:
    """Addresses of `host`, if every one of them is public or lies in an `allowed` network.

    Raises:
        RefusedAddressError: naming the address that is neither.
        httpcore.ConnectError: if the name is not known.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"the name {host} cannot be resolved ({error})") from None
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    for text in addresses:
        address = _embedded(ipaddress.ip_address(text.partition("%")[0]))
        if not (_is_public(address) or any(address in network for network in allowed)):
            raise RefusedAddressError(
                f"{host} has the address {text}, which is not a public one; "
                "if you mean it, list its network under allowed_networks"
            )
    return addresses


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


def _left(deadline: float, timeout: float | None) -> float:
    """Seconds to wait: at most `timeout`, not past `deadline`, and never none."""
    left = max(deadline - time.monotonic(), 0.001)
    return left if timeout is None else min(left, timeout)
