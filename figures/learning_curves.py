"""Two learning curves in closed form: stepwise learning (arXiv 2303.15438) and Saxe's deep linear network.

What to see: from a small start a linear encoder under a Barlow-type loss learns its features one after the other,
each in one step at t = ln(1/(s₀²γ))/8γ, the stronger γ first; a two-layer linear network learns the singular values of
its task in sigmoids, again the stronger first. The points are singular values of the integrated weight matrices.
Not a figure of the paper.
"""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations.deep_linear import Layers, Strength, Teacher, layers_flow, product
from linbyol.equations.stepwise import Embedding, Gain, Views, step_time, stepwise, stepwise_flow
from linbyol.integrate import integrate

CAPTION = (
    "Closed forms (lines) over integrated weight matrices (points). (a) γ s² of a linear encoder W under "
    "‖W Γ Wᵀ − I‖², eigenvalues γ of Γ as given; ticks, the times of the steps. (b) Singular values u of W₂W₁ for a "
    "task with singular values σ as given."
)
CLAIMS = ("B96", "B97")
GAMMAS = (1.0, 0.5, 0.25, 0.12)
SIGMAS = (2.0, 1.2, 0.7, 0.4)
D, N = len(GAMMAS), 6
S0, U0 = 1e-3, 1e-3  # starts
LONG = 22.0


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Lines (t, mode), points (t', mode) of the matrices with the law there, and the times of the encoder's steps."""
    del results
    gamma, sigma = np.array(GAMMAS), np.array(SIGMAS)
    s0, gain, u0, strength = jnp.full(D, S0), Gain(jnp.asarray(gamma)), jnp.full(D, U0), Strength(jnp.asarray(sigma))
    laws = {
        "encoder": lambda ts: gamma * np.asarray(stepwise(s0, gain, jnp.asarray(ts))) ** 2,
        "network": lambda ts: np.asarray(product(u0, strength, jnp.asarray(ts))),
    }
    ts, at = np.linspace(0, LONG, 200 if fast else 800), np.linspace(0, LONG, 45)
    points = {name: np.diagonal(found, axis1=1, axis2=2) for name, found in _matrices(gamma, sigma, at).items()}
    points["encoder"] = gamma * points["encoder"] ** 2
    return {
        "ts": ts,
        "at": at,
        "lines": {name: law(ts) for name, law in laws.items()},
        "lines_at_points": {name: law(at) for name, law in laws.items()},
        "points": points,
        "step": np.asarray(step_time(S0, gain)),
    }


def _matrices(gamma: np.ndarray, sigma: np.ndarray, ts: np.ndarray) -> dict[str, np.ndarray]:
    """W and W2 W1 in time, in the eigenbases of their data, each (t, mode, mode); both start aligned with them."""
    rng = np.random.default_rng(0)
    V, U, R = (np.linalg.qr(rng.normal(size=(n, n)))[0][:, :D] for n in (N, D, D))
    y0 = Embedding(S0 * U @ V.T), Layers(U0**0.5 * R @ V.T, U0**0.5 * U @ R.T)
    k = Views((V * gamma) @ V.T), Teacher(np.eye(N), (U * sigma) @ V.T)
    encoder, network = integrate(_side_by_side, y0, k, ts, rtol=1e-10, atol=1e-13, solver="dop853").ys
    rotated = lambda W: np.einsum("di,tdn,nj->tij", U, W, V)  # noqa: E731
    return {"encoder": rotated(encoder.W), "network": rotated(np.asarray(network.W2) @ np.asarray(network.W1))}


def _side_by_side(y: tuple[Embedding, Layers], k: tuple[Views, Teacher]) -> tuple[Embedding, Layers]:
    """Two systems as one."""
    return stepwise_flow(y[0], k[0]), layers_flow(y[1], k[1])


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """The encoder on the left, the network on the right."""
    figure, axes = style.panels(1, 2, width="page", height=2.75)
    panels = (
        ("encoder", "s", GAMMAS, r"\gamma", r"$\gamma s^2$", "linear encoder, Barlow-type loss", LONG),
        ("network", "L", SIGMAS, r"\sigma", "$u$", "two-layer linear network, regression", 0.6 * LONG),
    )
    for ax, (name, colour, values, letter, label, title, end) in zip(axes[0], panels, strict=True):
        shown = data["at"] <= end
        for j, shade in enumerate(reversed(style.shades(colour, D))):
            ax.plot(data["ts"], data["lines"][name][:, j], color=shade, label=rf"${letter} = {values[j]:g}$")
            ax.plot(data["at"][shown], data["points"][name][shown, j], color=shade, clip_on=False, **style.DOTS)
        ax.set(xlabel="$t$", ylabel=label, ylim=(0, None), xlim=(0, end), title=title)
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    axes[0, 0].plot(data["step"], np.full(D, 1 / 2), "|", color=style.COLOURS["law"], markersize=7, zorder=4)
    key = [
        style.entry("closed form", color="0.4"),
        style.entry("integrated weight matrices", color="0.4", **style.DOTS),
        style.entry(
            r"time of a step, $\ln(1/(s_0^2 \gamma))/8\gamma$", color=style.COLOURS["law"], marker="|", markersize=7
        ),
    ]
    constants = (
        rf"(a) $\|W \Gamma W^T - I\|^2$, $\gamma$: eigenvalues of $\Gamma$, $s_0 = 10^{{-3}}$; (b) $W_2 W_1$, "
        rf"$\sigma$: singular values of the task, $u_0 = 10^{{-3}}$; $n = {N}$, $d = {D}$, aligned starts (seed 0)."
    )
    return style.finish(figure, constants, key)
