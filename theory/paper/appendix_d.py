"""Appendix D: aligned eigenspaces stay, the invariant line of a mode, and the planes of Fig. 10."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Amplitudes, Commuting, Constants, Weights, amplitudes_flow, no_predictor, weights_flow
from linbyol.extremes import every, largest
from linbyol.integrate import integrate
from theory.paper.target_ratio import proportionality
from theory.proving.instances import moment, orthogonal
from theory.proving.mode_runs import between, follow, uniforms

PLANES = Commuting(alpha_p=1.0, beta=1.0, eta=0.0, lambda_d=0.5, lambda_s=1.0)  # Fig. 10


def turning(seed: int) -> tuple[float, float]:
    """Off-diagonal rate of F and Wp in their common eigenbasis: X, X_aug multiples of I, then not commuting."""
    a, b, c, d = jax.random.split(jax.random.fold_in(jax.random.key(seed), 61), 4)
    u = uniforms(seed, 61)[:, :3]
    U, V = np.asarray(orthogonal(a, 3)), np.asarray(orthogonal(b, 5))[:, :3]
    W = U * u[0] @ V.T
    y = Weights(W=W, Wp=U * u[1] @ U.T, Wa=U * u[2] @ V.T)

    def off_diagonal(X: Any, X_aug: Any) -> float:
        rate = weights_flow(y, Constants(1.5, 0.3, 0.02, X, X_aug))
        F = rate.W @ X @ W.T + W @ X @ rate.W.T
        return largest(np.abs((U.T @ M @ U) * (1 - np.eye(3))).max() for M in (rate.Wp, F))

    return off_diagonal(np.eye(5), 0.3 * np.eye(5)), off_diagonal(np.asarray(moment(c, 5)), np.asarray(moment(d, 5)))


@claim(
    "B61",
    title="Aligned eigenspaces do not turn",
    statement="Where F and Wp share their eigenvectors U (isotropic data, Wa = tau_j W a mode), dU/dt = 0.",
    source="Appendix B",
    kind="numeric",
)
def eigenvectors_stay(run: Run) -> Verdict:
    isotropic, correlated = turning(run.seed)
    along = proportionality(run.seed)
    return holds_if(
        isotropic < 1e-14 and along["turned"] < 1e-9 and along["moved"] > 0.01 and correlated > 1e-3,
        seeds=[run.seed],
        off_diagonal_rate=isotropic,
        off_diagonal_along_a_trajectory=along["turned"],
        change_of_the_eigenvalues=along["moved"],
        off_diagonal_rate_for_correlated_data=correlated,
    )  # 1e-14: rounding; 1e-9: 10 × rtol


@cache
def lines(seed: int) -> dict[str, np.ndarray]:
    """Largest distance from the line it starts on, for w = w_p and for w_p = √α_p w, at four α_p; random (w, w_a)."""
    u = uniforms(seed, 65)[:, :4]
    alpha_p, w = np.array([1.0, 0.5, 2.0, 4.0]), between(0.2, 0.8, u[0])
    slope = np.concatenate([np.ones(4), np.sqrt(alpha_p)])
    w, alpha = np.tile(w, 2), np.tile(alpha_p, 2)
    paths = follow(
        amplitudes_flow, slope * w, w**2, 50.0, alpha_p=alpha, beta=0.4, eta=0.01, tau=np.tile(between(0, 1, u[1]), 2)
    )
    drift = np.abs(paths.ys.wp - slope[:, None] * paths.ys.w).max(axis=1).reshape(2, 4)
    return {"alpha_p": alpha_p, "printed": drift[0], "corrected": drift[1]}


def line_is_kept(drift: Any) -> Any:
    """Drift below 10 × the tolerances of the trajectory."""
    return np.asarray(drift) < 1e-7


@claim(
    "B65",
    title="The invariant line is w_p = √α_p w",
    statement="w = w_p is kept for α_p = 1 only; the line that the flow keeps for any α_p is w_p = √α_p w.",
    source="Appendix D, corrected",
    kind="numeric",
)
def invariant_line(run: Run) -> Verdict:
    found = lines(run.seed)
    printed, corrected = line_is_kept(found["printed"]), line_is_kept(found["corrected"])
    return holds_if(
        every(corrected) and every(printed == (found["alpha_p"] == 1)),
        seeds=[run.seed],
        alpha_p=found["alpha_p"],
        drift_from_w_equals_wp=found["printed"],
        drift_from_the_corrected_line=found["corrected"],
    )


@claim(
    "B107",
    title="Erratum (i): w = w_p",
    statement="As printed: w = w_p is an invariant submanifold, whatever α_p.",
    source="Appendix D",
    kind="numeric",
    expected="fails",
)
def printed_line(run: Run) -> Verdict:
    found = lines(run.seed)
    return holds_if(
        every(line_is_kept(found["printed"])), seeds=[run.seed], alpha_p=found["alpha_p"], drift=found["printed"]
    )


@claim(
    "B107c",
    title="Erratum (i), corrected: w_p = √α_p w",
    statement="w_p = √α_p w is an invariant submanifold for every α_p.",
    source="derived; Appendix D",
    kind="numeric",
)
def corrected_line(run: Run) -> Verdict:
    found = lines(run.seed)
    return holds_if(
        every(line_is_kept(found["corrected"])), seeds=[run.seed], alpha_p=found["alpha_p"], drift=found["corrected"]
    )


@cache
def planes(seed: int) -> dict[str, Amplitudes]:
    """Where 16 random starts of each plane of Fig. 10 go: hyperbola (w_a = 1 held), w = w_p, and no predictor."""
    u = uniforms(seed, 120)
    w, wp, wa = (between(0.05, 1.5, row[:32]) for row in u[:3])
    held = np.arange(32) < 16
    sign = np.where(u[3, :32] < 0.5, -1, 1)  # both branches of the hyperbola
    y0 = Amplitudes(w=np.where(held, sign * w, w), wp=np.where(held, sign * wp, w), wa=np.where(held, 1.0, wa))
    ts = jnp.array([0.0, 300.0])
    last = lambda solution: jax.tree.map(lambda a: np.asarray(a)[-1], solution.ys)  # noqa: E731
    moved = last(integrate(amplitudes_flow, y0, PLANES._replace(beta=np.where(held, 0.0, 1.0)), ts))
    alone = last(integrate(no_predictor(amplitudes_flow), y0._replace(w=sign * w), PLANES, ts))
    part = lambda y, i: jax.tree.map(lambda a: a[i], y)  # noqa: E731
    return {"start": part(y0, held), "hyperbola": part(moved, held), "plane": part(moved, ~held), "alone": alone}


def plane_rates() -> np.ndarray:
    """Eigenvalues of the Jacobian in (w, w_a): on the plane w = w_p at w = w_a = λ_d/λ_s, without predictor at 0."""

    def on_plane(x: Any) -> Any:
        rate = amplitudes_flow(Amplitudes(x[0], x[0], x[1]), PLANES)
        return jnp.stack([rate.w, rate.wa])

    def alone(x: Any) -> Any:
        rate = no_predictor(amplitudes_flow)(Amplitudes(x[0], jnp.ones(()), x[1]), PLANES)
        return jnp.stack([rate.w, rate.wa])

    at = PLANES.lambda_d / PLANES.lambda_s
    jacobians = [jax.jacfwd(on_plane)(jnp.full(2, at)), jax.jacfwd(alone)(jnp.zeros(2))]
    return np.linalg.eigvals(np.stack([np.asarray(J) for J in jacobians])).real


@claim(
    "B66",
    title="The stable point w = w_a = λ_d/λ_s",
    statement="On w = w_p (α_p = 1) positive starts go to w = w_a = λ_d/λ_s; without predictor they go to the origin.",
    source="Appendix D; Fig. 10",
    kind="numeric",
)
def stable_point(run: Run) -> Verdict:
    found, rates = planes(run.seed), plane_rates()
    gap = largest(np.abs(a - 0.5).max() for a in found["plane"])
    left = largest(np.abs(a).max() for a in (found["alone"].w, found["alone"].wa))
    return holds_if(
        gap < 1e-6 and left < 1e-6 and every(rates < 0),  # e^(-0.19 t), and the integrator's tolerance
        seeds=[run.seed],
        distance_from_one_half=gap,
        distance_from_the_origin_without_predictor=left,
        rates_at_one_half=rates[0],
        rates_at_the_origin_without_predictor=rates[1],
    )


@claim(
    "B120",
    title="Figure 10: the planes of Appendix D",
    statement="w_p w → w_a λ_d/λ_s at held w_a; ẇ = 0 where w² = w_a λ_d/λ_s, without predictor where w = w_a λ_d/λ_s.",
    source="Fig. 10",
    kind="numeric",
)
def figure_10(run: Run) -> Verdict:
    found = planes(run.seed)
    y, y0 = found["hyperbola"], found["start"]
    hyperbola = np.abs(y.w * y.wp - 0.5).max()
    kept = np.abs((y.w**2 - y.wp**2) - (y0.w**2 - y0.wp**2)).max()  # α_p = 1: along the orthogonal hyperbolas
    wa = uniforms(run.seed, 121)[0]
    ratio = PLANES.lambda_d / PLANES.lambda_s
    root = np.sqrt(ratio * wa)
    still = np.abs(amplitudes_flow(Amplitudes(root, root, wa), PLANES).w).max()
    still_alone = np.abs(amplitudes_flow(Amplitudes(ratio * wa, np.ones_like(wa), wa), PLANES).w).max()
    return holds_if(
        largest(hyperbola, kept) < 1e-6 and largest(still, still_alone) < 1e-14,  # 100 × rtol; rounding
        seeds=[run.seed],
        distance_from_the_hyperbola=hyperbola,
        drift_of_w2_minus_wp2=kept,
        rate_on_the_nullcline=still,
        rate_on_the_nullcline_without_predictor=still_alone,
    )
