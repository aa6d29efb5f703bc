"""Ingest stage: articles out of files of every usual format."""

from flows.ingest.collect import ingest
from flows.ingest.fields import MappingError
from flows.ingest.find import NothingFoundError, find_files
from flows.ingest.records import Intake, Shard, Source, Unchanged

__all__ = [
    "Intake",
    "MappingError",
    "NothingFoundError",
    "Shard",
    "Source",
    "Unchanged",
    "find_files",
    "ingest",
]
