"""Theorem 1: how far W Wᵀ and Wpᵀ Wp/α_p are out of balance in time, for BYOL, SimSiam, and a decay that differs.

What to see: for random data, augmentation and start the imbalance shrinks exactly as e^(-2ηt), with a target or
without, down to the solver's tolerance; with decay on the predictor only it does not.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations import Constants, Weights, balance, decay, simsiam, weights_flow
from linbyol.integrate import integrate

CAPTION = (
    "Theorem 1 on random data (n = 7, d = 4, α_p = 2.5, η = 0.05): the imbalance ‖W Wᵀ − WpᵀWp/α_p‖ falls as "
    "e^(−2ηt) for BYOL and SimSiam alike (a), to within the integrator's tolerance (b); it does not where the "
    "encoder is not decayed (η_p = 0.05, η_s = 0)."
)
CLAIMS = ("B5", "B6", "B7")
ETA = 0.05


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """‖balance‖ relative to its start, and the relative drift of e^(2ηt) balance, for three flows, (3, t) each."""
    del results
    rng, d, n = np.random.default_rng(1), 4, 7
    y0 = Weights(*(0.4 * rng.normal(size=shape) for shape in ((d, n), (d, d), (d, n))))
    X, X_aug = (G @ G.T / n for G in rng.normal(size=(2, n, n)))
    k = Constants(alpha_p=2.5, beta=0.3, eta=ETA, X=X, X_aug=X_aug / 3)
    ts = np.linspace(0.0, 60.0, 31 if fast else 121)
    flows = weights_flow, simsiam(weights_flow), decay(weights_flow, W=0.0)
    paths = (integrate(flow, y0, k, ts, rtol=1e-10, atol=1e-13, solver="dop853").ys for flow in flows)
    C = np.array([[balance(Weights(*y), k) for y in zip(*map(np.asarray, path), strict=True)] for path in paths])
    size = np.linalg.norm(C, axis=(2, 3))
    law = np.exp(-2 * ETA * ts)
    drift = np.linalg.norm(C / law[:, None, None] - C[:, :1], axis=(2, 3))
    return {"ts": ts, "law": law, "size": size / size[0, 0], "drift": drift / size[0, 0]}


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """The imbalance with the law, and the drift from the law."""
    figure, axes = style.panels(1, 2, width="text", height=2.4)
    left, right = axes[0]
    ts, every = data["ts"], max(1, len(data["ts"]) // 12)
    left.plot(ts, data["law"], color=style.COLOURS["law"], linewidth=0.9, label=r"$e^{-2\eta t}$", zorder=3)
    looks: dict[str, dict[str, Any]] = {
        "BYOL": style.DOTS | {"color": style.COLOURS["Wp"], "markersize": 5},
        "SimSiam": {"color": style.COLOURS["W"], "marker": "x", "linestyle": "none", "markersize": 4},
        r"BYOL, encoder not decayed": {"color": style.COLOURS["Wa"], "linestyle": style.DASHES[1]},
    }
    for (label, look), size, drift in zip(looks.items(), data["size"], data["drift"], strict=True):
        some = slice(None, None, every if "marker" in look else 1)
        left.plot(ts[some], size[some], **look, label=label)
        right.plot(ts[some][1:], drift[some][1:], **look)
    left.set(yscale="log", xlabel="$t$", ylabel=r"$\|C(t)\|\,/\,\|C(0)\|$", title="imbalance")
    right.set(
        yscale="log",
        xlabel="$t$",
        ylabel=r"$\|e^{2\eta t} C(t) - C(0)\|\,/\,\|C(0)\|$",
        ylim=(1e-14, 1e4),
        yticks=[1e-12, 1e-8, 1e-4, 1],
        title="drift from the law",
    )
    constants = (
        r"$C = W W^T - W_p^T W_p/\alpha_p$; $n = 7$, $d = 4$, $\alpha_p = 2.5$, $\beta = 0.3$, $\eta = 0.05$ "
        "(third: $\\eta_p = 0.05$, $\\eta_s = 0$);\nrandom $X$, $X'$ and start (seed 1); relative tolerance $10^{-10}$."
    )
    return style.finish(figure, constants, left.get_legend_handles_labels()[0])
