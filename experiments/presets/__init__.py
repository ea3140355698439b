"""Presets: a TOML file each, whose header says what it reproduces, how, and what to expect."""

from pathlib import Path

from experiments import tables
from experiments.trainer.options import Options
from linbyol.checks import InputError

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """All presets."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def preset(name: str) -> tuple[str, Options]:
    """The name and the options of a preset, or of a TOML file of one's own. Raises `InputError`."""
    from experiments import settings  # its library is not needed for the list

    path = FOLDER / f"{name}.toml"
    if name.endswith(".toml"):
        path = Path(name)
    elif name not in names():
        raise InputError(f"Unknown preset `{name}`{tables.nearest(name, names())}")
    return path.stem, settings.read(Options, path)


def headers() -> dict[str, str]:
    """Name -> the first line of the preset's header."""
    return {name: (FOLDER / f"{name}.toml").read_text().splitlines()[0].lstrip("# ") for name in names()}
