"""How a reader says that it cannot take something."""

import errno

PAYLOAD_CHARS = 200
_OF_THE_MACHINE = frozenset(
    [errno.EACCES, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC]
)


class RefusedError(Exception):
    """Something cannot be read. It ends as a `Reject`, never with the user's run.

    Args:
        reason: why, and what to do about it.
        payload: the start of what was refused.

    """

    def __init__(self, reason: str, payload: bytes | str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.payload = excerpt(payload)


def raise_again_if_of_the_machine(error: BaseException) -> None:
    """Raise `error` again if the disk or its like is to blame: the input must not count as read."""
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        raise error


def excerpt(payload: bytes | str | None) -> str | None:
    """Return the start of `payload` as printable text of at most 200 characters."""
    if not payload:
        return None
    start = payload[: PAYLOAD_CHARS * 4]
    text = start if isinstance(start, str) else start.decode("utf-8", "replace")
    shown = "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
    return shown[:PAYLOAD_CHARS].strip() or None
