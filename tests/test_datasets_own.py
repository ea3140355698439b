"""A user's own images: a folder or an archive, split evenly, or refused in one sentence."""

import io
import os
import zipfile

import numpy as np
import official_layouts as written
import pytest
from official_layouts import assert_refused, assert_same
from PIL import Image, ImageOps

from experiments.datasets import load
from experiments.datasets.splits import stratified
from linbyol.store import FileError


@pytest.mark.parametrize("number", [1, 4, 10, 99, 1797])
def test_a_fifth_of_each_class_is_for_testing(number, rng):
    labels = rng.integers(0, 7, number)
    train, test = stratified(labels)
    several = np.count_nonzero(np.bincount(labels) > 1)  # classes that can give one
    assert len(test) == -(-number // 5) if number > 10 else len(test) <= min(-(-number // 5), several)
    assert set(labels[test]) <= set(labels[train])
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(number))
    for label in range(7):
        assert abs((labels[test] == label).sum() - (labels == label).sum() / 5) < 1
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()


def test_the_only_image_of_a_class_is_for_training(tmp_path):
    train, test = stratified(np.array([0, 1, 2, 3, 3, 3, 4]))
    assert (train.tolist(), test.tolist()) == ([0, 1, 2, 3, 4, 6], [5])
    np.savez(tmp_path / "own.npz", images=np.zeros((40, 4, 4, 1), np.uint8), labels=np.arange(40))
    assert_refused("cannot be divided for training and testing: no class has two", str(tmp_path / "own.npz"))


def save(path, image, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **how)


def test_a_folder_with_its_own_splits(rng, tmp_path):
    images = {}
    for part, number in (("train", 4), ("test", 2)):
        for label, name in enumerate(("cat", "dog")):
            for i in range(number):
                image = written.images_of(rng, 1, 5, 7, 3)[0]
                images[image.tobytes()] = (part, label)
                save(tmp_path / part / name / f"{i}.png", image)
    (tmp_path / "train" / "cat" / "notes.txt").write_text("not an image")
    data = load(str(tmp_path))
    assert (data.name, data.classes) == (tmp_path.name, ("cat", "dog"))
    found = {
        image.tobytes(): (part, int(label))
        for part in ("train", "test")
        for image, label in zip(getattr(data, part).images, getattr(data, part).labels, strict=True)
    }
    assert found == images
    assert data.train.images.shape == (8, 5, 7, 3)


def test_a_folder_without_splits_is_split_by_the_names_alone(rng, tmp_path):
    for name in ("a", "b"):
        for i in range(10):
            save(tmp_path / "set" / name / f"{i}.png", np.full((4, 4), 10 * i + (name == "b"), np.uint8))
    data = load(str(tmp_path / "set"))
    assert data.train.images.shape == (16, 4, 4, 1)
    assert np.bincount(data.test.labels).tolist() == [2, 2]
    np.testing.assert_array_equal(data.train.images[:, 0, 0, 0] % 10, data.train.labels)
    again = load(str(tmp_path / "set"))
    assert_same(again, data)
    assert_same(load(str(tmp_path / "set"), first=3), data, first=3)
    assert set(data.train.labels[:8].tolist()) == {
        0,
        1,
    }  # mixed


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_images_stand_as_exif_says(suffix, rng, tmp_path):
    """Against Pillow's own `exif_transpose`."""
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        shape = (6, 4) if orientation < 5 else (4, 6)
        save(tmp_path / "set" / "a" / f"{orientation}{suffix}", rng.integers(0, 256, shape, dtype=np.uint8), exif=exif)
    data = load(str(tmp_path / "set"))
    assert data.train.images.shape[1:3] == data.test.images.shape[1:3] == (6, 4)
    found = {image.tobytes() for split in (data.train, data.test) for image in split.images}
    expected = set()
    for path in (tmp_path / "set" / "a").iterdir():
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            expected.add(np.asarray(upright.convert("RGB" if suffix == ".webp" else "L")).tobytes())
    assert found == expected


