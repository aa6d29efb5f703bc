"""Export stage: releases as Parquet."""

from flows.export.release import ReleaseError, write_release

__all__ = ["ReleaseError", "write_release"]
