"""Named members of a .tar.gz, one after another, and no byte more than they should have.

Members are streamed, never extracted by the names in the archive; one that a careful extraction would refuse (a path
that leaves the folder, a link out of it, a device) refuses the archive.
"""

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO

from linbyol.checks import InputError
from linbyol.store import FileError


class _TooLarge(tarfile.TarError):
    pass


class _Capped(io.RawIOBase):
    """A stream that refuses to give more than `most` bytes: a small archive may unpack to any size."""

    def __init__(self, stream: IO[bytes], most: int):
        self.stream, self.left, self.most = stream, most, most

    def read(self, size: int = -1) -> bytes:
        found = self.stream.read(min(size, self.left + 1) if size >= 0 else self.left + 1)
        self.left -= len(found)
        if self.left < 0:
            raise _TooLarge(f"it unpacks to more than {self.most} bytes")
        return found


def read_members(path: Path, names: Collection[str], most: int, take: Callable[[str, IO[bytes]], None]) -> None:
    """Call take(name, stream) for each named member, in the archive's order; each must be a regular file, there once.

    `most` bytes may be unpacked in all. Raises `FileError`.
    """
    missing = set(names)
    try:
        with gzip.open(path) as unzipped, tarfile.open(fileobj=_Capped(unzipped, most), mode="r|") as archive:
            for member in archive:
                tarfile.data_filter(member, "/nowhere")
                if member.name not in names:
                    continue
                if member.name not in missing:
                    raise tarfile.TarError(f"it holds {member.name} twice")
                stream = archive.extractfile(member) if member.isreg() else None
                if stream is None:
                    raise tarfile.TarError(f"its {member.name} is no regular file")
                missing.remove(member.name)
                take(member.name, stream)
    except InputError:
        raise
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise FileError(f"Archive {path} cannot be unpacked: {str(error).rstrip('.')}.") from None
    except OSError as error:
        raise FileError(f"Archive {path} cannot be read: {error.strerror or error}.") from None
    if missing:
        raise FileError(f"Archive {path} lacks {min(missing)}.")


def contents(path: Path, names: Collection[str], most: int) -> dict[str, bytes]:
    """The named members in memory."""
    found: dict[str, bytes] = {}
    read_members(path, names, most, lambda name, stream: found.update({name: stream.read()}))
    return found
