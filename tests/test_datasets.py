"""Data sets: what was written in a layout comes back from it, and the real ones have their published pixels."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import official_layouts as written
import pytest
from official_layouts import TEN, assert_same
from sklearn.datasets import load_digits

from experiments.datasets import NAMES, load
from experiments.datasets.layouts import inventory, search
from experiments.datasets.places import data_folder
from experiments.datasets.splits import stratified

real = pytest.mark.skipif(search("cifar10") is None, reason="CIFAR-10 is not in the data folder (LINBYOL_DATA_DIR)")


def cifar_data(name, rng):
    coarse = ("sea", "land") if name == "cifar100" else ()
    return written.dataset(name, rng, 20, 9, (32, 32, 3), TEN, coarse)


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
@pytest.mark.parametrize(
    "dump", [written.python2_pickle, *map(written.python3_pickle, (2, 4))], ids=["python 2", "protocol 2", "protocol 4"]
)
def test_cifar_pickles(name, dump, rng, tmp_path, monkeypatch):
    data = cifar_data(name, rng)
    written.write_cifar(tmp_path, data, dump)
    written.register(monkeypatch, tmp_path)
    assert_same(load(name, folder=tmp_path), data)
    assert_same(load(name, folder=tmp_path, first=6), data, first=6)


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_cifar_binary(name, rng, tmp_path, monkeypatch):
    data = cifar_data(name, rng)
    written.write_cifar_binary(tmp_path, data)
    written.register(monkeypatch, tmp_path)
    assert_same(load(name, folder=tmp_path), data)


@pytest.mark.parametrize("write", [written.write_cifar, written.write_cifar_binary])
@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_cifar_archives(name, write, rng, tmp_path, monkeypatch):
    data = cifar_data(name, rng)
    place = write(tmp_path, data)
    kind = "binary" if write is written.write_cifar_binary else "python"
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    written.tar_of(folder / f"{name.replace('cifar', 'cifar-')}-{kind}.tar.gz", place)
    written.register(monkeypatch, folder)
    monkeypatch.setenv("LINBYOL_DATA_DIR", str(folder))
    assert_same(load(name), data)
    assert_same(load(name, first=3), data, first=3)


def test_no_batch_is_read_that_first_does_not_need(rng, tmp_path, monkeypatch):
    data = cifar_data("cifar10", rng)
    place = written.write_cifar(tmp_path, data)
    written.register(monkeypatch, tmp_path)
    for i in (3, 4, 5):
        (place / f"data_batch_{i}").unlink()
    assert_same(load("cifar10", folder=tmp_path, first=8), data, first=8)


def test_stl10(rng, tmp_path, monkeypatch):
    data = written.dataset("stl10", rng, 11, 10, (96, 96, 3), TEN)
    unlabelled = written.images_of(rng, 4, 96, 96, 3)
    place = written.write_stl10(tmp_path, data, unlabelled)
    written.tar_of(tmp_path / "stl10_binary.tar.gz", place)
    written.register(monkeypatch, tmp_path)
    found = load("stl10", folder=tmp_path)
    assert_same(found, data)
    np.testing.assert_array_equal(found.unlabelled, unlabelled)
    assert load("stl10", folder=tmp_path, first=3).unlabelled.shape == (3, 96, 96, 3)
    for path in place.iterdir():
        path.unlink()
    packed = load("stl10", folder=tmp_path, first=9)  # from the archive, which gives the labelled part
    assert_same(packed, data, first=9)
    assert packed.unlabelled is None


@pytest.mark.parametrize("zipped", [True, False])
def test_fashion_mnist(zipped, rng, tmp_path, monkeypatch):
    from experiments.datasets.idx import CLASSES

    data = written.dataset("fashion-mnist", rng, 12, 11, (28, 28, 1), CLASSES)
    written.write_fashion_mnist(tmp_path, data, zipped)
    written.register(monkeypatch, tmp_path)
    assert_same(load("fashion-mnist", folder=tmp_path), data)
    assert_same(load("fashion-mnist", folder=tmp_path, first=4), data, first=4)


def test_the_data_folder_has_its_place(monkeypatch):
    monkeypatch.setenv("LINBYOL_DATA_DIR", "/data")
    assert (data_folder("/given"), data_folder()) == (Path("/given"), Path("/data"))
    monkeypatch.delenv("LINBYOL_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", "/xdg")
    assert data_folder() == Path("/xdg/linbyol")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    assert data_folder() == Path("/home/ada/.local/share/linbyol")


def test_digits_are_scikit_learns():
    data = load("digits")
    assert data.train.images.shape == (1437, 8, 8, 1)
    assert data.test.images.shape == (360, 8, 8, 1)
    theirs = load_digits()
    train, test = stratified(theirs.target)
    assert sorted([*train, *test]) == list(range(1797))
    for split, index in ((data.train, train), (data.test, test)):
        np.testing.assert_array_equal(split.labels, theirs.target[index])
        back = split.images[..., 0].astype(float) / 255 * 16
        np.testing.assert_allclose(back, theirs.images[index], atol=0.5 * 16 / 255 + 1e-12)  # half a step of a byte
    assert (data.train.images.min(), data.train.images.max()) == (0, 255)
    assert len(load("digits", first=5).test.labels) == 5


def test_the_inventory_decodes_nothing(rng, tmp_path):
    place = written.write_cifar(tmp_path, cifar_data("cifar10", rng))
    (place / "data_batch_1").write_bytes(b"")
    rows = {row["name"]: row for row in inventory(tmp_path)}
    assert tuple(rows) == NAMES
    assert (rows["cifar10"]["form"], rows["cifar10"]["train"]) == ("folder", (50000, 32, 32, 3))
    assert rows["cifar100"]["form"] is None
    assert rows["digits"]["test"] == (360, 8, 8, 1)


def test_importing_reads_nothing_and_loads_nothing_heavy():
    probe = "import sys, experiments.datasets; print({'jax', 'sklearn', 'PIL', 'pooch', 'requests'} & set(sys.modules))"
    root = Path(__file__).parents[1]
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=root)
    assert result.stdout.strip() == "set()"


# SHA-256 of the first images of train and test, as the data's own decoder gives them, and the first labels published
REAL_SETS = {
    "cifar10": (
        (2000, "48bb9c317980e186b159dcfcb952fa1079e1aa552a1df3ea4b271375dfbe3207", [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]),
        (1000, "da362006b99671213d1a5d856cab2bedf64d40bad4501630ee60f4ceb2d3ec7f", [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]),
    ),
    "cifar100": (
        (
            2000,
            "3ebf9b9d6921b914cde13671345e9b43ebd55da35592cdb314b6325f407e0fc1",
            [19, 29, 0, 11, 1, 86, 90, 28, 23, 31],
        ),
        (
            1000,
            "3680774278a52da89a25c24c9ee7fe92cd04e8a634767bb3d73cee4c5c9147fa",
            [49, 33, 72, 51, 71, 92, 15, 14, 23, 0],
        ),
    ),
    "stl10": (
        (200, "45df2ede3c471d1b032013b149846d2bb938d54015a7bed19e8ec2ba09e494ec", [1, 5, 1, 6, 3, 9, 7, 4, 5, 8]),
        (100, "18f1313fd1e8475a28ebbb2dec581ac0eb43cf774435131492fd47463d890cd2", [6, 7, 5, 0, 3, 1, 1, 1, 4, 4]),
    ),
}


@real
@pytest.mark.parametrize("name", REAL_SETS)
def test_the_real_images_have_their_published_bytes(name):
    if search(name) is None:
        pytest.skip(f"{name} is not among the real data sets")
    train = load(name, first=REAL_SETS[name][0][0]).train
    test = load(name, first=REAL_SETS[name][1][0]).test
    for split, (number, digest, labels) in zip((train, test), REAL_SETS[name], strict=True):
        assert len(split.images) == number
        assert hashlib.sha256(split.images).hexdigest() == digest
        assert split.labels[: len(labels)].tolist() == labels


@real
def test_the_real_classes_have_their_names():
    if search("cifar100"):
        data = load("cifar100", first=100)
        assert (len(data.classes), len(data.superclasses)) == (100, 20)
        assert data.superclasses[data.train.coarse[0]] == "large_omnivores_and_herbivores"  # image 0 shows cattle
        assert data.classes[data.train.labels[0]] == "cattle"
    assert load("cifar10", first=1).classes[6] == "frog"
