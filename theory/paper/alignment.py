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
from linbyol.extremes import every
from linbyol.integrate import integrate
from theory.proving.instances import orthogonal
from theory.proving.mode_runs import between, uniforms
from theory.proving.skew_runs import runs, size

ETAS, TAUS = (0.0, 0.01, 0.1), (1.0, 0.5, 0.2)
SIZE, KAPPA = 6, 1.2
PERTURBATION = 1e-8


@cache
def commutators(seed: int) -> dict[str, Any]:
    """Eq. 7 from a small random Wp and small F (as Fig. 9), for 3 η × 3 τ; last, a perturbed aligned pair, τ = 1."""
    a, b, c = jax.random.split(jax.random.fold_in(jax.random.key(seed), 24), 3)
    u, Q = uniforms(seed, 24)[:, :SIZE], np.asarray(orthogonal(a, SIZE))
    G, H = (np.asarray(jax.random.normal(key, (SIZE, SIZE))) for key in (b, c))
    start = Symmetric(Wp=0.03 * (G + G.T) / 2, F=Q * between(0.01, 0.03, u[0]) @ Q.T)
    off = PERTURBATION * (H + H.T) * (1 - np.eye(SIZE))
    aligned = Symmetric(Wp=np.diag(between(0.02, 0.2, u[1])), F=np.diag(between(0.01, 0.03, u[2])) + off)
    N = len(ETAS) * len(TAUS)
    y0 = jax.tree.map(lambda y, z: np.stack([y] * N + [z]), start, aligned)
    eta, tau = np.append(np.repeat(ETAS, 3), 0.0), np.append(np.tile(TAUS, 3), 1.0)
    k = Isotropic(np.ones(N + 1), np.zeros(N + 1), eta, np.full(N + 1, KAPPA - 1), tau)
    ys, L, K, ok = jax.tree.map(np.asarray, _solve(y0, k))
    if not every(ok):
        raise RuntimeError("A trajectory did not reach its last time.")
    ratio, least = (size(L) / size(L)[:, :1])[:N], np.linalg.eigvalsh(K[:N]).min(axis=(1, 2))
    table = {"peak": ratio.max(axis=1), "end": ratio[:, -1], "least": least}
    return {name: column.reshape(3, 3) for name, column in table.items()} | {"ys": ys, "L": L, "k": k}


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
        every(peak[:2, 0] > 1.2) and every(peak[2] <= 1 + 1e-9, peak[:, 2] <= 1 + 1e-9) and every(lowest[grows] < 0),
        seeds=[run.seed],
        eta=ETAS,
        tau=TAUS,
        peak_by_eta_then_tau=peak,
        least_eigenvalue_of_K=lowest,
    )


@claim(
    "B119",
    title="Figure 9: the commutator decays, after shooting up for small η or large τ",
    statement="|[F, Wp]| ends below its start; its peak rises with τ and falls with η.",
    source="Fig. 9",
    kind="numeric",
)
def figure_9(run: Run) -> Verdict:
    found = commutators(run.seed)
    peak, end = found["peak"], found["end"]
    ordered = every(np.diff(peak, axis=0) <= 1e-9) and every(np.diff(peak, axis=1) <= 1e-9)
    return holds_if(
        ordered and every(end[2] < 1e-3) and every(end < peak),
        seeds=[run.seed],
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
    Wp, F, L = found["ys"].Wp[-1], found["ys"].F[-1], found["L"][-1]
    k = jax.tree.map(lambda a: a[-1], found["k"])
    p, s = (np.diagonal(M, axis1=1, axis2=2) for M in (Wp, F))
    K = mode_alignment_rate(Modes(p, s, k.tau), k)  # (t, d)
    top = int(size(L).argmax())
    if top < 2:
        return holds_if(False, note="The perturbation did not grow.")
    lost = simpson(K[: top + 1], dx=60 / 600, axis=0)
    predicted = size(L[0] * np.exp(-(lost[:, None] + lost[None, :])))
    measured = size(L[top])
    # 1e-6: terms of second order in the perturbation (1e-7 of it) and Simpson's rule at steps of 0.1
    return holds_if(
        abs(measured / predicted - 1) < 1e-6 and measured > 2 * size(L[0]) and K[0].min() < 0,
        seeds=[run.seed],
        first_commutator=size(L[0]),
        growth=measured / size(L[0]),
        predicted_growth=predicted / size(L[0]),
        least_K=K.min(),
    )


def first_rate(A: np.ndarray, F: np.ndarray) -> np.ndarray:
    """K at the first time, of the symmetric part A of Wp, at τ = 1 and η = 0.02."""
    return np.asarray(alignment_rate(Symmetric(A[0], F[0]), Isotropic(1.0, 0.0, 0.02, 0.25)))


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
    group = runs(run.seed)["small"]
    L, relative = size(commutator(group.ys, group.k)), relative_commutator(group.ys)
    survives = size(group.ys.F)[:, -1] > 1e-2
    least = np.array([np.linalg.eigvalsh(first_rate(A, F)).min() for A, F in zip(group.A, group.ys.F, strict=True)])
    early = 20  # a tenth of the time, e^-2
    return holds_if(
        (least < 0).any()
        and survives.any()
        and every(relative[survives, -1] < 1e-3)
        and every(relative[survives, -1] < relative[survives, early])
        and (L.max(axis=1) > L[:, 0]).any(),
        seeds=[run.seed],
        least_eigenvalue_of_K_at_the_start=least,
        survives=survives,
        transient_growth=L.max(axis=1) / L[:, 0],
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
        every(left < 0.05) and (settled & (relative[:, -1] > 0.01)).any(),
        seeds=[run.seed],
        size_of_Wp_at_the_end=left,
        relative_commutator_at_the_start=relative[:, 0],
        relative_commutator_at_the_end=relative[:, -1],
    )
