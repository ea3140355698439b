"""CIFAR-10's pieces in two folders of at most 50 MiB: a call carries 64 MiB to the lent machine, and the set has 90.

    python -m experiments.gpu.carry ../shared/data      # writes .gpu/first and .gpu/second, and has git ignore .gpu

Carried there in two calls and copied into one folder, they are the data folder again.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from experiments.datasets.pieces import NAME
from linbyol.checks import InputError

ROOT = Path(__file__).parents[2]
PARTS = ("first", "second")
MOST = 50 * 2**20  # bytes of a part
NEEDED = ("batches.meta", "labels.npz")  # beside the pieces


def divided(place: Path, most: int = MOST) -> list[list[Path]]:
    """What is needed of a folder of pieces, in two parts of at most `most` bytes. Raises `InputError`."""
    pieces = [path for path in place.glob("*.med.xz") if NAME.fullmatch(path.name)]
    files = [path for name in NEEDED if (path := place / name).is_file()] + pieces
    if not pieces or len(files) - len(pieces) < len(NEEDED):
        raise InputError(f"Folder {place} must hold {', '.join(NEEDED)} and pieces *.med.xz, but does not.")
    parts: list[list[Path]] = [[] for _ in PARTS]
    sizes = [0] * len(PARTS)
    for path in sorted(files, key=lambda path: (-path.stat().st_size, path.name)):
        lighter = sizes.index(min(sizes))
        parts[lighter].append(path)
        sizes[lighter] += path.stat().st_size
    if max(sizes) > most:
        raise InputError(f"Folder {place} must fit into two parts of {most} bytes, but one would have {max(sizes)}.")
    return parts


def copy(data: Path, out: Path) -> list[Path]:
    """Write out/first/cifar10 and out/second/cifar10 anew."""
    parts = divided(data / "cifar10")
    for name, files in zip(PARTS, parts, strict=True):
        place = out / name / "cifar10"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for path in files:
            shutil.copyfile(path, place / path.name)
    return [out / name for name in PARTS]


def have_git_ignore(folder: str) -> None:
    """In this checkout alone: what git ignores travels only if a call names it."""
    words = ["git", "rev-parse", "--git-path", "info/exclude"]
    path = ROOT / subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    lines = path.read_text().splitlines() if path.exists() else []
    if folder not in lines:
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join([*lines, folder, ""]))


def main() -> None:
    """The command line; see the head of the file."""
    ask = argparse.ArgumentParser(prog="python -m experiments.gpu.carry", description=__doc__.splitlines()[0])
    ask.add_argument("data", type=Path, help="the folder in which cifar10/ lies")
    have_git_ignore("/.gpu/")
    try:
        for part in copy(ask.parse_args().data, ROOT / ".gpu"):
            size = sum(path.stat().st_size for path in part.rglob("*") if path.is_file())
            print(f"{part.relative_to(ROOT)}: {size / 2**20:.1f} MiB")
    except InputError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
