"""SIGReg drops noisy directions one by one, in its mode equations and on the digits (not a figure of any paper).

What to see: (a) at rest, the weaker SIGReg is against the invariance, the fewer directions are left, and the cleanest
overshoot 1. (b), (c) The features' variances on the digits' axes, of stochastic gradient descent (circles), lie on the
mode equations (lines), which keep two and four of the eight directions. Reads the arrays of
experiments/studies/regularisers.py, and never trains.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations.regularised import Features, RegularisedModes
from linbyol.equations.sigreg import sigreg_modes_flow
from linbyol.integrate import integrate
from linbyol.store import read_arrays

CAPTION = (
    "Dimensional collapse under SIGReg. (a) Variances at rest of d = 8 modes with noise σ² = 0.1 … 0.9 and λ_s = 1, "
    "from a start of 1e-3, for weights μ/(a d). (b), (c) LeJEPA with a linear encoder on the handwritten digits at two "
    "weights, nothing fitted: variances of the features on eight axes, mode equations with measured moments (lines) "
    "and stochastic gradient descent (circles); darker is noisier."
)
CLAIMS = ("M40", "L36")
WEIGHTS = (0.6, 2.4, 17.0)
ARRAYS = ("ts", "sigma2", "units", "lejepa", "lejepa_flow")
SHIPPED = Path(__file__).parent.parent / "experiments" / "results"
FLOOR = 1e-4


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Rests (w, 8) for the weights, and the arrays of the study, from `results` or as they came with the project."""
    sigma2, rests = np.linspace(0.1, 0.9, 8), []
    for weight in WEIGHTS:
        k = RegularisedModes(1.0, 8 * weight, 1 - sigma2, np.ones(8))
        end = 30.0 if fast else 300.0
        found = integrate(sigreg_modes_flow, Features(np.full(8, 1e-3)), k, [0.0, end], rtol=1e-6, solver="dop853")
        rests.append(np.asarray(found.ys.nu[-1]))
    arrays = read_arrays((SHIPPED if results is None else results) / "regularisers.npz", *ARRAYS)
    return {"noise": sigma2, "rests": np.array(rests)} | {name: arrays[name] for name in ARRAYS}


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Rests on the left, the digits beside them."""
    figure, axes = style.panels(1, 3, width="page", height=2.7)
    rest, *digits = axes[0]
    for look, values, weight in zip(style.lines("F", len(WEIGHTS)), data["rests"], WEIGHTS, strict=True):
        rest.plot(data["noise"], values, **look, marker="o", markersize=3, label=rf"$\mu/(ad) = {weight:g}$")
    rest.axhline(1, color=style.COLOURS["quiet"], linewidth=0.7, zorder=0)
    rest.set(xlabel=r"noise $\sigma^2$ of the mode", ylabel=r"$\nu$ at rest", title="at rest", ylim=(0, None))
    rest.legend(fontsize=6.5)
    shades = style.shades("F", len(data["sigma2"]))
    for ax, unit, descent, flow in zip(digits, data["units"], data["lejepa"], data["lejepa_flow"], strict=True):
        for i, shade in enumerate(shades):
            ax.plot(data["ts"], np.maximum(flow[:, i], FLOOR / 10), color=shade, linewidth=1.1)
            shown = np.where(descent[:, i] > FLOOR, descent[:, i], np.nan)
            ax.plot(data["ts"][::2], shown[::2], **style.DOTS | {"color": shade})
        ax.set(yscale="log", ylim=(FLOOR, 3), xlabel="flow time", title=rf"digits, $\mu/(ad) = {unit:g}$")
    digits[0].set_ylabel(r"$\nu$ of the features")
    noise = ", ".join(f"{x:.2f}" for x in data["sigma2"])
    return style.finish(figure, rf"Digits: $\lambda_d = 1$, $\sigma^2 =$ {noise} from light to dark.")
