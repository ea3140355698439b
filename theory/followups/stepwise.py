"""Stepwise learning of a linear encoder (Simon et al., arXiv 2303.15438): the closed form against its flow."""

from functools import cache

import jax
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
from linbyol.integrate import integrate
from theory.proving.instances import orthogonal
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


@jax.jit
def numbers(key: jax.Array) -> dict[str, jax.Array]:
    """A random instance: the flow of W against the closed form, its step and limit, and the loss's gradient."""
    a, b, c, d = jax.random.split(key, 4)
    V, U = orthogonal(a, N), orthogonal(b, D)
    gamma = jnp.append(jax.random.uniform(c, (D,), minval=0.3, maxval=1.5).at[-1].multiply(-1), jnp.array([0.7, 0.2]))
    s0 = 1e-3 * (1 + jax.random.uniform(d, (D,)))
    k = Views((V * gamma[None]) @ V.T)
    W0 = (U * s0[None]) @ V[:, :D].T
    path = integrate(stepwise_flow, Embedding(W0), k, TIMES, rtol=1e-10, atol=1e-13).ys.W
    modes = jnp.einsum("di,tdn,nj->tij", U, path, V)
    law = stepwise(s0, Gain(gamma[:D]), jnp.asarray(TIMES))
    error = jnp.max(jnp.abs(jnp.diagonal(modes[:, :, :D], axis1=1, axis2=2) - law))
    learnt = gamma[: D - 1]
    at_the_step = jnp.diagonal(stepwise(s0[: D - 1], Gain(learnt), step_time(s0[: D - 1], Gain(learnt)))) ** 2 * learnt
    y = Embedding(jax.random.normal(d, (D, N)))
    gap = jnp.max(jnp.abs(stepwise_flow(y, k).W + jax.grad(lambda W: stepwise_loss(Embedding(W), k))(y.W)))
    end = jnp.abs(stepwise(s0[: D - 1], Gain(learnt), jnp.array([100.0]))[0] * jnp.sqrt(learnt) - 1).max()
    return {
        "gamma": gamma[:D],
        "left_where_gamma_is_negative": jnp.abs(modes[-1, -1, D - 1]) / s0[-1],
        "largest_error_of_the_closed_form": error,
        "s2_gamma_at_the_step_time": at_the_step,
        "largest_error_of_the_limit": end,
        "gradient_of_the_loss_gap": gap,
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
    found, left = numbers(jax.random.fold_in(run.key, 96)), closed_form()
    # Along the path rounding off the aligned manifold (1e-16) grows as e^(4γt), at most as fast as the modes do.
    # Where the step is: s² = 1/(2γ) up to s0² γ ≤ 6e-6. The gradient: sums of products of order 10² in float64.
    return holds_if(
        found["largest_error_of_the_closed_form"] < 1e-8
        and jnp.abs(found["s2_gamma_at_the_step_time"] - 0.5).max() < 1e-5
        and found["largest_error_of_the_limit"] < 1e-12
        and found["gradient_of_the_loss_gap"] < 1e-11
        and found["left_where_gamma_is_negative"] < 0.01
        and not left,
        seeds=[run.seed],
        symbolic=not left,
        **found,
    )
