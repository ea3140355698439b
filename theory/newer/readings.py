"""What was read of the newer papers, and what could not be read."""

import jax.numpy as jnp
import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if, not_run
from linbyol.extremes import every, largest, least
from linbyol.predictors import directcopy, directset, nash, newton_schulz, stiefel, visser
from theory.newer.richemond_table import BEST_RIDGE, TRAINED, WITHOUT_RIDGE


def formulas(rng: np.random.Generator) -> dict[str, float]:
    """The predictors as printed, for rows z Wpᵀ of a batch, against the rules: the largest differences."""
    Z, target = rng.standard_normal((2, 40, 4)) / 40**0.5
    S, C, I = Z.T @ Z, Z.T @ target, np.eye(4)  # noqa: E741
    P = I / (2 * 0.5)
    for _ in range(9):
        P = P + 0.5 * (S - P @ P)

    def iterated(G: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        A, B = G / np.linalg.norm(G), I
        for _ in range(9):
            A, B = A @ (3 * I - B @ A) / 2, (3 * I - B @ A) @ B / 2
        return A, B

    root = iterated(S)[0] * np.linalg.norm(S) ** 0.5
    B = iterated(S.T @ S)[1]
    F = jnp.asarray(S)
    s, U = np.linalg.eigh(S)
    pairs = {
        "DirectPred": (directset(F, norm=None), U * np.sqrt(s) @ U.T),
        "DirectCopy": (directcopy(F), S),
        "NE": (nash(S, C.T).T, 2 * C - S @ C),
        "Visser": (visser(F, iterations=9), P),
        "Newton-Schulz": (newton_schulz(F), root),
        "Newton-Schulz twice": (newton_schulz(F, chain=2), iterated(root)[0] * np.linalg.norm(root) ** 0.5),
        "Stiefel": (stiefel(F), B @ S.T / np.linalg.norm(B)),
    }
    return {name: largest(np.abs(np.asarray(found) - printed)) for name, (found, printed) in pairs.items()}


@claim(
    "M42",
    title="The predictors of Richemond et al., and their table",
    statement="As printed the predictors are NE 2ZᵀZ′ - ZᵀZ ZᵀZ′, Visser's and Newton and Schulz' iterations for "
    "(ZᵀZ)^½, these twice, and Stiefel's, beside DirectPred and DirectCopy; on ImageNet each of the new ones, with its "
    "best ridge, is above the trained linear predictor, and without ridge all are far above DirectCopy; Visser alone "
    "loses nothing.",
    source="Richemond et al. 2023, arXiv 2302.04817",
    kind="reading",
)
def predictors_as_printed(run: Run) -> Verdict:
    gaps = formulas(np.random.default_rng([run.seed, 42]))
    best, bare = ({name: np.array(row) for name, row in rows.items()} for rows in (BEST_RIDGE, WITHOUT_RIDGE))
    lost = {name: (best[name] - bare[name]).tolist() for name in best}
    above = every(row > TRAINED for row in best.values())
    far = least([row - bare["DirectCopy"] for name, row in bare.items() if name != "DirectCopy"]) > 20
    alone = [name for name, loss in lost.items() if largest(loss) == 0] == ["Visser"]
    return holds_if(
        largest(gaps) < 1e-12 and above and far and alone,
        largest_differences=gaps,
        trained_linear=TRAINED,
        best_ridge=BEST_RIDGE,
        without_ridge=WITHOUT_RIDGE,
        lost_without_ridge=lost,
    )


@claim(
    "M43",
    title="What was not opened",
    statement="The theorems and critical times of Littwin et al. 2024 (arXiv 2407.03475) are those derived here, and "
    "LeJEPA (arXiv 2511.08544) prints the range of t and the weight that its code has.",
    source="arXiv 2407.03475, arXiv 2511.08544",
    kind="reading",
    expected="open",
)
def not_opened(run: Run) -> Verdict:
    return not_run(
        "Neither text was read beyond its abstract: the claims here are about the flows and the released code."
    )
