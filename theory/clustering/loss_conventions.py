"""VICReg in its paper's and its code's convention, SimCLR's value and its double, splits that add up, closed forms."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.extremes import every, largest
from linbyol.losses import nt_xent, vicreg

ROUNDING = 1e-12
ONES = {"invariance": 1.0, "variance": 1.0, "covariance": 1.0}
VICREG_CODE = "facebookresearch/vicreg issue 8, main_vicreg.py"


def terms(z1: Any, z2: Any, **settings: Any) -> dict[str, Any]:
    """VICReg's terms in float64, by convention: total, invariance, variance, covariance."""
    pair = jnp.asarray(z1), jnp.asarray(z2)
    return {name: np.array(vicreg(*pair, convention=name, **settings), float) for name in ("paper", "code")}


def double(a: np.ndarray, b: np.ndarray, temperature: float) -> float:
    """As google-research/simclr describes it: the cross-entropy of a's views among b's and a's, plus that of b's."""
    a, b = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (a, b))
    total = 0.0
    for x, y in ((a, b), (b, a)):
        same = x @ x.T / temperature - 1e9 * np.eye(len(x))
        scores = np.concatenate([x @ y.T / temperature, same], axis=1)
        top = scores.max(axis=1)
        total += np.mean(top + np.log(np.exp(scores - top[:, None]).sum(axis=1)) - np.diagonal(scores))
    return float(total)


@claim(
    "C25",
    title="VICReg's paper and code differ by d and by 2",
    statement="Without weights, the paper's invariance is d times the code's, its variance twice the code's, and the "
    "covariance terms are equal.",
    source=VICREG_CODE,
    kind="numeric",
)
def two_conventions(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 25])
    b, d = int(rng.integers(20, 60)), int(rng.integers(5, 40))
    z = 0.6 * rng.standard_normal((2, b, d)) * rng.uniform(0.3, 1.5, d)  # some variances below 1, some above
    found = terms(*z, **ONES)
    ratios = found["paper"][1:] / found["code"][1:]
    return holds_if(
        largest(np.abs(ratios / [d, 2, 1] - 1)) < ROUNDING, batch=b, d=d, ratios=ratios, code=found["code"][1:]
    )


@claim(
    "C26",
    title="The share of invariance in VICReg depends on the convention",
    statement="For n = 256 unit Gaussian embeddings in d = 512 dimensions with noise of 0.14 on both views the "
    "invariance is 18 % of the loss in the code's convention and 99.05 % in the paper's; for noise from 0.05 to 0.3 "
    "it runs from 3 % to 48 % and from 93 % to 99.8 %.",
    source="derived",
    kind="numeric",
)
def shares(run: Run) -> Verdict:
    """In the mean of four draws: one varies by 0.13 % of the whole at 0.14, for the variances of 512 features do."""
    rng = np.random.default_rng([run.seed, 26])
    sizes = [0.05, 0.14, 0.3]
    found: dict[str, list[Any]] = {"paper": [], "code": []}
    for size in sizes:
        draws = []
        for _ in range(4):
            z = rng.standard_normal((256, 512))
            draws.append(terms(*(z + size * rng.standard_normal((2, 256, 512)))))
        for name, shares in found.items():
            shares.append(np.mean([draw[name][1] / draw[name][0] for draw in draws]))
    code, paper = found["code"], found["paper"]
    near = [abs(code[1] - 0.18) < 5e-3, abs(paper[1] - 0.9905) < 5e-4]
    ends = [0.025 < code[0] < 0.035, 0.475 < code[2] < 0.49, 0.925 < paper[0] < 0.935, 0.9975 < paper[2] < 0.9985]
    return holds_if(every(near, ends), noise=sizes, share_in_the_code=code, share_in_the_paper=paper)


@claim(
    "C27",
    title="One SimCLR returns twice the NT-Xent of the others",
    statement="The sum of the two cross-entropies that google-research/simclr returns is twice the mean over all 2N "
    "anchors, which NT-Xent is here and elsewhere.",
    source="google-research/simclr objective.py",
    kind="numeric",
)
def twice(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 27])
    ratios = []
    for temperature in (0.1, 0.5, 1.0):
        z1 = rng.standard_normal((17, 9))
        z2 = z1 + rng.standard_normal((17, 9))
        ours = float(nt_xent(jnp.asarray(z1), jnp.asarray(z2), temperature=temperature).total)
        ratios.append(double(z1, z2, temperature) / ours)
    return holds_if(largest(np.abs(np.array(ratios) - 2)) < 10 * ROUNDING, ratios=ratios)


@claim(
    "C28",
    title="NT-Xent is alignment plus log-sum-exp",
    statement="-mean(sim₊)/τ and the mean log-sum-exp over the other embeddings add up to NT-Xent.",
    source="derived",
    kind="numeric",
)
def split(run: Run) -> Verdict:
    """Both terms and their sum against plain lines: half of the double loss is NT-Xent."""
    rng = np.random.default_rng([run.seed, 28])
    gaps = []
    for temperature in (0.1, 0.5):
        z1, z2 = rng.standard_normal((2, 13, 6))
        found = nt_xent(jnp.asarray(z1), jnp.asarray(z2), temperature=temperature)
        unit = [z / np.linalg.norm(z, axis=1, keepdims=True) for z in (z1, z2)]
        alignment = -np.mean(np.sum(unit[0] * unit[1], axis=1)) / temperature
        total = double(z1, z2, temperature) / 2
        gaps += [found.alignment + found.spread - total, found.alignment - alignment, found.total - total]
    return holds_if(largest(np.abs(np.array(gaps, float))) < 10 * ROUNDING, largest_gap=largest(np.abs(np.array(gaps))))


@claim(
    "C44",
    title="VICReg of two equal constant batches",
    statement="Two equal constant batches have, in the code's convention, invariance 0, variance 1 - √eps = 0.99, "
    "covariance 0 and a total of 24.75.",
    source="derived",
    kind="numeric",
)
def constants(run: Run) -> Verdict:
    z = np.full((8, 5), 1.0 + run.seed % 7)  # a mean without rounding
    bare, weighted = terms(z, z, **ONES)["code"], terms(z, z)["code"]
    gap = largest(np.abs(bare[1:] - [0, 0.99, 0]), abs(weighted[0] - 24.75))
    return holds_if(gap < 100 * ROUNDING, seeds=(), largest_gap=gap, terms=bare[1:], total=weighted[0])


@claim(
    "C45",
    title="NT-Xent of two orthogonal pairs",
    statement="Two pairs of equal embeddings, orthogonal to each other, have at τ = 0.5 the loss log(1 + 2/e²).",
    source="derived",
    kind="numeric",
)
def orthogonal_pairs(run: Run) -> Verdict:
    found = float(nt_xent(jnp.eye(2, 4), jnp.eye(2, 4), temperature=0.5).total)
    expected = float(np.log(1 + 2 * np.exp(-2)))
    return holds_if(
        abs(found - expected) < ROUNDING and abs(expected - 0.239545) < 5e-7, seeds=(), loss=found, expected=expected
    )
