"""`stancebank forget`: a takedown carried out on a warehouse and all that lies beside it."""

import shutil
from pathlib import Path

from flows.load.forget import forget, rewrite
from flows.load.runs import begin_run, end_run
from flows.load.search import update_search
from flows.load.snapshot import publish_all
from flows.load.warehouse import open_readonly, open_writable, writer_lock
from flows.takedown import read_takedown


def forget_file(warehouse: Path, path: Path) -> dict[str, int]:
    """Remove from `warehouse` what the lines of `path` name; rows removed by table.

    File and snapshot are written anew, the search index brought up to date, and what an interrupted
    run left behind removed. Files in raw/ and releases are the user's to remove.

    Raises:
        TakedownError: if a line is not understood.
        WarehouseError: if another process writes to the warehouse, or has it open.
    """
    takedown = read_takedown(path)
    with writer_lock(warehouse):
        with open_writable(warehouse) as connection:
            run_id = begin_run(connection, {"forget": True}, {})
            connection.begin()
            try:
                counts = forget(connection, takedown, run_id)
                end_run(connection, run_id, "complete", counts=counts)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            publish_all(connection, warehouse, run_id)
        rewrite(warehouse)
        with open_readonly(warehouse) as connection:
            update_search(connection, warehouse)
        shutil.rmtree(warehouse.with_name(f".{warehouse.stem}.staging"), ignore_errors=True)
    return counts
