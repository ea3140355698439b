"""Fixed points for general data: Appendix D's manifold without decay, and the isolated equilibria with it."""

from functools import cache
from typing import Any

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Constants, Weights, no_predictor, weights_flow
from linbyol.equilibria import collapse_bound, critical_decay, equilibria, rank_one
from linbyol.extremes import every, largest
from theory.proving import instances
from theory.proving.solves import follow


def mixing(k: Constants) -> np.ndarray:
    """Σᵈ (Σˢ)⁻¹ = X (X + X_aug)⁻¹, (n, n)."""
    X, X_aug = np.asarray(k.X), np.asarray(k.X_aug)
    return np.linalg.solve(X + X_aug, X).T


@claim(
    "B62",
    title="The manifold of fixed points without decay",
    statement="At η = 0 the flow tends to Wp W = W Σᵈ (Σˢ)⁻¹ and W = Wa, also where X and X_aug do not commute.",
    source="Appendix D",
    kind="numeric",
)
def tends_to_manifold(run: Run) -> Verdict:
    key = jax.random.fold_in(run.key, 62)
    k = instances.constants(key, n=6, eta=0.0, beta=0.5, alpha_p=1.0)
    y0 = instances.weights(jax.random.fold_in(key, 1), d=3, n=6, scale=0.6)
    solved = follow(weights_flow, y0._replace(Wa=np.zeros((3, 6))), k, [0.0, 3000.0], rtol=1e-8, atol=1e-10)
    W, Wp, Wa = (np.asarray(leaf)[-1] for leaf in solved.ys)
    residual = np.abs(Wp @ W - W @ mixing(k)).max()
    U, size, _ = np.linalg.svd(W)
    rank = int((size > 1e-2).sum())
    on_range = np.sort_complex(np.linalg.eigvals(U[:, :rank].T @ Wp @ U[:, :rank]))
    spectrum = np.linalg.eigvals(mixing(k))
    distance = largest(np.abs(spectrum - value).min() for value in on_range)
    return holds_if(
        residual < 1e-4 and np.abs(W - Wa).max() < 1e-4 and distance < 1e-2 and rank > 0,
        residual=residual,
        target_distance=np.abs(W - Wa).max(),
        rank=rank,
        eigenvalues_of_Wp_on_range=on_range.real,
        distance_from_the_spectrum=distance,
        commutator_of_X_and_X_aug=np.linalg.norm(np.asarray(k.X) @ k.X_aug - np.asarray(k.X_aug) @ k.X),
    )


@claim(
    "B141",
    title="Explicit fixed points without decay",
    statement=(
        "At η = 0, rows of W that are left eigenvectors of Σᵈ (Σˢ)⁻¹, their eigenvalues on the diagonal of Wp, and "
        "Wa = W make a fixed point of Eqns 2-4."
    ),
    source="Appendix D",
    kind="numeric",
)
def explicit_points(run: Run) -> Verdict:
    key = jax.random.fold_in(run.key, 141)
    sizes, eigenvalues = [], []
    for i in range(4):
        k = instances.constants(jax.random.fold_in(key, i), n=6, eta=0.0)
        values, left = np.linalg.eig(mixing(k).T)  # real: similar to a symmetric matrix
        scale = np.asarray(jax.random.uniform(jax.random.fold_in(key, 10 + i), (3, 1), minval=0.2, maxval=2.0))
        W, Wp = scale * left.real.T[:3], np.diag(values.real[:3])
        rate = weights_flow(Weights(W, Wp, W), k)
        sizes.append(largest(jnp.abs(leaf) for leaf in rate))
        eigenvalues.append(float(values.real.max()))
    rate = largest(sizes)
    return holds_if(rate < 1e-12, instances=4, largest_rate=rate, top_eigenvalues=eigenvalues)


@claim(
    "B64",
    title="Without a predictor only an eigenvalue 1 survives",
    statement=(
        "With Wp = I and η = 0 a non-zero fixed point needs an eigenvalue 1 of Σᵈ (Σˢ)⁻¹, a direction without noise; "
        "where all are below 1 everything collapses."
    ),
    source="Appendix D",
    kind="numeric",
)
def needs_eigenvalue_one(run: Run) -> Verdict:
    key = jax.random.fold_in(run.key, 64)
    k = instances.constants(key, n=6, eta=0.0)
    y = instances.weights(jax.random.fold_in(key, 1), d=3, n=6)
    flow = no_predictor(weights_flow)

    @jax.jit
    def jacobian(k: Constants) -> Any:
        """Of the linear flow of (W, Wa)."""
        flat, unravel = jax.flatten_util.ravel_pytree((y.W, y.Wa))

        def rate(x: Any) -> Any:
            W, Wa = unravel(x)
            moved = flow(Weights(W, y.Wp, Wa), k)
            return jax.flatten_util.ravel_pytree((moved.W, moved.Wa))[0]

        return jax.jacfwd(rate)(flat)

    def spectrum(k: Constants) -> np.ndarray:
        return np.linalg.eigvals(np.asarray(jacobian(k)))

    below = spectrum(k).real.max()
    # one direction v without noise: X_aug v = 0, so Σᵈ (Σˢ)⁻¹ has the left eigenvector v' = Σˢ v with eigenvalue 1
    v = jax.random.normal(jax.random.fold_in(key, 2), (6,))
    P = jnp.eye(6) - jnp.outer(v, v) / (v @ v)
    quiet = k._replace(X_aug=P @ k.X_aug @ P)
    values = np.sort(np.linalg.eigvals(mixing(quiet)).real)
    alive = np.sort(spectrum(quiet).real)
    W = jnp.outer(y.W[:, 0], v)
    moved = flow(Weights(W, y.Wp, W), quiet)
    rate = largest(jnp.abs(moved.W), jnp.abs(moved.Wa))
    rounding = 1e-12
    return holds_if(
        below < 0 and abs(values[-1] - 1) < rounding and rate < rounding and abs(alive[-3:]).max() < rounding,
        slowest_decay_where_all_are_below_1=-below,
        top_eigenvalues_with_a_quiet_direction=values[-2:],
        rate_at_its_fixed_point=rate,
        largest_eigenvalues_of_the_flow_there=alive[-4:],
    )


