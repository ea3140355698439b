"""M14, M23, M40: a linear encoder under invariance and SIGReg, and how it drops noisy directions."""

import numpy as np
import scipy.optimize
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations.regularised import (
    Encoder,
    Features,
    Regularised,
    RegularisedModes,
    covariance,
    encoder_flow,
    features_flow,
)
from linbyol.equations.sigreg import (
    mean_inverse_root,
    sigreg_flow,
    sigreg_modes_flow,
    slice_distance,
    slice_gradient,
    slice_slope,
)
from linbyol.exact import dropped_at
from linbyol.extremes import every, largest, least
from theory.newer.regularised_spaces import HELD, ONE_MODE, G, drawn, drawn_modes, g, penalty
from theory.newer.sphere import mean, weighted_mean
from theory.proving.instances import moment, orthogonal
from theory.proving.prover import Descent, Equal, Rate, Space, proven, trace
from theory.proving.solves import SAME, follow


def held_loss(y: Encoder, k: Regularised) -> sp.Expr:
    """The loss with the regulariser to first order, tr(G Σ_z): dR = tr(G dΣ_z) for the G of each Σ_z."""
    W = y.W
    invariance, decay = k.a * trace(W @ k.X_aug @ W.T), k.eta * trace(W @ W.T) / 2
    return invariance + k.mu * trace(G @ W @ (k.X + k.X_aug) @ W.T) + decay


def mode_rate(w: sp.Symbol, k: RegularisedModes) -> sp.Expr:
    """d/dt of lambda_s w² for an encoder of one row along one eigenvector."""
    y = Encoder(sp.Matrix([[w]]))
    data = Regularised(k.a, k.mu, sp.Matrix([[k.lambda_d]]), sp.Matrix([[k.lambda_s - k.lambda_d]]), k.eta)
    return 2 * k.lambda_s * w * encoder_flow(y, data, sp.Matrix([[g]])).W[0]


def sliced_loss(y: Encoder, k: Regularised) -> np.ndarray:
    """a tr(W X_aug Wᵀ) + mu E_u T(uᵀΣ_z u) + (eta/2) ‖W‖², the slices by plain cubature."""
    return penalty(y, k, k.a) + k.mu * mean(slice_distance, covariance(y, k))


def divergence(y: Encoder, k: Regularised) -> np.ndarray:
    """KL(N(0, Σ_z)‖N(0, I))."""
    S = covariance(y, k)
    return (S.trace() - np.log(np.linalg.det(S)) - len(S)) / 2


def _white(rng: np.random.Generator) -> tuple[Encoder, Regularised]:
    y, k = drawn(rng, 3, 3)
    return y, k._replace(a=0.0, eta=0.0, X=0.6 * np.eye(3), X_aug=0.4 * np.eye(3))


PROOFS = {
    "M14": (
        Descent(HELD, lambda y, k: encoder_flow(y, k, G), "W", held_loss),
        Equal(ONE_MODE, lambda w, k: features_flow(Features(k.lambda_s * w * w), k, g).nu, mode_rate),
        Descent(Space(instance=drawn), sigreg_flow, "W", sliced_loss),
        Equal(
            Space(instance=drawn_modes), sigreg_modes_flow,
            lambda y, k: features_flow(y, k, np.diag(weighted_mean(slice_slope, np.diag(y.nu)))),
        ),
        Rate(
            Space(instance=_white), sigreg_flow, divergence,
            lambda y, k: -2 * k.mu * mean(lambda s: slice_slope(s) * (s - 1), covariance(y, k)),
        ),
        *(
            Equal(  # the mean of which the flow has the slope; at d = 3 a constant of the sphere is 1
                Space(instance=lambda rng, d=d: drawn_modes(rng, d)), lambda y, k: _slice_mean(y.nu),
                lambda y, k: mean(slice_distance, np.diag(y.nu)),
            )
            for d in (2, 3)
        ),
    ),
}  # fmt: skip


def _slice_mean(nu: np.ndarray) -> np.ndarray:
    return mean_inverse_root(1 + 2 * nu) - 2 * mean_inverse_root(2 + nu) + 3**-0.5


@claim(
    "M14",
    title="The flow of a linear encoder under SIGReg",
    statement="The loss a tr(W X_aug Wᵀ) + μ R(W Σ Wᵀ) gives Ẇ = -2a W X_aug - 2μ G W Σ, G = E_u[T'(s) uuᵀ]; aligned "
    "modes obey ν̇_i = -4ν_i [a σ_i² + μ λ_s,i g_i(ν)]. At a = 0, Σ = I, d/dt KL(N(0, Σ_z)‖N(0, I)) = -2μ "
    "E_u[T'(s)(s-1)] < 0, aligned or not.",
    source="derived",
    kind="symbolic",
)
def flow_of_the_encoder(run: Run) -> Verdict:
    """Proofs for any gradient G and one mode; slices by cubature on arrays; matrices followed beside their modes."""
    rng = np.random.default_rng([run.seed, 14])
    d = 3
    U, Q = orthogonal(rng, d), orthogonal(rng, 4)[:, :d]
    modes = drawn_modes(rng)[1]._replace(eta=0.0)
    y0 = Features(rng.uniform(0.05, 2, d))
    X, X_aug = ((Q * values) @ Q.T for values in (modes.lambda_d, modes.lambda_s - modes.lambda_d))
    W = (U * np.sqrt(y0.nu / modes.lambda_s)) @ Q.T
    ts = np.linspace(0, 6, 7)
    of_modes = follow(sigreg_modes_flow, y0, modes, ts).ys.nu
    found = follow(sigreg_flow, Encoder(W), Regularised(modes.a, modes.mu, X, X_aug), ts).map(covariance)
    gap = largest(np.abs(found - np.einsum("ij,tj,kj->tik", U, of_modes, U)))
    still = Regularised(0.0, 1.0, 0.7 * np.eye(d), 0.3 * np.eye(d))
    falling = follow(sigreg_flow, Encoder(moment(rng, d) + rng.standard_normal((d, d)) / 5), still, 3 * ts)
    divergences = falling.map(divergence)
    return proven(
        run,
        PROOFS["M14"],
        gap < SAME and every(np.diff(divergences) < 0),
        gap_of_matrices_and_modes=gap,
        divergence_at_the_times=divergences,
    )


