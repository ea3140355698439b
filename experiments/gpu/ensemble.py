"""Trajectories a second on a GPU: the reference workload in float32 and float64, several ways, as JSON.

    python -m experiments.gpu.ensemble --out gpu.json            # 2²² trajectories: some minutes
    python -m experiments.gpu.ensemble --tiny --out tiny.json    # the same code on a CPU, in a minute

It needs jax with CUDA, numpy, scipy, and the pure-Python packages that linbyol imports (diffrax, equinox, jaxtyping,
lineax, optimistix, wadler_lindig, typing_extensions), which may lie in any folder of PYTHONPATH. What fails is recorded
with its reason, and the rest goes on. This script sets float64 on and off itself.

Ways: `kernel` (one Pallas kernel, a block in registers from start to end, in the order given and sorted by stiffness),
`chunks` (linbyol.ensemble as it is), `lock-step` (one loop over all trajectories, each step fused by XLA), `diffrax`
(Tsit5 under vmap, on fewer trajectories). The fraction of peak counts the floating-point operations that XLA counts in
one step of one trajectory, times the steps taken, over the card's nominal peak.
"""

import argparse
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.bench.contenders import diffrax_vmap
from experiments.bench.workload import T1, dop853, relative_error, take, workload
from linbyol import claims
from linbyol.ensemble import lanes, solve_amplitudes
from linbyol.ensemble.lanes import Tolerance
from linbyol.ensemble.rosenbrock import METHODS
from linbyol.equations import amplitudes_flow
from linbyol.store import to_json, write_json

# Nominal peaks outside the tensor cores, operations a second: (float32, float64).
PEAKS = {"H200": (67e12, 34e12), "H100": (67e12, 34e12), "A100": (19.5e12, 9.7e12)}
RTOLS = {"float32": (1e-4, 1e-5, 2e-6), "float64": (1e-5, 1e-6, 1e-7)}  # of a step, in the kernel
CHECKED = 256  # trajectories compared with scipy's DOP853 at 1e-12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--trajectories", type=int, default=1 << 22)
    parser.add_argument("--block", type=int, nargs="+", default=[32, 64, 128, 256], help="lanes of one program")
    parser.add_argument(
        "--tiny", action="store_true", help="256 trajectories, kernels interpreted: a test of this script"
    )
    settings = parser.parse_args()
    N = 256 if settings.tiny else settings.trajectories
    blocks = [64] if settings.tiny else settings.block
    rows = []
    for name in ("float32", "float64"):
        with jax.enable_x64(name == "float64"):
            rows += measure(N, name, blocks, tiny=settings.tiny)
    record = {"workload": {"trajectories": N, "t1": T1}, "rows": rows, "environment": claims.environment()}
    if settings.out:
        write_json(settings.out, record)
    print(to_json(record))


