"""SQL of the warehouse: views and macros. Its data files lie beside it, untracked."""

from importlib import resources

VIEW_FILES = ("views.sql", "issues.sql", "speakers.sql")


def views_sql() -> str:
    """The SQL of all views."""
    folder = resources.files("warehouse")
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in VIEW_FILES)
