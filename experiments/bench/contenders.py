"""Who can solve the reference workload, each in the form its users would write: y0, k, tolerance in, states at t1 out.

A loop of scipy takes a sample of the trajectories, and says how many.
"""

import copy
import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from experiments.bench.workload import T1, dop853
from linbyol.ensemble import solve_amplitudes
from linbyol.equations import Amplitudes, Commuting, Isotropic, amplitudes_flow
from linbyol.machine import cores

FLOOR = 1e-12  # absolute tolerance in units of the relative one: fields fall to 1e-10, and errors are relative

Solve = Callable[[Any, Any, float], Any]  # (y0, k, rtol) -> fields, each (N,)


class Contender(NamedTuple):
    """A way to solve the workload, and the settings at which it is measured, loose to tight."""

    name: str
    solve: Solve
    settings: tuple[float, ...]  # rtol, or the number of steps
    sample: int  # at most so many trajectories; the time a trajectory is what counts
    needs: str = ""  # a package that may be missing

    def missing(self) -> str:
        """Why it cannot run here; empty if it can."""
        if self.needs and importlib.util.find_spec(self.needs) is None:
            return f"{self.needs} is not installed"
        return ""


def ensemble(y0: Any, k: Any, rtol: float) -> Any:
    """This library's engine."""
    return solve_amplitudes(y0, k, T1, rtol=rtol, atol=FLOOR * rtol).y


def diffrax_vmap(solver: diffrax.AbstractSolver) -> Solve:
    """diffrax, one adaptive solve under vmap and jit: the last state alone, no exceptions inside."""

    @jax.jit
    def solve(y0: Any, k: Any, rtol: Any) -> Any:
        def one(y0: Any, k: Any) -> Any:
            return diffrax.diffeqsolve(
                diffrax.ODETerm(lambda t, y, k: amplitudes_flow(y, k)),
                solver,
                0.0,
                T1,
                None,
                y0,
                k,
                saveat=diffrax.SaveAt(t1=True),
                stepsize_controller=diffrax.PIDController(rtol=rtol, atol=FLOOR * rtol),
                max_steps=None,
                adjoint=diffrax.ForwardMode(),
                throw=False,
            ).ys

        return jax.tree.map(lambda x: x[:, 0], jax.vmap(one)(y0, k))

    return lambda y0, k, rtol: jax.block_until_ready(solve(y0, k, jnp.asarray(rtol)))


def scipy_loop(method: str) -> Solve:
    """scipy's solve_ivp, one trajectory after the other."""
    return lambda y0, k, rtol: dop853(y0, k, method=method, rtol=rtol, atol=FLOOR * rtol).T


def numpy_rk4(y0: Any, k: Any, steps: float) -> Any:
    """The classical Runge-Kutta method with fixed steps, all trajectories in NumPy arrays."""
    h, y = T1 / steps, y0
    move = lambda y, v, h: type(y)(*(a + h * b for a, b in zip(y, v, strict=True)))  # noqa: E731
    with np.errstate(all="ignore"):  # too long a step blows up, and is measured as such
        for _ in range(int(steps)):
            a = amplitudes_flow(y, k)
            b = amplitudes_flow(move(y, a, h / 2), k)
            c = amplitudes_flow(move(y, b, h / 2), k)
            d = amplitudes_flow(move(y, c, h), k)
            y = type(y)(*(x + h / 6 * (p + 2 * q + 2 * r + s) for x, p, q, r, s in zip(y, a, b, c, d, strict=True)))
    return y


def torchdiffeq_batch(y0: Any, k: Any, rtol: float) -> Any:
    """torchdiffeq's dopri5 on the CPU: one step size for the whole batch."""
    import torch
    import torchdiffeq

    tensors = lambda tree: type(tree)(*(torch.as_tensor(np.asarray(x)) for x in tree))  # noqa: E731
    constants, kind = tensors(k), type(y0)
    rate = lambda t, y: tuple(amplitudes_flow(kind(*y), constants))  # noqa: E731
    times = torch.tensor([0.0, T1], dtype=torch.float64)
    with torch.no_grad():
        found = torchdiffeq.odeint(rate, tuple(tensors(y0)), times, rtol=rtol, atol=FLOOR * rtol, method="dopri5")
    return [x[-1].numpy() for x in found]


