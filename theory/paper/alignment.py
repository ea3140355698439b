"""Theorem 3 in use: when the commutator [F, Wp] grows, by how much, and why it vanishes in the end (Figs. 8 and 9)."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import simpson

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import (
    Isotropic,
    Modes,
    Symmetric,
    alignment_rate,
    commutator,
    mode_alignment_rate,
    symmetric_flow,
)
from linbyol.extremes import every, largest, least
from linbyol.integrate import integrate
from theory.proving.mode_runs import between, uniforms
from theory.proving.skew_runs import Runs, runs, size

ETAS, TAUS = (0.0, 0.01, 0.1), (1.0, 0.5, 0.2)
SIZE, KAPPA, STARTS = 6, 1.2, 3
PERTURBATION = 1e-8


@cache
def commutators(seed: int) -> dict[str, Any]:
    """Eq. 7 from three small random Wp and small F (as Fig. 9), for 3 η × 3 τ; three perturbed aligned pairs, τ = 1.

    peak and end of |[F, Wp]| over its start and the least eigenvalue of K on the way: (starts, η, τ).
    """
    a, b, c = jax.random.split(jax.random.fold_in(jax.random.key(seed), 24), 3)
    u = uniforms(seed, 24)[:, : STARTS * SIZE].reshape(-1, STARTS, SIZE)
    D, G, H = (np.asarray(jax.random.normal(key, (STARTS, SIZE, SIZE))) for key in (a, b, c))
    both = lambda M: M + np.swapaxes(M, 1, 2)  # noqa: E731
    Q = np.linalg.qr(D)[0]
    start = Symmetric(Wp=0.03 * both(G) / 2, F=Q * between(0.01, 0.03, u[0])[:, None] @ np.swapaxes(Q, 1, 2))
    off, diagonal = PERTURBATION * both(H) * (1 - np.eye(SIZE)), lambda a: a[:, :, None] * np.eye(SIZE)
    aligned = Symmetric(Wp=diagonal(between(0.02, 0.2, u[1])), F=diagonal(between(0.01, 0.03, u[2])) + off)
    N = STARTS * len(ETAS) * len(TAUS)
    y0 = jax.tree.map(lambda y, z: np.concatenate([np.repeat(y, N // STARTS, axis=0), z]), start, aligned)
    eta = np.append(np.tile(np.repeat(ETAS, 3), STARTS), np.zeros(STARTS))
    tau = np.append(np.tile(TAUS, 3 * STARTS), np.ones(STARTS))
    k = Isotropic(np.ones(eta.size), np.zeros(eta.size), eta, np.full(eta.size, KAPPA - 1), tau)
    ys, L, K, ok = jax.tree.map(np.asarray, _solve(y0, k))
    if not every(ok):
        raise RuntimeError("A trajectory did not reach its last time.")
    ratio, lowest = (size(L) / size(L)[:, :1])[:N], np.linalg.eigvalsh(K[:N]).min(axis=(1, 2))
    table = {"peak": ratio.max(axis=1), "end": ratio[:, -1], "least": lowest}
    perturbed = jax.tree.map(lambda a: a[N:], {"ys": ys, "L": L, "k": k})
    return {name: column.reshape(STARTS, 3, 3) for name, column in table.items()} | perturbed


@jax.jit
def _solve(y0: Symmetric, k: Isotropic) -> Any:
    def solve(y: Symmetric, k: Isotropic) -> Any:
        # atol far below the perturbation, so that its own relative error is rtol
        solution = integrate(symmetric_flow, y, k, jnp.linspace(0, 60, 601), rtol=1e-11, atol=1e-20)
        return solution.ys, solution.map(commutator, k), solution.map(alignment_rate, k), solution.ok

    return jax.vmap(solve)(y0, k)


@claim(
    "B24",
    title="The commutator can grow where K < 0",
    statement="From a small start |[F, Wp]| grows at large τ and small η, and only where K is negative on the way.",
    source="Fig. 9; after Theorem 3",
    kind="numeric",
)
def commutator_grows(run: Run) -> Verdict:
    found = commutators(run.seed)
    peak, lowest = found["peak"], found["least"]
    grows = peak > 1 + 1e-9
    return holds_if(
        every(peak[:, :2, 0] > 1.05)
        and every(peak[:, 2] <= 1 + 1e-9, peak[:, :, 2] <= 1 + 1e-9)
        and every(lowest[grows] < 0),
        eta=ETAS,
        tau=TAUS,
        peak_by_eta_then_tau=peak,
        least_eigenvalue_of_K=lowest,
    )


@claim(
    "B119",
    title="Figure 9: the commutator decays, after shooting up for small η or large τ",
    statement="|[F, Wp]| ends below its start; its peak, where it is above the start, rises with τ and falls with η.",
    source="Fig. 9",
    kind="numeric",
)
def figure_9(run: Run) -> Verdict:
    found = commutators(run.seed)
    peak, end = found["peak"], found["end"]
    by_eta, by_tau = -np.diff(peak, axis=1), -np.diff(peak, axis=2)  # η rises along the rows, τ falls along the columns
    return holds_if(
        every(by_eta >= -1e-9, by_tau >= -1e-9)
        and every(by_eta[peak[:, :2] > 1 + 1e-9] > 1e-3, by_tau[peak[:, :, :2] > 1 + 1e-9] > 1e-3)
        and every(end < 1),
        eta=ETAS,
        tau=TAUS,
        peak_by_eta_then_tau=peak,
        commutator_at_60=end,
    )


@claim(
    "B143",
    title="Where K < 0 an aligned pair is unstable",
    statement="A perturbation of an aligned pair grows as Theorem 3 says: L_ij(t) = L_ij(0) exp(-∫ (K_i + K_j) dt').",
    source="after Theorem 3",
    kind="numeric",
)
def unstable_alignment(run: Run) -> Verdict:
    found = commutators(run.seed)
    growth, gaps, lowest = [], [], []
    for i in range(STARTS):
        Wp, F, L, k = jax.tree.map(lambda a, i=i: a[i], (found["ys"].Wp, found["ys"].F, found["L"], found["k"]))
        p, s = (np.diagonal(M, axis1=1, axis2=2) for M in (Wp, F))
        K = mode_alignment_rate(Modes(p, s, k.tau), k)  # (t, d)
        top = int(size(L).argmax())
        if top < 2:
            return holds_if(False, note="The perturbation did not grow.")
        lost = simpson(K[: top + 1], dx=60 / 600, axis=0)
        predicted = L[0] * np.exp(-(lost[:, None] + lost[None, :]))
        gaps.append(np.abs(L[top] - predicted).max() / size(predicted))
        growth.append(size(L[top]) / size(L[0]))
        lowest.append(K[0].min())
    # 1e-6: terms of second order in the perturbation (1e-7 of it) and Simpson's rule at steps of 0.1
    return holds_if(
        largest(gaps) < 1e-6 and least(growth) > 1.5 and largest(lowest) < 0,
        growth=growth,
        largest_gap_of_an_entry=gaps,
        least_K_at_the_start=lowest,
    )


def first_rates(group: Runs) -> np.ndarray:
    """(N,) the least eigenvalue of K at the first time, on the symmetric part of Wp."""
    k = jax.tree.map(lambda a: np.reshape(a, len(a)), group.k)
    K = jax.vmap(alignment_rate)(Symmetric(group.A[:, 0], group.ys.F[:, 0]), k)
    return np.linalg.eigvalsh(np.asarray(K)).min(axis=1)


def relative_commutator(y: Symmetric) -> np.ndarray:
    """|[F, Wp]| / (|F| |Wp|)."""
    return size(y.F @ y.Wp - y.Wp @ y.F) / (size(y.F) * size(y.Wp))


@claim(
    "B70",
    title="Without symmetrisation alignment needs no condition on K",
    statement="With weight decay Eqs. 62-63 align F and Wp for any sign of K in the end, where a mode survives.",
    source="derived; Theorem 3",
    kind="numeric",
)
def aligned_in_the_end(run: Run) -> Verdict:
    groups = [runs(run.seed)[name] for name in ("small", "positive")]
    L = [size(commutator(group.ys, group.k)) for group in groups]
    relative = np.concatenate([relative_commutator(group.ys) for group in groups])
    survives = np.concatenate([size(group.ys.F)[:, -1] > 1e-2 for group in groups])
    least_K = np.concatenate([first_rates(group) for group in groups])
    early = 20  # a tenth of the time, e^-2
    return holds_if(
        (survives & (least_K < 0)).any()
        and (survives & (least_K > 0)).any()
        and every(relative[survives, -1] < 1e-3)
        and every(relative[survives, -1] < relative[survives, early]),
        least_eigenvalue_of_K_at_the_start=least_K,
        survives=survives,
        transient_growth=[(a.max(axis=1) / a[:, 0]).tolist() for a in L],
        relative_commutator_early=relative[:, early],
        relative_commutator_at_the_end=relative[:, -1],
    )


@claim(
    "B70c",
    title="Where everything collapses, nothing need align",
    statement="Above the threshold F and Wp vanish with fixed directions: |[F, Wp]|/(|F||Wp|) tends to no 0.",
    source="derived; Theorem 3",
    kind="numeric",
)
def collapse_without_alignment(run: Run) -> Verdict:
    group = runs(run.seed)["collapsing"]
    relative, left = relative_commutator(group.ys), size(group.ys.Wp)[:, -1] / size(group.ys.Wp)[:, 0]
    late = relative[:, 150:]  # the last quarter, in which Wp falls by e^-2
    settled = np.ptp(late, axis=1) < 0.1 * late[:, -1]
    return holds_if(
        every(left < 0.05) and every(settled) and every(relative[:, -1] > 0.01),
        size_of_Wp_at_the_end=left,
        relative_commutator_at_the_start=relative[:, 0],
        relative_commutator_at_the_end=relative[:, -1],
    )
