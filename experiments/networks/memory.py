"""A process that keeps its memory: XLA asks for working memory anew on every call, and gets fresh pages each time."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of mallopt(3)


def keep_memory() -> bool:
    """Tell glibc to hand freed memory out again instead of returning it; True if it did.

    A switch for the whole process, for a program's first line: on a CPU a step of training with hundreds of MB of
    working memory otherwise spends much of its time on page faults. Without glibc nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1))
