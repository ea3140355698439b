"""Processes that a test starts, and the limits that it sets for its own."""

import os
import resource
import signal
from contextlib import contextmanager


def environment(**variables):
    return os.environ | {"JAX_PLATFORMS": "cpu", **variables}


@contextmanager
def largest_file(size):
    """No file may grow beyond `size` bytes, as where a disk or a quota is full; only the error, not the signal."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
