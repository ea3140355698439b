"""Beyond the paper: a predictor that is optimal at all times freezes the features (Table 1, and Obs. 2 in the limit).

With Wp = Wa X Wᵀ (W (X + X_aug) Wᵀ)⁻¹ the residual E = E[(Wa x2 - Wp W x1) x1ᵀ] is orthogonal to the features,
E Wᵀ = 0, so d/dt W Wᵀ = Wpᵀ E Wᵀ + W Eᵀ Wp - 2η W Wᵀ = -2η W Wᵀ, whatever X, X_aug and Wa are.
"""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Ablated, Constants, Flow, Weights, hold, simsiam, weights_flow
from linbyol.integrate import integrate
from linbyol.predictors import optimal
from theory.instances import constants, weights

FROZEN = 1e-9  # relative, 10 × rtol


def optimally_predicted(symmetrised: Any = 0.0) -> Flow:
    """The flow of the weights with the optimal Wp at each evaluation; 1.0: that of Table 1, with a symmetrised target.

    Table 1 solves Wp E[f fᵀ] = ½ (E[fa fᵀ] + E[f faᵀ]); a number between 0 and 1 mixes the two.
    """
    return hold(Ablated(weights_flow, Partial(_predict, symmetrised), Partial(_unchanged)), "Wp")


def _predict(symmetrised: Any, y: Weights, k: Constants) -> Weights:
    M = y.W @ (k.X + k.X_aug) @ y.W.T
    Wp = optimal(y.W, y.Wa, k.X, k.X_aug)
    S = Wp @ M  # E[fa fᵀ]
    table_1 = jnp.linalg.solve(M, (S + S.T) / 2).T
    return y._replace(Wp=Wp + symmetrised * (table_1 - Wp))


def _unchanged(rate: Any, y: Any, k: Any) -> Any:
    return rate


@cache
def frozen(seed: int) -> dict[str, Any]:
    """|W Wᵀ e^(2ηt) - W Wᵀ(0)| / |W Wᵀ(0)|, largest over t: three instances each of (0) the optimal predictor,
    (1) the symmetrised one; independent W, Wa and EMA; (2) the symmetrised one for SimSiam, where Wa X Wᵀ is symmetric.
    """
    keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), 75), 3)
    drift, moved = (np.asarray(a) for a in _drift(jnp.tile(keys, 2), jnp.repeat(jnp.array([0.0, 1.0]), 3)))
    online, _ = (np.asarray(a) for a in _online_drift(keys))
    return {"drift": np.stack([*drift.reshape(2, 3), online]), "moved": moved[:3]}


def _solve(flow: Flow, key: Any) -> tuple[Any, Any]:
    a, b = jax.random.split(key)
    y0, k = weights(a, 3, 6, 0.6), constants(b, 6)
    solution = integrate(flow, y0, k, jnp.linspace(0, 5, 11), rtol=1e-10, atol=1e-12)
    gram = solution.ys.W @ jnp.swapaxes(solution.ys.W, 1, 2) * jnp.exp(2 * k.eta * solution.ts)[:, None, None]
    size = jnp.linalg.norm(gram[0])
    change = jnp.linalg.norm(solution.ys.W[-1] - solution.ys.W[0]) / jnp.linalg.norm(solution.ys.W[0])
    return jnp.linalg.norm(gram - gram[:1], axis=(1, 2)).max() / size, change


@jax.jit
def _drift(keys: Any, symmetrised: Any) -> Any:
    return jax.vmap(lambda key, share: _solve(optimally_predicted(share), key))(keys, symmetrised)


@jax.jit
def _online_drift(keys: Any) -> Any:
    return jax.vmap(lambda key: _solve(simsiam(optimally_predicted(1.0)), key))(keys)


@claim(
    "B75",
    title="The optimal predictor freezes the features",
    statement="With the least-squares Wp at all times W Wᵀ(t) = e^(-2ηt) W Wᵀ(0), for any X, X_aug and Wa.",
    source="derived; Obs. 2, Table 1",
    kind="numeric",
)
def optimal_predictor_freezes(run: Run) -> Verdict:
    found = frozen(run.seed)
    plain, symmetrised, online = found["drift"]
    return holds_if(
        plain.max() < FROZEN and (found["moved"] > 0.01).all(),
        seeds=[run.seed],
        relative_drift=plain,
        change_of_W=found["moved"],
        relative_drift_if_symmetrised=symmetrised,
        relative_drift_if_symmetrised_simsiam=online,
    )


@claim(
    "B75c",
    title="Table 1's symmetrised optimum freezes them only where Wa X Wᵀ is symmetric",
    statement="With ½ (Wa X Wᵀ + W X Waᵀ) for Wa X Wᵀ the features move for independent W, Wa, and rest for Wa = W.",
    source="derived; Table 1",
    kind="numeric",
)
def symmetrised_optimum(run: Run) -> Verdict:
    _, symmetrised, online = frozen(run.seed)["drift"]
    return holds_if(
        (symmetrised > 0.01).all() and online.max() < FROZEN,
        seeds=[run.seed],
        relative_drift_independent_target=symmetrised,
        relative_drift_simsiam=online,
    )
