"""The lanes of a run: one training for each seed and combination of swept constants, all in one program."""

import math
from typing import Any, NamedTuple

from experiments.tables import check_belongs, leaves, path_of
from experiments.trainer.ranges import check_number
from linbyol.checks import InputError

LANES = 2**16


class Lane(NamedTuple):
    """One training of a run: its seed and its constants, those that the run has."""

    seed: int
    scalars: dict[str, float]

    def label(self, names: tuple[str, ...] = ()) -> str:
        """Which lane it is: its seed, and its values of the constants that are swept."""
        return ", ".join([f"seed {self.seed}", *(f"{name} = {self.scalars[name]:g}" for name in names)])


def swept(o: Any) -> tuple[str, ...]:
    """Names of the constants that differ from lane to lane: the ends of their paths, which no two have in common."""
    return tuple(map(_end, swept_paths(o)))


def swept_paths(o: Any) -> tuple[str, ...]:
    """Paths of the constants that differ from lane to lane."""
    return tuple(path_of(type(o), text.partition("=")[0]) for text in o.run.sweep)


def lanes(o: Any) -> list[Lane]:
    """A lane for each seed and combination of swept values; the last sweep varies fastest, seeds slowest."""
    constants = {path: (field, value) for path, field, value in leaves(o) if "constant" in field.metadata}
    sweeps = {}
    for text, path in zip(o.run.sweep, swept_paths(o), strict=True):
        check_belongs(o, path, " in `run.sweep`")
        if path not in constants:
            raise InputError(f"Setting `run.sweep` must name one of {', '.join(constants)}, but is {text!r}.")
        if path in sweeps:
            raise InputError(f"Setting `run.sweep` names `{path}` twice.")
        try:
            sweeps[path] = [float(value) for value in text.partition("=")[2].split(",")]
        except ValueError:
            raise InputError(f"Setting `run.sweep` must read NAME=NUMBER,NUMBER,…, but is {text!r}.") from None
        for x in sweeps[path]:
            check_number(path, constants[path][0], x, o.run.precision, " in `run.sweep`")
        if len(set(sweeps[path])) < len(sweeps[path]):
            raise InputError(f"Setting `run.sweep` must give each lane another value, but is {text!r}.")
    if (number := math.prod(map(len, sweeps.values())) * len(o.run.seeds)) > LANES:
        raise InputError(f"Settings `run.seeds`, `run.sweep` must give at most {LANES} lanes, but give {number}.")
    found = [{_end(path): value for path, (_, value) in constants.items()}]
    for path, numbers in sweeps.items():
        found = [scalars | {_end(path): x} for scalars in found for x in numbers]
    found = [scalars | {"eta_p": scalars["eta"] if scalars["eta_p"] is None else scalars["eta_p"]} for scalars in found]
    return [Lane(seed, {name: float(x) for name, x in scalars.items()}) for seed in o.run.seeds for scalars in found]


def _end(path: str) -> str:
    return path.rpartition(".")[2]