def numba_flow() -> Any:
    """The same equations compiled by numba, which takes constants whose eigenvalues are fields, not properties."""
    import numba

    return numba.njit(amplitudes_flow)


def numbalsoda_loop(y0: Any, k: Any, rtol: float) -> Any:
    """numbalsoda's LSODA on rates compiled by numba, in a Python loop."""
    import numba
    import numbalsoda

    flow, times = numba_flow(), np.array([0, T1])

    @numba.cfunc(numbalsoda.lsoda_sig)
    def rate(t, y, dy, p):
        v = flow(Amplitudes(y[0], y[1], y[2]), Commuting(p[0], p[1], p[2], p[3], p[4]))
        dy[0], dy[1], dy[2] = v.w, v.wp, v.wa

    constants = np.broadcast_arrays(k.alpha_p, k.beta, k.eta, k.lambda_d, k.lambda_s)
    found = []
    for start, p in zip(np.stack(y0, axis=-1), np.stack(constants, axis=-1), strict=True):
        ys, _ = numbalsoda.lsoda(rate.address, start, times, p, rtol=rtol, atol=FLOOR * rtol)
        found.append(ys[-1])
    return np.array(found).T


def heyoka_threads(y0: Any, k: Any, rtol: float) -> Any:
    """heyoka's Taylor integrator: batches of the processor's width, one integrator a core, each in its thread."""
    import heyoka

    state = Amplitudes(*heyoka.make_vars("w", "wp", "wa"))
    rate = amplitudes_flow(state, Isotropic(*(heyoka.par[i] for i in range(4))))
    width, hands = heyoka.recommended_simd_size(), cores()
    starts, constants = np.array(y0), np.array(k[:4])
    found = np.empty_like(starts)
    blank = np.ones((3, width)), np.ones((4, width))
    first = heyoka.taylor_adaptive_batch(list(zip(state, rate, strict=True)), blank[0], pars=blank[1], tol=rtol)

    def work(hand: int, integrator: Any) -> None:
        for start in range(hand * width, starts.shape[1], hands * width):
            part = slice(start, start + width)
            size = starts[:, part].shape[1]
            integrator.set_time(0.0)
            integrator.state[:, :size], integrator.pars[:, :size] = starts[:, part], constants[:, part]
            integrator.propagate_until(T1)
            found[:, part] = integrator.state[:, :size]

    with ThreadPoolExecutor(hands) as threads:
        list(threads.map(work, range(hands), [copy.deepcopy(first) for _ in range(hands)]))
    return found


TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


def contenders(full: bool) -> list[Contender]:
    """All of them; a quick run leaves out what takes long to compile, and tight settings."""
    tolerances = TOLERANCES if full else TOLERANCES[1:]
    steps = (1_000.0, 2_000.0, 4_000.0, 8_000.0) if full else (2_000.0, 4_000.0)  # fewer blow up
    everybody = [
        Contender("linbyol", ensemble, tolerances, 1_000_000),
        Contender("diffrax Tsit5, vmap", diffrax_vmap(diffrax.Tsit5()), tolerances, 1_000_000),
        Contender("scipy LSODA, loop", scipy_loop("LSODA"), tolerances, 64),
        Contender("scipy RK45, loop", scipy_loop("RK45"), tolerances, 64),
        Contender("NumPy RK4", numpy_rk4, steps, 1024 if full else 256),
        Contender("torchdiffeq dopri5, batch", torchdiffeq_batch, tolerances, 4096, "torchdiffeq"),
        Contender("heyoka, batches in threads", heyoka_threads, tolerances, 1_000_000, "heyoka"),
        Contender("numbalsoda, loop", numbalsoda_loop, tolerances, 1024, "numbalsoda"),
    ]
    if full:
        everybody[2:2] = [Contender("diffrax Kvaerno5, vmap", diffrax_vmap(diffrax.Kvaerno5()), tolerances[:4], 2048)]
    return everybody
