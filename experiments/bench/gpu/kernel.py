"""The ensemble as one GPU kernel: a block of trajectories runs in registers from its start to its end.

`lanes.start` and `lanes.advance` as everywhere, on a block's arrays instead of scalars: nothing is written twice. It is
a trial: the library does not have it, and what it would bring is measured beside the library.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jaxtyping import Array, Float, Int

from experiments.bench.workload import T1
from linbyol.ensemble import lanes
from linbyol.ensemble.lanes import Tolerance
from linbyol.ensemble.rosenbrock import METHODS
from linbyol.equations import Amplitudes, Isotropic, amplitudes_flow

MOST = 10_000  # steps tried


class Outcome(NamedTuple):
    """States at t1, steps accepted, and whether t1 was reached (1 or 0)."""

    y: Amplitudes
    steps: Int[Array, " N"]
    ok: Int[Array, " N"]


@partial(jax.jit, static_argnames=("method", "block", "interpret"))
def solve_in_blocks(
    y0: Amplitudes, k: Isotropic, t1: Float[Array, " N"], tol: Tolerance, *, method: str = "rodas5p", block: int = 128,
    interpret: bool = False,
) -> Outcome:  # fmt: skip
    """All trajectories; N a multiple of `block`, the lanes of one program, which ends with its slowest."""
    N, dtype = t1.shape[0], t1.dtype
    leaves, tree = jax.tree.flatten((y0, k, t1))

    def kernel(*refs: Any) -> None:
        inputs, outputs = refs[: len(leaves) + 2], refs[len(leaves) + 2 :]
        *values, rtol, atol = (ref[...] for ref in inputs)
        y, constants, end = jax.tree.unflatten(tree, values)
        tolerance = Tolerance(rtol, atol)
        now = lanes.start(amplitudes_flow, {}, y, constants, end, tolerance)
        packed, shape = jax.tree.flatten(now._replace(k=None, failed=now.failed.astype(jnp.int32), stiff=None))

        def unpack(packed: Any) -> lanes.Lane:
            lane = jax.tree.unflatten(shape, packed)
            return lane._replace(k=constants, failed=lane.failed != 0)

        def under_way(packed: Any) -> Any:
            return jnp.max(lanes.unfinished(unpack(packed)).astype(jnp.int32)) > 0

        def step(packed: Any) -> Any:
            lane = lanes.advance(METHODS[method], amplitudes_flow, {}, unpack(packed), None, tolerance, MOST)
            return jax.tree.leaves(lane._replace(k=None, failed=lane.failed.astype(jnp.int32)))

        end_state = unpack(lax.while_loop(under_way, step, packed))
        ok = (~end_state.failed & (end_state.t >= end)).astype(jnp.int32)
        for ref, value in zip(outputs, (*end_state.y, end_state.steps, ok), strict=True):
            ref[...] = value

    lane = pl.BlockSpec((block,), lambda i: (i,))
    shapes = [jax.ShapeDtypeStruct((N,), d) for d in (dtype, dtype, dtype, jnp.int32, jnp.int32)]
    # Tolerances travel as lanes too: a kernel may not close over traced numbers.
    tolerances = [jnp.full(N, x, dtype) for x in tol]
    w, wp, wa, steps, ok = pl.pallas_call(
        kernel,
        out_shape=shapes,
        grid=(N // block,),
        in_specs=[lane] * (len(leaves) + 2),
        out_specs=[lane] * 5,
        interpret=interpret,
        **_settings(interpret, block),
    )(*leaves, *tolerances)
    return Outcome(Amplitudes(w, wp, wa), steps, ok)


def in_blocks(y0: Amplitudes, k: Isotropic, rtol: Any, *, block: int) -> tuple[Amplitudes, Array]:
    """The reference workload, sorted by stiffness so that a block's lanes end together: fields, and steps accepted."""
    return _sorted(y0, k, rtol, block, jax.default_backend() == "cpu")


@partial(jax.jit, static_argnums=(3, 4))
def _sorted(y0: Amplitudes, k: Isotropic, rtol: Any, block: int, interpret: bool) -> tuple[Amplitudes, Array]:
    index = jnp.argsort(k.alpha_p * (y0.w * y0.w) + y0.wp * y0.wp)
    y, constants = jax.tree.map(lambda x: x[index], (y0, k))
    tol = Tolerance(rtol, 1e-9 * rtol)  # as the engine's steps have it for atol = 1e-6 rtol
    found = solve_in_blocks(y, constants, jnp.full_like(y.w, T1), tol, block=block, interpret=interpret)
    back = jnp.argsort(index)
    return jax.tree.map(lambda x: x[back], found.y), found.steps[back]


def _settings(interpret: bool, block: int) -> dict[str, Any]:
    """One lane a thread, through Triton, which takes kernels of this form."""
    if interpret:
        return {}
    return {"compiler_params": triton.CompilerParams(num_warps=max(1, block // 32), num_stages=1)}
