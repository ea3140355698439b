"""Stepwise learning of a linear encoder (Simon et al., arXiv 2303.15438): the closed form against its flow."""

from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations.stepwise import (
    Embedding,
    Gain,
    Singular,
    Views,
    singular_flow,
    squared_singular,
    step_time,
    stepwise,
    stepwise_flow,
    stepwise_loss,
)
from linbyol.extremes import largest
from theory.proving.instances import orthogonal
from theory.proving.prover import slopes
from theory.proving.solves import follow
from theory.proving.words import residual

N, D = 6, 4  # W is (D, N): four modes are learnt, two never start
TIMES = np.linspace(0.0, 8.0, 161)


@cache
def closed_form() -> str:
    """The closed form starts at s0 and satisfies d/dt s² = 2 s ṡ; what SymPy leaves."""
    s0, gamma, t = sp.symbols("s_0 gamma t", positive=True)
    square = squared_singular(s0, gamma, sp.exp(-8 * gamma * t))
    s = sp.sqrt(square)
    rate = sp.diff(square, t) - 2 * s * singular_flow(Singular(s), Gain(gamma)).s
    return residual(sp.simplify(rate)) + residual(sp.simplify(square.subs(t, 0) - s0**2))


def numbers(rng: np.random.Generator) -> dict[str, Any]:
    """A random instance: the flow of W against the closed form, its step and limit, and the loss's gradient."""
    V, U = orthogonal(rng, N), orthogonal(rng, D)
    gamma = np.append(rng.uniform(0.3, 1.5, D) * [1, 1, 1, -1], [0.7, 0.2])
    s0 = 1e-3 * (1 + rng.uniform(size=D))
    k = Views((V * gamma) @ V.T)
    path = follow(stepwise_flow, Embedding((U * s0) @ V[:, :D].T), k, TIMES, atol=1e-13).ys.W
    modes = np.einsum("di,tdn,nj->tij", U, path, V)
    law = lambda ts, m=D - 1: np.asarray(stepwise(jnp.asarray(s0[:m]), Gain(gamma[:m]), jnp.asarray(ts)))  # noqa: E731
    learnt = gamma[: D - 1]
    times = np.asarray(step_time(s0[: D - 1], Gain(learnt)))
    y = Embedding(rng.standard_normal((D, N)))
    gradient = slopes(lambda W: stepwise_loss(Embedding(W), k), y.W)
    return {
        "gamma": gamma[:D],
        "left_where_gamma_is_negative": np.abs(modes[-1, -1, D - 1]) / s0[-1],
        "largest_error_of_the_closed_form": largest(np.abs(np.diagonal(modes[:, :, :D], 0, 1, 2) - law(TIMES, D))),
        "s2_gamma_at_the_step_time": np.diagonal(law(times)) ** 2 * learnt,
        "largest_error_of_the_limit": largest(np.abs(law([100.0])[0] * np.sqrt(learnt) - 1)),
        "gradient_of_the_loss_gap": largest(np.abs(stepwise_flow(y, k).W + gradient)),
    }


@claim(
    "B96",
    title="Stepwise learning, in closed form",
    statement="From a small aligned start each singular value follows s² = 1/(γ + (1/s₀² - γ) e^(-8γt)): it steps up "
    "to γ^(-1/2) at the time -ln(s₀²γ)/(8γ), and falls where γ < 0.",
    source="arXiv 2303.15438, recalled and derived",
    kind="numeric",
)
def simon(run: Run) -> Verdict:
    found, left = numbers(np.random.default_rng([run.seed, 96])), closed_form()
    # Along the path rounding off the aligned manifold (1e-16) grows as e^(4γt), at most as fast as the modes do.
    # Where the step is: s² = 1/(2γ) up to s0² γ ≤ 6e-6. The gradient: sums of products of order 10² in float64.
    return holds_if(
        found["largest_error_of_the_closed_form"] < 1e-8
        and largest(np.abs(found["s2_gamma_at_the_step_time"] - 0.5)) < 1e-5
        and found["largest_error_of_the_limit"] < 1e-12
        and found["gradient_of_the_loss_gap"] < 1e-11
        and found["left_where_gamma_is_negative"] < 0.01
        and not left,
        symbolic=not left,
        **found,
    )
