"""A downloader for pooch that goes on where an interrupted download stopped."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from linbyol.store import FileError

CHUNK = 1 << 18
PATIENCE = (15, 60)  # seconds for a connection, and between two pieces of an answer


class Resuming:
    """Download to `part`, from its end on if it is there already; a server without ranges begins anew.

    A download that is cut off leaves `part` for the next one. `most` bytes are taken at most; `accept` raises for a
    download that is complete but not what it should be; `advance` is told the bytes there are.
    """

    def __init__(
        self, part: Path, most: int, accept: Callable[[Path], None], advance: Callable[[str | None, int], None]
    ):
        self.part, self.most, self.accept, self.advance = part, most, accept, advance

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """What pooch calls: `output_file` is its own temporary file."""
        import requests

        try:
            self._download(url)
        except requests.RequestException as error:
            raise FileError(
                f"Download of {url} failed after {self._size()} bytes ({_cause(error)}): run it again to go on."
            ) from None
        except OSError as error:
            raise FileError(f"File {self.part} cannot be written: {error.strerror or error}.") from None
        self.accept(self.part)
        self.part.replace(output_file)

    def _download(self, url: str) -> None:
        import requests

        start = self._size()
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with requests.get(url, headers=headers, stream=True, timeout=PATIENCE) as answer:
            if answer.status_code == 416:  # nothing follows what is there: `accept` decides whether that is the file
                return
            if answer.status_code not in (200, 206):
                raise FileError(f"Server answers {answer.status_code} {answer.reason} to {url}.")
            goes_on = answer.status_code == 206
            if goes_on and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                raise FileError(f"Server sends another range of {url} than was asked for: delete {self.part}.")
            with self.part.open("ab" if goes_on else "wb") as file:
                self._write(url, answer, file)

    def _write(self, url: str, answer: Any, file: BinaryIO) -> None:
        done = file.tell()
        self.advance(None, done)
        for chunk in answer.iter_content(CHUNK):
            done += len(chunk)
            if done > self.most:
                file.truncate(0)
                raise FileError(f"Server sends more than {self.most} bytes for {url}: that is not the file.")
            file.write(chunk)
            self.advance(None, len(chunk))

    def _size(self) -> int:
        with suppress(OSError):
            return self.part.stat().st_size
        return 0


def _cause(error: Exception) -> str:
    """The innermost reason in a few words."""
    text = str(error)
    for word, cause in (("IncompleteRead", "the connection was cut"), ("Read timed out", "no answer in time")):
        if word in text:
            return cause
    return type(error).__name__
