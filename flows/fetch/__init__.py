"""Fetching articles politely from outlets: lists, pages, and what is remembered of them."""

from flows.fetch.archive import FOLDER, remove_drafts
from flows.fetch.config import Feeds, FeedsFileError, Outlet, read_feeds
from flows.fetch.memory import MEMORY_FILE, Memory
from flows.fetch.outlet import OutletVisit
from flows.fetch.records import Collected, Failure, OutletResult
from flows.fetch.visitor import Visitor

__all__ = [
    "FOLDER",
    "MEMORY_FILE",
    "Collected",
    "Failure",
    "Feeds",
    "FeedsFileError",
    "Memory",
    "Outlet",
    "OutletResult",
    "OutletVisit",
    "Visitor",
    "read_feeds",
    "remove_drafts",
]
