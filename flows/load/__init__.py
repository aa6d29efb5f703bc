"""Load stage: shards into the DuckDB warehouse."""
