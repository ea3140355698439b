"""Eq. 18 itself: as printed against the released code, and its alignment by construction."""

import jax
import jax.numpy as jnp
import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.extremes import largest, least
from linbyol.predictors import RULES, directpred
from theory.proving.instances import moment, orthogonal

SCALES = 10.0 ** np.linspace(np.log10(3), -1, 16)  # section 11: features from 3 to 0.1, d = 16
SAME = 1e-14  # 1 - cosine of two 16 × 16 matrices in float64, the same up to rounding
APART = 1e-3  # and of different ones


@claim(
    "B81",
    title="Eq. 18 is not the released code",
    statement="Eq. 18 as printed and the released code give other predictors at equal ε, unless max s = 1; they agree "
    "up to scale when ε_paper = ε_code/√max s.",
    source="Eq. 18 against the released code",
    kind="numeric",
)
def printed_and_released(run: Run) -> Verdict:
    F = feature_correlation(run, SCALES)
    top = jnp.sqrt(jnp.linalg.eigvalsh(F)[-1])
    code = directpred(F, eps=0.1, form="code")
    apart = one_minus_cosine(directpred(F, eps=0.1), code)
    at_one = one_minus_cosine(directpred(F / top**2, eps=0.1), directpred(F / top**2, eps=0.1, form="code"))
    rescaled = one_minus_cosine(directpred(F, eps=0.1 / top), code)
    return holds_if(
        apart > APART and abs(at_one) < SAME and abs(rescaled) < SAME,
        largest_s=top**2,
        one_minus_cosine_at_equal_eps=apart,
        one_minus_cosine_where_max_s_is_1=at_one,
        one_minus_cosine_rescaled=rescaled,
    )


@claim(
    "B110",
    title="Erratum (l): only the code's eps is free of scale",
    statement="Features c times as large leave the predictor of the released code unchanged, and turn that of Eq. 18 "
    "as printed (ε > 0): Wp is no function of the directions of F alone, as the paper's remark on scale would have it.",
    source="Eq. 18 against the released code",
    kind="numeric",
)
def scale_of_features(run: Run) -> Verdict:
    F = feature_correlation(run, SCALES)
    turned = {form: [one_minus_cosine(directpred(F, eps=0.1, form=form), directpred(c**2 * F, eps=0.1, form=form))
                     for c in (0.1, 10.0)] for form in ("paper", "code")}  # fmt: skip
    without = largest(abs(one_minus_cosine(directpred(F), directpred(c**2 * F))) for c in (0.1, 10.0))
    return holds_if(
        least(turned["paper"]) > APART and largest(map(abs, turned["code"])) < SAME and without < SAME,
        scales=[0.1, 10.0],
        one_minus_cosine_printed=turned["paper"],
        one_minus_cosine_code=turned["code"],
        one_minus_cosine_printed_eps_0=without,
    )


@claim(
    "B82",
    title="DirectPred is aligned by construction",
    statement="The predictor that DirectPred sets commutes with F̂.",
    source="Eq. 18",
    kind="numeric",
)
def aligned_by_construction(run: Run) -> Verdict:
    F = moment(jax.random.fold_in(run.key, 82), 16)
    rules = {"paper": ("direct", {"eps": 0.1}), "code": ("direct", {"eps": 0.1, "form": "code"}), "copy": ("copy", {})}
    Wp = {name: RULES[rule](F, F, **settings) for name, (rule, settings) in rules.items()}
    size = {name: float(jnp.max(jnp.abs(F @ A - A @ F))) for name, A in Wp.items()}
    other = moment(jax.random.fold_in(run.key, 83), 16)  # what a predictor that knows nothing of F leaves
    return holds_if(
        largest(size) < 1e-12,
        largest_entry_of_the_commutator=size,
        of_a_random_predictor=jnp.max(jnp.abs(F @ other - other @ F)),
    )


def feature_correlation(run: Run, scales: np.ndarray) -> jax.Array:
    """Correlation of 1000 Gaussian features of the given scales in random directions."""
    a, b = jax.random.split(jax.random.fold_in(run.key, 81))
    f = (jax.random.normal(b, (1000, len(scales))) * jnp.asarray(scales)[None]) @ orthogonal(a, len(scales)).T
    return f.T @ f / 1000


def one_minus_cosine(A: jax.Array, B: jax.Array) -> float:
    """1 - <A, B>/(‖A‖‖B‖)."""
    return float(1 - jnp.vdot(A, B) / (jnp.linalg.norm(A) * jnp.linalg.norm(B)))
