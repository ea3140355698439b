"""IsoLoss and the distance it mends (arXiv 2212.04858): flows of the spectrum against the losses, and their limits."""

from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations.isoloss import (
    Angular,
    Euclidean,
    Spectrum,
    cosine_flow,
    cosine_isoloss_flow,
    euclidean_flow,
    euclidean_isoloss_flow,
    euclidean_open_flow,
)
from linbyol.extremes import every, largest
from linbyol.losses import byol_cosine, byol_l2, isoloss_cosine, isoloss_l2
from theory.proving import solves
from theory.proving.instances import orthogonal
from theory.proving.words import residual

N = 4  # modes of the samples; W is (N, N)
ROUNDING = 1e-12  # rates of order one from a mean over some hundred samples
TIMES = np.linspace(0.0, 40.0, 81)  # 0.5 apart, e^-80 of a rate 2 at the end
SETTLED = 1e-7  # 10 × rtol, times the slope 1/alpha of λ = κ^(-1/alpha)


class Paths(NamedTuple):
    """Spectra (t, 12) under each flow."""

    plain: np.ndarray
    mended: np.ndarray
    open: np.ndarray


def follow(lam: Any, alpha: Any, kappa: Any = 1.0) -> Paths:
    """12 decoupled modes, each with its own alpha and kappa, at TIMES, under the three flows."""
    lam, alpha, kappa = (a * 1.0 for a in np.broadcast_arrays(lam, alpha, kappa, np.zeros(12))[:3])
    flows = (euclidean_flow, euclidean_isoloss_flow, euclidean_open_flow)
    solved = [solves.follow(flow, Spectrum(lam), Euclidean(alpha, kappa), TIMES, atol=1e-14) for flow in flows]
    return Paths(*(each.ys.lam for each in solved))


def loss_gaps(rng: np.random.Generator, alpha: float, sigma2: float) -> dict[str, float]:
    """How far gradient descent on the losses themselves is from each flow of the spectrum, in the largest rate.

    Samples are exact: x runs over g with all signs, noise over ±σ√N along each axis, so X = I and X_aug = σ² I for the
    euclidean losses, and E over the signs leaves the cosine losses diagonal.
    """
    Q, lam = orthogonal(rng, N), rng.uniform(0.3, 1.5, N)
    full = lambda v: (Q * v) @ Q.T  # noqa: E731
    W, Wp = full(np.sqrt(lam)), jnp.asarray(full(lam**alpha))
    signs = np.stack(np.meshgrid(*[[-1.0, 1.0]] * N, indexing="ij"), axis=-1).reshape(-1, N)
    axes = np.sqrt(N) * np.concatenate([np.eye(N), -np.eye(N)])
    i, j, m = (v.reshape(-1) for v in np.meshgrid(*[np.arange(2 * N)] * 3, indexing="ij"))
    noise = np.sqrt(sigma2) * axes
    x1, x2 = axes[i] + noise[j], axes[i] + noise[m]  # every pair of views
    g = rng.standard_normal((6, N))  # six samples in the modes' coordinates, with every sign
    x = (g[:, None] * signs[None]).reshape(-1, N) @ Q.T

    def rate(G: Any) -> np.ndarray:
        """Diagonal of d(W Wᵀ)/dt in the modes, where W moves by -G."""
        return -np.diagonal(Q.T @ (G @ W.T + W @ G.T) @ Q)

    stop = jax.lax.stop_gradient
    open_loss = lambda W: jnp.mean(jnp.sum((x1 @ W.T @ Wp.T - x2 @ W.T) ** 2, axis=1)) / 2  # noqa: E731
    losses = {
        euclidean_flow: lambda W: byol_l2(x1 @ W.T @ Wp.T, stop(x2 @ W.T)).total,
        euclidean_isoloss_flow: lambda W: isoloss_l2(x1 @ W.T, x2 @ W.T, Wp).total,
        euclidean_open_flow: open_loss,
        cosine_flow: lambda W: byol_cosine(x @ W.T @ Wp.T, x @ W.T).total / 2,
        cosine_isoloss_flow: lambda W: isoloss_cosine(x @ W.T, x @ W.T, Wp).total / 2,
    }
    euclidean, angular = Euclidean(alpha, 1 + sigma2), Angular(alpha, g * g)
    gradients = jax.jit(lambda W: [jax.grad(loss)(W) for loss in losses.values()])(W)
    return {
        flow.__name__: largest(np.abs(rate(np.asarray(G)) - flow(Spectrum(lam), k).lam))
        for flow, G in zip(losses, gradients, strict=True)
        for k in [angular if "cosine" in flow.__name__ else euclidean]
    }


@cache
def gaps(seed: int) -> dict[str, float]:
    """`loss_gaps` on a random instance, alpha and sigma2 included."""
    rng = np.random.default_rng([seed, 90])
    return loss_gaps(rng, *rng.uniform(0.3, 1.5, 2))


