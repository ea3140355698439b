"""What a run has done, kept piece by piece beside its results, so that the same command goes on from there."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple


class Kept(NamedTuple):
    """Pieces in folder/kept/NAME.json, each with the files that belong to it.

    A piece counts for the same key alone, a hash of all that it hangs on, and with its files as they were.
    """

    folder: Path
    key: str

    def read(self, name: str) -> Any | None:
        """The piece, or None if there is none that counts."""
        try:
            piece = json.loads(self._path(name).read_bytes())
            good = piece["key"] == self.key and self._files(piece["files"]) == piece["files"]
            return piece["content"] if good else None
        except (OSError, ValueError, KeyError, TypeError):  # none, or damaged
            return None

    def last(self, name: str) -> Any | None:
        """The piece, even if it does not count."""
        try:
            return json.loads(self._path(name).read_bytes())["content"]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, name: str, content: Any, files: Iterable[str] = ()) -> None:
        """Keep a piece, whole or not at all; the files are named from the folder."""
        from linbyol.outputs import make_folder
        from linbyol.store import write_json

        make_folder(self._path(name).parent)
        write_json(self._path(name), {"key": self.key, "files": self._files(files), "content": content})

    def forget(self) -> None:
        """No piece counts any more."""
        for path in (self.folder / "kept").glob("*.json"):
            path.unlink(missing_ok=True)

    def _files(self, names: Iterable[str]) -> dict[str, str]:
        return {name: digest((self.folder / name).read_bytes()) for name in names}

    def _path(self, name: str) -> Path:
        return self.folder / "kept" / f"{name}.json"


def digest(*contents: bytes | str) -> str:
    """One hash of several contents."""
    found = hashlib.sha256()
    for content in contents:
        content = content.encode() if isinstance(content, str) else content
        found.update(len(content).to_bytes(8, "big") + content)
    return found.hexdigest()


def of_sources(root: Path) -> str:
    """A hash of all the files that a result may hang on: those of linbyol, and of the trees in the folder `root`."""
    import linbyol
    from linbyol.trees import TREES

    folders = [Path(linbyol.__file__).parent, *(root / name for name in TREES)]
    paths = [(folder, path) for folder in folders for path in sorted(folder.rglob("*"))]
    files = [(folder, path) for folder, path in paths if "__pycache__" not in path.parts and path.is_file()]
    return digest(*(part for folder, path in files for part in (f"{path.relative_to(folder)}", path.read_bytes())))
