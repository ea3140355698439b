"""The images of one `.med.xz` piece: each pixel predicted by a median of its neighbours, the residuals packed by xz.

The piece is an .xz stream (check CRC64) of four little-endian uint32 (N, H, W, C = 3) and 3 N H W bytes: planes G,
R - G and B - G, each (N, H, W). A pixel's prediction is the median of a, b and a + b - d, with a its left, b its upper
and d its upper left neighbour in the same plane and image (0 outside), as in LOCO-I (Weinberger, Seroussi, Sapiro
2000). What is left, modulo 256, is stored zigzag: 2 r for r ≥ 0, else -2 r - 1.

Pixels of an image wait for one another, images do not: so a block of images is decoded pixel by pixel, its images side
by side in memory. Median(a, b, a + b - d) = a + b - clip(d, min(a, b), max(a, b)) holds modulo 256 too, and lets the
green plane stay in bytes; the differences R - G and B - G need nine bits to be compared, and share one array.
"""

import lzma
import struct

import numpy as np

BLOCK = 2000  # images decoded side by side: two rows of them stay in the cache of a core
HEADER = struct.Struct("<4I")


class DamagedError(ValueError):
    """What is wrong with the content of a piece, without its name."""


def unpack(packed: bytes, images: np.ndarray) -> None:
    """Decode a piece into `images`, uint8 (N, H, W, 3), C-contiguous. Raises `DamagedError` if it is anything else."""
    restore(unzip(packed, images.shape), images)


def restore(residuals: np.ndarray, images: np.ndarray) -> None:
    """Images (N, H, W, 3) from the residuals (3, N, H, W) of their planes, zigzag coded."""
    n, h, w, _ = images.shape
    for a in range(0, n, BLOCK):
        block = residuals[:, a : a + BLOCK]
        block = (block >> 1) ^ -(block & 1)  # zigzag undone, modulo 256
        planes = np.ascontiguousarray(block.reshape(3, -1, h * w).transpose(0, 2, 1))  # images side by side
        decoded = _unpredict(planes.reshape(3, h, w, -1))
        images[a : a + BLOCK] = decoded.reshape(3, h * w, -1).transpose(2, 1, 0).reshape(-1, h, w, 3)


def _unpredict(residuals: np.ndarray) -> np.ndarray:
    """Channels R, G, B from the residuals of G, R - G, B - G, both uint8 (3, h, w, n)."""
    _, h, w, n = residuals.shape
    channels = np.empty_like(residuals)
    green = _plane(residuals[0], np.zeros((h + 1, w + 1, n), np.uint8))
    channels[1] = green
    pair = residuals[1:]
    rows = np.zeros((h + 1, w + 1, 2, n), np.int16)  # differences, a border of 0 above and on the left
    low, high = np.empty((2, n), np.int16), np.empty((2, n), np.int16)
    for y in range(h):
        for x in range(w):
            left, up, corner = rows[y + 1, x], rows[y, x + 1], rows[y, x]
            np.minimum(left, up, out=low)
            np.maximum(left, up, out=high)
            np.minimum(high, corner, out=high)
            np.maximum(high, low, out=high)
            np.subtract(left, high, out=high)
            np.add(high, up, out=high)
            np.add(high, pair[:, y, x], out=high)
            g = green[y, x]
            np.add(high, g, out=high)
            np.bitwise_and(high, 255, out=high)
            channels[::2, y, x] = high
            np.subtract(high, g, out=rows[y + 1, x + 1])
    return channels


def _plane(residuals: np.ndarray, values: np.ndarray) -> np.ndarray:
    """One plane of bytes, (h, w, n), from its residuals; `values` (h + 1, w + 1, n) is 0 above and on the left."""
    h, w, n = residuals.shape
    low, high = np.empty(n, np.uint8), np.empty(n, np.uint8)
    for y in range(h):
        for x in range(w):
            left, up, corner = values[y + 1, x], values[y, x + 1], values[y, x]
            np.minimum(left, up, out=low)
            np.maximum(left, up, out=high)
            np.minimum(high, corner, out=high)
            np.maximum(high, low, out=high)
            np.subtract(left, high, out=high)
            np.add(high, up, out=high)
            np.add(high, residuals[y, x], out=values[y + 1, x + 1])
    return values[1:, 1:]


def unzip(packed: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """Residuals uint8 (3, N, H, W) of images of the given shape; never more memory than they need.

    Most of the time of a piece goes here, without Python's lock, so pieces can be unzipped side by side.
    """
    n, h, w, c = shape
    stream = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=1 << 28)
    try:
        head = stream.decompress(packed, max_length=HEADER.size)
        if len(head) < HEADER.size:
            raise DamagedError("ends before its first image")
        if (found := HEADER.unpack(head)) != (n, h, w, c):
            raise DamagedError(f"holds images of shape {found} instead of {(n, h, w, c)}")
        body = stream.decompress(b"", max_length=c * n * h * w)
        rest = b"" if stream.eof else stream.decompress(b"", max_length=1)
    except lzma.LZMAError as error:
        raise DamagedError(f"is no sound xz stream ({error})") from None
    except EOFError:
        raise DamagedError("ends too early") from None
    if len(body) < c * n * h * w or rest or not stream.eof or stream.unused_data:
        raise DamagedError("ends too early or holds more than its images")
    return np.frombuffer(body, np.uint8).reshape(c, n, h, w)
