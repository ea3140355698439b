"""Trajectories a second of the reference workload: linbyol's engine under jit beside diffrax under vmap.

Both take arrays that lie on the card, step all lanes side by side and leave the states at t1 there. What is compared is
the fastest setting of each whose measured error meets one target; the first call, which compiles, is counted apart.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from experiments.bench.contenders import diffrax_vmap
from experiments.bench.gpu.kernel import in_blocks
from experiments.bench.gpu.record import Clock, Found, Keep, Row
from experiments.bench.workload import T1, dop853, relative_error, take, workload
from linbyol.ensemble import solve_amplitudes

TARGETS = {"float32": 1e-4, "float64": 1e-6}  # largest errors: float32's rounding leaves some 3e-5 at any rtol
GOALS = {"float32": 1e8, "float64": 2e7}  # trajectories a second
SETTINGS = {  # rtol of each; an error under vmap is that of diffrax's own steps, some ten times its rtol
    "linbyol": {"float32": (1e-4, 1e-6), "float64": (1e-6,)},
    "diffrax Tsit5, vmap": {"float32": (1e-5, 1e-6), "float64": (1e-7, 1e-8)},
    "one kernel": {"float32": (1.5e-5,), "float64": (1.5e-7,)},  # of a step, as the engine has it for 1e-4 and 1e-6
}
CHECKED = 256  # trajectories compared with scipy's DOP853 at 1e-12
ROUNDS, ENOUGH = 5, 5.0  # the fastest of so many calls, or of what a few seconds allow
COMPILES = 25.0  # seconds that a contender may take on a card before it is warm

Solve = Callable[[Any, Any, Any], Any]  # (y0, k, rtol) -> (fields, tried steps or None)


def rows(tiny: bool) -> list[Row]:
    """A million trajectories first; then ten times as many, fewer, and a kernel that the library does not have."""
    sizes = {1: (64,)} if tiny else {0: (10**6,), 1: (10**7,), 2: (10**5, 10**4)}
    both = ("linbyol", "diffrax Tsit5, vmap")
    found = [
        Row(f"ensemble: {dtype}, {N} trajectories", rank, 30, partial(measured, dtype, N, both))
        for rank, many in sizes.items() for N in many for dtype in TARGETS
    ]  # fmt: skip
    N = 64 if tiny else 1 << 20
    return found + [
        Row(f"ensemble: one kernel, {dtype}", 2, 30, partial(measured, dtype, N, ("one kernel",), block=min(N, 128)))
        for dtype in (("float32",) if tiny else TARGETS)
    ]


def measured(dtype: str, N: int, names: tuple[str, ...], clock: Clock, keep: Keep, *, block: int = 128) -> Found:
    """One size and precision, contender after contender."""
    with jax.enable_x64(dtype == "float64"):
        y0, k = workload(N, dtype=np.dtype(dtype))
        part = slice(0, min(CHECKED, N))
        wide = lambda tree: type(tree)(*(np.asarray(x[part], np.float64) for x in tree))  # noqa: E731
        exact = dop853(wide(y0), wide(k))
        y0, k = jax.tree.map(jnp.asarray, (y0, k))
        ways: dict[str, Solve] = {
            "linbyol": under_jit,
            "diffrax Tsit5, vmap": diffrax_way,
            "one kernel": partial(in_blocks, block=block),
        }
        found: Found = {"trajectories": N, "dtype": dtype, "target_error": TARGETS[dtype], "contenders": {}}
        for name in names:
            if name != names[0] and not clock.has(COMPILES):
                found["contenders"][name] = {"status": clock.skipped()}
                continue
            solve = ways[name]
            rtols = SETTINGS[name][dtype]
            found["contenders"][name] = one = {"points": []}
            for point in points(solve, y0, k, rtols, exact, part, clock):
                one["points"].append(point)
                exact_enough = [p["seconds"] for p in one["points"] if p["error_max"] <= TARGETS[dtype]]
                one["per_second"] = N / min(exact_enough) if exact_enough else None
                keep(found)
        return found | compared(found["contenders"], dtype)


def compared(contenders: Found, dtype: str) -> Found:
    """What the goals ask for."""
    rates = {name: row.get("per_second") for name, row in contenders.items()}
    ours, theirs = rates.get("linbyol"), rates.get("diffrax Tsit5, vmap")
    goal = {"goal_per_second": GOALS[dtype], "goal_times_diffrax": 50}
    return goal | {"times_diffrax": ours / theirs if ours and theirs else None}


def points(
    solve: Solve, y0: Any, k: Any, rtols: tuple[float, ...], exact: np.ndarray, part: slice, clock: Clock
) -> Iterator[Found]:
    """Each tolerance of one compiled program: the fastest call, the errors of the first trajectories, the steps."""
    compiled = False
    for rtol in rtols:
        tolerance = jnp.asarray(rtol, y0[0].dtype)
        first, (y, steps) = timed(solve, y0, k, tolerance)
        best, spent = np.inf, 0.0
        for i in range(ROUNDS):
            if i > 1 and (spent > ENOUGH or not clock.has(2 * best)):
                break
            took, _ = timed(solve, y0, k, tolerance)
            best, spent = min(best, took), spent + took
        error = relative_error([np.asarray(x, np.float64) for x in take(y, part)], exact)
        row = {
            "rtol": rtol,
            "seconds": best,
            "trajectories_per_second": len(y0[0]) / best,
            "error_max": float(error.max()),
            "error_median": float(np.median(error)),
        }
        row |= {} if compiled else {"compile_seconds": max(first - best, 0.0)}
        if steps is not None:
            row |= {"steps_mean": float(jnp.mean(steps.astype(jnp.float32))), "steps_max": int(jnp.max(steps))}
        compiled = True
        yield row


def timed(solve: Solve, *arguments: Any) -> tuple[float, Any]:
    """Seconds of one call, finished, and what it returned."""
    began = time.perf_counter()
    found = jax.block_until_ready(solve(*arguments))
    return time.perf_counter() - began, found


@jax.jit
def under_jit(y0: Any, k: Any, rtol: Any) -> tuple[Any, Any]:
    """linbyol's engine, as a user's own jitted program calls it."""
    found = solve_amplitudes(y0, k, jnp.asarray(T1, rtol.dtype), rtol=rtol, atol=1e-6 * rtol)
    return found.y, found.steps + found.rejected


def diffrax_way(y0: Any, k: Any, rtol: Any) -> tuple[Any, None]:
    """diffrax, as its users write it."""
    return _tsit5(y0, k, rtol), None


_tsit5 = diffrax_vmap(diffrax.Tsit5())
