"""Files that are not what they should be: one sentence, which names the file."""

import hashlib
import struct

import numpy as np
import official_layouts as written
import pytest
from official_layouts import TEN, assert_refused

from experiments.datasets import idx, load, originals
from linbyol.checks import InputError


def batch(**changes):
    good = {"data": np.zeros((2, 3072), np.uint8), "labels": [0, 9]}
    return {key: value for key, value in (good | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (batch(labels=[0, 10]), "must be 0 to 9, but number 1 is 10"),
        (batch(labels=[0]), "must have shape (2,), one an image"),
        (batch(labels=b"01"), "must be a list of whole numbers"),
        (batch(labels=None), "must hold `labels`, but holds data"),
        (batch(data=np.zeros((2, 3071), np.uint8)), "must have shape (N, 3072), but have (2, 3071)"),
        (batch(data=[1, 2]), "must have shape (N, 3072), but have list"),
        (batch(data=np.zeros((0, 3072), np.uint8), labels=[]), "none of them 0"),
    ],
)
def test_batches_that_are_not_images_and_labels(content, words, rng, tmp_path, monkeypatch):
    place = written.write_cifar(tmp_path, written.dataset("cifar10", rng, 10, 5, (32, 32, 3), TEN))
    (place / "data_batch_3").write_bytes(written.python2_pickle(content))
    written.register(monkeypatch, tmp_path)
    assert "data_batch_3" in assert_refused(words, "cifar10", folder=tmp_path)


def test_a_wrong_checksum_is_told(rng, tmp_path, monkeypatch):
    place = written.write_cifar(tmp_path, written.dataset("cifar10", rng, 10, 5, (32, 32, 3), TEN))
    written.register(monkeypatch, tmp_path, "cifar-10-batches-py/batches.meta")
    assert_refused("but the original has c99cafc152244af753f735de768cd75f", "cifar10", folder=tmp_path)
    written.register(monkeypatch, tmp_path)
    load("cifar10", folder=tmp_path)
    whole = (place / "test_batch").read_bytes()
    (place / "test_batch").write_bytes(whole[:-100])
    assert_refused(
        f"has {len(whole) - 100} bytes, but the original test_batch has {len(whole)}", "cifar10", folder=tmp_path
    )
    (place / "test_batch").write_bytes(whole[:-1] + b"!")
    assert_refused("test_batch", "cifar10", folder=tmp_path)
    (place / "test_batch").write_bytes(b"<!DOCTYPE html><html>Too many requests</html>")
    assert_refused("is a web page, not test_batch", "cifar10", folder=tmp_path)
    (place / "data_batch_2").unlink()
    assert_refused("data_batch_2 cannot be read: No such file", "cifar10", folder=tmp_path)


def test_sets_that_are_not_there(tmp_path):
    message = assert_refused("is not in", "cifar100", folder=tmp_path)
    assert "`linbyol data fetch cifar100`" in message
    with pytest.raises(InputError, match=r"'cifar11'; did you mean cifar10\?"):
        load("cifar11")
    with pytest.raises(InputError, match="known are digits, fashion-mnist"):
        load("/no/such/file.npz")
    for first in (0, -1, 2.5):
        with pytest.raises(InputError, match="`first` must be a positive whole number"):
            load("digits", first=first)


def test_an_archive_of_a_wrong_checksum_is_not_opened(tmp_path, monkeypatch):
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"x")
    assert_refused("has 1 bytes, but the original cifar-10-python.tar.gz has 170498071", "cifar10", folder=tmp_path)
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"\n <html>")
    assert_refused("is a web page", "cifar10", folder=tmp_path)


def damaged_idx():
    good = written.idx(np.zeros((2, 28, 28), np.uint8))
    return [
        (good[:-1], "must hold 1568 bytes after its head, but holds 1567"),
        (good + b"x", "but holds 1569"),
        (b"", "is no idx file"),
        (good[:10], "is no idx file"),
        (b"\0\0\x0d" + good[3:], "is no idx file"),
        (struct.pack(">BBBB3I", 0, 0, 8, 3, *[2**31] * 3), "must hold"),
    ]


@pytest.mark.parametrize(("content", "words"), damaged_idx())
def test_idx_files(content, words, rng, tmp_path):
    data = written.dataset("fashion-mnist", rng, 2, 2, (28, 28, 1), idx.CLASSES)
    place = written.write_fashion_mnist(tmp_path, data, zipped=False)
    (place / "train-images-idx3-ubyte").write_bytes(content)
    assert "train-images-idx3-ubyte" in assert_refused(words, "fashion-mnist", folder=tmp_path)


@pytest.mark.parametrize("cut", [0, 1, 10, 40])
def test_gzipped_idx_files_that_are_cut_or_large(cut, rng, tmp_path, monkeypatch):
    data = written.dataset("fashion-mnist", rng, 2, 2, (28, 28, 1), idx.CLASSES)
    place = written.write_fashion_mnist(tmp_path, data)
    path = place / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[: -cut or None])
    written.register(monkeypatch, tmp_path)
    if not cut:
        monkeypatch.setattr(idx, "LARGEST", 1000)
    assert_refused("ends too early, or unpacks to more than", "fashion-mnist", folder=tmp_path)


def test_stl10_files(rng, tmp_path, monkeypatch):
    data = written.dataset("stl10", rng, 3, 3, (96, 96, 3), TEN)
    place = written.write_stl10(tmp_path, data)
    (place / "unlabeled_X.bin").write_bytes(b"x" * 100)
    written.register(monkeypatch, tmp_path)
    assert_refused("unlabeled_X.bin must hold images of 27648 bytes, but has 100", "stl10", folder=tmp_path)
    (place / "train_y.bin").write_bytes(b"\1\0\2")
    written.register(monkeypatch, tmp_path)
    assert_refused("must be 1 to 10, but number 1 is 0", "stl10", folder=tmp_path)
    (place / "train_X.bin").write_bytes(b"x" * 27649)
    written.register(monkeypatch, tmp_path)
    assert_refused("train_X.bin must hold images of 27648 bytes, but has 27649", "stl10", folder=tmp_path)


def test_binary_records_that_are_cut(rng, tmp_path, monkeypatch):
    place = written.write_cifar_binary(tmp_path, written.dataset("cifar10", rng, 5, 2, (32, 32, 3), TEN))
    (place / "test_batch.bin").write_bytes((place / "test_batch.bin").read_bytes()[:-1])
    assert_refused("must hold records of 3073 bytes, but has 6145", "cifar10", folder=tmp_path)


def test_the_checksums_in_the_code_look_like_checksums():
    for name, original in originals.ORIGINALS.items():
        assert len(original.md5) == len(hashlib.md5(b"").hexdigest()), name
        assert original.sha256 is None or len(bytes.fromhex(original.sha256)) == 32, name
