"""SimSiam's flow is no gradient: its curl, the metrics that do not help, and the one that does for a scalar."""

from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import (
    Amplitudes,
    Constants,
    Weights,
    amplitudes_flow,
    no_stop_gradient,
    simsiam,
    target_gradient,
    weights_flow,
)
from linbyol.equations.no_loss import Change, curl, scalar_metric, scalar_potential
from linbyol.extremes import every, largest, least
from theory.newer.jacobians import MOVING, jacobian
from theory.proving import instances
from theory.proving.prover import Equal, Space, map_fields, proven, slope, trace
from theory.proving.spaces import AMPLITUDES, WEIGHTS
from theory.proving.words import is_symbolic

SOURCE = "Ponce et al. 2025, arXiv 2507.01028; derived"
CLOSED, OPEN = simsiam(weights_flow), no_stop_gradient(weights_flow)
SCALAR = simsiam(amplitudes_flow)


def directional(f: Any, y: Any, v: Change) -> Change:
    """The derivative of a polynomial flow f of degree 3 at y along v, which moves the target too, in either world."""
    move = Weights(W=v.W, Wp=v.Wp, Wa=v.W)
    if not is_symbolic(y.W):
        rate = slope(f, y, move)
        return Change(rate.W, rate.Wp)
    f1, f2, g1, g2 = (f(map_fields(lambda a, b, c=c: a + c * b, y, move)) for c in (1, 2, -1, -2))
    rate = map_fields(lambda f1, f2, g1, g2: (8 * (f1 - g1) - (f2 - g2)) / 12, f1, f2, g1, g2)
    return Change(rate.W, rate.Wp)


def paired(u: Change, v: Change, k: Any) -> Any:
    """⟨u, v⟩ in the metric of the learning rates."""
    return trace(u.W.T @ v.W) + trace(u.Wp.T @ v.Wp) / k.alpha_p


def asymmetry(flow: Any) -> Any:
    """⟨u, J v⟩ - ⟨J u, v⟩ of a flow, as a function of ((y, u, v), k)."""

    def form(state: Any, k: Any) -> Any:
        y, u, v = state
        return paired(u, directional(lambda y: flow(y, k), y, v), k) - paired(
            directional(lambda y: flow(y, k), y, u), v, k
        )

    return form


def curl_form(state: Any, k: Any) -> Any:
    """⟨u, curl(v)⟩."""
    y, u, v = state
    return paired(u, curl(v, y, k), k)


def target_alone(y: Weights, k: Constants) -> Weights:
    """What the stop-gradient stops, as a field on W."""
    return Weights(target_gradient(y, k), 0 * y.Wp, 0 * y.W)


def _directions() -> Space:
    """Weights with the target at the encoder, and two changes u, v."""
    y = WEIGHTS.y
    letters = [Change(sp.MatrixSymbol(f"A{i}", *y.W.shape), sp.MatrixSymbol(f"B{i}", *y.Wp.shape)) for i in (1, 2)]

    def instance(rng: Any) -> tuple[Any, Constants]:
        y, *others = (instances.weights(rng, d=3, n=4) for _ in range(3))
        return (y._replace(Wa=y.W), *(Change(other.W, other.Wp) for other in others)), instances.constants(rng, n=4)

    return Space((y._replace(Wa=y.W), *letters), WEIGHTS.k, instance, WEIGHTS.symmetric)


DIRECTIONS = _directions()


def _cross(state: Any, k: Any) -> Any:
    """The curl between A on W and B on Wp."""
    y, u, v = state
    return curl_form((y, Change(u.W, 0 * u.Wp), Change(0 * v.W, v.Wp)), k)


def plain_part(y: Amplitudes, k: Any) -> Any:
    """½ (∂f_w/∂p - ∂f_p/∂w) of one mode, in the plain metric."""
    rate = SCALAR(y, k)
    return (sp.diff(rate.w, y.wp) - sp.diff(rate.wp, y.w)) / 2


def stated_part(y: Amplitudes, k: Any) -> Any:
    """½ w [(1 - 2 α_p) λ_d - 2 (1 - α_p) λ_s p]."""
    return y.w * ((1 - 2 * k.alpha_p) * k.lambda_d - 2 * (1 - k.alpha_p) * k.lambda_s * y.wp) / 2


def pulled(y: Amplitudes, k: Any, a: Any = sp.Symbol("a", positive=True)) -> Any:  # noqa: B008
    """M f of one mode at η = 0, in the metric with the constant a."""
    f, M = SCALAR(y, k._replace(eta=0)), scalar_metric(y, k, a)
    return Change(M.w_w * f.w + M.w_wp * f.wp, M.w_wp * f.w + M.wp_wp * f.wp)


def downhill(y: Amplitudes, k: Any) -> Any:
    """-∇V of the potential."""
    V = scalar_potential(y, k)
    return Change(-sp.diff(V, y.w), -sp.diff(V, y.wp))


def _determinant(y: Amplitudes, k: Any) -> Any:
    a = sp.Symbol("a", positive=True)
    M = scalar_metric(y, k, a)
    return M.w_w * M.wp_wp - M.w_wp * M.w_wp - a * k.lambda_s / (k.alpha_p * y.w * y.w)


