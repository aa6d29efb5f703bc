"""Arrow schemas of exported tables, generated from the registry, descriptions included."""

from collections.abc import Collection

import polars as pl
import pyarrow as pa

from schemas.table import Table


def arrow_schema(table: type[Table], *, without: Collection[str] = ()) -> pa.Schema:
    """The Arrow schema of `table`, leaving out the columns named in `without`.

    Each field's metadata has its `description`; the schema's has the table's.
    """
    columns = {name: c for name, c in table.columns().items() if name not in without}
    types = pl.DataFrame(schema={name: c.dtype.type for name, c in columns.items()}).to_arrow()
    fields = [
        pa.field(
            name,
            _portable(types.schema.field(name).type),
            nullable=column.nullable,
            metadata={"description": column.description},
        )
        for name, column in columns.items()
    ]
    return pa.schema(fields, metadata={"description": table.table_description()})


def _portable(kind: pa.DataType) -> pa.DataType:
    """`kind` with 32-bit offsets, which every reader of Parquet knows."""
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_list(kind):
        return pa.list_(_portable(kind.value_type))
    return kind
