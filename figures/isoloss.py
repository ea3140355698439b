"""IsoLoss and the losses it mends, arXiv 2212.04858: eigenvalues of E[z zᵀ] in time (not a figure of the paper).

What to see: under the distance L_euc small modes wait, for their rate is λ² at first; under IsoLoss a mode needs but
ln(1/λ)/2. The cosine knows no such goal: it equalises the modes, to the mean of what it conserves (dotted), Σ λ under
L_cos and Σ λ² under IsoLoss at α = 1; again IsoLoss frees the small modes, which L_cos learns one after the other.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import style
from linbyol.equations.isoloss import (
    Angular,
    Euclidean,
    Spectrum,
    cosine_flow,
    cosine_isoloss_flow,
    euclidean_flow,
    euclidean_isoloss_flow,
)
from linbyol.integrate import integrate

CAPTION = (
    "Eigenvalues of the features' correlation under the distance and the cosine, each as BYOL has it and as IsoLoss "
    "mends it (α = 1, no noise, 200 Gaussian samples for the cosine). Dotted: the common limit, λ = 1 for the "
    "distance; for the cosine from the conserved Σ λ (L_cos) and Σ λ² (IsoLoss)."
)
CLAIMS = ("B90", "B91", "B92", "B93")
STARTS = (0.003, 0.02, 0.1, 0.5, 1.5)
TITLES = (r"$L_\mathrm{euc}$", r"IsoLoss, $L_2$", r"$L_\mathrm{cos}$", "IsoLoss, cosine")
ALPHA = 1.0


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """Modes (loss, t, m) and the common limit of each loss (loss,)."""
    del results
    start = np.array(STARTS)
    ts = np.concatenate([np.zeros(1), np.geomspace(0.05, 300, 40 if fast else 160)])
    g2 = np.random.default_rng(0).normal(size=(200, len(STARTS))) ** 2
    y0 = (Spectrum(start),) * 4
    k = Euclidean(ALPHA), Angular(ALPHA, g2)
    paths = integrate(_all, y0, k, ts, rtol=1e-9, atol=1e-12, solver="dop853").ys
    mended = (start ** (1 + ALPHA)).mean() ** (1 / (1 + ALPHA))  # Σ λ^(1 + α) is conserved
    return {
        "ts": ts,
        "lam": np.stack([np.asarray(path.lam) for path in paths]),
        "limit": np.array([1, 1, start.mean(), mended]),
    }


def _all(y: tuple[Spectrum, ...], k: tuple[Euclidean, Angular]) -> tuple[Spectrum, ...]:
    """The four flows side by side."""
    euclidean, angular = k
    return (
        euclidean_flow(y[0], euclidean),
        euclidean_isoloss_flow(y[1], euclidean),
        cosine_flow(y[2], angular),
        cosine_isoloss_flow(y[3], angular),
    )


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Four panels, one a loss."""
    figure, axes = style.panels(1, 4, width="page", height=2.5, sharex=True, sharey=True)
    for ax, lam, limit, title in zip(axes[0], data["lam"], data["limit"], TITLES, strict=True):
        for m, shade in enumerate(reversed(style.shades("s", len(STARTS)))):
            ax.plot(data["ts"][1:], lam[1:, m], color=shade)
        ax.axhline(limit, **style.LAW)
        ax.set(xscale="log", xlim=(0.05, 300), ylim=(0, 1.6), xlabel="$t$", title=title)
        ax.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    axes[0, 0].set_ylabel(r"eigenvalue $\lambda_m$")
    shades = reversed(style.shades("s", len(STARTS)))
    key = [style.entry(rf"$\lambda_m(0) = {x:g}$", color=c) for x, c in zip(STARTS, shades, strict=True)]
    key.append(style.entry("common limit", **style.LAW))
    constants = (
        r"$\alpha = 1$, $\kappa = 1$, $\eta = 0$; (c), (d) mean over 200 Gaussian samples (seed 0), where $\sum_m "
        r"\lambda_m$ and $\sum_m \lambda_m^2$ are conserved."
    )
    return style.finish(figure, constants, key)
