"""Which Prefect API a run talks to: the user's own, the shared server, or a private one."""

import contextlib
import os
from collections.abc import Iterator
from enum import StrEnum

from flows.server import ensure_server, private_server


class ServerMode(StrEnum):
    """What to do where the user has configured no Prefect API."""

    auto = "auto"
    none = "none"


@contextlib.contextmanager
def prefect_api(mode: ServerMode, *, log_level: str) -> Iterator[None]:
    """Inside, flows run against an API that answers. Telemetry is off, logs are at `log_level`.

    A `PREFECT_API_URL` from the environment, a profile or a configuration file is always honoured.

    Raises:
        flows.server.ServerError: if no server could be started.
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

    if get_current_settings().api.url:
        yield
        return
    with contextlib.ExitStack() as stack:
        private = mode is ServerMode.none
        server = stack.enter_context(private_server()) if private else ensure_server()
        stack.enter_context(temporary_settings({PREFECT_API_URL: server.api_url}))
        yield
