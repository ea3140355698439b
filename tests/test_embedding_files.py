"""Features that other programs wrote are read as they were meant; what cannot be paired or trusted is refused."""

import gzip
import os
import pickle
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from linbyol.embeddings.collect import load
from linbyol.embeddings.naming import meaning
from linbyol.store import FileError

RNG = np.random.default_rng(3)
H, T = RNG.normal(size=(60, 5)).astype(np.float32), RNG.normal(size=(20, 5)).astype(np.float32)
Y, TY = np.arange(60) % 3, np.arange(20) % 3
TRAIN_TEST = {"train": H, "test": T}


def table(path, head, rows, delimiter=","):
    lines = [delimiter.join(map(str, row)) for row in [head, *rows]]
    path.write_text("\n".join(lines) + "\n")


def csv_of_all(path):
    head = ["id", *(f"h{j}" for j in range(5)), "label", "coarse", "split"]
    train = [[i, *H[i].tolist(), Y[i], f"c{Y[i] // 2}", "train"] for i in range(60)]
    table(path, head, train + [[100 + i, *T[i].tolist(), TY[i], f"c{TY[i] // 2}", "test"] for i in range(20)])


def pandas_csv(path):
    table(path, ["", *map(str, range(5)), "target"], [[i, *H[i].tolist(), f"k{Y[i]}"] for i in range(60)])


def plain_csv(path):
    table(path, ["width", "length", "species"], [[*H[i, :2].tolist(), f"k{Y[i]}"] for i in range(60)], ";")