SYMBOLS = Space(AMPLITUDES.y, AMPLITUDES.k)
PROOFS = {
    "M24": (
        Equal(DIRECTIONS, asymmetry(target_alone), curl_form),  # what the stop-gradient stops; without it, none
        Equal(DIRECTIONS, _cross, lambda s, k: -trace(s[2].Wp.T @ s[1].W @ k.X @ s[0].W.T)),
        Equal(DIRECTIONS, asymmetry(CLOSED), curl_form),
        Equal(SYMBOLS, plain_part, stated_part),
    ),
    "M26": (
        Equal(SYMBOLS, pulled, downhill),
        Equal(SYMBOLS, _determinant, lambda y, k: sp.Integer(0)),
    ),
}  # fmt: skip


@claim(
    "M24",
    title="The curl of SimSiam's flow",
    statement="In the metric of the learning rates, between a change A of W and B of W_p, ⟨A, J B⟩ - ⟨J A, B⟩ = "
    "-tr(BᵀA X Wᵀ) for linear SimSiam, whatever η; on W alone it is tr(Aᵀ(W_pᵀ - W_p)A₂X), on W_p alone 0: just the "
    "curl of what the stop-gradient stops. One mode in the plain metric has ½w[(1 - 2α_p)λ_d - 2(1 - α_p)λ_s p].",
    source=SOURCE,
    kind="symbolic",
)
def curl_of_simsiam(run: Run) -> Verdict:
    at = {alpha_p: float(stated_part(Amplitudes(0.7, 0.4, 0.7), _scalars(alpha_p))) for alpha_p in (1.0, 2.0)}
    stated = abs(at[1.0] + 0.35) < 1e-12 and abs(at[2.0] + 0.7) < 1e-12
    return proven(run, PROOFS["M24"], stated, at_alpha_p_1=at[1.0], at_alpha_p_2=at[2.0])


def _scalars(alpha_p: float) -> Any:
    return AMPLITUDES.k._replace(alpha_p=alpha_p, beta=0.0, eta=0.0, lambda_d=1.0, lambda_s=1.25)


def metric_left(flow: Any, d: int, n: int, names: tuple[str, ...], rng: np.random.Generator, points: int = 24) -> float:
    """The least singular value of M -> M J(y) - J(y)ᵀ M over symmetric constant M of norm 1, at random states y."""
    k = instances.constants(rng, n=n, eta=0.0)
    J = [jacobian(flow, instances.weights(rng, d=d, n=n, scale=0.8), k, names) for _ in range(points)]
    size, rows = len(J[0]), []
    for i, j in zip(*np.triu_indices(size), strict=True):
        M = np.zeros((size, size))
        M[i, j] = M[j, i] = 1 if i == j else 0.5**0.5
        rows.append(np.concatenate([(M @ A - A.T @ M).ravel() for A in J]) / points**0.5)
    return float(np.linalg.svd(np.array(rows), compute_uv=False)[-1])


@claim(
    "M25",
    title="No constant metric makes it a gradient",
    statement="No constant metric, of any signature, makes the flow of linear SimSiam (d = n = 1 and 2) or BYOL "
    "(d = n = 1) a gradient; without stop-gradient the learning rates do.",
    source=SOURCE,
    kind="numeric",
)
def constant_metrics(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 25])
    two, three = MOVING, (*MOVING, "Wa")
    closed = {
        "simsiam_1": metric_left(CLOSED, 1, 1, two, rng),
        "simsiam_2": metric_left(CLOSED, 2, 2, two, rng),
        "byol_1": metric_left(weights_flow, 1, 1, three, rng),
    }
    opened = {f"open_{d}": metric_left(OPEN, d, d, two, rng) for d in (1, 2)}
    return holds_if(least(closed) > 1e-3 and largest(opened) < 1e-8, least_singular_values=closed, without=opened)


@claim(
    "M26",
    title="A scalar is a gradient in a metric that moves with it",
    statement="At η = 0 one mode of SimSiam has M f = -∇V with V = ½(λ_d - λ_s p)² and the metric M = "
    "[[a, -ap/(α_p w)], [·, (λ_s + ap²/α_p)/(α_p w²)]], det M = aλ_s/(α_p w²) > 0, for any a > 0 and w ≠ 0.",
    source=SOURCE,
    kind="symbolic",
)
def moving_metric(run: Run) -> Verdict:
    return proven(run, PROOFS["M26"])


@cache
def spiral() -> tuple[Weights, Constants]:
    """An equilibrium of SimSiam at d = n = 2 and its constants."""
    S = np.array([[0.6, 0.7], [-0.6, -0.5]])
    X, Sigma = np.diag([1.0, 0.6]), np.diag([1.25, 1.0])
    return Weights(S, S @ np.diag([0.8, 0.6]) @ np.linalg.inv(S), S), Constants(1.0, 0.0, 0.0, X, Sigma - X)


@claim(
    "M32",
    title="In two dimensions no metric at all",
    statement="At X = diag(1, 0.6), X + X_aug = diag(1.25, 1), α_p = 1, η = 0 SimSiam has an equilibrium with "
    "eigenvalues -1.63108 ± 0.0767286i; the linearisation -M⁻¹H of a gradient in a Riemannian metric has real ones.",
    source=SOURCE,
    kind="numeric",
)
def no_metric(run: Run) -> Verdict:
    y, k = spiral()
    rest = largest(np.abs(leaf) for leaf in CLOSED(y, k))
    values = np.linalg.eigvals(jacobian(CLOSED, y, k))
    turning = values[values.imag > 1e-6]
    met = len(turning) == 1 and every(abs(turning.real + 1.63108) < 1e-5, abs(turning.imag - 0.0767286) < 1e-7)
    return holds_if(
        rest < 1e-14 and met, largest_rate=rest, real=values.real[np.argsort(values.real)], imaginary=turning.imag
    )
