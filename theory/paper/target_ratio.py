"""Assumption 1, Wa = tau W: one tau a mode, not one for all, not bounded by 1, and not always finite.

κ = 1.25 and α_p = 1 in the printed numbers.
"""

from functools import cache
from typing import Any

import jax
import numpy as np

from linbyol.assumptions import from_modes, reduced, to_modes
from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Constants, Modes, amplitudes_flow, modes_flow, weights_flow
from linbyol.extremes import every, largest
from theory.proving import solves
from theory.proving.instances import orthogonal
from theory.proving.mode_runs import between, first_crossing, follow, uniforms


@cache
def proportionality(seed: int) -> dict[str, Any]:
    """An aligned instance of the full flow, Wa(0) = W(0): tau of each mode, and what is left of Wa - tau W.

    turned: the largest off-diagonal entry of Wp and F in the eigenbasis of the start; moved: of Wp's diagonal.
    """
    a, b = jax.random.split(jax.random.fold_in(jax.random.key(seed), 16))
    d, n, u = 3, 5, uniforms(seed, 16)[:, :3]
    U, V = orthogonal(a, d), orthogonal(b, n)[:, :d]
    y0 = from_modes(Modes(between(0.1, 0.7, u[0]), between(0.1, 0.9, u[1]), np.ones(d)), U, V)
    k = Constants(1.0, 0.3, 0.02, np.eye(n), between(0.1, 0.5, u[2, 0]) * np.eye(n))
    solved = solves.follow(weights_flow, y0, k, np.linspace(0, 12, 25))
    modes = jax.jit(jax.vmap(lambda y: to_modes(y, k, U)))
    tau, best = np.asarray(modes(solved.ys).tau), solved.map(lambda y, k: reduced(y, k).tau)  # best: least squares
    W, Wp, Wa = solved.ys
    U = np.asarray(U)
    rows, rows_a = U.T @ W, U.T @ Wa
    size = np.linalg.norm(Wa, axis=(1, 2))
    Wp, F = (U.T @ M @ U for M in (Wp, W @ np.swapaxes(W, 1, 2)))
    off = 1 - np.eye(d)
    return {
        "spread": np.ptp(tau, axis=1).max(),
        "one": (np.linalg.norm(Wa - best[:, None, None] * W, axis=(1, 2)) / size).max(),
        "turned": largest(np.abs(off * Wp).max(), np.abs(off * F).max()),
        "moved": np.abs(Wp[-1] - Wp[0]).max(),
        "each": (np.linalg.norm(rows_a - tau[:, :, None] * rows, axis=(1, 2)) / size).max(),
    }


@claim(
    "B16",
    title="One scalar tau cannot hold for several modes",
    statement="From Wa = W the ratios tau_j = <wa_j, w_j>/<w_j, w_j> of aligned modes become different.",
    source="derived; Assumption 1",
    kind="numeric",
)
def ratios_differ(run: Run) -> Verdict:
    found = proportionality(run.seed)
    return holds_if(
        found["spread"] > 1e-3, largest_spread_of_tau=found["spread"], one_tau_leaves=found["one"]
    )  # 1e-3: 10⁶ times the integrator's error


@claim(
    "B105",
    title="Erratum (g): one tau for all modes",
    statement="As printed: Wa(t) = tau(t) W(t) with one scalar tau, which the flow keeps.",
    source="Assumption 1",
    kind="numeric",
    expected="fails",
)
def one_tau(run: Run) -> Verdict:
    found = proportionality(run.seed)
    return holds_if(found["one"] < 1e-8, relative_residual=found["one"])


@claim(
    "B105c",
    title="Erratum (g), corrected: one tau a mode",
    statement="For aligned modes Wa = tau_j W holds in each mode j, with its own tau_j(t).",
    source="derived; Assumption 1",
    kind="numeric",
)
def one_tau_a_mode(run: Run) -> Verdict:
    found = proportionality(run.seed)  # 1e-8: 100 × rtol, since a row may be ten times smaller than Wa
    return holds_if(found["each"] < 1e-8, relative_residual=found["each"])


