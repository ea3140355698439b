"""Pickles and archives that would do harm: nothing that they say is done."""

import os
import pickle
import tarfile

import numpy as np
import official_layouts as written
import pytest
from official_layouts import TEN, assert_refused

from experiments.datasets import archives
from experiments.datasets.pickles import unpickle
from linbyol.store import FileError


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_would_run_code_is_refused_in_a_batch(protocol, rng, tmp_path, monkeypatch):
    data = written.dataset("cifar10", rng, 10, 5, (32, 32, 3), TEN)
    place = written.write_cifar(tmp_path, data)
    (place / "test_batch").write_bytes(pickle.dumps({"data": Evil(tmp_path / "evil")}, protocol=protocol))
    written.register(monkeypatch, tmp_path)  # even if it had the right checksum
    assert_refused("asks for posix.mkdir", "cifar10", folder=tmp_path)
    assert not (tmp_path / "evil").exists()


def plain(array):
    return pickle.dumps({"data": array}, protocol=2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "exhausted before seeing STOP"),
        (b"\x80\x02}(U", "not enough data"),
        (plain(np.zeros((2, 2), object)), "data type 'O8', not uint8"),
        (plain(np.zeros(3, np.float64)), "data type 'f8', not uint8"),
        (plain(np.zeros((3, 2), np.uint8, order="F")), "not plain uint8"),
        (
            plain(np.zeros((3, 2), np.uint8)).replace(b"K\x03K\x02", b"K\x63K\x02"),
            "an array of shape (99, 2) has 6 bytes",
        ),
        (pickle.dumps({"data": np.zeros(3, np.uint8)}, protocol=5), "the operation BYTEARRAY8"),
        (b"\x80\x02}r\xff\xff\xff\x7f.", "its operation 2 asks for the memo place 2147483647"),
        (pickle.dumps([1, 2]), "must hold a dict"),
        (pickle.dumps(np.dtype("u1")), "must hold a dict"),
        (b"cnumpy\nload\n.", "asks for numpy.load"),
        (b"cbuiltins\neval\n(Vprint(1)\ntR.", "asks for builtins.eval"),
        (b"cnumpy\nndarray\n(I1000000000000\ntR.", "not callable"),
        (b"c_codecs\nencode\n(Vx\nVzip\ntR.", "encoding"),
        (b"\x82\x01.", "the operation EXT1"),
        (b"P1\n.", "the operation PERSID"),
    ],
    ids=str,
)
def test_pickles_are_read_through_a_whitelist(content, words):
    with pytest.raises(FileError) as caught:
        unpickle("batch", content)
    assert words in str(caught.value)
    assert str(caught.value).startswith("File batch ")


def test_damaged_pickles_end_in_a_sentence_always(rng):
    """Thousand random changes of a small batch: a dict of plain values, or a refusal; nothing else."""
    whole = written.python2_pickle({"labels": [1, 2, 3], "data": np.arange(12, dtype=np.uint8).reshape(3, 4)})
    seen = set()
    for _ in range(1000):
        content = bytearray(whole)
        for at in rng.integers(0, len(whole), rng.integers(1, 4)):
            content[at] = rng.integers(0, 256)
        try:
            seen.update(type(value).__name__ for value in unpickle("batch", bytes(content)).values())
        except FileError:
            seen.add("refused")
    assert "refused" in seen
    assert seen <= {
        "refused",
        "list",
        "ndarray",
        "str",
        "bytes",
        "int",
        "tuple",
        "NoneType",
        "dict",
        "bool",
        "float",
        "_Dtype",
    }


def tar_member(name, **settings):
    info = tarfile.TarInfo(name)
    for key, value in settings.items():
        setattr(info, key, value)
    return info


BAD_MEMBERS = {
    "above": ([("../evil", b"x")], "outside the destination"),
    "absolute link": ([(tar_member("set/a", type=tarfile.SYMTYPE, linkname="/etc/passwd"), None)], "absolute"),
    "link": ([(tar_member("set/a", type=tarfile.SYMTYPE, linkname="b"), None), ("set/b", b"x")], "no regular file"),
    "hard link": (
        [("set/b", b"x"), (tar_member("set/a", type=tarfile.LNKTYPE, linkname="set/b"), None)],
        "no regular file",
    ),
    "device": ([(tar_member("set/a", type=tarfile.CHRTYPE), None)], "special file"),
    "twice": ([("set/a", b"x"), ("set/a", b"y"), ("set/b", b"x")], "twice"),
    "lacking": ([("set/a", b"x")], "lacks set/b"),
    "bomb": ([("set/a", b"x"), ("set/zeros", bytes(200_000)), ("set/b", b"x")], "unpacks to more than 100000 bytes"),
    "bomb in a head": ([(tar_member("set/a", pax_headers={"comment": "x" * 200_000}), b"x")], "unpacks to more than"),
}


@pytest.mark.parametrize("kind", BAD_MEMBERS)
def test_archives_that_would_do_harm(kind, tmp_path):
    members, words = BAD_MEMBERS[kind]
    path = tmp_path / "set.tar.gz"
    written.tar_gz(path, members)
    with pytest.raises(FileError, match=words) as caught:
        archives.contents(path, ("set/a", "set/b"), 100_000)
    assert str(path) in str(caught.value)
    assert [item.name for item in tmp_path.iterdir()] == ["set.tar.gz"]


def test_an_archive_cut_anywhere_is_refused(rng, tmp_path):
    path = tmp_path / "set.tar.gz"
    members = [("set/a", rng.bytes(3000)), ("set/other", rng.bytes(500)), ("set/b", b"x" * 2000)]
    written.tar_gz(path, members)
    whole = path.read_bytes()
    assert archives.contents(path, ("set/a", "set/b"), 100_000) == {
        name: members[i][1] for i, name in ((0, "set/a"), (2, "set/b"))
    }
    for size in (0, 1, 5, 20, len(whole) // 3, 2 * len(whole) // 3, len(whole) - 100):
        path.write_bytes(whole[:size])
        with pytest.raises(FileError):
            archives.contents(path, ("set/a", "set/b"), 100_000)
    path.write_bytes(b"<html>" + whole)
    with pytest.raises(FileError, match="cannot be unpacked"):
        archives.contents(path, ("set/a", "set/b"), 100_000)
