"""Pickles of plain values and byte arrays, read through a whitelist: nothing a pickle says is ever called.

The CIFAR batches are pickles of dicts, lists, strings and one uint8 matrix. The four names that these need lead to
functions of this file, not to NumPy's: they can only give a uint8 array whose size is that of its bytes. Any other name
is refused, and before anything is built, every operation is looked at: none may ask for more memory than the file has.
"""

import io
import math
import pickle
import pickletools
from typing import Any

import numpy as np

from linbyol.store import FileError

CLASS = "ndarray"  # stands for numpy.ndarray, which nothing needs to call


class _Bytes:
    """What becomes an array when the pickle sets its state."""

    def __setstate__(self, state: Any) -> None:
        version, shape, dtype, fortran, content = state
        content = content.encode("latin1") if isinstance(content, str) else content
        if version != 1 or dtype is not DTYPE or fortran or not isinstance(content, bytes):
            raise pickle.UnpicklingError("an array is not plain uint8")
        if not all(isinstance(n, int) and n >= 0 for n in shape) or math.prod(shape) != len(content):
            raise pickle.UnpicklingError(f"an array of shape {shape} has {len(content)} bytes")
        self.array = np.frombuffer(content, np.uint8).reshape(shape)


class _Dtype:
    """Stands for the data type uint8; its state (byte order, alignment) says nothing more."""

    def __setstate__(self, state: Any) -> None:
        pass


DTYPE = _Dtype()


def _reconstruct(kind: Any, shape: Any, code: Any) -> _Bytes:
    return _Bytes()


def _dtype(code: Any, *flags: Any) -> _Dtype:
    if code not in ("u1", b"u1", "|u1"):
        raise pickle.UnpicklingError(f"an array has the data type {code!r}, not uint8")
    return DTYPE


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"a text has the encoding {encoding!r}, not latin1")
    return text.encode("latin1")


NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): CLASS,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encode,
}


OPERATIONS = frozenset(
    name
    for line in (
        "PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE INT LONG BININT BININT1 BININT2 LONG1",
        "STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINBYTES SHORT_BINBYTES",
        "EMPTY_DICT DICT SETITEM SETITEMS EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3",
        "PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD",
    )
    for name in line.split()
)


def _scan(content: bytes) -> None:
    """Refuse operations that no data set needs, and places in the memo that would need a table larger than the file."""
    for number, (operation, argument, _) in enumerate(pickletools.genops(content)):
        if operation.name not in OPERATIONS:
            raise pickle.UnpicklingError(f"it has the operation {operation.name}, which no data set needs")
        if operation.name in ("PUT", "LONG_BINPUT") and argument > number:
            raise pickle.UnpicklingError(f"its operation {number} asks for the memo place {argument}")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in NAMES:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no data set needs")
        return NAMES[module, name]


def unpickle(where: Any, content: bytes) -> dict[str, Any]:
    """The dict in a pickle of protocol 0 to 4, its keys as text. Raises `FileError`, which names `where` it is from."""
    try:
        _scan(content)
        found = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # noqa: BLE001 - a damaged pickle raises nearly anything
        raise FileError(f"File {where} is not a pickle that may be read: {_words(error)}.") from None
    if not isinstance(found, dict):
        raise FileError(f"File {where} must hold a dict, but holds {type(found).__name__}.")
    if not all(isinstance(key, str | bytes) for key in found):
        raise FileError(f"File {where} must hold values under names, but holds one under {next(iter(found))!r:.40}.")
    return {
        text(key): getattr(value, "array", None) if isinstance(value, _Bytes) else value for key, value in found.items()
    }


def text(value: Any) -> str:
    """Text, of which Python 2 made bytes."""
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _words(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
