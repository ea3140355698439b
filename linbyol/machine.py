"""What this machine has: memory, beyond which sizes are refused before anything is allocated, and cores."""

import gc
import os
from pathlib import Path

from linbyol.checks import InputError

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container, v2 and v1


def check_memory(what: str, size: float | int, error: type[InputError] = InputError) -> None:
    """`size` bytes are no more than this machine has; `what` begins the sentence, with the numbers to blame."""
    if size > (most := memory()):
        raise error(f"{what} would need about {_words(size)} of memory, but this machine has {_words(most)}.")


def memory() -> int:
    """Bytes of memory that this process may have."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in LIMITS:
        try:
            found.append(int(Path(path).read_text()))
        except (OSError, ValueError):  # no such limit: no file, or the word "max"
            continue
    return min(found)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def collect_seldom() -> None:
    """Look for garbage seldom: JAX's traces live on, and going through them takes a fifth of a command."""
    gc.set_threshold(50_000, 20, 100)


def _words(size: float | int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            amount = size / factor
            return f"{amount:.3g} {unit}" if amount < 1000 else f"{amount:,.0f} {unit}"
    return f"{size:.0f} bytes"
