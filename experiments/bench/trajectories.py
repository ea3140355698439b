"""Work against precision on the reference workload: every contender in one run, its time at an equal measured error."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.bench.contenders import Contender, contenders
from experiments.bench.workload import T1, dop853, relative_error, take, workload
from linbyol.ensemble import solve_amplitudes
from linbyol.progress import track

TARGET = 1e-6  # the error at which times are compared
CHECKED = 64  # trajectories solved by scipy's DOP853 at 1e-12


def measure(N: int, *, full: bool = True, only: Sequence[str] = (), seed: int = 0, repeats: int = 3) -> dict[str, Any]:
    """Seconds, errors and ratios, as plain values; `only` chooses contenders by the beginning of their names."""
    y0, k = workload(N, seed)
    exact = np.stack(solve_amplitudes(y0, k, T1, rtol=1e-11, atol=0.0).y, axis=-1)
    checked = slice(0, min(CHECKED, N))
    reference_error = float(relative_error(exact[checked].T, dop853(take(y0, checked), take(k, checked))).max())
    chosen = [c for c in contenders(full) if not only or any(c.name.startswith(name) for name in only)]
    rows = [_row(c, y0, k, exact, repeats) for c in track(chosen, "measuring")]
    return {
        "workload": {"trajectories": N, "t1": T1, "seed": seed, "reference": "this engine at rtol 1e-11"},
        "reference_error": reference_error,  # against DOP853 at 1e-12, on the first CHECKED
        "target_error": TARGET,
        "contenders": rows,
        "times_faster": _ratios(rows),
    }


def _row(contender: Contender, y0: Any, k: Any, exact: np.ndarray, repeats: int) -> dict[str, Any]:
    reason = contender.missing()
    if reason:
        return {"name": contender.name, "skipped": reason}
    part = slice(0, min(contender.sample, len(exact)))
    y0, k, exact = take(y0, part), take(k, part), exact[part]
    began = time.perf_counter()
    contender.solve(y0, k, contender.settings[0])
    first = time.perf_counter() - began
    points = [_point(contender, setting, y0, k, exact, repeats) for setting in contender.settings]
    row = {"name": contender.name, "trajectories": len(exact), "points": points}
    warm = points[0]["microseconds"] * len(exact) / 1e6
    return row | {"compile_seconds": max(first - warm, 0.0), "microseconds_at_target": at_error(points, TARGET)}


def _point(contender: Contender, setting: float, y0: Any, k: Any, exact: np.ndarray, repeats: int) -> dict[str, Any]:
    """The fastest of a few runs; one, where a run takes long."""
    best = np.inf
    for _ in range(repeats):
        began = time.perf_counter()
        found = contender.solve(y0, k, setting)
        took = time.perf_counter() - began
        best = min(best, took)
        if took > 3:
            break
    error = relative_error(found, exact)
    error = np.where(np.isfinite(error), error, np.inf)
    return {
        "setting": setting,
        "microseconds": best / len(exact) * 1e6,
        "error_max": float(error.max()),
        "error_median": float(np.median(error)),
    }


def at_error(points: Sequence[dict[str, Any]], target: float) -> float | None:
    """Microseconds a trajectory at a largest error of `target`: a power law between measured points, never beyond them.

    Where even the loosest setting is better than the target, that one's time; none, where no setting meets it.
    """
    usable = sorted(
        (p["error_max"], p["microseconds"]) for p in points if np.isfinite(p["error_max"]) and p["error_max"] > 0
    )
    if not usable or usable[0][0] > target:
        return None
    errors, times = np.log(np.array(usable)).T
    return float(np.exp(np.interp(np.log(target), errors, times)))


def _ratios(rows: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """How many times longer each other takes at the target error."""
    times = {row["name"]: row.get("microseconds_at_target") for row in rows}
    ours = times.pop("linbyol", None)
    return {name: t / ours if t and ours else None for name, t in times.items()}
