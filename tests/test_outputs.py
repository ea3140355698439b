"""Files are written whole or not at all, and what is no regular file is never replaced."""

import os
import resource
import stat
import zipfile

import numpy as np
import pytest

from linbyol import machine, outputs, store
from linbyol.checks import InputError
from linbyol.outputs import ARCHIVE, PICTURE, check_outputs


def test_links_stay_and_what_they_lead_to_is_written(tmp_path):
    target, link, dangling = tmp_path / "a.npz", tmp_path / "b.npz", tmp_path / "c.npz"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to("a.npz")
    dangling.symlink_to(tmp_path / "new.npz")
    store.write_bytes(link, b"new")
    store.write_bytes(dangling, b"newer")
    assert link.is_symlink()
    assert dangling.is_symlink()
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"new", 0o640)
    assert (tmp_path / "new.npz").read_bytes() == b"newer"
    assert len(list(tmp_path.iterdir())) == 4


def pipe(path):
    os.mkfifo(path)


def device(path):
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 7))  # as /dev/full
    except PermissionError:
        pytest.skip("only root makes devices")


def circle(path):
    path.symlink_to(path.name)


WHAT = {"pipe": pipe, "device": device, "circle": circle, "folder": os.mkdir, "beyond": lambda path: None}


@pytest.mark.parametrize("kind", WHAT)
def test_what_is_no_file_is_refused_and_stays(kind, tmp_path):
    path = tmp_path / "a.npz"
    WHAT[kind](path)
    if kind == "beyond":
        (tmp_path / "file").write_bytes(b"")
        path = tmp_path / "file" / "a.npz"
    before = [(p.name, p.lstat().st_mode, p.lstat().st_ino) for p in tmp_path.iterdir()]
    for write in (lambda: store.write_bytes(path, b"x"), lambda: check_outputs(out=(path, ARCHIVE))):
        with pytest.raises(store.FileError, match=r"^File .*a.npz cannot be written: .*\.$"):
            write()
    assert [(p.name, p.lstat().st_mode, p.lstat().st_ino) for p in tmp_path.iterdir()] == before


def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(store.FileError, match="cannot be written: File too large"):
            store.write_bytes(path, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_output_that_is_an_input_or_another_output_is_refused(tmp_path):
    data, link, hard = tmp_path / "x.npz", tmp_path / "y.npz", tmp_path / "z.npz"
    data.write_bytes(b"")
    link.symlink_to(data)
    os.link(data, hard)
    for path in (data, link, hard, tmp_path / "." / "x.npz"):
        with pytest.raises(InputError, match="would be overwritten by `out`, but is read"):
            check_outputs(inputs=[None, data], out=(path, ARCHIVE))
    with pytest.raises(InputError, match="overwritten by the JSON beside `out`"):
        check_outputs(inputs=[tmp_path / "new.json"], out=(tmp_path / "new.npz", ARCHIVE))
    with pytest.raises(InputError, match="written twice, the second time by `plot`"):
        check_outputs(out=(tmp_path / "a.png", PICTURE), plot=(tmp_path / "a.png", PICTURE))
    check_outputs(inputs=[data], out=(tmp_path / "new.npz", ARCHIVE), plot=(tmp_path / "new.png", PICTURE))


def test_names_that_the_format_has_not_are_refused(tmp_path):
    for path, sentence in [("-", "must be a file, but is -"), ("t.png", "must end in .npz, but is t.png")]:
        with pytest.raises(InputError, match=sentence):
            check_outputs(out=(path, ARCHIVE))
    with pytest.raises(store.FileError, match="there is no folder"):
        check_outputs(out=(tmp_path / "nowhere" / "a.npz", ARCHIVE))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(store.FileError, match=r"^Folder .*file cannot be made: File exists\.$"):
        outputs.make_folder(tmp_path / "file")


def test_arrays_larger_than_memory_or_than_their_bytes_are_never_allocated(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.zeros(1_000_000))
    monkeypatch.setattr(machine, "memory", lambda: 1_000_000)
    with pytest.raises(store.FileError, match="would need about 16 MB of memory, but this machine has 1 MB"):
        store.read_arrays(path)
    monkeypatch.undo()
    assert store.read_arrays(path)["x"].shape == (1_000_000,)
    np.save(tmp_path / "x.npy", np.zeros(3))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", (tmp_path / "x.npy").read_bytes().replace(b"(3,), }   ", b"(3333,), }"))
    with pytest.raises(store.FileError, match=r"it holds an array of shape \(3333,\) and dtype float64, but 24 bytes"):
        store.read_arrays(path)


@pytest.mark.parametrize("content", [b"", b"text\n", b"PK\x03\x04", None, "folder", "pipe"])
def test_what_is_no_archive_is_refused_with_its_name(content, tmp_path):
    path = tmp_path / "a.npz"
    if content is None:
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        WHAT[content](path)
    with pytest.raises(store.FileError, match=rf"^File {path} .*\.$"):
        store.read_arrays(path)


def test_what_is_refused_of_a_file_is_the_fault_of_the_file():
    words = r"^File a.npz cannot be used: argument `s` must be 0\.$"
    with pytest.raises(store.FileError, match=words), store.blaming("a.npz"):
        raise InputError("Argument `s` must be 0.")


def test_numbers_of_a_file_are_real_finite_and_in_the_order_of_bytes_of_this_machine(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.array([1.0, 2.0], dtype=">f8"), none=np.ones((3, 0)), yes=np.array([True]))
    x = store.read_numbers(path, "x")["x"]
    assert x.dtype.isnative
    assert x.tolist() == [1.0, 2.0]
    assert store.read_shapes(path) == {"x": (2,), "none": (3, 0), "yes": (1,)}
    for name, sentence in [("none", r"must not be empty, but has shape \(3, 0\)"), ("yes", "real, but has dtype bool")]:
        with pytest.raises(store.FileError, match=rf"^File .*a.npz cannot be used: argument `{name}` .*{sentence}\.$"):
            store.read_numbers(path, name)
