"""Arrays that grow by rows, side by side, into one archive that is written whole or not at all, in little memory."""

import json
import math
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from linbyol.store import FileError, destination, writing

PIECE = 1 << 22  # bytes copied at once
KINDS = {"f2": "F16", "f4": "F32", "f8": "F64", "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64", "u1": "U8"}


class Growing:
    """The arrays of an archive while their rows come; each waits in a file without a name, which no kill leaves."""

    def __init__(self, folder: Path, files: ExitStack) -> None:
        self.folder, self.files = folder, files
        self.rows: dict[str, IO[bytes]] = {}
        self.form: dict[str, tuple[np.dtype, tuple[int, ...]]] = {}

    def append(self, name: str, rows: Any) -> None:
        """Further rows (b, …) of an array, of the dtype and shape of its first ones."""
        rows = np.ascontiguousarray(rows)
        if name not in self.form:
            self.put(name, rows)
            return
        dtype, (n, *rest) = self.form[name]
        if rows.dtype != dtype or list(rows.shape[1:]) != rest:
            raise ValueError(f"rows of {name} are {rows.dtype} {rows.shape[1:]}, those before {dtype} {tuple(rest)}")
        self.rows[name].write(rows.data)
        self.form[name] = dtype, (n + len(rows), *rest)

    def put(self, name: str, array: Any) -> None:
        """A whole array, or the first rows of one."""
        array = np.asarray(array, order="C")
        self.rows[name] = self.files.enter_context(tempfile.TemporaryFile(dir=self.folder))  # noqa: SIM115
        self.rows[name].write(array.tobytes())
        self.form[name] = array.dtype, array.shape


@contextmanager
def growing(path: str | Path, about: Mapping[str, Any] | None = None) -> Iterator[Growing]:
    """Arrays to fill; at the end they are the archive at `path`: .npz, or .safetensors where the name ends so.

    about  plain values: the text `config` of the npz, or the metadata of the safetensors

    The same rows give the same bytes. Raises `FileError` where the archive cannot be written.
    """
    target = destination(path)
    try:
        with ExitStack() as files:
            arrays = Growing(target.parent, files)
            yield arrays
            assemble = _safetensors if target.suffix == ".safetensors" else _npz
            with writing(path) as file:
                assemble(file, arrays, json.dumps(dict(about or {}), ensure_ascii=False))
    except OSError as error:
        raise FileError(f"File {path} cannot be written: {error.strerror or error}.") from None


def check_space(path: str | Path, size: int) -> None:
    """The folder has space for an archive of `size` bytes and for the rows that wait. Raises `FileError`."""
    free = shutil.disk_usage(destination(path).parent).free
    if 2 * size > free:
        need, have = (f"{x / 1e9:,.3g} GB" for x in (2 * size, free))
        raise FileError(
            f"File {path} cannot be written: it would need {need} on the way, but its disk has {have} left."
        )


def _npz(file: IO[bytes], arrays: Growing, config: str) -> None:
    arrays.put("config", np.array(config))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, (dtype, shape) in arrays.form.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(member, header)
                arrays.rows[name].seek(0)
                shutil.copyfileobj(arrays.rows[name], member, PIECE)


def _safetensors(file: IO[bytes], arrays: Growing, config: str) -> None:
    """The longest items first, so that each array lies at a multiple of its item."""
    names = sorted(arrays.form, key=lambda name: -arrays.form[name][0].itemsize)
    header, end = {"__metadata__": {"config": config}}, 0
    for name in names:
        dtype, shape = arrays.form[name]
        begin, end = end, end + dtype.itemsize * math.prod(shape)
        header[name] = {"dtype": KINDS[dtype.str[1:]], "shape": list(shape), "data_offsets": [begin, end]}  # type: ignore[dict-item]
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for name in names:
        arrays.rows[name].seek(0)
        shutil.copyfileobj(arrays.rows[name], file, PIECE)
