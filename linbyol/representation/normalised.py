"""Features put on the unit sphere, block by block as they are read."""

from typing import Any

import numpy as np

from linbyol.checks import InputError


class UnitRows:
    """Features (N, d) whose rows are divided by their norms when they are read; nothing is copied before."""

    def __init__(self, h: np.ndarray, dtype: Any) -> None:
        self.source, self.shape, self.ndim, self.dtype = h, h.shape, 2, np.dtype(dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        """The rows in a slice, or those of a list of numbers, or one of them."""
        block = np.asarray(self.source[rows], self.dtype)
        peak = np.abs(block).max(axis=-1, keepdims=True)
        if (peak == 0).any():
            at = np.arange(len(self))[rows][peak[..., 0] == 0]
            raise InputError(f"Argument `h` must have a direction in each row, but h[{int(np.ravel(at)[0])}] is 0.")
        with np.errstate(invalid="ignore"):
            block = block / peak
        return block / np.sqrt(np.vecdot(block, block))[..., None]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """All rows."""
        return np.asarray(self[:], dtype)


Rows = np.ndarray | UnitRows  # what is read in blocks: only a slice of it need fit in memory
