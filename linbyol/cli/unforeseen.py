"""What nobody foresaw: one sentence, and the traceback in a file that it names."""

import errno
import os
import select
import sys
import tempfile
import time
import traceback
from pathlib import Path

from linbyol import interrupts

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def told(error: BaseException) -> int:
    """Say in one sentence what went wrong, and give the exit status: 4, or 3 for a file that cannot be used."""
    if interrupts.came():
        raise error
    if _unread(error):
        return 0
    if isinstance(error, OSError) and (error.filename is not None or error.errno in FULL):
        name = f"File {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else "The output"
        return _say(f"{name} cannot be used: {error.strerror}.", 3)
    return _say(f"{sentence(error)} {kept(error)}", 4)


def sentence(error: BaseException) -> str:
    """What went wrong, without a traceback."""
    said = str(error).strip().splitlines()
    what = f"{type(error).__name__}: {said[0][:300]}" if said else type(error).__name__
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in what:
        return f"Memory does not suffice ({what.rstrip('.')})."
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"Package `{error.name}` is missing ({what.rstrip('.')})."
    return f"Something unforeseen went wrong ({what.rstrip('.')})."


def kept(error: BaseException) -> str:
    """Write the traceback into a new file of the folder for temporary files, and say where it is."""
    text = "".join(traceback.format_exception(error))
    try:
        name = f"linbyol-{time.strftime('%Y%m%d-%H%M%S')}-"
        handle, path = tempfile.mkstemp(prefix=name, suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{' '.join(sys.argv)}\nPython {sys.version}\n{sys.platform}\n\n{text}")
    except OSError as problem:
        return f"The traceback could not be kept: {problem.strerror or problem}."
    return f"The traceback is in {Path(path)}."


def _unread(error: BaseException) -> bool:
    """Whether the reader of the output has seen enough, as in `linbyol … | head`."""
    if not isinstance(error, BrokenPipeError):
        return False
    ends = select.poll()
    for descriptor in (1, 2):
        ends.register(descriptor, 0)
    return bool(ends.poll(0))


def _say(words: str, code: int) -> int:
    print(f"linbyol: {words}", file=sys.stderr)
    return code
