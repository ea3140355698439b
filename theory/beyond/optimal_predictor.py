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
from linbyol.equations import Ablated, Constants, Flow, Weights, simsiam, weights_flow
from linbyol.extremes import every
from linbyol.predictors import optimal
from theory.proving.instances import constants, weights
from theory.proving.solves import follow

D, N = 3, 6
FROZEN = 1e-9  # relative, 10 × rtol


def optimally_predicted(symmetrised: Any = 0.0, flow: Flow = weights_flow) -> Ablated:
    """The flow of the weights with the optimal Wp at each evaluation; 1.0: that of Table 1, with a symmetrised target.

    Table 1 solves Wp E[f fᵀ] = ½ (E[fa fᵀ] + E[f faᵀ]); a number between 0 and 1 mixes the two.
    """
    return Ablated(flow, Partial(_predict, symmetrised), Partial(_at_rest))


def _predict(symmetrised: Any, y: Weights, k: Constants) -> Weights:
    M = y.W @ (k.X + k.X_aug) @ y.W.T
    Wp = optimal(y.W, y.Wa, k.X, k.X_aug)
    S = Wp @ M  # E[fa fᵀ]
    table_1 = jnp.linalg.solve(M, (S + S.T) / 2).T
    return y._replace(Wp=Wp + symmetrised * (table_1 - Wp))


def _at_rest(rate: Weights, y: Weights, k: Constants) -> Weights:
    return rate._replace(Wp=0 * rate.Wp)


@cache
def frozen(seed: int) -> dict[str, np.ndarray]:
    """Three instances each; drift: |W Wᵀ e^(2ηt) - W Wᵀ(0)| / |W Wᵀ(0)|, largest over t, with the optimal predictor and
    an independent target; online: with the symmetrised one for SimSiam, where Wa X Wᵀ is symmetric.
    rate: |d/dt W Wᵀ + 2η W Wᵀ| / |W Wᵀ| at the start, with the symmetrised one and an independent target. There W Wᵀ
    may even become singular in finite time, so it is not integrated.
    """
    rng = np.random.default_rng([seed, 75])
    rows = [_instance(weights(rng, D, N, 0.6), constants(rng, N)) for _ in range(3)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


FREE, TABLE_1 = jax.jit(optimally_predicted()), jax.jit(optimally_predicted(1.0))
ONLINE = jax.jit(optimally_predicted(1.0, simsiam(weights_flow)))


def _instance(y0: Weights, k: Constants) -> dict[str, float]:
    def drift(flow: Flow) -> tuple[float, float]:
        solved = follow(flow, y0, k, np.linspace(0, 4, 9))
        W = solved.ys.W
        gram = W @ np.swapaxes(W, 1, 2) * np.exp(2 * k.eta * solved.ts)[:, None, None]
        moved = np.linalg.norm(W[-1] - W[0]) / np.linalg.norm(W[0])
        return np.linalg.norm(gram - gram[:1], axis=(1, 2)).max() / np.linalg.norm(gram[0]), moved

    free, moved = drift(FREE)
    turn = np.asarray(TABLE_1(y0, k).W) @ y0.W.T
    gram = y0.W @ y0.W.T
    rate = np.linalg.norm(turn + turn.T + 2 * k.eta * gram) / np.linalg.norm(gram)
    return {"drift": free, "online": drift(ONLINE)[0], "moved": moved, "rate": rate}


@claim(
    "B75",
    title="The optimal predictor freezes the features",
    statement="With the least-squares Wp at all times W Wᵀ(t) = e^(-2ηt) W Wᵀ(0), for any X, X_aug and Wa.",
    source="derived; Obs. 2, Table 1",
    kind="numeric",
)
def optimal_predictor_freezes(run: Run) -> Verdict:
    found = frozen(run.seed)
    return holds_if(
        found["drift"].max() < FROZEN and every(found["moved"] > 0.01),
        relative_drift=found["drift"],
        change_of_W=found["moved"],
        rate_if_symmetrised=found["rate"],
    )


@claim(
    "B75c",
    title="Table 1's symmetrised optimum freezes them only where Wa X Wᵀ is symmetric",
    statement="With ½ (Wa X Wᵀ + W X Waᵀ) for Wa X Wᵀ the features move for independent W, Wa, and rest for Wa = W.",
    source="derived; Table 1",
    kind="numeric",
)
def symmetrised_optimum(run: Run) -> Verdict:
    found = frozen(run.seed)
    return holds_if(
        every(found["rate"] > 0.01) and found["online"].max() < FROZEN,
        relative_rate_independent_target=found["rate"],
        relative_drift_simsiam=found["online"],
    )
