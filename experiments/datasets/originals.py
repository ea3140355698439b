"""The files as their authors published them: sizes and checksums, by the path they have in a data folder.

MD5 sums of archives are those of the authors' pages; those of the files inside were published with torchvision and hold
for files rebuilt from the pixels (CIFAR, STL-10). MD5 identifies a file; it does not keep an adversary out, so what it
lets pass is still read without trust.
"""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

from linbyol.store import FileError, reading


class Original(NamedTuple):
    """What a published file is known by."""

    md5: str
    size: int | None = None  # bytes
    sha256: str | None = None


def _inside(folder: str, sums: dict[str, str]) -> dict[str, Original]:
    return {f"{folder}/{name}": Original(md5) for name, md5 in sums.items()}


ORIGINALS: dict[str, Original] = {
    "cifar-10-python.tar.gz": Original(
        "c58f30108f718f92721af3b95e74349a",
        170_498_071,
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
    "cifar-10-binary.tar.gz": Original(
        "c32a1d4ab5d03f1284b67883e8d87530",
        170_052_171,
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ),
    "cifar-100-python.tar.gz": Original(
        "eb9058c3a382ffc7106e4002c42a8d85",
        169_001_437,
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    ),
    "cifar-100-binary.tar.gz": Original("03b5dce01913d631647c71ecec9e9cb8", 168_513_733),
    "stl10_binary.tar.gz": Original("91f7769df0f17e558f3565bffb0c7dfb", 2_640_397_119),
    "FashionMNIST/raw/train-images-idx3-ubyte.gz": Original("8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
    "FashionMNIST/raw/train-labels-idx1-ubyte.gz": Original("25c81989df183df01b3e8a0aad5dffbe", 29_515),
    "FashionMNIST/raw/t10k-images-idx3-ubyte.gz": Original("bef4ecab320f06d8554ea6380940ec79", 4_422_102),
    "FashionMNIST/raw/t10k-labels-idx1-ubyte.gz": Original("bb300cfdad3c16e7a12a480ee83cd310", 5_148),
    **_inside(
        "cifar-10-batches-py",
        {
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
            "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
        },
    ),
    **_inside(
        "cifar-100-python",
        {
            "train": "16019d7e3df5f24257cddd939b257f8d",
            "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
            "meta": "7973b15100ade9c7d40fb424638fde48",
        },
    ),
    **_inside(
        "cifar-100-binary",
        {"train.bin": "6172c7755cfe09b2fe270c85cebc1b15", "test.bin": "4499cfba6c016c1be1438163640a0898"},
    ),
    **_inside(
        "stl10_binary",
        {
            "train_X.bin": "918c2871b30a85fa023e0c44e0bee87f",
            "train_y.bin": "5a34089d4802c674881badbb80307741",
            "test_X.bin": "7f263ba9f9e0b06b93213547f721ac82",
            "test_y.bin": "36f9794fa4beb8a2c72628de14fa638e",
            "unlabeled_X.bin": "5242ba1fed5e4be9e1e742405eb56ca4",
            "class_names.txt": "6de44d022411c4d5cda4673b7f147c3f",
        },
    ),
}


def read_original(path: Path, name: str) -> bytes:
    """The bytes of a file that must be the original `name`, where its checksum is known. Raises `FileError`."""
    with reading(path):
        content = path.read_bytes()
    check_original(path, name, hashlib.md5(content).hexdigest(), len(content), content[:64])
    return content


def check_archive(path: Path, name: str) -> None:
    """Refuse a file that is not the original `name`, without holding it in memory."""
    with reading(path), path.open("rb") as file:
        head = file.read(64)
        file.seek(0)
        md5 = hashlib.file_digest(file, "md5").hexdigest()
        check_original(path, name, md5, file.tell(), head)


def check_original(where: Any, name: str, md5: str, size: int, head: bytes) -> None:
    """Compare what was found with what is known; a name that is unknown passes."""
    known = ORIGINALS.get(name)
    if known is None or md5 == known.md5:
        return
    if looks_like_a_page(head):
        raise FileError(f"File {where} is a web page, not {Path(name).name}: fetch it again.")
    if known.size is not None and size != known.size:
        raise FileError(f"File {where} has {size} bytes, but the original {Path(name).name} has {known.size}.")
    raise FileError(f"File {where} ({size} bytes) has the MD5 sum {md5}, but the original has {known.md5}.")


def looks_like_a_page(head: bytes) -> bool:
    """Whether a file begins as HTML does: servers send pages where they have no file."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