def measure(N: int, dtype: str, blocks: list[int], *, tiny: bool) -> list[dict[str, Any]]:
    """All ways in one precision."""
    y0, k = workload(N, dtype=np.dtype(dtype))
    part = slice(0, 8 if tiny else CHECKED)
    wide = lambda tree: type(tree)(*(np.asarray(x[part], np.float64) for x in tree))  # noqa: E731
    exact = dop853(wide(y0), wide(k))
    t1 = np.full(N, T1, dtype)
    operations = count_operations(dtype)
    rows = []

    def row(way: str, solve: Callable[[Any, Any, Any], tuple[Any, Any]], number: int = N, **settings: Any) -> None:
        """One measurement; `order` undone by the caller. solve gives (y, accepted steps or None)."""
        some = slice(0, number)
        arguments = jax.device_put((take(y0, some), take(k, some), t1[some]))
        about = {"way": way, "dtype": dtype, "trajectories": number, **settings}
        try:
            first, (y, steps) = seconds(solve, *arguments)
            best = min(seconds(solve, *arguments)[0] for _ in range(1 if tiny else 5))
        except Exception as error:  # noqa: BLE001 - whatever fails on this card is a result
            traceback.print_exc()
            rows.append(
                about | {"failed": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
            )
            return
        error = relative_error([np.asarray(leaf, np.float64)[part] for leaf in y], exact)
        about |= {
            "compile_seconds": first - best,
            "seconds": best,
            "per_second": number / best,
            "error_max": float(error.max()),
            "error_median": float(np.median(error)),
        }
        if steps is not None:
            rate = float(np.asarray(steps, np.float64).sum()) * operations / best
            about |= {
                "steps_mean": float(np.mean(steps)),
                "operations_per_second": rate,
                "of_peak": of_peak(rate, dtype),
            }
        rows.append(about)

    for rtol in RTOLS[dtype][:1] if tiny else RTOLS[dtype]:
        for block in blocks:
            row("kernel", kernel(rtol, block, tiny), rtol=rtol, block=block)
            row("kernel, sorted", in_order(kernel(rtol, block, tiny)), rtol=rtol, block=block)
        row("lock-step", lock_step(rtol), rtol=rtol)
        row("chunks", chunks(max(rtol, 1e-6) if dtype == "float32" else rtol, N), rtol=rtol)
        few = min(N, 1 << 16)
        tsit5 = diffrax_way(rtol)
        row("diffrax Tsit5, vmap", tsit5, few, rtol=rtol)
    return rows


def kernel(rtol: float, block: int, interpret: bool) -> Callable:
    """One Pallas kernel."""
    from experiments.gpu.kernel import solve_in_blocks

    def solve(y0: Any, k: Any, t1: Any) -> Any:
        tol = Tolerance(*(jnp.asarray(x, t1.dtype) for x in (rtol, 1e-6 * rtol)))
        found = solve_in_blocks(y0, k, t1, tol, block=block, interpret=interpret)
        return found.y, found.steps

    return solve


def in_order(solve: Callable) -> Callable:
    """The same with trajectories sorted by their stiffness, so that a block's lanes end together; sorting is timed."""

    @jax.jit
    def order(y0: Any, k: Any) -> Any:
        return jnp.argsort(k.alpha_p * (y0.w * y0.w) + y0.wp * y0.wp)

    def sorted_solve(y0: Any, k: Any, t1: Any) -> Any:
        index = order(y0, k)
        y, steps = solve(take(y0, index), take(k, index), t1[index])
        back = jnp.argsort(index)
        return take(y, back), steps[back]

    return sorted_solve


def lock_step(rtol: float) -> Callable:
    """One loop over all trajectories, under jit."""
    solve = jax.jit(lambda y0, k, t1: solve_amplitudes(y0, k, t1, rtol=max(rtol, 1e-6), atol=1e-6 * rtol))

    def run(y0: Any, k: Any, t1: Any) -> Any:
        found = solve(y0, k, t1)
        return found.y, found.steps

    return run


def chunks(rtol: float, N: int) -> Callable:
    """linbyol.ensemble, in chunks that fill the card."""

    def run(y0: Any, k: Any, t1: Any) -> Any:
        found = solve_amplitudes(y0, k, t1, rtol=rtol, atol=1e-6 * rtol, chunk=N)
        return found.y, found.steps

    return run


def diffrax_way(rtol: float) -> Callable:
    """diffrax under vmap."""
    import diffrax

    solve = diffrax_vmap(diffrax.Tsit5())
    return lambda y0, k, t1: (solve(y0, k, rtol), None)


def seconds(f: Callable, *arguments: Any) -> tuple[float, Any]:
    """Time of one call, finished, and what it returned."""
    began = time.perf_counter()
    found = jax.block_until_ready(f(*arguments))
    return time.perf_counter() - began, found


def count_operations(dtype: str) -> float:
    """Floating-point operations of one step of one trajectory, as XLA counts them."""
    y0, k = (jax.tree.map(lambda x: jnp.asarray(x[0]), tree) for tree in workload(1, dtype=np.dtype(dtype)))
    tol = Tolerance(jnp.asarray(1e-6, dtype), jnp.asarray(1e-12, dtype))
    lane = lanes.start(amplitudes_flow, {}, y0, k, jnp.asarray(T1, dtype), tol)
    step = lambda lane: lanes.advance(METHODS["rodas5p"], amplitudes_flow, {}, lane, None, tol, 10_000)  # noqa: E731
    cost = jax.jit(step).lower(lane).cost_analysis()
    return float((cost[0] if isinstance(cost, list) else cost).get("flops", np.nan))


def of_peak(rate: float, dtype: str) -> float | None:
    """The rate over the card's nominal peak, where that is known."""
    card = jax.devices()[0].device_kind
    peak = next((peaks for name, peaks in PEAKS.items() if name in card), None)
    return None if peak is None else rate / peak[dtype == "float64"]


if __name__ == "__main__":
    main()