def test_what_is_left_out_is_counted_and_junk_is_not(tmp_path):
    square = np.zeros((4, 4), np.uint8)
    for name in ("a", "b", "__MACOSX", ".ipynb_checkpoints"):
        for i in range(5):
            save(tmp_path / "set" / name / f"{i}.png", square)
    place = tmp_path / "set" / "a"
    frames = [Image.fromarray(np.full((4, 4), 9 * i, np.uint8)) for i in range(3)]
    frames[1].save(place / "many.gif", save_all=True, append_images=frames[2:] + frames[:1])
    (place / "._0.png").write_bytes(b"Mac OS X")
    (place / "notes.txt").write_text("")
    save(place / "0.tif", square)
    save(place / "more" / "0.png", square)
    save(tmp_path / "set" / "0.png", square)
    data = load(str(tmp_path / "set"))
    assert data.classes == ("a", "b")
    assert (len(data.train.images), len(data.test.images)) == (8, 3)
    assert sum((image == 9).all() for split in (data.train, data.test) for image in split.images) == 1  # first frame
    assert data.notes == (
        f"Of folder {tmp_path / 'set'} this is left out: 1 files .tif, 1 files .txt, 1 images beside the classes, "
        "2 images' later frames, 1 sub-folders.",
    )


def test_the_layout_of_imagenet(tmp_path):
    for part in ("train", "val"):
        for name in ("a", "b"):
            save(tmp_path / "set" / part / name / "0.png", np.full((4, 4), ord(name), np.uint8))
    data = load(str(tmp_path / "set"))
    assert (len(data.train.images), len(data.test.images), data.classes) == (2, 2, ("a", "b"))
    save(tmp_path / "set" / "val" / "c" / "0.png", np.zeros((4, 4), np.uint8))
    assert_refused("Class 'c' of", str(tmp_path / "set"))
    (tmp_path / "set" / "val").rename(tmp_path / "set" / "dev")
    assert_refused("has train/, but neither test/ nor val/ beside it", str(tmp_path / "set"))


def test_class_names_of_any_bytes(tmp_path):
    for name in (b"caf\xe9", b"tea"):
        save(tmp_path / "set" / os.fsdecode(name) / "0.png", np.full((4, 4), name[0], np.uint8))
        save(tmp_path / "set" / os.fsdecode(name) / "1.png", np.full((4, 4), name[0], np.uint8))
    data = load(str(tmp_path / "set"))
    assert data.classes == (r"caf\xe9", "tea")
    np.testing.assert_array_equal(data.train.images[:, 0, 0, 0] == ord("t"), data.train.labels == 1)


def test_grey_among_colours_gets_three_channels(rng, tmp_path):
    save(tmp_path / "a" / "0.png", np.full((4, 4), 9, np.uint8))
    save(tmp_path / "a" / "1.png", written.images_of(rng, 1, 4, 4, 3)[0])
    data = load(str(tmp_path))
    grey = [image for split in (data.train, data.test) for image in split.images if (image == 9).all()]
    assert [image.shape for image in grey] == [(4, 4, 3)]


def test_npz_archives(rng, tmp_path):
    data = written.dataset("own", rng, 20, 10, (4, 5, 3), [str(i) for i in range(10)])
    arrays = {
        f"{part}_{what}": getattr(getattr(data, part), what)
        for part in ("train", "test")
        for what in ("images", "labels")
    }
    np.savez(tmp_path / "own.npz", **arrays)
    assert_same(load(str(tmp_path / "own.npz")), data)
    np.savez_compressed(
        tmp_path / "own.npz",
        images=data.train.images[..., 0],
        labels=data.train.labels % 2,
        classes=np.array(["even", "odd"]),
    )
    found = load(str(tmp_path / "own.npz"))
    assert found.classes == ("even", "odd")
    assert (found.train.images.shape, found.test.images.shape) == ((16, 4, 5, 1), (4, 4, 5, 1))
    assert np.bincount(found.test.labels).tolist() == [2, 2]
    assert_same(load(str(tmp_path / "own.npz"), first=3), found, first=3)


