"""Work in several processes at once: each has its own JAX, so that compilations run side by side."""

import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from multiprocessing import connection, get_context, parent_process, resource_tracker
from typing import Any, NamedTuple


class Ended(NamedTuple):
    """What became of a task that came to no end: an error in it, or the death of its process."""

    why: str
    error: str = ""  # the traceback, if there is one


class Worker(NamedTuple):
    """A process, the task that it is at, and the line to it."""

    process: Any
    task: str
    line: Any


def jobs_that_pay() -> int:
    """Processes that pay: each compiles for itself, and takes 1 to 4 GB."""
    from linbyol.machine import cores

    return min(cores(), 4)


def in_processes(tasks: Mapping[str, tuple[Any, ...]], jobs: int) -> Iterator[tuple[str, Any]]:
    """name -> (function, *arguments), started in this order; (name, news) as soon as a function yields some.

    A task that breaks, or whose process dies, has `Ended` for its last news, and the others go on. The processes are
    fresh, since a forked JAX may hang. An interrupt ends the work, not only the waiting for it.
    """
    waiting = deque(tasks)
    workers: dict[Any, Worker] = {}
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                worker = _hired(waiting[0], tasks[waiting.popleft()])
                workers[worker.line] = worker
            for line in connection.wait(list(workers)):
                worker = workers[line]
                try:
                    at_work, news = worker.line.recv()
                except (EOFError, OSError):
                    worker.process.join()
                    del workers[line]
                    yield worker.task, Ended(f"its process was ended by {_cause(worker.process.exitcode)}")
                    continue
                if at_work:
                    yield worker.task, news
                elif waiting:
                    workers[line] = worker._replace(task=waiting.popleft())
                    _send(worker.line, tasks[workers[line].task])
                else:
                    _dismiss([workers.pop(line)])
    finally:
        _dismiss(workers.values())


def _hired(name: str, task: tuple[Any, ...]) -> Worker:
    """A new process with its first task; it never hears an interrupt from the keyboard, which is for its parent."""
    context = get_context("spawn")
    here, there = context.Pipe()
    resource_tracker.ensure_running()  # which lets all signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        process = context.Process(target=_work, args=(there,), daemon=True)
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    there.close()
    _send(here, task)
    return Worker(process, name, here)


def _send(line: Any, task: tuple[Any, ...]) -> None:
    with suppress(OSError):  # a process that has died is noticed where it is listened to
        line.send(task)


def _dismiss(workers: Iterable[Worker]) -> None:
    """End the processes: those that are at work too, and at once."""
    workers = list(workers)
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.process.join(0.5)
        worker.process.kill()
        worker.process.join()
        worker.line.close()


def _cause(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _work(line: Any) -> None:
    """Tasks one after the other, until the process is ended."""
    from linbyol import interrupts
    from linbyol.machine import collect_seldom

    interrupts.obey()
    collect_seldom()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import jax

    jax.config.update("jax_enable_x64", True)
    while True:
        function, *arguments = line.recv()
        try:
            for news in function(*arguments):
                line.send((True, news))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever breaks, the other tasks go on
            why = f"{type(error).__name__}: {error}".strip(": ")
            line.send((True, Ended(why, "".join(traceback.format_exception(error)))))
        line.send((False, None))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