WRITERS = {  # file: (how it was written, features by layer and split)
    "plain.npz": (lambda p: np.savez(p, h=H, labels=Y), {"h": {"all": H}}),
    "scikit.npz": (lambda p: np.savez(p, X_train=H, y_train=Y, X_test=T, y_test=TY), {"X": TRAIN_TEST}),
    "words.npz": (
        lambda p: np.savez(
            p, train_features=H, train_labels=Y, test_features=T, test_labels=TY, classes=["a", "b", "c"]
        ),
        {"features": TRAIN_TEST},
    ),
    "packed.npz": (lambda p: np.savez_compressed(p, embeddings=H, targets=Y[:, None]), {"embeddings": {"all": H}}),
    "columns.npz": (lambda p: np.savez(p, h=np.asfortranarray(H), y=Y.astype(float)), {"h": {"all": H}}),
    "layers.npz": (
        lambda p: np.savez(p, **{"block1/h": H, "block2/h": 2 * H, "labels": Y, "labels/coarse": Y // 2}),
        {"block1/h": {"all": H}, "block2/h": {"all": 2 * H}},
    ),
    "big_endian.npz": (lambda p: np.savez(p, h=H.astype(">f8"), labels=Y.astype(">i4")), {"h": {"all": H}}),
    "half.npz": (lambda p: np.savez(p, h=H.astype(np.float16), labels=Y), {"h": {"all": H.astype(np.float16)}}),
    "array.npy": (lambda p: np.save(p, H), {"array": {"all": H}}),
    "t.safetensors": (
        lambda p: safetensors.numpy.save_file({"train/h": H, "train/labels": Y, "test/h": T, "test/labels": TY}, p),
        {"h": TRAIN_TEST},
    ),
    "b.safetensors": (
        lambda p: safetensors.numpy.save_file({"h": np.asarray(jnp.asarray(H, jnp.bfloat16)), "labels": Y}, p),
        {"h": {"all": np.asarray(jnp.asarray(H, jnp.bfloat16))}},
    ),
    "split.csv": (csv_of_all, {"h": TRAIN_TEST}),
    "pandas.csv": (pandas_csv, {"h": {"all": H}}),
    "plain.csv": (plain_csv, {"h": {"all": H[:, :2]}}),
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_other_programs_wrote_is_read_as_it_was_meant(name, tmp_path):
    write, expected = WRITERS[name]
    write(tmp_path / name)
    found = load([tmp_path / name])
    assert {layer.name for layer in found.layers} == set(expected)
    for layer in found.layers:
        assert set(layer.features) == set(expected[layer.name])
        for split, h in layer.features.items():
            wanted = expected[layer.name][split]
            assert h.dtype.itemsize >= min(wanted.dtype.itemsize, 4) or h.dtype == wanted.dtype
            np.testing.assert_allclose(np.asarray(h, float), np.asarray(wanted, float), rtol=1e-15)  # as it was stored
    if name != "array.npy":
        column = next(iter(found.labels.values())).get("train") or next(iter(found.labels.values()))["all"]
        truth = [int(str(value).lstrip("k")) for value in column.values]
        assert truth == Y.tolist()
        assert not column.missing.any()


def test_rows_of_several_files_are_paired_by_their_ids(tmp_path):
    order = RNG.permutation(60)
    np.savez(tmp_path / "epoch-10.npz", h=H, labels=Y, ids=np.arange(60) + 7)
    np.savez(tmp_path / "epoch-20.npz", h=2 * H[order], labels=Y[order], ids=order + 7)
    found = load([tmp_path / "epoch-20.npz", tmp_path / "epoch-10.npz"])
    assert [layer.epoch for layer in found.layers] == [10.0, 20.0]
    one, two = (np.asarray(layer.features["all"]) for layer in found.layers)
    np.testing.assert_array_equal(2 * one, two)
    np.testing.assert_array_equal(found.labels["labels"]["all"].values, Y[found.ids["all"] - 7])
    assert found.notes == []
    np.save(tmp_path / "features.npy", H)
    np.save(tmp_path / "labels.npy", np.array(["a", "", "c"] * 20))
    found = load([tmp_path / "features.npy", tmp_path / "labels.npy"], missing="c")
    assert found.labels["labels"]["all"].missing.sum() == 40
    position, missing = found.notes
    assert position.endswith("are paired by position: neither has ids.")
    assert missing == "Labels `labels` are missing in 40 of 60 rows, which are left out there."


UNPAIRED = {
    "fewer rows": ({"h": H[:50]}, {"h": H}, "`h` has 60 rows, but `h` of a.npz has 50."),
    "other ids": (
        {"h": H, "ids": np.arange(60)}, {"h": H, "ids": np.arange(60) + 1},
        "1 of the ids of b.npz are not in a.npz, the first is 60.",
    ),
    "an id twice, in another order": (
        {"h": H, "ids": np.arange(60)}, {"h": H, "ids": np.r_[1, 1, np.arange(58)]}, "id 1 is there twice in b.npz",
    ),
    "words for numbers": (
        {"h": H, "ids": np.arange(60)}, {"h": H, "ids": np.arange(60).astype(str)},
        "ids of b.npz are words, of a.npz numbers.",
    ),
    "other labels": ({"h": H, "y": Y}, {"h": H, "y": Y // 2}, "Labels `labels` of b.npz are not those of a.npz."),
    "another split": ({"train/h": H}, {"h": H}, "must say whether it is of train or test, as others do."),
    "labels of nothing": ({"train/h": H}, {"test/y": Y}, "holds `test/y` of test, but no file holds features of test."),
}  # fmt: skip


@pytest.mark.parametrize("what", UNPAIRED)
def test_files_that_do_not_match_are_refused(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second, sentence = UNPAIRED[what]
    np.savez("a.npz", **first)
    np.savez("b.npz", **second)
    with pytest.raises(FileError) as refused:
        load([Path("a.npz"), Path("b.npz")])
    assert sentence in str(refused.value)


def whole():
    path = Path("whole.npz")
    np.savez(path, h=H, labels=Y)
    return path.read_bytes()


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def saved(**arrays):
    np.savez("made.npz", **arrays)
    return Path("made.npz").read_bytes()


HOLED = np.where(np.arange(300).reshape(60, 5) == 17, np.nan, H)
BROKEN = {  # name of the file: (its bytes, what the sentence says)
    "absent.npz": (None, "absent.npz cannot be read: No such file or directory."),
    "empty.npz": (lambda: b"", "File empty.npz is empty."),
    "short.npz": (lambda: whole()[:-30], "File short.npz is damaged: "),
    "half.npz": (lambda: whole()[:300], "File half.npz is damaged: "),
    "flipped.npz": (
        lambda: flipped(saved(h=np.tile(H, (40, 1))), 30_000),
        "File flipped.npz is damaged: the checksum of `h` is wrong.",
    ),
    "text.npz": (
        lambda: b"a,b\n1,2\n", "File text.npz is not what its name says: it does not begin as an npz archive.",
    ),
    "archive.npy": (whole, "File archive.npy is not what its name says: it begins as an npz archive."),
    "cut.npy": (
        lambda: npy()[:-8], "File cut.npy is damaged: `cut` of shape (60, 5) and dtype float32 takes 1200 bytes",
    ),
    "zipped.csv": (lambda: gzip.compress(b"h0,h1\n"), "not what its name says: it begins as a gzip file."),
    "pickle.npz": (
        lambda: pickle.dumps({"h": [1]}), "File pickle.npz is a pickle, which could run any code, and not an npz",
    ),
    "model.pt": (
        whole, "File model.pt is by its name a pickle, which could run any code: save features and labels with",
    ),
    "h.mat": (whole, "File h.mat must be one of .npz, .npy, .parquet, .safetensors, .csv, .tsv."),
    "object.npz": (
        lambda: saved(h=H, labels=np.array(["a"] * 60, object)), "`labels` of object.npz holds Python objects",
    ),
    "mixed.npz": (lambda: saved(h=np.array([[1, "a"]] * 9, object)), "`h` of mixed.npz holds Python objects"),
    "nan.npz": (lambda: saved(h=HOLED), "must be finite, but row 3, column 2 is nan (1 of 60 rows have such)."),
    "inf.npz": (lambda: saved(h=np.where(H > 2, np.inf, H)), "must be finite, but row "),
    "complex.npz": (lambda: saved(h=H + 1j), "must be real numbers, but have dtype complex64."),
    "maps.npz": (
        lambda: saved(h=np.zeros((4, 2, 2, 3))), "have shape (N, d), neither of them 0, but have (4, 2, 2, 3): pool",
    ),
    "one.npz": (lambda: saved(h=H[:1]), "must have at least 2 rows, but have 1."),
    "none.npz": (lambda: saved(h=H[:0]), "neither of them 0, but have (0, 5)."),
    "header.npy": (
        lambda: npy()[:10] + b"x" * 118 + npy()[128:], "`header` of header.npy has no readable header: malformed node",
    ),
    "numbered.npz": (
        lambda: saved(h=H, ids=np.r_[np.nan, 1:60]), "must be whole numbers or words, none missing, but ids[0] = nan.",
    ),
    "labels.npz": (lambda: saved(labels=Y), "File labels.npz must hold features (N, d), but holds `labels` (60,)."),
    "widths.npz": (
        lambda: saved(X_train=H, X_test=T[:, :3]), "of X must have one width, but have 5 in train, 3 in test",
    ),
    "rows.npz": (lambda: saved(h=H, labels=Y[1:]), "do not belong together: `labels` has 59 rows, but `h` has 60."),
    "onehot.npz": (lambda: saved(h=H, labels=np.eye(3)[Y]), "but has shape (60, 3); of one-hot rows take the argmax."),
    "fractions.npz": (lambda: saved(h=H, labels=Y + 0.5), "must be whole numbers or words, but labels[0] = 0.5."),
    "unlabelled.npz": (
        lambda: saved(h=H, y=np.full(60, np.nan)), "Labels `y` of unlabelled.npz are missing in all 60 rows.",
    ),
    "bad.safetensors": (lambda: (99).to_bytes(8, "little") + b"{}", "is not a readable safetensors file: "),
    "ragged.csv": (lambda: b"h0,h1,y\n1,2,a\n1,2\n", "File ragged.csv has 2 cells in row 2, but 3 columns."),
    "word.csv": (
        lambda: b"h0,h1,y\n1,2,a\n1,x,b\n", "Column `h1` of word.csv must be numbers, but holds 'x' in row 2.",
    ),
    "nameless.csv": (
        lambda: b"1.5,2.5,3\n4,5,6\n", "must begin with the names of its columns, but begins with '1.5, 2.5, 3'.",
    ),
    "twice.csv": (lambda: b"h0,h0\n4,5\n", "each another, but has 'h0' twice."),
    "gap.csv": (lambda: b"h0,h2\n1,2\n3,4\n", "File gap.csv has columns of `h` up to 2, but none of number 1."),
    "bytes.csv": (lambda: bytes(range(9, 256)), "File bytes.csv is no table of text: "),
    "head.csv": (lambda: b"h0,h1,y\n", "File head.csv holds no row below its names."),
    "hole.csv": (lambda: b"h0,h1\n1,2\n,4\n5,6\n", "must be finite, but row 1, column 0 is nan"),
    "when.csv": (lambda: b"h0,h1,split\n1,2,never\n1,2,train\n", "must say train, val or test, but says 'never'."),
}  # fmt: skip


def npy():
    np.save("made.npy", H)
    return Path("made.npy").read_bytes()


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_sentence(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, sentence = BROKEN[name]
    if content is not None:
        Path(name).write_bytes(content())
    with pytest.raises(FileError) as refused:
        load([Path(name)])
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    assert " at 0x" not in str(refused.value)


def test_what_is_no_file_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder.npz").mkdir()
    os.mkfifo("pipe.npz")
    for name in ("folder.npz", "pipe.npz"):
        with pytest.raises(FileError) as refused:
            load([Path(name)])
        assert str(refused.value) == f"File {name} cannot be read: it is no regular file."


def test_odd_labels_are_classes_and_told(tmp_path):
    np.savez(tmp_path / "a.npz", h=H, y=Y - 1, flag=Y > 1, word=Y.astype("S3"), floats=H[:, 0], extra=np.zeros(7))
    found = load([tmp_path / "a.npz"])
    assert {name: columns["all"].classes for name, columns in found.labels.items()} == {
        "labels": 3,
        "flag": 2,
        "word": 3,
    }
    assert found.notes[0].startswith(
        "Labels `labels` are negative in 20 rows, and classes like others; --missing -1 lea"
    )
    assert [note.split(" of ")[0] for note in found.notes[1:]] == ["Array `floats`", "Array `extra`"]
    np.savez(tmp_path / "b.npz", train_h=H, test_h=T, train_ids=np.arange(60), test_ids=np.arange(20) + 59)
    (note,) = load([tmp_path / "b.npz"]).notes
    assert note.startswith("1 ids stand in train and in test, the first is 59")


def test_large_arrays_stay_on_the_disk(tmp_path):
    np.savez(tmp_path / "a.npz", h=H, labels=Y)
    np.save(tmp_path / "b.npy", H)
    safetensors.numpy.save_file({"h": H}, tmp_path / "c.safetensors")
    for name in ("a.npz", "b.npy", "c.safetensors"):
        (layer,) = load([tmp_path / name]).layers
        h = layer.features["all"]
        assert isinstance(h if isinstance(h, np.memmap) else h.base, np.memmap), name


def test_parquet_is_read_where_pyarrow_is(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing else")
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        with pytest.raises(FileError, match=r"a\.parquet needs the package pyarrow, which is not installed: install"):
            load([tmp_path / "a.parquet"])
        return
    with pytest.raises(FileError, match=r"a\.parquet is not a readable Parquet table: "):
        load([tmp_path / "a.parquet"])
    table = pyarrow.table({"h": [row.tolist() for row in H], "label": Y, "word": [None, *"abc" * 19, "b", "c"]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    found = load([tmp_path / "a.parquet"])
    np.testing.assert_allclose(found.layers[0].features["all"], H, rtol=1e-7)  # float32
    assert (found.labels["word"]["all"].missing.sum(), found.labels["labels"]["all"].classes) == (1, 3)


@pytest.mark.parametrize(("name", "kind", "what", "epoch", "split"), [
    ("h", "features", "h", None, None), ("train/block3/h", "features", "block3/h", None, "train"),
    ("epoch-10/test/block3/h", "features", "block3/h", 10.0, "test"), ("X_val", "features", "X", None, "val"),
    ("layer1.0", "other", "layer1.0", None, None), ("Labels", "labels", "labels", None, None),
    ("train/labels/coarse", "labels", "coarse", None, "train"), ("coarse_labels", "labels", "coarse", None, None),
    ("labels-fine", "labels", "fine", None, None), ("y_train", "labels", "labels", None, "train"),
    ("test/ids", "ids", "ids", None, "test"), ("ckpt_200.features", "features", "features", 200.0, None),
    ("trainable", "other", "trainable", None, None), ("epoch", "epoch", "epoch", None, None),
])  # fmt: skip
def test_names_say_what_an_array_is(name, kind, what, epoch, split):
    assert meaning(name) == (kind, what, epoch, split)
