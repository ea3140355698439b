"""No predictor (after Theorem 2): collapse with and without stop-gradient, and the order of a printed product."""

import math
from typing import Any

import numpy as np
from scipy.linalg import expm
from sympy.matrices.exceptions import ShapeError
from sympy.matrices.expressions import MatrixSymbol

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import Constants, Matrix, Weights, identity
from linbyol.extremes import largest
from theory.paper.theorem2 import LEAK_STILL, STILL, norms, runs
from theory.proving import instances
from theory.proving.prover import Equal, Space, Statement, proven
from theory.proving.solves import BOUND, RTOL, Solved
from theory.proving.spaces import EXPLICIT, WEIGHTS


def _square_encoder() -> Space:
    """d = n, where the printed order of Ẇ = -(X_aug + eta I) W at least makes sense."""
    n = WEIGHTS.k.X.shape[0]
    y = Weights(*(MatrixSymbol(name, n, n) for name in ("W", "Wp", "Wa")))
    return Space(y, WEIGHTS.k, _square_instance, WEIGHTS.symmetric)


def _square_instance(rng: Any) -> tuple[Weights, Constants]:
    return instances.weights(rng, d=7), instances.constants(rng)


def _printed_order(y: Weights, k: Constants) -> Matrix:
    """-(X_aug + eta I) W, the order the paper prints."""
    return -(k.X_aug + k.eta * identity(k.X_aug)) @ y.W


SQUARE = _square_encoder()
NO_PREDICTOR = Equal(WEIGHTS, lambda y, k: STILL(y, k).W, lambda y, k: -y.W @ (k.X_aug + k.eta * identity(k.X_aug)))
PRINTED_ORDER = Equal(SQUARE, lambda y, k: STILL(y, k).W, _printed_order)

PROOFS: dict[str, tuple[Statement, ...]] = {
    "B100c": (NO_PREDICTOR,),
    "B144": (
        Equal(WEIGHTS, lambda y, k: LEAK_STILL(y, k).W, lambda y, k: -y.W @ (2 * k.X_aug + k.eta * identity(k.X_aug))),
    ),
}


def _decayed(solved: Solved, operator: Any) -> float:
    """max_t |W(t) - W(0) expm(-operator t)|, relative to the largest |W(0)|."""
    W = np.asarray(solved.ys.W)
    exact = np.stack([W[0] @ expm(-np.asarray(operator) * float(t)) for t in solved.ts])
    return float(np.abs(W - exact).max() / np.abs(exact[0]).max())


@claim(
    "B14",
    title="No predictor, stop-gradient kept: collapse",
    statement="With Wp = I, W(t) = W(0) expm(-(X_aug + η I) t) → 0 where X_aug + η I ≻ 0, frozen on its null space.",
    source="after Theorem 2, corrected",
    kind="numeric",
)
def no_predictor_collapses(run: Run) -> Verdict:
    eye = np.eye(7)
    free, null = runs(run.seed)["still"], runs(run.seed)["still, null space"]
    gaps = [_decayed(solved, solved.k.X_aug + solved.k.eta * eye) for solved in (free, null)]
    unseen = np.asarray(null.ys.W)[:, :, :2]
    moved = float(np.abs(unseen - unseen[:1]).max())
    slowest = float(np.linalg.eigvalsh(free.k.X_aug)[0] + free.k.eta)
    left = float(norms(free)[-1] / norms(free)[0])
    # The integrator's error; what X_aug does not see must not move at all.
    good = largest(gaps) < RTOL and moved < 1e-12 and left <= BOUND * math.exp(-slowest * float(free.ts[-1]))
    return holds_if(good, gaps=gaps, moved_in_the_null_space=moved, left=left, slowest_rate=slowest)


@claim(
    "B100",
    title="Erratum (b): order in Ẇ = -(X_aug + ηI) W",
    statement="Without predictor Ẇ = -(X_aug + η I) W, as printed.",
    source="after Theorem 2",
    kind="symbolic",
    expected="fails",
)
def printed_order(run: Run) -> Verdict:
    return proven(run, (PRINTED_ORDER,), fits_2x3=_fits(_printed_order), read_where="d = n, symbolic")


def _fits(formula: Any) -> bool:
    """Whether the shapes of 2x3 matrices allow a formula; symbolic shapes may always turn out equal."""
    try:
        formula(EXPLICIT.y, EXPLICIT.k)
    except ShapeError:
        return False
    return True


@claim(
    "B100c",
    title="Erratum (b), corrected",
    statement="Without predictor, with stop-gradient, Ẇ = -W (X_aug + η I).",
    source="after Theorem 2, corrected",
    kind="symbolic",
)
def corrected_order(run: Run) -> Verdict:
    return proven(run, PROOFS["B100c"])


@claim(
    "B144",
    title="Neither predictor nor stop-gradient",
    statement="With Wp = I and Wa = W, without stop-gradient, Ẇ = -W (2 X_aug + η I).",
    source="beyond the paper",
    kind="symbolic",
)
def neither(run: Run) -> Verdict:
    solved = runs(run.seed)["leak, still"]
    gap = _decayed(solved, 2 * solved.k.X_aug + solved.k.eta * np.eye(7))
    return proven(run, PROOFS["B144"], gap < RTOL, expm_gap=gap)  # the integrator's error