@cache
def collapsing_ratio(seed: int) -> dict[str, Any]:
    """tau of collapsing modes: the printed one, random ones with β > η, and two with β ≤ η."""
    u = uniforms(seed, 17)[:, :8]
    eta = np.concatenate([[0.1], between(0.05, 0.2, u[0]), [0.1, 0.1]])
    beta = np.concatenate([[0.3], eta[1:9] * between(1.5, 4, u[1]), [0.05, 0.1]])
    p = np.concatenate([[0.02], between(0.001, 0.02, u[2]), [0.02, 0.02]])
    t1 = np.concatenate([[60.0], 25 / (beta - eta)[1:9].clip(None, 0.1), [100.0, 100.0]])
    t1[1:9] = np.maximum(t1[1:9], 25 / eta[1:9])
    paths = follow(modes_flow, p, p**2, t1, beta=beta, eta=eta, sigma2=0.0)
    return {"end": paths.modes.tau[:, -1], "limit": beta[:9] / (beta - eta)[:9], "middle": paths.modes.tau[-2:, -50]}


@claim(
    "B17",
    title="tau is not bounded by 1",
    statement="In a collapsing mode tau tends to β/(β - η) where β > η, and grows without bound where β ≤ η.",
    source="derived; Assumption 1",
    kind="numeric",
)
def ratio_of_a_collapsing_mode(run: Run) -> Verdict:
    found = collapsing_ratio(run.seed)
    end, limit = found["end"], found["limit"]
    error = np.abs(end[1:9] / limit[1:] - 1).max()
    unbounded = every(end[-2:] > 1.5 * found["middle"]) and every(end[-2:] > 5)
    # the printed one stops at t = 60, where p = 5e-5 still moves tau; the others at e^-25, with 1e-6 = 100 × rtol
    return holds_if(
        abs(end[0] - 1.4985) < 5e-5 and error < 1e-6 and unbounded,
        tau_at_60=end[0],
        limit=limit[0],
        largest_relative_error=error,
        tau_at_100_for_beta_below_and_at_eta=end[-2:],
    )


@cache
def crossings() -> dict[str, Any]:
    """From p₀ = -0.1, Wa(0) = W(0), η = 0.05: where w changes its sign; s₀ = 0.005 (c < 0), then 0.02 (c > 0)."""
    s = np.array([0.005, 0.005, 0.005, 0.005, 0.02])
    beta = np.array([0.1, 0.02, 0.4, 2.0, 0.1])
    paths = follow(amplitudes_flow, -0.1, s, 300.0, beta=beta, eta=0.05)
    w, wp, wa = paths.ys
    before = paths.ts < 60  # later all amplitudes are below what the integrator resolves
    times = np.array([first_crossing(t[m], x[m]) for t, x, m in zip(paths.ts, w, before, strict=True)])
    at = [
        np.interp(time, t, x) if np.isfinite(time) else np.nan for time, t, x in zip(times, paths.ts, wa, strict=True)
    ]
    size = largest(np.abs(a) for a in paths.ys)
    return {"beta": beta, "times": times, "target": np.array(at), "largest": size, "p_max": wp.max(axis=1)}


@claim(
    "B18",
    title="tau can blow up in finite time",
    statement="For p₀ < 0, c < 0 and a slow EMA the amplitude w crosses 0 where wa does not: tau = wa/w diverges.",
    source="derived; Assumption 1",
    kind="numeric",
)
def ratio_blows_up(run: Run) -> Verdict:
    found = crossings()
    times, target = found["times"], found["target"]
    printed = np.abs(times[:2] - [17.6, 12.7]).max() < 0.05  # the printed digits
    return holds_if(
        printed
        and every(np.isinf(times[2:]))
        and every(np.abs(target[:2]) > 1e-3)
        and found["largest"] < 1
        and found["p_max"][-1] > 0,
        seeds=(),
        beta=found["beta"],
        time_of_blow_up=times,
        wa_at_that_time=target[:2],
        largest_amplitude=found["largest"],
        largest_p=found["p_max"],
    )
