"""Downloads, from a server of this test on the loopback: whole, cut off and gone on with, and refused."""

import hashlib
import http.server
import json
import threading
from pathlib import Path

import numpy as np
import official_layouts as written
import pytest

from experiments.datasets import fetch as fetching
from experiments.datasets import load, originals, resume
from linbyol import cli
from linbyol.checks import InputError
from linbyol.store import FileError

ARCHIVE = "cifar-10-python.tar.gz"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.files`, with ranges unless told not to; stops after `server.cut` bytes of an answer, once."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        server.requests.append((self.path, self.headers.get("Range")))
        content = server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = 0
        if server.ranges and (asked := self.headers.get("Range")):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start + server.shift}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        cut, server.cut = server.cut, None
        self.wfile.write(content[start:][:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that hangs up is part of these tests."""


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Handler) as running:
        running.files, running.requests, running.ranges, running.cut, running.shift = {}, [], True, None, 0
        running.url = f"http://127.0.0.1:{running.server_port}/mirror"
        thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "data"


@pytest.fixture
def cifar10(server, tmp_path, monkeypatch):
    """A small CIFAR-10 at the server, which the code takes for the original."""
    data = written.dataset("cifar10", np.random.default_rng(5), 10, 4, (32, 32, 3), written.TEN)
    build = tmp_path / "build"
    build.mkdir()
    place = written.write_cifar(build, data)
    written.tar_of(build / ARCHIVE, place)
    written.register(monkeypatch, build)
    server.files[f"/mirror/{ARCHIVE}"] = (build / ARCHIVE).read_bytes()
    return data


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


WHOLE = [
    *("cifar-10-batches-py/batches.meta", *(f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6))),
    *("cifar-10-batches-py/test_batch", ARCHIVE),
]


@pytest.mark.parametrize("end", ["", "/", f"/{ARCHIVE}"])
def test_a_set_is_fetched_unpacked_and_loaded(end, server, cifar10, folder):
    (found,) = fetching.fetch("cifar10", url=server.url + end, folder=folder)
    content = server.files[f"/mirror/{ARCHIVE}"]
    assert (found.bytes, found.sha256, found.new) == (len(content), hashlib.sha256(content).hexdigest(), True)
    assert names(folder) == WHOLE
    data = load("cifar10", folder=folder)
    np.testing.assert_array_equal(data.train.images, cifar10.train.images)
    assert server.requests == [(f"/mirror/{ARCHIVE}", None)]
    (again,) = fetching.fetch("cifar10", url=server.url, folder=folder)
    assert not again.new
    assert len(server.requests) == 1  # what is there is not downloaded again
    (folder / "cifar-10-batches-py" / "data_batch_3").unlink()
    fetching.fetch("cifar10", url=server.url, folder=folder)
    assert names(folder) == WHOLE


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_was_cut_goes_on(ranges, server, cifar10, folder, monkeypatch):
    monkeypatch.setattr(resume, "CHUNK", 1000)  # what is lost at a cut is less than a chunk
    server.ranges = ranges
    server.cut = 20_000
    with pytest.raises(FileError, match=r"failed after 20000 bytes .*: run it again to go on") as caught:
        fetching.fetch("cifar10", url=server.url, folder=folder)
    assert "\n" not in str(caught.value)
    content = server.files[f"/mirror/{ARCHIVE}"]
    assert len(content) > 20_000
    assert names(folder) == [f"{ARCHIVE}.part"]
    assert (folder / f"{ARCHIVE}.part").read_bytes() == content[:20_000]
    fetching.fetch("cifar10", url=server.url, folder=folder)
    assert names(folder) == WHOLE
    assert (folder / ARCHIVE).read_bytes() == content
    assert [asked for _, asked in server.requests] == [None, "bytes=20000-"]


def test_a_part_that_is_whole_already_is_taken(server, cifar10, folder):
    folder.mkdir()
    (folder / f"{ARCHIVE}.part").write_bytes(server.files[f"/mirror/{ARCHIVE}"])
    fetching.fetch("cifar10", url=server.url, folder=folder)
    assert names(folder) == WHOLE


def test_a_server_that_sends_another_range_is_refused(server, cifar10, folder):
    folder.mkdir()
    (folder / f"{ARCHIVE}.part").write_bytes(server.files[f"/mirror/{ARCHIVE}"][:100])
    server.shift = 1
    with pytest.raises(FileError, match="sends another range"):
        fetching.fetch("cifar10", url=server.url, folder=folder)
    assert (folder / f"{ARCHIVE}.part").stat().st_size == 100


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content[:-1] + b"?", "bytes and the MD5 sum"),
        (lambda content: content[:-7], "bytes and the MD5 sum"),
        (lambda content: b"<!DOCTYPE html><p>Please log in</p>", "is a web page"),
        (lambda content: b"", "has 0 bytes and the MD5 sum d41d8cd98f00b204e9800998ecf8427e"),
    ],
    ids=["a flipped byte", "short", "a web page", "nothing"],
)
def test_what_is_not_the_original_is_set_aside(change, words, server, cifar10, folder):
    whole = server.files[f"/mirror/{ARCHIVE}"]
    server.files[f"/mirror/{ARCHIVE}"] = change(whole)
    with pytest.raises(FileError, match=words) as caught:
        fetching.fetch("cifar10", url=server.url, folder=folder)
    assert "\n" not in str(caught.value)
    assert str(folder / f"{ARCHIVE}.bad") in str(caught.value)
    assert names(folder) == [f"{ARCHIVE}.bad"]
    assert (folder / f"{ARCHIVE}.bad").read_bytes() == change(whole)
    assert len(server.requests) == 1  # no second try
    server.files[f"/mirror/{ARCHIVE}"] = whole
    fetching.fetch("cifar10", url=server.url, folder=folder)
    assert names(folder) == sorted([*WHOLE, f"{ARCHIVE}.bad"])


def test_an_old_file_that_is_damaged_is_set_aside_too(server, cifar10, folder):
    folder.mkdir()
    (folder / ARCHIVE).write_bytes(b"damaged")
    with pytest.raises(FileError, match=r"has 7 bytes .* it was kept as"):
        fetching.fetch("cifar10", url=server.url, folder=folder)
    assert names(folder) == [f"{ARCHIVE}.bad"]
    assert server.requests == []


def test_a_server_that_never_ends_is_stopped(server, cifar10, folder, monkeypatch):
    size = len(server.files[f"/mirror/{ARCHIVE}"])
    known = originals.ORIGINALS[ARCHIVE]._replace(size=size)
    monkeypatch.setitem(originals.ORIGINALS, ARCHIVE, known)
    server.files[f"/mirror/{ARCHIVE}"] = bytes(3 * size)
    with pytest.raises(FileError, match=f"sends more than {2 * size} bytes"):
        fetching.fetch("cifar10", url=server.url, folder=folder)
    assert (folder / f"{ARCHIVE}.part").stat().st_size == 0


def test_fashion_mnist_has_four_files(server, folder, tmp_path, monkeypatch):
    from experiments.datasets.idx import CLASSES

    data = written.dataset("fashion-mnist", np.random.default_rng(6), 5, 4, (28, 28, 1), CLASSES)
    build = tmp_path / "build"
    place = written.write_fashion_mnist(build, data)
    written.register(monkeypatch, build)
    server.files |= {f"/mirror/{path.name}": path.read_bytes() for path in place.iterdir()}
    files = fetching.fetch("fashion-mnist", url=server.url, folder=folder)
    assert len(files) == 4
    assert len(names(folder)) == 8  # gzipped and not, as torchvision keeps them
    for path in (folder / "FashionMNIST" / "raw").glob("*.gz"):
        path.unlink()
    np.testing.assert_array_equal(load("fashion-mnist", folder=folder).test.images, data.test.images)


def test_stl10_is_unpacked_with_its_unlabelled_images(server, folder, tmp_path, monkeypatch):
    data = written.dataset("stl10", np.random.default_rng(8), 2, 1, (96, 96, 3), written.TEN)
    unlabelled = written.images_of(np.random.default_rng(9), 3, 96, 96, 3)
    build = tmp_path / "build"
    build.mkdir()
    written.tar_of(build / "stl10_binary.tar.gz", written.write_stl10(build, data, unlabelled))
    written.register(monkeypatch, build)
    server.files["/mirror/stl10_binary.tar.gz"] = (build / "stl10_binary.tar.gz").read_bytes()
    fetching.fetch("stl10", url=server.url, folder=folder)
    found = load("stl10", folder=folder)
    written.assert_same(found, data)
    np.testing.assert_array_equal(found.unlabelled, unlabelled)


def test_bad_addresses(server, cifar10, folder):
    with pytest.raises(FileError, match="answers 404"):
        fetching.fetch("cifar10", url=f"{server.url}/nothing", folder=folder)
    with pytest.raises(InputError, match="must begin with https:// or http://, but is 'file:///etc'"):
        fetching.fetch("cifar10", url="file:///etc", folder=folder)
    with pytest.raises(FileError, match=r"failed after 0 bytes \(ConnectionError\)"):
        fetching.fetch("cifar10", url="http://127.0.0.1:9/", folder=folder)  # nobody answers there
    (folder / "cifar-10-python.tar.gz.part").unlink(missing_ok=True)
    assert names(folder) == []


def test_a_folder_that_cannot_be_written(server, cifar10, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match="cannot be written"):
        fetching.fetch("cifar10", url=server.url, folder=tmp_path / "file" / "data")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk(server, cifar10, folder):
    folder.mkdir()
    (folder / f"{ARCHIVE}.part").symlink_to("/dev/full")
    with pytest.raises(FileError, match="part cannot be written: No space left on device"):
        fetching.fetch("cifar10", url=server.url, folder=folder)
    assert not (folder / ARCHIVE).exists()


def call(*arguments, capsys):
    try:
        code = cli.run(["data", *arguments])
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_line_fetches_and_lists(server, cifar10, folder, capsys, monkeypatch):
    monkeypatch.setenv("LINBYOL_DATA_DIR", str(folder))
    code, out, err = call("fetch", "cifar10", "--url", server.url, "--json", capsys=capsys)
    assert (code, err) == (0, "")
    assert json.loads(out)["files"][0]["new"] is True
    code, out, _ = call("fetch", "cifar10", "--url", server.url, capsys=capsys)
    assert "was there, SHA-256" in out
    code, out, _ = call("list", "--json", capsys=capsys)
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)["sets"]}
    assert rows["cifar10"]["form"] == "folder"
    assert rows["cifar10"]["where"].startswith(str(folder / "cifar-10-batches-py"))
    assert rows["stl10"]["form"] is None
    code, out, _ = call("list", capsys=capsys)
    assert code == 0
    assert "not found" in out
    assert "scikit-learn" in out


def test_the_command_line_refuses_in_one_sentence(server, cifar10, folder, capsys):
    server.files[f"/mirror/{ARCHIVE}"] = b"<html>"
    code, out, err = call("fetch", "cifar10", "--url", server.url, "--folder", str(folder), capsys=capsys)
    assert (code, out) == (3, "")
    assert err.startswith("linbyol: File cifar-10-python.tar.gz is a web page")
    assert err.count("\n") == 1
    code, out, err = call("fetch", "cifar-10", capsys=capsys)
    assert (code, out) == (2, "")
    assert "did you mean cifar10?" in err
    code, out, _ = call("fetch", "digits", capsys=capsys)
    assert (code, out) == (0, "Nothing to download: digits comes with scikit-learn.\n")


def test_the_official_addresses_name_files_whose_checksums_are_known():
    for source in fetching.SOURCES.values():
        assert source.url.endswith("/")
        for file in source.files:
            assert originals.ORIGINALS[file].size > 1000
