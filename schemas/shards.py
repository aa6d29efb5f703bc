"""Shards: a batch's rows of one table as a Parquet file, handed from stage to stage."""

from pathlib import Path

import polars as pl

from schemas.table import Table


def shard_path(table: type[Table], folder: Path) -> Path:
    """Where the shard of `table` lies in a batch's folder."""
    return folder / f"{table.table_name()}.parquet"


def shard_dtypes(table: type[Table]) -> dict[str, pl.DataType]:
    """Columns of a shard: those of the table without `run_id`, which the loader adds."""
    return {name: dtype for name, dtype in table.dtypes().items() if name != "run_id"}


def read_shard(table: type[Table], folder: Path) -> pl.DataFrame:
    """Rows of `table` in a batch's folder; none where the batch has no such shard.

    Raises:
        polars.exceptions.SchemaError: if a column is missing or of another type.
    """
    path = shard_path(table, folder)
    dtypes = shard_dtypes(table)
    if not path.exists():
        return pl.DataFrame(schema=dtypes)
    return pl.read_parquet(path, schema=dtypes)


def write_shard(table: type[Table], frame: pl.DataFrame, folder: Path) -> None:
    """Write the rows of `table` of a batch, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = shard_path(table, folder)
    draft = path.with_name(path.name + ".part")
    frame.select(shard_dtypes(table).keys()).write_parquet(draft)
    draft.replace(path)
