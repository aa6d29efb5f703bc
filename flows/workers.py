"""Processes that do the work of a run's batches; they know the stages and nothing of Prefect."""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class WorkerLostError(Exception):
    """A worker process died, most often for want of memory."""


class _Pool:
    """A process pool that is made anew after one of its processes has died."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = Lock()
        self._executor = self._make()

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        executor = self._executor
        try:
            return executor.submit(function, *args, **kwargs).result()
        except BrokenProcessPool:
            self._replace(executor)
            raise WorkerLostError(
                "a worker process died, most often for want of memory; try fewer --workers"
            ) from None

    def close(self) -> None:
        executor = self._executor
        processes = list((executor._processes or {}).values())
        executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()

    def _make(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_become_worker,
        )

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._executor is broken:
                broken.shutdown(wait=False, cancel_futures=True)
                self._executor = self._make()


_pool: _Pool | None = None


@contextlib.contextmanager
def worker_processes(count: int) -> Iterator[None]:
    """Inside, `in_worker` runs functions on `count` processes; their work is dropped at the end."""
    global _pool  # noqa: PLW0603
    _pool = _Pool(count)
    try:
        yield
    finally:
        _pool.close()
        _pool = None


def in_worker(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` on a worker process of the run, or here where the run has none.

    Raises:
        WorkerLostError: if its process died; the next call has a new one.
    """
    if _pool is None:
        return function(*args, **kwargs)
    return _pool.run(function, *args, **kwargs)


def _become_worker() -> None:
    """Leave interrupts to the run, and cores to the other workers; before numpy is imported."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
