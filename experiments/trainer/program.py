"""What of a run's settings is compiled, and which of them are constants of its lanes, which are traced."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, make_dataclass
from functools import cache
from typing import Any

from experiments.tables import kinds, variants
from experiments.trainer.options import Options


@dataclass(frozen=True)
class Program:
    """What a run is compiled for: runs that differ in the rest share it.

    Its tables are those of the options without the constants that lanes differ in: to read one is an AttributeError.
    """

    augment: str
    encoder: Any
    projector: Any
    method: Any
    optimiser: Any
    schedule: Any
    epochs: int
    batch: int
    precision: str


def compiled(o: Options) -> Program:
    """What of the options the program is compiled for."""
    parts = (_traced_apart(part) for part in (o.encoder, o.projector, o.method, o.optimiser, o.schedule))
    return Program(o.data.augment, *parts, o.run.epochs, o.run.batch, o.run.precision)


def _traced_apart(part: Any) -> Any:
    """The table without its constants, which are no fields of it."""
    if not is_dataclass(part):
        return part
    form = _form(type(part))
    return form(**{field.name: _traced_apart(getattr(part, field.name)) for field in fields(form)})


@cache
def _form(kind: type) -> type:
    names = [field.name for field in fields(kind) if not field.metadata.get("constant")]
    return make_dataclass(kind.__name__, [(name, Any) for name in names], frozen=True)


def _constants(kind: type) -> Iterator[str]:
    for field in fields(kind):
        if "constant" in field.metadata:
            yield field.name
        for variant in variants(kinds(kind)[field.name]):
            yield from _constants(variant)


SCALARS = tuple(dict.fromkeys(_constants(Options)))  # names of all constants, of which a run has some
