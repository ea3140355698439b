"""safetensors, by its library, which checks the header; rows are copied out of the mapped file."""

import json
import re
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import safetensors as library

from linbyol.embeddings.entries import Entry
from linbyol.machine import check_memory
from linbyol.store import FileError, reading

TYPES: dict[str, Any] = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": jnp.bfloat16, "I64": np.int64, "I32": np.int32,
    "I16": np.int16, "I8": np.int8, "U64": np.uint64, "U32": np.uint32, "U16": np.uint16, "U8": np.uint8, "BOOL": bool,
}  # fmt: skip


def safetensors(path: Path) -> list[Entry]:
    """The tensors by their names, memory-mapped. Raises `FileError` for a header that the library refuses."""
    with reading(path):
        try:
            with library.safe_open(path, "np") as file:
                list(file.keys())
        except library.SafetensorError as error:
            raise FileError(f"File {path} is not a readable safetensors file: {str(error).rstrip('.')}.") from None
        with path.open("rb") as raw:
            size = int.from_bytes(raw.read(8), "little")
            check_memory(f"The header of {path}", size, FileError)
            header = json.loads(raw.read(size))
    header.pop("__metadata__", None)
    in_order = sorted(header, key=lambda name: [part.zfill(9) for part in re.split(r"(\d+)", name)])  # block2, block10
    return [_entry(path, name, header[name], 8 + size) for name in in_order]


def _entry(path: Path, name: str, about: dict[str, Any], start: int) -> Entry:
    if about["dtype"] not in TYPES:
        raise FileError(f"Array `{name}` of {path} must be of real numbers, but has dtype {about['dtype']}.")
    shape, dtype = tuple(about["shape"]), np.dtype(TYPES[about["dtype"]])

    def read() -> np.ndarray:
        if 0 in shape:
            return np.zeros(shape, dtype)
        with reading(path):
            raw = np.memmap(path, np.uint8, "r", start + about["data_offsets"][0], (_bytes(about),))
        return raw.view(dtype).reshape(shape)

    return Entry(name, shape, dtype, read)


def _bytes(about: dict[str, Any]) -> int:
    begin, end = about["data_offsets"]
    return int(end - begin)
