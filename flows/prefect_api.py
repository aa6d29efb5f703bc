"""Which Prefect API a run talks to: the user's own, the shared server, or a private one."""

import contextlib
import os
from collections.abc import Iterator
from enum import StrEnum

from flows.server import ServerError, ensure_server, private_server

ANSWER_SECONDS = 15.0


class ServerMode(StrEnum):
    """What to do where the user has configured no Prefect API."""

    auto = "auto"
    none = "none"


@contextlib.contextmanager
def prefect_api(mode: ServerMode, *, log_level: str) -> Iterator[None]:
    """Inside, flows run against an API that answers. Telemetry is off, logs are at `log_level`.

    A `PREFECT_API_URL` from the environment, a profile or a configuration file is always honoured.

    Raises:
        ServerError: if no server could be started, or the configured one does not answer.
    """
    quiet = {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": log_level,
    }
    os.environ.update({name: value for name, value in quiet.items() if name not in os.environ})
    from prefect.settings import (  # noqa: PLC0415
        PREFECT_API_URL,
        get_current_settings,
        temporary_settings,
    )

    if url := get_current_settings().api.url:
        _check_answer(url)
        yield
        return
    with contextlib.ExitStack() as stack:
        private = mode is ServerMode.none
        server = stack.enter_context(private_server()) if private else ensure_server()
        stack.enter_context(temporary_settings({PREFECT_API_URL: server.api_url}))
        yield


def _check_answer(url: str) -> None:
    """Refuse a configured API that nobody answers at, before a flow breaks on it."""
    import httpx  # noqa: PLC0415

    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=ANSWER_SECONDS)
    except httpx.HTTPError as error:
        raise ServerError(
            f"No Prefect API answers at {url} ({error}). Start that server, correct "
            "PREFECT_API_URL, or unset it to use a server of Stancebank's own."
        ) from None
