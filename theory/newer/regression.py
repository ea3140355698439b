"""The optimal linear predictor: no projection, but what projects the targets; and what a ridge lets grow."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Commuting, Constants, Weights, simsiam, slave, weights_flow
from linbyol.extremes import largest
from linbyol.fixed_points import predictor_roots
from linbyol.predictors import optimal, regression
from theory.newer.slaved import ONE, growth
from theory.proving import instances
from theory.proving.prover import Equal, Space, proven
from theory.proving.spaces import AMPLITUDES

SOURCE = "Richemond et al. 2023, arXiv 2302.04817, Prop. 1; derived"
RIDGE = sp.Symbol("epsilon", positive=True)
W_POSITIVE, LAMBDA_D, LAMBDA_S = sp.symbols("w lambda_d lambda_s", positive=True)


def ridged(Wp: Any, F: Any, *, features: Any, cross: Any) -> Any:
    """`regression` with a ridge, on explicit matrices of symbols."""
    return cross @ (features + RIDGE * ONE).inv()


def speed(y: Any, k: Any) -> Any:
    """ṡ = 2 s ẇ/w of a mode whose predictor is that regression, at η = 0."""
    return 2 * y.w * y.w * growth(ridged, y, k._replace(eta=0))


_FAR = AMPLITUDES.y._replace(w=W_POSITIVE), AMPLITUDES.k._replace(lambda_d=LAMBDA_D, lambda_s=LAMBDA_S)
PROOFS = {
    "M37c": (
        Equal(Space(*_FAR), lambda y, k: sp.limit(speed(y, k), y.w, sp.oo),
              lambda y, k: 2 * k.lambda_d * k.lambda_d * RIDGE / (k.lambda_s * k.lambda_s)),
    ),
}  # fmt: skip


def best(W: np.ndarray, X: np.ndarray, X_aug: np.ndarray) -> np.ndarray:
    """`optimal` of arrays, the target being the encoder."""
    return np.asarray(optimal(*map(jnp.asarray, (W, W, X, X_aug))))


@claim(
    "M37",
    title="The optimal linear predictor as a projection",
    statement="The optimal linear predictor (ZᵀZ)⁻¹ZᵀZ′ is itself an orthogonal projection.",
    source="Richemond et al. 2023, arXiv 2302.04817, Prop. 1 read literally",
    kind="numeric",
    expected="fails",
)
def is_a_projection(run: Run) -> Verdict:
    W = instances.weights(np.random.default_rng([run.seed, 37]), d=3, n=5).W
    P = best(W, np.eye(5), np.eye(5) / 4)
    gap = np.linalg.norm(P @ P - P, 2)
    return holds_if(gap < 1e-12, kappa=1.25, norm_of_its_square_minus_itself=gap)


@claim(
    "M37c",
    title="The optimal linear predictor has the eigenvalues ρ",
    statement="It is Z P that is the projection of Z′ onto the columns of Z; P has eigenvalues ρ, with ‖P² - P‖ = "
    "max ρ(1 - ρ) ≤ ¼ where it is normal (I/κ at X = I). With a ridge ε in the regression, p = λ_ds/(λ_ss + ε), "
    "features grow again, ṡ → 2λ_d²ε/λ_s² at η = 0; with decay they stop at λ_ss_± = εp_±/(ρ - p_±).",
    source=SOURCE,
    kind="numeric",
)
def what_it_is(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 370])
    Z, target = rng.standard_normal((2, 30, 4))
    P = np.asarray(regression(jnp.asarray(Z.T @ Z), jnp.asarray(target.T @ Z))).T  # rows on the left
    U = np.linalg.svd(Z, full_matrices=False)[0]
    projected = largest(np.abs(Z @ P - U @ U.T @ target))
    k, W = instances.constants(rng, n=4), rng.standard_normal((4, 4))
    rho = np.sort(np.linalg.eigvals(np.linalg.solve(k.X + k.X_aug, k.X)).real)
    values = largest(np.abs(np.sort(np.linalg.eigvals(best(W, k.X, k.X_aug)).real) - rho))
    x, noise, Q = rng.uniform(0.3, 1.2, 4), rng.uniform(0.1, 1.0, 4), instances.orthogonal(rng, 4)
    normal = best(Q, np.diag(x), np.diag(noise))
    aligned = x / (x + noise)
    size = abs(np.linalg.norm(normal @ normal - normal, 2) - (aligned * (1 - aligned)).max())
    at, eps = Commuting(1.0, 0.0, 0.05, 1.0, 1.25), 0.2
    p = np.array([float(root) for root in predictor_roots(at)[1:]])
    s = eps * p / (0.8 - p) / 1.25
    flow = slave(simsiam(weights_flow), lambda Wp, F, *, features, cross: regression(features, cross, eps=eps))
    data = Constants(1.0, 0.0, 0.05, np.eye(1), np.eye(1) / 4)
    rates = [np.abs(flow(Weights(w * np.eye(1), np.eye(1), w * np.eye(1)), data).W) for w in np.sqrt(s)]
    return proven(
        run,
        PROOFS["M37c"],
        largest(projected, values, size) < 1e-9 and largest(rates) < 1e-12,
        distance_from_the_projection=projected,
        eigenvalues_against_rho=values,
        size_of_P2_minus_P_gap=size,
        stops=s,
        largest_rate_there=largest(rates),
    )
