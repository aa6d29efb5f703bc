"""The process behind `flows.server`: Prefect's API and UI on loopback, until nobody needs it.

Started as `python -m flows.server_process STATE TOKEN IDLE_SECONDS`. It writes its address to the
file STATE once it answers, and ends by itself after `IDLE_SECONDS` without a request.
"""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from flows.server import IDENTITY_PATH, PREFERRED_PORT, Server, forget, remember

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class IdleWatch:
    """An ASGI layer that answers who it is, and knows for how long nobody has asked for work."""

    def __init__(self, app: App, token: str) -> None:
        self._app = app
        self._token = token
        self._open = 0
        self._last_use = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last request; 0 while a connection is open."""
        return 0.0 if self._open else time.monotonic() - self._last_use

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["path"] == IDENTITY_PATH:
            await self._answer(send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1
            self._last_use = time.monotonic()

    async def _answer(self, send: Send) -> None:
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._token.encode()})


def bind_loopback() -> socket.socket:
    """A listening socket on 127.0.0.1, on the preferred port or any free one."""
    for port in (PREFERRED_PORT, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.close()
        else:
            return listener
    raise OSError("no free port on 127.0.0.1")


async def serve(state: Path, token: str, idle_limit: float) -> None:
    """Serve until `idle_limit` seconds pass without work, or until told to end."""
    listener = bind_loopback()
    port = listener.getsockname()[1]
    _configure_prefect(port)
    import uvicorn  # noqa: PLC0415
    from prefect import __version__  # noqa: PLC0415
    from prefect.server.api.server import create_app  # noqa: PLC0415

    watch = IdleWatch(create_app(final=True), token)
    config = uvicorn.Config(watch, log_level="warning", lifespan="on", ws_ping_interval=20)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.05)
    remember(Server(os.getpid(), port, token, __version__, time.time()), state)
    try:
        while not serving.done():
            server.should_exit = server.should_exit or watch.idle_seconds > idle_limit
            await asyncio.wait({serving}, timeout=min(30.0, idle_limit / 2))
        await serving
    finally:
        forget(token, state)


def _configure_prefect(port: int) -> None:
    """Telemetry off, and no page of another origin may use the API."""
    origin = f"http://127.0.0.1:{port}"
    os.environ |= {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_UI_API_URL": f"{origin}/api",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": origin,
    }
    os.environ.pop("PREFECT_API_URL", None)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
