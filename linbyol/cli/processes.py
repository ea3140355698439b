"""Work in several processes at once: each has its own JAX, so that compilations run side by side."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any


def cores() -> int:
    """Processes that pay: each compiles for itself, and takes 1 to 4 GB."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)


def in_processes(tasks: Mapping[str, tuple[Any, ...]], jobs: int) -> Iterator[tuple[str, Any]]:
    """name -> (function, *arguments), started in this order; (name, result) as each is done.

    The processes are fresh, since a forked JAX may hang. An interrupt ends the work, not only the waiting for it.
    """
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_start)
    try:
        waiting = {pool.submit(*task): name for name, task in tasks.items()}
        for done in as_completed(waiting):
            yield waiting[done], done.result()
    finally:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


def _start() -> None:
    import signal

    import jax

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    jax.config.update("jax_enable_x64", True)
