"""An interrupt ends the program within two seconds, whatever it is doing, and leaves nothing half-written.

Python runs handlers of signals in the main thread alone, between two of its instructions, and a long call into XLA
never lets it. So a thread listens too: it gives the main thread a moment to end cleanly, and then ends the process.
Whoever handles signals in a way of his own takes the wake-up descriptor away meanwhile: `signal.set_wakeup_fd(-1)`.
Imports are few, since before them an interrupt meets Python alone, which prints a traceback.
"""

import _thread
import atexit
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress

GRACE = 1.0  # seconds for the main thread to end cleanly, where it can
SIGNALS = (signal.SIGINT, signal.SIGTERM)

unfinished: set[str] = set()  # files that are being written, beside those that they will replace

_seen: list[signal.Signals] = []  # the signal that interrupts this process
_lost: list[signal.Signals] = []  # the same, if its exception was lost
_told = _thread.allocate_lock()
_done = _thread.allocate_lock()  # nothing is left that an interrupt could end


class Interrupted(KeyboardInterrupt):
    """SIGINT or SIGTERM came."""


def run(call: Callable[[], int]) -> None:
    """End the process with the exit status that the call returns, or with 130 or 143 soon after SIGINT or SIGTERM."""
    code = 4
    try:
        _listen(_interrupt, GRACE)
        sys.unraisablehook, sys.excepthook = _notice, _notice_printed
        code = call()
        atexit._run_exitfuncs()
        _done.acquire()
    except BaseException:  # the interrupt, or what a library made of it
        if not came():
            raise
    if came():
        _tell()
        code = 128 + (_seen or _lost)[0]
    _end(code)


def obey() -> None:
    """From now on SIGTERM ends this process at once, and leaves nothing half-written; SIGINT is for others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _told.acquire()  # whoever sends SIGTERM has a sentence for it
    _listen(lambda number, frame: None, 0.0)


def came() -> bool:
    """Whether this process is being interrupted: what goes wrong now is no news."""
    return bool(_seen or _lost)


def _end(code: int) -> None:
    """End at once: threads of XLA may be at work, and would meet an interpreter that is gone."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)


def _tell() -> None:
    """One line, once, on a terminal that shows its cursor again."""
    if _told.acquire(blocking=False):
        restore = "\r\x1b[2K\x1b[?25h" if os.isatty(2) else ""
        with suppress(OSError):
            os.write(2, f"{restore}linbyol: interrupted\n".encode())


def _listen(handler: Callable[[int, object], None], grace: float) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, handler)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    _thread.start_new_thread(_wait, (reading, grace, _thread.get_ident()))


def _interrupt(number: int, frame: object) -> None:
    if not _seen:
        _seen.append(signal.Signals(number))
        if _done.locked():
            return
        raise Interrupted


def _notice(unraisable) -> None:
    """What is raised inside a destructor or a callback is lost there; an interrupt is raised again soon after."""
    if isinstance(unraisable.exc_value, Interrupted):
        _lost.append(_seen.pop())
    elif not _seen:
        sys.__unraisablehook__(unraisable)


def _notice_printed(kind, value, trace) -> None:
    """The same for what a library written in C would print and forget."""
    if isinstance(value, Interrupted):
        _lost.append(_seen.pop())
    elif not _seen:
        sys.__excepthook__(kind, value, trace)


def _wait(reading: int, grace: float, main: int) -> None:
    while not (numbers := [number for number in os.read(reading, 64) if number in SIGNALS]):
        pass
    end = time.monotonic() + grace
    while time.monotonic() < end:
        time.sleep(0.05)
        if _lost:
            signal.pthread_kill(main, _lost.pop())
    _end_all(128 + numbers[0])


def _end_all(code: int) -> None:
    """End this process and those that it started, and remove what is half-written."""
    processes = getattr(sys.modules.get("multiprocessing.process"), "_children", ())
    for ask in (lambda child: child.terminate(), lambda child: child.join(0.3), lambda child: child.kill()):
        for child in list(processes):
            with suppress(Exception):
                ask(child)
    for path in list(unfinished):
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - nothing is imported any more
    _tell()
    os._exit(code)