@claim(
    "B90",
    title="BYOL's distance, predictor set",
    statement="Under L_euc a mode moves as λ̇ = 2λ^(1+α) (1 - λ^α), to λ = 1; with augmentation noise to λ^α = 1/κ.",
    source="arXiv 2212.04858",
    kind="numeric",
)
def euclidean(run: Run) -> Verdict:
    start, alpha, kappa = _random_modes(run, 90)
    ends = follow(start, alpha, kappa).plain[-1]
    quiet = follow(start, alpha).plain[-1]
    error, gap = np.abs(ends / kappa ** (-1 / alpha) - 1).max(), gaps(run.seed)["euclidean_flow"]
    left = _euclidean_forms()["L_euc"]
    return holds_if(
        error < SETTLED and np.abs(quiet - 1).max() < SETTLED and gap < ROUNDING and not left,
        largest_relative_error_with_noise=error,
        largest_error_without=np.abs(quiet - 1).max(),
        gradient_of_the_loss_gap=gap,
        symbolic=not left,
    )


@claim(
    "B91",
    title="IsoLoss on the distance",
    statement="IsoLoss moves a mode as λ̇ = 2λ (1 - λ^α) to the same λ = 1; modes below 1 are faster than under L_euc, "
    "by λ^(-α).",
    source="arXiv 2212.04858",
    kind="numeric",
)
def euclidean_isoloss(run: Run) -> Verdict:
    _, alpha, _ = _random_modes(run, 91)
    start = 10.0 ** np.linspace(-4, -0.1, 12)
    slow, fast, _ = follow(start, alpha)
    half = [np.argmax(path >= 0.5, axis=0) * TIMES[1] for path in (fast, slow[:, -4:])]
    moving = (slow[1:-1] < 0.999) & (fast[1:-1] < 0.999)
    gap, left = gaps(run.seed)["euclidean_isoloss_flow"], _euclidean_forms()["IsoLoss"]
    return holds_if(
        np.abs(fast[-1] - 1).max() < SETTLED and every((fast > slow)[1:-1][moving]) and gap < ROUNDING and not left,
        largest_error=np.abs(fast[-1] - 1).max(),
        times_to_one_half_isoloss=half[0],
        times_to_one_half_of_the_four_largest_l_euc=half[1],
        smallest_mode_reaches_isoloss=fast[-1, 0],
        smallest_mode_reaches_l_euc=slow[-1, 0],
        gradient_of_the_loss_gap=gap,
        symbolic=not left,
    )


@claim(
    "B94",
    title="No stop-gradient or no predictor",
    statement="Without stop-gradient L_euc only shrinks: λ̇/2λ = -(1 - λ^α)², and -σ² (1 + λ^(2α)) more with noise. "
    "Without predictor λ̇/2λ = 0, and -σ² with noise.",
    source="arXiv 2212.04858",
    kind="numeric",
)
def ablations(run: Run) -> Verdict:
    start, alpha, kappa = _random_modes(run, 94)
    alone, noisy = (follow(start, alpha, k).open for k in (1.0, kappa))
    still, decaying = (follow(start, 0.0, k).plain for k in (1.0, kappa))
    law = start[None] * np.exp(-2 * (kappa - 1)[None] * TIMES[:, None])
    error = np.abs(decaying - law).max()
    gap, left = gaps(run.seed)["euclidean_open_flow"], _euclidean_forms()["open"]
    return holds_if(
        every(np.diff(alone, axis=0) <= 0) and noisy[-1].max() < 1e-8 and np.abs(still - start[None]).max() < ROUNDING
        and error < SETTLED and gap < ROUNDING and not left,
        largest_without_stop_gradient_with_noise=noisy[-1].max(),
        largest_move_without_predictor=np.abs(still - start[None]).max(),
        largest_error_of_the_decay=error,
        gradient_of_the_loss_gap=gap,
        symbolic=not left
    )  # fmt: skip


@cache
def _euclidean_forms() -> dict[str, str]:
    """The printed right-hand sides for symbolic α and κ: what SymPy leaves."""
    lam, alpha, kappa = sp.symbols("lambda alpha kappa", positive=True)
    y, p, noisy = Spectrum(lam), lam**alpha, Euclidean(alpha, kappa)
    gaps = {
        "L_euc": euclidean_flow(y, noisy).lam - 2 * lam * p * (1 - kappa * p),
        "IsoLoss": euclidean_isoloss_flow(y, Euclidean(alpha)).lam - 2 * lam * (1 - p),
        "open": euclidean_open_flow(y, noisy).lam + 2 * lam * ((1 - p) ** 2 + (kappa - 1) * (1 + p * p)),
    }
    return {name: residual(sp.powsimp(sp.expand(gap))) for name, gap in gaps.items()}


def _random_modes(run: Run, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    u = np.random.default_rng([run.seed, number]).uniform(size=(3, 12))
    return 0.3 + u[0], 0.4 + u[1], 1.1 + u[2]
