"""Pictures of results: what a mode, or a spectrum, does in time, and phase diagrams."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from linbyol import outputs, store
from linbyol.integrate.trajectory import Trajectory


def check_suffix(path: str | Path) -> None:
    """The picture's format is one that can be written."""
    outputs.check_suffix("plot", path, outputs.PICTURE)


def draw(trajectory: Trajectory, path: str | Path) -> None:
    """Write a picture of the trajectory, one panel a quantity, one line a mode."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    check_suffix(path)
    panels = quantities(trajectory.ys)
    figure = Figure(figsize=(3.2 * len(panels), 2.6), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, values) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        axes.plot(np.asarray(trajectory.ts), values.reshape(len(values), -1), linewidth=1.2)
        axes.set(xlabel="$t$", title=name)
        axes.title.set_fontsize(9)
        axes.spines[["top", "right"]].set_visible(False)
    _write(figure, path)


def draw_phase(
    axes: dict[str, np.ndarray], values: np.ndarray, path: str | Path, *, name: str, log: tuple[str, ...] = ()
) -> None:
    """Write a picture of a phase diagram: values (y, x) over the first and the second axis."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.figure import Figure

    check_suffix(path)
    (x, xs), (y, ys) = axes.items()
    figure = Figure(figsize=(4.2, 3.0), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    if name == "verdict":
        colours = ListedColormap(["#c9c9c9", "#0072b2", "#e69f00"])
        image = panel.pcolormesh(xs, ys, values, cmap=colours, norm=BoundaryNorm([-0.5, 0.5, 1.5, 2.5], 3))
        bar = figure.colorbar(image, ticks=[0, 1, 2])
        bar.ax.set_yticklabels(["collapses", "survives", "slow"])
    else:
        image = panel.pcolormesh(xs, ys, np.where(np.isfinite(values), values, np.nan), cmap="viridis")
        figure.colorbar(image, label=WORDS[name])
    image.set_rasterized(True)
    panel.set(xlabel=LETTERS.get(x, x), ylabel=LETTERS.get(y, y))
    panel.set_xscale("log" if "x" in log else "linear")
    panel.set_yscale("log" if "y" in log else "linear")
    _write(figure, path)


WORDS = {"p": r"$p(\infty)$", "escape_time": "time to 90 % of $p_+$", "alignment": "least $K_j$ on the way"}
LETTERS = {
    "alpha_p": r"$\alpha_p$",
    "beta": r"$\beta$",
    "eta": r"$\eta$",
    "sigma2": r"$\sigma^2$",
    "tau": r"$\tau$",
    "lambda_d": r"$\lambda_d$",
    "lambda_s": r"$\lambda_s$",
}


def _write(figure: Any, path: str | Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=Path(path).suffix[1:], dpi=200)
    store.write_bytes(path, buffer.getvalue())


def quantities(ys: Any) -> dict[str, np.ndarray]:
    """What is drawn of a state: its modes as they are, matrices by their spectra, each with a leading axis t."""
    if hasattr(ys, "W"):
        W, Wp, Wa = (np.asarray(a) for a in ys)
        norms = np.linalg.norm(W, axis=(1, 2)) * np.linalg.norm(Wa, axis=(1, 2))
        cosine = np.divide((W * Wa).sum((1, 2)), norms, out=np.full(len(W), np.nan), where=norms > 0)
        return {
            "eigenvalues of $WW^T$": np.linalg.svd(W, compute_uv=False) ** 2,
            "eigenvalues of $W_p$, symmetric part": _spectrum(Wp),
            "cosine of $W_a$ and $W$": cosine,
        }
    if hasattr(ys, "F"):
        Wp, F = (np.asarray(a) for a in ys)
        commutator = np.linalg.norm(F @ Wp - Wp @ F, axis=(1, 2))
        spectra = {"eigenvalues of $F$": _spectrum(F), "eigenvalues of $W_p$": _spectrum(Wp)}
        return spectra | {r"$\|[F, W_p]\|$": commutator}
    names = {"p": "$p$", "s": "$s$", "tau": r"$\tau$", "w": "$w$", "wp": "$w_p$", "wa": "$w_a$"}
    return {names.get(name, name): np.asarray(value) for name, value in ys._asdict().items()}


def _spectrum(A: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh((A + A.swapaxes(1, 2)) / 2)
