"""Many settings of one mode followed at once: what the claims on observations, EMA and figures share."""

from typing import Any, NamedTuple

import jax
import numpy as np

from linbyol.equations import Amplitudes, Isotropic, Modes, amplitudes_flow, hold, mode_alignment_rate, modes_flow
from linbyol.equations.combinators import Flow
from theory.proving import solves

LANES = 64  # random numbers of a claim are drawn for so many settings
RTOL, ATOL = 1e-8, 1e-10
CLOCK = np.append(0, np.geomspace(1e-5, 1, 800))  # times of a trajectory over t1: 0, then 1.5 % apart

fixed_target = hold(modes_flow, "tau")  # (p, s) at constant tau; tau = 1 is SimSiam


class Paths(NamedTuple):
    """Solved settings as NumPy arrays: what is computed from them afterwards is too small to compile."""

    ts: np.ndarray  # (N, t)
    ys: Modes | Amplitudes  # leaves (N, t)
    k: Isotropic  # leaves (N, 1)

    @property
    def modes(self) -> Modes:
        """(p, s, tau); tau = wa/w is not finite at w = 0."""
        if isinstance(self.ys, Modes):
            return self.ys
        w, wp, wa = self.ys
        return Modes(p=wp, s=w * w, tau=wa / w)

    @property
    def end(self) -> np.ndarray:
        """(N,) p at the last time."""
        return self.modes.p[:, -1]

    @property
    def least_alignment_rate(self) -> np.ndarray:
        """(N,) inf over time of K_j, Eq. 17."""
        return mode_alignment_rate(self.modes, self.k).min(axis=1)

    def arrival(self, level: Any) -> np.ndarray:
        """(N,) first time at which p rises through the level, by a straight line between times; inf if never."""
        return np.array([first_crossing(t, p - x) for t, p, x in zip(self.ts, self.modes.p, level, strict=True)])


def follow(
    flow: Flow,
    p: Any,
    s: Any,
    t1: Any,
    *,
    alpha_p: Any = 1,
    beta: Any = 0,
    eta: Any = 0,
    sigma2: Any = 0.25,
    tau: Any = 1,
) -> Paths:
    """N settings (broadcast) from (p, s, tau) to t1; κ = 1.25 unless said.

    flow  `fixed_target` and `modes_flow` move Modes, `amplitudes_flow` Amplitudes with w(0) = +√s, Wa(0) = tau W(0).
    """
    columns = np.broadcast_arrays(*map(np.atleast_1d, (p, s, t1, alpha_p, beta, eta, sigma2, tau)))
    p, s, t1, *constants = (a * 1.0 for a in columns)
    k = Isotropic(*constants)
    y0 = Amplitudes(np.sqrt(s), p, k.tau * np.sqrt(s)) if flow is amplitudes_flow else Modes(p, s, k.tau)
    ys = solves.together(flow, y0, k, t1, CLOCK, RTOL, ATOL)
    return Paths(np.outer(t1, CLOCK), jax.tree.map(np.transpose, ys), jax.tree.map(lambda a: a[:, None], k))


def first_crossing(ts: np.ndarray, x: np.ndarray) -> float:
    """The first time at which x changes its sign, by a straight line between times; inf if it never does."""
    change = np.flatnonzero(np.sign(x[1:]) * np.sign(x[:-1]) < 0)
    if change.size == 0:
        return np.inf
    i = change[0]
    return float(ts[i] + x[i] / (x[i] - x[i + 1]) * (ts[i + 1] - ts[i]))


def grid(*axes: Any) -> list[np.ndarray]:
    """All combinations of the axes' values as columns (N,), the last axis fastest."""
    return [a.reshape(-1) for a in np.meshgrid(*axes, indexing="ij")]


def uniforms(seed: int, number: int) -> np.ndarray:
    """(8, 64) random numbers in [0, 1) that belong to one claim."""
    return np.random.default_rng([seed, number]).uniform(size=(8, LANES))


def between(low: Any, high: Any, u: np.ndarray) -> np.ndarray:
    """Uniform numbers of [0, 1) brought to [low, high)."""
    return low + (high - low) * u