@claim(
    "M23",
    title="Linear LeJEPA drops noisy directions long before it collapses",
    statement="With the released constants (lamb 0.02, N = 256, 4 views; a = (1-lamb)(1-1/V)/d, μ = lamb N √(2π)) the "
    "last mode leaves 0, the others held at 1, iff σ²/λ_s < 0.4042 (d = 16) or 0.0407 (d = 128), while total collapse "
    "would need σ²/λ_s > 11.29, which cannot be, as σ² ≤ λ_s.",
    source="derived; constants of the released code",
    kind="numeric",
)
def released_thresholds(run: Run) -> Verdict:
    """The closed form against the sign of the flow's rate on both sides of each threshold."""
    table = {16: 0.4042, 128: 0.0407}
    found = {d: dropped_at(d) for d in table}
    sides = []
    for d, thresholds in found.items():
        a, mu = 0.98 * 0.75 / d, 0.02 * 256 * np.sqrt(2 * np.pi)
        for side in (0.999, 1.001):
            for others, noise in ((1.0, thresholds.last_mode), (1e-7, thresholds.all_modes)):
                nu = np.r_[1e-7, np.full(d - 1, others)]
                sigma2 = np.full(d, noise * side)
                k = RegularisedModes(a, mu, 1 - sigma2, np.ones(d))
                sides.append((sigreg_modes_flow(Features(nu), k).nu[0] > 0) == (side < 1))
    return holds_if(
        every(np.array(sides))
        and every([abs(found[d].last_mode - value) < 1e-4 for d, value in table.items()])
        and every([abs(each.all_modes - 11.29) < 0.005 and each.all_modes > 1 for each in found.values()]),
        last_mode={str(d): each.last_mode for d, each in found.items()},
        all_modes={str(d): each.all_modes for d, each in found.items()},
    )


@claim(
    "M40",
    title="Dimensional collapse under SIGReg",
    statement="d = 8, λ_s = 1, σ² = 0.1 … 0.9 in equal steps, unit = μ/(a d), start 1e-3: unit 0.6 leaves ν = "
    "(1.52002, 0.14761, 0, …); 2.4 leaves (2.56118, 1.15649, 0.48651, 0.0974, 0, …); 17 (the released constants give "
    "17.46) leaves (1.71053, 1.35218, 1.06830, 0.83706, 0.64474, 0.48220, 0.34308, 0.22276). Survivors overshoot 1.",
    source="derived",
    kind="numeric",
)
def dimensional_collapse(run: Run) -> Verdict:
    """Ends of the flow; independently, roots of its bracket among the survivors, where the others have no growth."""
    table = {
        0.6: (1.52002, 0.14761),
        2.4: (2.56118, 1.15649, 0.48651, 0.0974),
        17.0: (1.71053, 1.35218, 1.06830, 0.83706, 0.64474, 0.48220, 0.34308, 0.22276),
    }
    sigma2, ends, off = np.linspace(0.1, 0.9, 8), {}, []
    for unit, values in table.items():
        k = RegularisedModes(1.0, 8 * unit, 1 - sigma2, np.ones(8))
        end = follow(sigreg_modes_flow, Features(np.full(8, 1e-3)), k, np.array([0.0, 400.0])).ys.nu[-1]
        ends[str(unit)], r = end, len(values)
        bracket = lambda nu, k=k: sigma2 + k.mu * slice_gradient(np.r_[nu, np.zeros(8 - len(nu))])  # noqa: E731
        rest = scipy.optimize.fsolve(lambda nu: bracket(nu)[:r], values, xtol=1e-13)  # noqa: B023
        off += [np.abs(end - np.r_[values, np.zeros(8 - r)]).max(), np.abs(end[:r] - rest).max()]
        if r < 8 and least(bracket(rest)[r:]) <= 0:
            off.append(np.inf)  # a dropped mode that would grow
    return holds_if(
        largest(off) < 1e-4 and every([end[0] > 1.5 for end in ends.values()]),
        ends=ends,
        largest_gap=largest(off),
        released_unit=0.02 * 256 * np.sqrt(2 * np.pi) / (0.98 * 0.75),
    )
