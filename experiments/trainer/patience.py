"""Long computations that a signal may cut short: done in a thread, while the main one listens."""

import threading
from collections.abc import Callable
from typing import Any

import jax

GRACE = 0.5  # seconds that a computation is given to end by itself


class Left(Exception):  # noqa: N818 - no error: the run was told to stop
    """A computation that goes on in its thread, and that nobody waits for any more."""


def patiently(work: Callable[[], Any], stopped: Callable[[], bool]) -> Any:
    """What `work` gives. Raises `Left` if `stopped()` says so and it has not ended soon after.

    Of several processes each waits for the end: they must leave together.
    """
    if jax.process_count() > 1:
        return work()
    x64, ends = jax.config.jax_enable_x64, []

    def run() -> None:
        try:
            with jax.enable_x64(x64):  # a setting of the thread
                ends.append((work(), None))
        except BaseException as error:  # noqa: BLE001 - raised below
            ends.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.05)
        if thread.is_alive() and stopped():
            thread.join(GRACE)
            if thread.is_alive():
                raise Left
    ((found, error),) = ends
    if error is not None:
        raise error
    return found
