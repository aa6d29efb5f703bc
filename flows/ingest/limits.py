"""Bounds that keep hostile or broken input from taking all memory, disk or time."""

from flows.ingest.refusals import RefusedError

MAX_RECORD_BYTES = 20 * 2**20
MAX_EXPANDED_BYTES = 16 * 2**30
MAX_EXPANSION_RATIO = 200
FREE_EXPANSION_BYTES = 32 * 2**20
MAX_ARCHIVE_DEPTH = 2
MAX_REJECTS = 10_000


class Budget:
    """How many bytes a file of `size` bytes may still expand to, nested archives included.

    The ratio is counted only beyond the first 32 MB, since small files may well be repetitive.
    """

    def __init__(self, size: int) -> None:
        by_ratio = max(FREE_EXPANSION_BYTES, size * MAX_EXPANSION_RATIO)
        self.allowed = min(MAX_EXPANDED_BYTES, by_ratio)
        self.left = self.allowed

    def spend(self, count: int) -> None:
        """Take `count` bytes off.

        Raises:
            RefusedError: nothing is left.

        """
        self.left -= count
        if self.left < 0:
            raise RefusedError(
                f"expands to more than {in_megabytes(self.allowed)} (a decompression bomb?): the "
                "rest is not read; if it is sound, unpack it and give the files"
            )


def in_megabytes(count: int) -> str:
    """Render a number of bytes for people."""
    return f"{count / 2**20:,.0f} MB"
