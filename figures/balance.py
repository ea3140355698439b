"""Theorem 1: how far W Wᵀ and Wpᵀ Wp/α_p are out of balance in time, for BYOL, SimSiam, and a decay that differs.

What to see: for random data, augmentation and start the imbalance shrinks exactly as e^(-2ηt), with a target or
without, down to the solver's tolerance; with decay on the predictor only it does not.
"""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Flow, balance, decay, simsiam, weights_flow
from linbyol.integrate import integrate
from theory.proving import instances

CAPTION = (
    "Theorem 1 on random data (n = 7, d = 4, α_p = 2.5, η = 0.05): the imbalance ‖W Wᵀ − WpᵀWp/α_p‖ falls as "
    "e^(−2ηt) for BYOL and SimSiam alike (left), to within the integrator's tolerance (right); it does not where "
    "the encoder is not decayed (η_p = 0.05, η_s = 0)."
)
ETA = 0.05


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """‖balance‖ relative to its start, and the relative drift of e^(2ηt) balance, for three flows, (3, t) each."""
    del results
    a, b = jax.random.split(jax.random.key(1))
    y0, k = instances.weights(a), instances.constants(b, alpha_p=2.5, eta=ETA)
    ts = jnp.linspace(0.0, 60.0, 31 if fast else 121)

    flows = (
        decay(weights_flow, W=jnp.array(ETA)),
        simsiam(weights_flow),
        decay(weights_flow, W=jnp.zeros(())),
    )  # the first is BYOL itself

    @eqx.filter_jit
    def imbalance(flow: Flow) -> jax.Array:
        return integrate(flow, y0, k, ts, rtol=1e-11, atol=1e-13).map(balance, k)

    C = jnp.stack([imbalance(flow) for flow in flows])
    size = jnp.linalg.norm(C[0, 0])
    law = jnp.exp(-2 * ETA * ts)
    drift = jnp.linalg.norm(C / law[None, :, None, None] - C[:, :1], axis=(2, 3)) / size
    return {
        "ts": np.asarray(ts),
        "law": np.asarray(law),
        "size": np.asarray(jnp.linalg.norm(C, axis=(2, 3)) / size),
        "drift": np.asarray(drift),
    }


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """Left the imbalance with the law, right the drift from the law."""
    figure, axes = style.panels(1, 2, width="text", height=2.1)
    left, right = axes[0]
    ts, every = data["ts"], max(1, len(data["ts"]) // 12)
    left.plot(ts, data["law"], color=style.COLOURS["law"], linewidth=0.9, label=r"$e^{-2\eta t}$", zorder=3)
    looks: tuple[tuple[str, dict[str, Any]], ...] = (
        (
            "BYOL",
            {
                "color": style.COLOURS["Wa"],
                "marker": "o",
                "linestyle": "none",
                "markersize": 5,
                "markerfacecolor": "white",
            },
        ),
        ("SimSiam", {"color": style.COLOURS["W"], "marker": "x", "linestyle": "none", "markersize": 4}),
        (r"BYOL, $\eta_s = 0$", {"color": style.COLOURS["Wp"], "linestyle": (0, (4, 1.5))}),
    )
    for (label, look), size, drift in zip(looks, data["size"], data["drift"], strict=True):
        some = slice(None, None, every if "marker" in look else 1)
        left.plot(ts[some], size[some], **look, label=label)
        right.plot(ts[some][1:], drift[some][1:], **look)
    left.set(yscale="log", xlabel="$t$", ylabel="relative imbalance")
    right.set(
        yscale="log",
        xlabel="$t$",
        ylabel=r"drift of $e^{2\eta t}\,\times$ imbalance",
        ylim=(1e-14, 1e4),
        yticks=[1e-12, 1e-8, 1e-4, 1],
    )
    figure.legend(loc="outside upper center", ncols=4)
    return figure
