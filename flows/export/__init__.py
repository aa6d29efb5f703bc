"""Export stage: releases, and what changed between two of them."""

from flows.export.checks import ReleaseError, check_release
from flows.export.diff import Difference, compare_releases
from flows.export.release import ReleaseOrder, write_release
from flows.export.selection import Selection
from schemas.records import ReleaseFormat

__all__ = [
    "Difference",
    "ReleaseError",
    "ReleaseFormat",
    "ReleaseOrder",
    "Selection",
    "check_release",
    "compare_releases",
    "write_release",
]
