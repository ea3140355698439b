"""Two learning curves in closed form: stepwise learning (arXiv 2303.15438) and Saxe's deep linear network.

What to see: from a small start a linear encoder under a Barlow-type loss learns its features one after the other,
each in one step at t = ln(1/(s₀²γ))/8γ, the stronger γ first; a two-layer linear network learns the singular values of
its task in sigmoids, again the stronger first. The points are singular values of the integrated weight matrices.
Not a figure of the paper.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations.deep_linear import Layers, Strength, Teacher, layers_flow, product
from linbyol.equations.stepwise import Embedding, Gain, Views, step_time, stepwise, stepwise_flow
from linbyol.integrate import integrate
from theory.proving.instances import orthogonal

CAPTION = (
    "Closed forms (lines) over integrated weight matrices (points). Left: γ s² of a linear encoder W under "
    "‖W Γ Wᵀ − I‖², eigenvalues γ of Γ as given; ticks, the times of the steps. Right: singular values u of W₂W₁ for a "
    "task with singular values σ as given."
)
GAMMAS = (1.0, 0.5, 0.25, 0.12)
SIGMAS = (2.0, 1.2, 0.7, 0.4)
D, N = len(GAMMAS), 6
S0, U0 = 1e-3, 1e-3  # starts
LONG = 22.0
DOTS: dict[str, Any] = {"markersize": 2.6, "markerfacecolor": "white", "markeredgewidth": 0.7, "clip_on": False}


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Lines (t, mode), points (t', mode) of the matrices with the law there, and the times of the encoder's steps."""
    del results
    gamma, sigma = jnp.asarray(GAMMAS), jnp.asarray(SIGMAS)
    laws = {
        "encoder": lambda ts: gamma[None] * stepwise(jnp.full(D, S0), Gain(gamma), ts) ** 2,
        "network": lambda ts: product(jnp.full(D, U0), Strength(sigma), ts),
    }
    ts, at = jnp.linspace(0, LONG, 200 if fast else 800), jnp.linspace(0, LONG, 45)
    points = {name: np.diagonal(found, axis1=1, axis2=2) for name, found in _matrices(gamma, sigma, at).items()}
    points["encoder"] = np.asarray(gamma) * points["encoder"] ** 2
    return {
        "ts": np.asarray(ts),
        "at": np.asarray(at),
        "lines": {name: np.asarray(law(ts)) for name, law in laws.items()},
        "lines_at_points": {name: np.asarray(law(at)) for name, law in laws.items()},
        "points": points,
        "step": np.asarray(step_time(S0, Gain(gamma))),
    }


def _matrices(gamma: jax.Array, sigma: jax.Array, ts: jax.Array) -> dict[str, np.ndarray]:
    """W and W2 W1 in time, in the eigenbases of their data, each (t, mode, mode); both start aligned with them."""
    V, U, R = (orthogonal(key, n) for key, n in zip(jax.random.split(jax.random.key(0), 3), (N, D, D), strict=True))
    V = V[:, :D]
    y0 = Embedding(S0 * U @ V.T), Layers(U0**0.5 * R @ V.T, U0**0.5 * U @ R.T)
    k = Views((V * gamma[None]) @ V.T), Teacher(jnp.eye(N), (U * sigma[None]) @ V.T)
    encoder, network = integrate(_side_by_side, y0, k, ts, rtol=1e-10, atol=1e-13).ys
    rotated = lambda W: np.einsum("di,tdn,nj->tij", U, W, V)  # noqa: E731
    return {"encoder": rotated(encoder.W), "network": rotated(network.W2 @ network.W1)}


def _side_by_side(y: tuple[Embedding, Layers], k: tuple[Views, Teacher]) -> tuple[Embedding, Layers]:
    """Two systems in one compilation."""
    return stepwise_flow(y[0], k[0]), layers_flow(y[1], k[1])


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """The encoder on the left, the network on the right."""
    figure, axes = style.panels(1, 2, width="page", height=2.4)
    panels = (
        ("encoder", "s", GAMMAS, r"\gamma", r"$\gamma s^2$", LONG),
        ("network", "L", SIGMAS, r"\sigma", "$u$", 0.6 * LONG),
    )
    for ax, (name, colour, values, letter, label, end) in zip(axes[0], panels, strict=True):
        shown = data["at"] <= end
        for j, shade in enumerate(reversed(style.shades(colour, D))):
            ax.plot(data["ts"], data["lines"][name][:, j], color=shade, label=rf"${letter} = {values[j]:g}$")
            ax.plot(data["at"][shown], data["points"][name][shown, j], "o", color=shade, **DOTS)
        ax.set(xlabel="$t$", ylabel=label, ylim=(0, None), xlim=(0, end))
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    axes[0, 0].plot(data["step"], np.full(D, 1 / 2), "|", color=style.COLOURS["law"], markersize=7, zorder=4)
    return figure