GOOD = {"images": np.zeros((10, 4, 4, 3), np.uint8), "labels": np.arange(10) % 2}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": None}, "must hold train_images"),
        (
            {"images": np.full((10, 4, 4), 1.5, np.float32)},
            "must be bytes, or floats from 0 to 1, but has values from 1.5 to 1.5",
        ),
        (
            {"images": np.full((10, 4, 4), np.nan)},
            "must be bytes, or floats from 0 to 1, but has values from nan to nan",
        ),
        ({"images": np.array([[[None]]] * 10)}, "not a readable npz archive"),
        ({"images": np.zeros((10, 4), np.uint8)}, "must have shape (N, h, w, c)"),
        ({"images": np.zeros((0, 4, 4, 3), np.uint8), "labels": np.zeros(0, int)}, "none of them 0"),
        ({"labels": np.zeros(9, int)}, "must have shape (10,), one an image"),
        ({"labels": np.zeros(10)}, "must be whole numbers, but have dtype float64"),
        ({"labels": np.arange(10) - 1}, "but number 0 is -1"),
        ({"labels": np.arange(10) + 10**12}, "must be 0 to the number of classes - 1, but one is 1000000000009"),
        ({"classes": np.array(["a"])}, "must be 0 to 0, but number 1 is 1"),
        ({"classes": np.array([1, 2])}, "must be a list of names"),
    ],
)
def test_npz_archives_that_are_no_images_and_labels(changes, words, tmp_path):
    arrays = {name: array for name, array in (GOOD | changes).items() if array is not None}
    np.savez(tmp_path / "own.npz", **arrays)
    assert_refused(words, str(tmp_path / "own.npz"))


def test_npz_archives_of_two_sizes(tmp_path):
    arrays = {"train_images": GOOD["images"], "train_labels": GOOD["labels"], "test_labels": GOOD["labels"]}
    np.savez(tmp_path / "own.npz", test_images=np.zeros((10, 5, 4, 3), np.uint8), **arrays)
    assert_refused("must have one size", str(tmp_path / "own.npz"))


def test_npz_archives_that_are_bombs_or_damaged(rng, tmp_path):
    path = tmp_path / "own.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", bytes(100_000_000))
    assert_refused("unpacks to 100000000 bytes", str(path))
    buffer = io.BytesIO()
    np.savez(buffer, **GOOD)
    whole = buffer.getvalue()
    outcomes = {"read": 0, "refused": 0}
    for _ in range(200):
        content = bytearray(whole)
        for at in rng.integers(0, len(whole), rng.integers(1, 4)):
            content[at] = rng.integers(0, 256)
        path.write_bytes(content[: rng.integers(1, len(whole))] if rng.random() < 0.2 else content)
        try:
            load(str(path))
            outcomes["read"] += 1  # a change of what nobody reads, such as a date
        except FileError:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 150


def test_folders_of_images(tmp_path):
    square = np.random.default_rng(3).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    assert_refused("holds no images", str(tmp_path))
    for i in range(4):
        save(tmp_path / "a" / f"{i}.png", square)
    save(tmp_path / "a" / "x.png", np.zeros((4, 5, 3), np.uint8))
    message = assert_refused("all must have one size", str(tmp_path))
    assert "5 × 4 pixels" in message
    whole = (tmp_path / "a" / "0.png").read_bytes()
    for content in (b"", b"<html>", whole[:30], whole[: len(whole) // 2]):
        (tmp_path / "a" / "x.png").write_bytes(content)
        assert_refused("cannot be read", str(tmp_path))
    save(tmp_path / "a" / "x.png", np.zeros((4, 4), np.uint16))
    assert_refused("must have 8 bits a channel", str(tmp_path))
    save(tmp_path / "a" / "x.png", np.zeros((1, 4097), np.uint8))
    assert_refused("may have at most 4096 a side", str(tmp_path))
