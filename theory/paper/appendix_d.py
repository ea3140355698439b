"""Appendix D: aligned eigenspaces stay, the invariant line of a mode, and the planes of Fig. 10."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Amplitudes, Commuting, Constants, Weights, amplitudes_flow, no_predictor, weights_flow
from linbyol.extremes import every, largest, least
from theory.paper.target_ratio import proportionality
from theory.proving import solves
from theory.proving.instances import moment, orthogonal
from theory.proving.mode_runs import between, follow, uniforms

PLANES = Commuting(alpha_p=1.0, beta=1.0, eta=0.0, lambda_d=0.5, lambda_s=1.0)  # Fig. 10


def turning(seed: int) -> tuple[float, float]:
    """Off-diagonal rate of F and Wp in their common eigenbasis, four random settings: the largest where X and X_aug are
    multiples of I, and the least where they do not commute.
    """
    found = [
        _turning(jax.random.fold_in(jax.random.key(seed), 61 + i), uniforms(seed, 61)[:, 3 * i :]) for i in range(4)
    ]
    isotropic, correlated = zip(*found, strict=True)
    return largest(isotropic), least(correlated)


def _turning(key: Any, u: np.ndarray) -> tuple[float, float]:
    a, b, c, d = jax.random.split(key, 4)
    U, V = np.asarray(orthogonal(a, 3)), np.asarray(orthogonal(b, 5))[:, :3]
    W = U * u[0, :3] @ V.T
    y = Weights(W=W, Wp=U * u[1, :3] @ U.T, Wa=U * u[2, :3] @ V.T)

    def off_diagonal(X: Any, X_aug: Any) -> float:
        rate = weights_flow(y, Constants(0.3 + 2 * u[3, 0], u[3, 1], u[3, 2] / 10, X, X_aug))
        F = rate.W @ X @ W.T + W @ X @ rate.W.T
        return largest(np.abs((U.T @ M @ U) * (1 - np.eye(3))) for M in (rate.Wp, F))

    return off_diagonal(np.eye(5), u[4, 0] * np.eye(5)), off_diagonal(
        np.asarray(moment(c, 5)), np.asarray(moment(d, 5))
    )


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
        off_diagonal_rate=isotropic,
        off_diagonal_along_a_trajectory=along["turned"],
        change_of_the_eigenvalues=along["moved"],
        off_diagonal_rate_for_correlated_data=correlated,
    )  # 1e-14: rounding; 1e-9: 10 × rtol


@cache
def lines(seed: int) -> dict[str, np.ndarray]:
    """Largest distance from the line it starts on, for w = w_p and for w_p = √α_p w, at α_p = 1, 1, 4 and others, all
    with random starts and constants.
    """
    u = uniforms(seed, 65)[:, :8]
    alpha_p = np.concatenate([[1.0, 1.0, 4.0], between(0.2, 0.7, u[5, :2]), between(1.5, 4, u[5, 2:5])])
    w = between(0.2, 0.8, u[0])
    slope = np.concatenate([np.ones(8), np.sqrt(alpha_p)])
    w, alpha = np.tile(w, 2), np.tile(alpha_p, 2)
    paths = follow(
        amplitudes_flow, slope * w, w**2, 50.0, alpha_p=alpha, beta=np.tile(between(0.1, 1, u[2]), 2),
        eta=np.tile(between(0, 0.05, u[3]), 2), sigma2=np.tile(between(0.1, 1, u[4]), 2),
        tau=np.tile(between(0, 0.7, u[1]), 2),
    )  # fmt: skip
    drift = np.abs(paths.ys.wp - slope[:, None] * paths.ys.w).max(axis=1).reshape(2, 8)
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
    printed, corrected, one = found["printed"], line_is_kept(found["corrected"]), found["alpha_p"] == 1
    return holds_if(
        every(corrected, line_is_kept(printed[one])) and every(printed[~one] > 1e-3),
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
    return holds_if(every(line_is_kept(found["printed"])), alpha_p=found["alpha_p"], drift=found["printed"])


@claim(
    "B107c",
    title="Erratum (i), corrected: w_p = √α_p w",
    statement="w_p = √α_p w is an invariant submanifold for every α_p.",
    source="derived; Appendix D",
    kind="numeric",
)
def corrected_line(run: Run) -> Verdict:
    found = lines(run.seed)
    return holds_if(every(line_is_kept(found["corrected"])), alpha_p=found["alpha_p"], drift=found["corrected"])


@cache
def planes(seed: int) -> dict[str, Any]:
    """Where 16 random starts of each plane of Fig. 10 go: hyperbola (w_a = 1 held), w = w_p, and no predictor.

    The first of each with the λ_d/λ_s = ½ of Fig. 10, the others with a random ratio and λ_s.
    """
    u = uniforms(seed, 120)
    w, wp, wa = (between(0.05, 1.5, row[:32]) for row in u[:3])
    held = np.arange(32) < 16
    sign = np.where(u[3, :32] < 0.5, -1, 1)  # both branches of the hyperbola
    y0 = Amplitudes(w=np.where(held, sign * w, w), wp=np.where(held, sign * wp, w), wa=np.where(held, 1.0, wa))
    end = lambda *given: solves.follow(*given, [0.0, 300.0], rtol=1e-8).ys  # noqa: E731
    last = lambda *given: Amplitudes(*(a[-1] for a in end(*given)))  # noqa: E731
    printed = np.arange(32) % 16 == 0
    ratio = np.where(printed, 0.5, between(0.4, 0.7, u[4, :32]))
    lambda_s = np.where(printed, 1, between(0.8, 1.5, u[5, :32]))
    k = PLANES._replace(lambda_d=ratio * lambda_s, lambda_s=lambda_s)
    moved = last(amplitudes_flow, y0, k._replace(beta=np.where(held, 0.0, 1.0)))
    alone = last(no_predictor(amplitudes_flow), y0._replace(w=sign * w), k)
    part = lambda y, i: jax.tree.map(lambda a: a[i], y)  # noqa: E731
    found = {"start": part(y0, held), "hyperbola": part(moved, held), "plane": part(moved, ~held), "alone": alone}
    return found | {"ratio": ratio.reshape(2, 16)}  # of the hyperbolas, of the plane


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
    gap = largest(np.abs(a - found["ratio"][1]) for a in found["plane"])
    left = largest(np.abs(a) for a in (found["alone"].w, found["alone"].wa))
    return holds_if(
        gap < 1e-6 and left < 1e-6 and every(rates < 0),  # rates of 0.1 or more, and the integrator
        distance_from_the_ratio=gap,
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
    hyperbola = np.abs(y.w * y.wp - found["ratio"][0]).max()
    kept = np.abs((y.w**2 - y.wp**2) - (y0.w**2 - y0.wp**2)).max()  # α_p = 1: along the orthogonal hyperbolas
    wa = uniforms(run.seed, 121)[0]
    ratio = PLANES.lambda_d / PLANES.lambda_s
    root = np.sqrt(ratio * wa)
    still = np.abs(amplitudes_flow(Amplitudes(root, root, wa), PLANES).w).max()
    still_alone = np.abs(amplitudes_flow(Amplitudes(ratio * wa, np.ones_like(wa), wa), PLANES).w).max()
    return holds_if(
        largest(hyperbola, kept) < 1e-6 and largest(still, still_alone) < 1e-14,  # 100 × rtol; rounding
        distance_from_the_hyperbola=hyperbola,
        drift_of_w2_minus_wp2=kept,
        rate_on_the_nullcline=still,
        rate_on_the_nullcline_without_predictor=still_alone,
    )
