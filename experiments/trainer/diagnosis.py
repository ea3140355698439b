"""Whether and why the networks of a run have collapsed or will: from its table, its last map, and the theory."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax

from experiments.runs.checkpoints import checkpoints
from experiments.runs.folder import read_record
from experiments.trainer.flow_time import rates
from experiments.trainer.lanes import swept
from experiments.trainer.last_map import last_map, modes
from experiments.trainer.loss_meaning import Meaning, meaning
from experiments.trainer.measures import COLLAPSED, IMAGES
from experiments.trainer.mode_fates import Fates, fates
from experiments.trainer.model import last_layer
from experiments.trainer.saved import Saved, lane_number, opened, options_of
from experiments.trainer.sentences import ALIKE
from experiments.trainer.uses import is_linear, rule_of
from linbyol import runs
from linbyol.representation.health_check import FEW
from linbyol.store import FileError

REPELLING = ("vicreg", "simclr", "barlow", "lejepa", "supervised")


class Diagnosis(NamedTuple):
    """Of one lane."""

    lane: str
    step: int
    steps: int
    status: str
    verdict: str  # spread, few dimensions, on its way to collapse, collapsed
    std: float
    rank: float
    d: int
    loss: Meaning | None
    modes: Fates | None
    sentences: list[str]


def diagnose(
    folder: str | Path, *, seed: int | None = None, lane: int | None = None, data: Path | None = None
) -> list[Diagnosis]:
    """Of each lane, or of one. Raises `FileError` for a folder that is none of a run, or of one not begun."""
    folder = Path(folder)
    options_of(folder)
    if not (folder / runs.files.METRICS).exists() and not checkpoints(folder / "checkpoints"):
        raise FileError(f"Run folder {folder} holds settings alone: it has not been trained yet.")
    table, record = runs.read(folder), read_record(folder / "run.json")
    if not table.spectra:
        raise FileError(f"Run folder {folder} holds no spectra yet, of which the explanation is made.")
    with opened(folder, data=data) as saved:
        one = None if seed is None and lane is None else lane_number(saved.session, seed, lane)
        chosen = range(len(saved.session.lanes)) if one is None else [one]
        return [_of_lane(saved, i, table, record) for i in chosen]


def _of_lane(saved: Saved, i: int, table: runs.RunFiles, record: dict[str, Any]) -> Diagnosis:
    o, who = saved.session.o, saved.session.lanes[i]
    rows = {name: (x[table.which == i]) for name, x in table.columns.items()}
    latest = lambda name: _finite(rows.get(name, []))[-1:] or [math.nan]  # noqa: E731
    first = lambda name: _finite(rows.get(name, []))[:1] or [math.nan]  # noqa: E731
    (std,), (rank,), (before,) = latest("embedding_std"), latest("rank"), first("embedding_std")
    d = max((len(x.arrays["F"]) for x in table.spectra if "F" in x.arrays), default=1)
    verdict = _verdict(std, rank, before, d)
    losses = _finite(rows.get("loss", []))
    loss = meaning(o, who.scalars, d, losses[0], losses[-1]) if losses else None
    found = None
    if is_linear(o) and o.method.name in ("byol", "simsiam") and last_layer(saved.state.online) is not None:
        m = last_map(saved.session, saved.state, i, images=IMAGES)
        if m is not None and (o.method.name == "byol" or o.method.stop_gradient):
            with jax.enable_x64(True):
                found = fates(modes(m), rates(o, who.scalars), o)
    total = saved.session.plan.total
    epoch = f"epoch {saved.epoch:.4g}"
    status = str(record.get("status", "unknown"))
    words = [
        f"{who.label(swept(o)).capitalize()}: {status}, step {saved.step} of {total} ({epoch})"
        + ("" if status == "done" else "; `linbyol train` goes on from there") + ".",
        f"The embeddings {_shown(verdict)}: standard deviation {std:.3g} of an isotropic one's ({before:.3g} "
        f"untrained, collapsed below {COLLAPSED}), effective rank {rank:.3g} of {d}.",
    ]  # fmt: skip
    words += loss.sentences if loss else ["There is no loss yet: no row was due."]
    words += found.sentences if found else []
    words += [text for applies, text in CONDITIONS if applies(o)]
    words += saved.notes
    return Diagnosis(who.label(swept(o)), saved.step, total, status, verdict, std, rank, d, loss, found, words)


CONDITIONS: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (
        lambda o: o.method.name in REPELLING,
        "Collapse is no minimum of this loss, whose terms hold the embeddings apart or spread; the theory's thresholds "
        "are not for it.",
    ),
    (
        lambda o: not getattr(o.method, "stop_gradient", True),
        "It collapses or will (Theorem 2): without stop-gradient W only decays wherever views differ or there is "
        "weight decay; set `stop_gradient` to true.",
    ),
    (
        lambda o: getattr(getattr(o.method, "predictor", None), "name", "") == "none",
        "It collapses or will (after Theorem 2): without predictor W decays by what views differ in; set `predictor` "
        "to linear or mlp.",
    ),
    (
        lambda o: getattr(rule_of(o), "name", "") == "optimal",
        "The optimal predictor leaves W nothing but its decay (Table 1): set `rule` to learned, direct or copy.",
    ),
    (
        lambda o: getattr(getattr(o.method, "predictor", None), "name", "") == "mlp",
        "Of a predictor of two layers the theory has no threshold: what is said here is measured, not foretold.",
    ),
    (
        lambda o: o.method.name == "isoloss",
        "IsoLoss has other flows than BYOL (see `isoloss` in linbyol.equations); its modes are not followed here.",
    ),
)


def _verdict(std: float, rank: float, before: float, d: int) -> str:
    if std < COLLAPSED:
        return "collapsed"
    if 1 - std**2 > ALIKE and not std >= before / 2:
        return "on its way to collapse"
    return "few dimensions" if rank < FEW * d else "spread"


def _shown(verdict: str) -> str:
    return {
        "collapsed": "have collapsed",
        "on its way to collapse": "are on their way to collapse",
        "few dimensions": "have not collapsed, but use few dimensions",
        "spread": "have not collapsed",
    }[verdict]


def _finite(values: Any) -> list[float]:
    return [float(x) for x in values if math.isfinite(x)]
