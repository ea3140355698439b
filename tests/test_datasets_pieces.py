"""Compact pieces: decoded to the last byte, kept in a cache that is checked, refused when damaged."""

import lzma
import struct
import tracemalloc

import numpy as np
import official_layouts as written
import pytest
from official_layouts import TEN, assert_refused, assert_same

from experiments.datasets import load, median, pieces
from experiments.datasets.median import DamagedError, unpack

pytestmark = pytest.mark.usefixtures("cache")


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "stl10"])
def test_pieces(name, rng, tmp_path, monkeypatch):
    side = 96 if name == "stl10" else 32
    data = written.dataset(name, rng, 7, 3, (side, side, 3), TEN, ("sea", "land") if name == "cifar100" else ())
    written.write_pieces(tmp_path, data, {"train": (3, 5, 7), "test": (3,)}, monkeypatch)
    for _ in ("decoded", "from the cache"):
        assert_same(load(name, folder=tmp_path), data)
        assert_same(load(name, folder=tmp_path, first=4), data, first=4)


def test_a_piece_is_decoded_whatever_its_shape_and_block(rng, monkeypatch):
    """Smooth and random images, larger than a block and not a multiple of it."""
    ramp = np.add.outer(np.arange(5), np.arange(6))[None, ..., None] * np.array([1, 9, 40])
    images = np.concatenate([ramp.astype(np.uint8), written.images_of(rng, 10, 5, 6, 3)])
    packed = written.piece(images)
    for block in (1, 4, 100):
        monkeypatch.setattr(median, "BLOCK", block)
        found = np.zeros_like(images)
        median.unpack(packed, found)
        np.testing.assert_array_equal(found, images)


def test_only_the_pieces_that_first_needs_are_opened(rng, tmp_path, monkeypatch):
    data = written.dataset("cifar10", rng, 6, 4, (32, 32, 3), TEN)
    place = written.write_pieces(tmp_path, data, {"train": (2, 4, 6), "test": (2, 4)}, monkeypatch)
    (place / "train-00004-00006.med.xz").write_bytes(b"")
    (place / "test-00002-00004.med.xz").unlink()
    assert_same(load("cifar10", folder=tmp_path, first=2), data, first=2)


def test_the_cache_is_used_checked_and_not_needed(rng, tmp_path, monkeypatch, cache):
    data = written.dataset("cifar10", rng, 4, 3, (32, 32, 3), TEN)
    place = written.write_pieces(tmp_path, data, {"train": (4,), "test": (3,)}, monkeypatch)
    calls = []
    monkeypatch.setattr(pieces, "unzip", lambda *args: calls.append(args) or median.unzip(*args))
    assert_same(load("cifar10", folder=tmp_path), data)
    assert len(calls) == 2
    assert_same(load("cifar10", folder=tmp_path), data)
    assert len(calls) == 2  # from the cache
    (kept,) = cache.glob("cifar10-train-*")
    whole = kept.read_bytes()
    for damaged in (whole[:-1], whole + b"x", b"", bytes([whole[0] ^ 1]) + whole[1:], whole[:-1] + b"\0"):
        kept.write_bytes(damaged)
        assert_same(load("cifar10", folder=tmp_path), data)
        assert kept.read_bytes() == whole
    assert len(calls) == 7
    other = data._replace(train=data.train._replace(images=255 - data.train.images))
    (place / "train-00000-00004.med.xz").write_bytes(written.piece(other.train.images))
    assert_same(load("cifar10", folder=tmp_path), other)  # another piece of the same name


@pytest.mark.parametrize("kind", ["read-only", "a file", "full"])
def test_a_cache_that_cannot_be_written_does_no_harm(kind, rng, tmp_path, monkeypatch):
    data = written.dataset("cifar10", rng, 2, 2, (32, 32, 3), TEN)
    written.write_pieces(tmp_path, data, {"train": (2,), "test": (2,)}, monkeypatch)
    (tmp_path / "a file").write_bytes(b"")
    place = {"read-only": "/proc/nowhere", "a file": str(tmp_path / "a file"), "full": str(tmp_path / "full")}[kind]
    monkeypatch.setenv("LINBYOL_CACHE_DIR", place)
    if kind == "full":

        def full(*args):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
    assert_same(load("cifar10", folder=tmp_path), data)
    assert not [path for path in tmp_path.rglob("*") if "images" in path.name]  # nothing half-written stays


def test_pieces_that_are_damaged(rng, tmp_path, monkeypatch):
    data = written.dataset("cifar10", rng, 4, 2, (32, 32, 3), TEN)
    place = written.write_pieces(tmp_path, data, {"train": (2, 4), "test": (2,)}, monkeypatch)
    path = place / "train-00002-00004.med.xz"
    whole = path.read_bytes()
    for size in (0, 20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert_refused("train-00002-00004.med.xz", "cifar10", folder=tmp_path)
    for at in rng.integers(0, len(whole), 12):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert_refused("train-00002-00004.med.xz", "cifar10", folder=tmp_path)
    path.write_bytes(written.piece(data.train.images[:1]))
    assert_refused("holds images of shape (1, 32, 32, 3) instead of (2, 32, 32, 3)", "cifar10", folder=tmp_path)
    path.unlink()
    assert_refused("holds 2 train images, but labels of 4", "cifar10", folder=tmp_path)
    path.write_bytes(whole)
    (place / "train-00000-00002.med.xz").unlink()
    assert_refused("lacks the train images from 0 on", "cifar10", folder=tmp_path)


def test_a_piece_never_takes_more_memory_than_its_images():

    bomb = lzma.compress(struct.pack("<4I", 1, 4, 4, 3) + bytes(5_000_000), preset=0)
    tracemalloc.start()
    with pytest.raises(DamagedError, match="holds more than its images"):
        unpack(bomb, np.empty((1, 4, 4, 3), np.uint8))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000  # the dictionary of xz, 256 kB here, and little more
    tracemalloc.stop()


def test_labels_of_pieces(rng, tmp_path, monkeypatch):
    data = written.dataset("cifar10", rng, 2, 2, (32, 32, 3), TEN)
    place = written.write_pieces(tmp_path, data, {"train": (2,), "test": (2,)}, monkeypatch)
    np.savez(place / "labels.npz", train=np.array([3, 10], np.uint8), test=np.array([0, 1], np.uint8))
    assert_refused("must be 0 to 9, but number 1 is 10", "cifar10", folder=tmp_path)
    np.savez(place / "labels.npz", train=np.array([3, None]), test=np.array([0, 1], np.uint8), allow_pickle=True)
    assert_refused("labels.npz is not a readable npz archive", "cifar10", folder=tmp_path)
