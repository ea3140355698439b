"""Downloads of the known data sets from their authors, checked, and unpacked as torchvision lays them out.

Only `linbyol data fetch NAME` comes here: nothing else in the project touches the network.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from experiments.datasets import cifar, stl10
from experiments.datasets.archives import read_members
from experiments.datasets.idx import FOLDER as FASHION
from experiments.datasets.idx import unzip
from experiments.datasets.originals import ORIGINALS, looks_like_a_page
from experiments.datasets.places import data_folder
from experiments.datasets.resume import Resuming
from linbyol.checks import InputError
from linbyol.progress import bar
from linbyol.store import FileError, write_bytes


class Source(NamedTuple):
    """Where the files of a data set are published, and what of an archive is unpacked."""

    url: str  # of the folder that holds the files
    files: tuple[str, ...]  # by their path in a data folder, as in ORIGINALS
    members: tuple[str, ...] = ()
    unpacked: int = 0  # bytes the archive may unpack to


class Fetched(NamedTuple):
    """A file that was downloaded, or was there already."""

    file: Path
    bytes: int
    sha256: str
    new: bool


def _cifar(files: cifar.Files, archive: str) -> Source:
    names = tuple(f"{files.folder}/{name}" for name in (*files.train, files.test, *files.meta))
    return Source("https://www.cs.toronto.edu/~kriz/", (archive,), names, cifar.UNPACKED)


_STL10 = (
    "train_X.bin",
    "train_y.bin",
    "test_X.bin",
    "test_y.bin",
    "unlabeled_X.bin",
    "class_names.txt",
    "fold_indices.txt",
)
_IDX = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
SOURCES: dict[str, Source] = {
    "fashion-mnist": Source(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        tuple(f"{FASHION}/{name}-ubyte.gz" for name in _IDX),
    ),
    "cifar10": _cifar(cifar.CIFAR10, "cifar-10-python.tar.gz"),
    "cifar100": _cifar(cifar.CIFAR100, "cifar-100-python.tar.gz"),
    "stl10": Source(
        "http://ai.stanford.edu/~acoates/stl10/",
        (stl10.ARCHIVE,),
        tuple(f"{stl10.FOLDER}/{name}" for name in _STL10),
        stl10.UNPACKED,
    ),
}


def fetch(name: str, *, url: str | None = None, folder: str | Path | None = None) -> list[Fetched]:
    """Download the files of a data set into `folder` (or the usual one), check and unpack them.

    `url` is a mirror: the address of the file, or of the folder that holds the files. What is there and sound is not
    downloaded again, what was cut off goes on. Raises `FileError` for a download that is not the original, which stays
    beside as NAME.bad, and `InputError` for an address that is no web address.
    """
    source = SOURCES[name]
    base = source.url if url is None else url
    if not base.startswith(("https://", "http://")):
        raise InputError(f"Argument `url` must begin with https:// or http://, but is {base!r}.")
    where = data_folder(folder)
    fetched = []
    for file in source.files:
        fetched.append(_fetch_one(base, file, where))
        unpacked = source.members or (file.removesuffix(".gz"),)
        if fetched[-1].new or not all((where / name).exists() for name in unpacked):
            _unpack(source, where / file, where)
    return fetched


def _fetch_one(base: str, file: str, folder: Path) -> Fetched:
    import pooch

    path, known = folder / file, ORIGINALS[file]
    address = base if base.rstrip("/").endswith(path.name) else f"{base.rstrip('/')}/{path.name}"
    expected = f"sha256:{known.sha256}" if known.sha256 else f"md5:{known.md5}"
    new = not path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not new:
            _accept(path, path, file)
        part = path.with_name(f"{path.name}.part")
        with bar(f"fetching {path.name}", known.size, of="bytes") as advance, _quiet(pooch):
            most = 2 * known.size if known.size else 1 << 40
            downloader = Resuming(part, most, lambda found: _accept(found, path, file), advance)
            pooch.retrieve(address, expected, fname=path.name, path=path.parent, downloader=downloader)
        with path.open("rb") as content:
            return Fetched(path, path.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest(), new)
    except OSError as error:
        raise FileError(f"File {path} cannot be written: {error.strerror or error}.") from None


def _accept(found: Path, path: Path, file: str) -> None:
    """Keep what is the original; set anything else aside as PATH.bad, and say what it is."""
    known = ORIGINALS[file]
    with found.open("rb") as content:
        head = content.read(64)
        content.seek(0)
        md5 = hashlib.file_digest(content, "md5").hexdigest()
        size = content.tell()
    if md5 == known.md5:
        return
    bad = path.with_name(f"{path.name}.bad")
    found.replace(bad)
    what = "is a web page" if looks_like_a_page(head) else f"has {size} bytes and the MD5 sum {md5}"
    raise FileError(f"File {path.name} {what}, but the original has the MD5 sum {known.md5}: it was kept as {bad}.")


def _unpack(source: Source, path: Path, folder: Path) -> None:
    """Members of an archive, or the content of one gzipped file, beside it, each written whole or not at all."""
    if not source.members:
        write_bytes(path.with_suffix(""), unzip(path, path.read_bytes()))
        return
    read_members(path, source.members, source.unpacked, lambda name, stream: _write(folder / name, stream))


def _write(path: Path, stream: IO[bytes]) -> None:
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        with part.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FileError(f"File {path} cannot be written: {error.strerror or error}.") from None


@contextmanager
def _quiet(pooch: Any) -> Iterator[None]:
    """Without pooch's own remarks, which would stand between ours."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)