@cache
def landscape(seed: int) -> dict[str, Any]:
    """The equilibria of one random instance (n = 4, d = 2) at decays below and above the threshold."""
    key = jax.random.fold_in(jax.random.key(seed), 670)
    k = instances.constants(key, n=4)
    eta_c, bound = float(critical_decay(k)), float(collapse_bound(k))
    shares = {"half": 0.3 * eta_c, "below": 0.98 * eta_c, "above": 1.001 * eta_c, "between": (eta_c + bound) / 2}
    shares |= {"beyond": 1.02 * bound, "far beyond": 2 * bound}
    found = {name: equilibria(k._replace(eta=eta), 2, key=key, starts=64) for name, eta in shares.items()}
    return {"k": k, "eta_c": eta_c, "bound": bound, "eta": shares, "found": found}


@claim(
    "B67c",
    title="The threshold for data that do not commute",
    statement=(
        "weights_flow has an equilibrium of rank one, (p X - p² (X + X_aug)) w = η w with |w| = p/√α_p, if and only if "
        "η ≤ η_c = max (vᵀXv)²/(4 vᵀ(X + X_aug)v) over unit v; none but zero above λ_max(X (X + X_aug)⁻¹ X)/4, "
        "which is η_c for commuting data. One of rank one is stable if and only if η is the top eigenvalue there, and "
        "falls with p."
    ),
    source="derived (theory/README.md, Appendix D); Appendix D",
    kind="numeric",
)
def general_threshold(run: Run) -> Verdict:
    found = landscape(run.seed)
    k, eta_c, bound = found["k"], found["eta_c"], found["bound"]
    X, Sigma = np.asarray(k.X), np.asarray(k.X + k.X_aug)
    V = np.asarray(jax.random.normal(jax.random.fold_in(run.key, 671), (20000, 4)))
    V = V / np.linalg.norm(V, axis=1, keepdims=True)
    best = (np.einsum("ij,jk,ik->i", V, X, V) ** 2 / (4 * np.einsum("ij,jk,ik->i", V, Sigma, V))).max()
    # the maximum is met by random directions up to their distance from the best one, squared: about 20000^(-2/3)
    met = eta_c * (1 - 0.02) < best <= eta_c * (1 + 1e-12)
    agreement = []
    for name in ("half", "below"):
        at = k._replace(eta=found["eta"][name])
        ps, vs = map(np.asarray, rank_one(at))
        for p, v in zip(ps, vs, strict=True):
            top = np.linalg.eigvalsh(p * X - p * p * Sigma)[-1] < float(at.eta) * (1 + 1e-9)
            falls = v @ X @ v - 2 * p * v @ Sigma @ v < 0
            agreement.append(bool(top and falls) == _is_stable(found["found"][name], p, v, k))
    counts = {name: np.bincount(np.asarray(e.rank), minlength=3).tolist() for name, e in found["found"].items()}
    stable = {name: np.asarray(e.rank)[np.asarray(e.stable)].tolist() for name, e in found["found"].items()}
    residual = largest(float(jnp.max(e.residual)) for e in found["found"].values())
    only_zero = every(counts[name] == [1, 0, 0] for name in ("above", "between", "beyond", "far beyond"))
    rank_one_below = every(counts[name][1] > 0 for name in ("half", "below"))
    diagonal = Constants(1.0, 1.0, 0.0, jnp.diag(jnp.diag(k.X)), jnp.diag(jnp.diag(k.X_aug)))
    commuting = abs(float(critical_decay(diagonal)) / float(collapse_bound(diagonal)) - 1)
    return holds_if(
        met
        and eta_c < bound
        and every(agreement)
        and rank_one_below
        and only_zero
        and 1 in stable["below"]
        and commuting < 1e-12,
        eta_c=eta_c,
        upper_bound=bound,
        best_of_random_directions=best,
        equilibria_by_rank=counts,
        ranks_of_stable_ones=stable,
        largest_rate_left=residual,
        rank_one_equilibria_classified=len(agreement),
        commuting_gap_between_both=commuting,
    )


def _is_stable(found: Any, p: float, v: np.ndarray, k: Constants) -> bool:
    """The verdict of the search on the equilibrium of rank one with this p and direction."""
    gram = p * p / float(k.alpha_p) * np.outer(v, v)
    W = np.asarray(found.y.W)
    distance = np.abs(np.swapaxes(W, 1, 2) @ W - gram).max(axis=(1, 2))
    if distance.min() > 1e-6:
        raise RuntimeError(f"The search has missed the equilibrium of rank one at p = {p:.6g}.")
    return bool(found.stable[int(distance.argmin())])
