"""Small data sets written as their authors lay them out: the readers' counterpart, with code of its own."""

import gzip
import hashlib
import io
import pickle
import struct
import tarfile

import numpy as np
import pytest

from experiments.datasets import Dataset, Split, load, originals
from linbyol.store import FileError

TEN = [f"class{i}" for i in range(10)]


def register(monkeypatch, folder, *names):
    """Take the files as they are now for the originals, as the checksums of the real ones are taken in the code."""
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_file() and (not names or name in names):
            content = path.read_bytes()
            original = originals.Original(hashlib.md5(content).hexdigest(), len(content))
            monkeypatch.setitem(originals.ORIGINALS, name, original)


def images_of(rng, number, *shape):
    return rng.integers(0, 256, (number, *shape), dtype=np.uint8)


def dataset(name, rng, train, test, shape, classes, superclasses=()):
    """Random images; each class is there, as far as the numbers go."""

    def split(number):
        labels = (rng.permutation(number) % len(classes)).astype(np.int32)
        coarse = (labels // 5).astype(np.int32) if superclasses else None
        return Split(images_of(rng, number, *shape), labels, coarse)

    return Dataset(name, split(train), split(test), tuple(classes), tuple(superclasses))


def assert_same(found, expected, first=None):
    """Two data sets are equal, to the last byte and type, as far as `first` goes."""
    assert (found.name, found.classes, found.superclasses) == (expected.name, expected.classes, expected.superclasses)
    for ours, theirs in ((found.train, expected.train), (found.test, expected.test)):
        assert ours.images.dtype == np.uint8
        assert ours.labels.dtype == np.int32
        np.testing.assert_array_equal(ours.images, theirs.images[:first])
        np.testing.assert_array_equal(ours.labels, theirs.labels[:first])
        assert (ours.coarse is None) == (theirs.coarse is None)
        if ours.coarse is not None:
            assert ours.coarse.dtype == np.int32
            np.testing.assert_array_equal(ours.coarse, theirs.coarse[:first])


def assert_refused(sentence, name, **settings):
    """Loading ends with one sentence, which holds these words."""
    with pytest.raises(FileError) as caught:
        load(name, **settings)
    message = str(caught.value)
    assert sentence in message
    assert "\n" not in message
    assert message.endswith(".")
    return message


def python2_pickle(value):
    """A dict as Python 2 pickled it (protocol 2): str as bytes, an array through numpy.core.multiarray."""
    out = [b"\x80\x02}("]
    for key, item in value.items():
        out += [_short(key.encode()), _python2(item)]
    return b"".join([*out, b"u."])


def _short(content):
    return b"U" + bytes([len(content)]) + content


def _python2(item):
    if isinstance(item, bytes):
        return _short(item)
    if isinstance(item, list):
        return b"](" + b"".join(_short(v.encode()) if isinstance(v, str) else b"K" + bytes([v]) for v in item) + b"e"
    shape = b"".join(b"M" + struct.pack("<H", n) for n in item.shape)
    return (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01" + shape + b"\x86"
        b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T" + struct.pack("<i", item.size) + item.tobytes() + b"tb"
    )


def python3_pickle(protocol):
    return lambda value: pickle.dumps(value, protocol=protocol)


def rows(images):
    """(N, 3072): all of R, then G, then B."""
    return np.concatenate([images[..., k].reshape(len(images), -1) for k in range(3)], axis=1)


def write_cifar(folder, data, dump=python2_pickle):
    """cifar-10-batches-py (the training images in five batches) or cifar-100-python."""
    fine = bool(data.superclasses)
    place = folder / ("cifar-100-python" if fine else "cifar-10-batches-py")
    place.mkdir()
    parts = {"train": data.train, "test": data.test} if fine else {"test_batch": data.test}
    for i in range(0 if fine else 5):
        n = len(data.train.labels) // 5
        parts[f"data_batch_{i + 1}"] = Split(*(a if a is None else a[i * n : i * n + n] for a in data.train))
    for name, split in parts.items():
        found = {"batch_label": name.encode(), ("fine_labels" if fine else "labels"): split.labels.tolist()}
        found |= {"coarse_labels": split.coarse.tolist()} if fine else {}
        (place / name).write_bytes(dump(found | {"data": rows(split.images)}))
    words = {"fine_label_names": list(data.classes), "coarse_label_names": list(data.superclasses)}
    meta = words if fine else {"label_names": list(data.classes), "num_vis": b"3072"}
    (place / ("meta" if fine else "batches.meta")).write_bytes(dump(meta))
    return place


def write_cifar_binary(folder, data):
    """cifar-10-batches-bin or cifar-100-binary."""
    fine = bool(data.superclasses)
    place = folder / ("cifar-100-binary" if fine else "cifar-10-batches-bin")
    place.mkdir()
    for split, names in (
        (data.train, ["train"] if fine else [f"data_batch_{i}" for i in range(1, 6)]),
        (data.test, ["test" if fine else "test_batch"]),
    ):
        columns = [split.coarse, split.labels] if fine else [split.labels]
        records = np.concatenate([*(c[:, None].astype(np.uint8) for c in columns), rows(split.images)], axis=1)
        for name, part in zip(names, np.split(records, len(names)), strict=True):
            (place / f"{name}.bin").write_bytes(part.tobytes())
    words = {"fine_label_names.txt": data.classes, "coarse_label_names.txt": data.superclasses}
    for name, lines in (words if fine else {"batches.meta.txt": data.classes}).items():
        (place / name).write_text("\n".join(lines) + "\n\n")
    return place


def write_stl10(folder, data, unlabelled=None):
    place = folder / "stl10_binary"
    place.mkdir()
    for name, split in (("train", data.train), ("test", data.test)):
        (place / f"{name}_X.bin").write_bytes(columnwise(split.images))
        (place / f"{name}_y.bin").write_bytes(bytes((split.labels + 1).tolist()))
    if unlabelled is not None:
        (place / "unlabeled_X.bin").write_bytes(columnwise(unlabelled))
    (place / "class_names.txt").write_text("\n".join(data.classes) + "\n")
    (place / "fold_indices.txt").write_text("0 1\n")
    return place


def columnwise(images):
    """Each channel of an image column by column."""
    return b"".join(image[:, x, k].tobytes() for image in images for k in range(3) for x in range(image.shape[1]))


def write_fashion_mnist(folder, data, zipped=True):
    place = folder / "FashionMNIST" / "raw"
    place.mkdir(parents=True)
    for part, split in (("train", data.train), ("t10k", data.test)):
        for name, array in (
            (f"{part}-images-idx3-ubyte", split.images[..., 0]),
            (f"{part}-labels-idx1-ubyte", split.labels),
        ):
            content = idx(array)
            (place / (f"{name}.gz" if zipped else name)).write_bytes(gzip.compress(content) if zipped else content)
    return place


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def tar_gz(path, members):
    """An archive of (TarInfo or name, content) pairs."""
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info = tarfile.TarInfo(info) if isinstance(info, str) else info
            if content is not None:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content) if content is not None else None)


def tar_of(path, folder):
    """An archive of a folder, under its own name."""
    tar_gz(path, [(f"{folder.name}/{file.name}", file.read_bytes()) for file in sorted(folder.iterdir())])
