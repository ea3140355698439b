"""Pictures of results: what a mode, or a spectrum, does in time, and phase diagrams."""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from linbyol import outputs, store

SHEET = "linbyol.linbyol"  # linbyol.mplstyle
METADATA: dict[str, dict[str, Any]] = {  # nothing that differs from one day to the next
    ".pdf": {"Creator": "linbyol", "CreationDate": None},
    ".png": {"Software": None},
    ".svg": {"Creator": "linbyol", "Date": None},
}
NAMED = 7  # lines that the style has colours for, and a legend names
OUTCOMES = {"collapses": "#c9c9c9", "survives": "#0072b2", "slow": "#e69f00"}  # verdicts 0, 1, 2
LINE: dict[str, Any] = {"color": "0.1", "linestyle": (0, (1, 1.2)), "linewidth": 0.9}


def check_suffix(path: str | Path) -> None:
    """The picture's format is one that can be written."""
    outputs.check_suffix("plot", path, outputs.PICTURE)


def draw(
    trajectory: Any,
    path: str | Path,
    *,
    constants: str = "",
    levels: Mapping[str, tuple[str, Any]] | None = None,
) -> None:
    """Write a picture of a `Trajectory`, one panel a quantity, one line a mode.

    constants  what was held constant, in words below
    levels     of a field of the state, where its modes rest: the letter, and one number or one a mode
    """
    import matplotlib.style

    check_suffix(path)
    panels, levels = quantities(trajectory.ys), levels or {}
    with matplotlib.style.context(SHEET, after_reset=True):
        figure = _figure(2.9 * len(panels), 2.6)
        row = figure.subplots(1, len(panels), squeeze=False)[0]
        lines = max(on_axes(row, trajectory.ts, panels), key=len)
        for axes, name in zip(row, panels, strict=True):
            letter, rest = levels.get(name, ("", ()))
            for level in (rest := np.unique(np.ravel(rest))[:NAMED]):
                axes.axhline(level, **LINE)
            if len(rest):
                place = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
                axes.annotate(letter, (1, rest[-1]), (-2, 2), ha="right", va="bottom", fontsize=7, **place)
        kind = "eigenvalue" if "Wp" in panels else "mode"
        named = range(len(lines)) if len(lines) <= NAMED else (0, len(lines) - 1)
        handles, words = [lines[j] for j in named], [f"{kind} {j + 1}" for j in named]
        figure.legend(handles, words, loc="outside upper center", ncols=4 if len(panels) < 3 else NAMED)
        _write(figure, path, constants)


def on_axes(axes: Iterable[Any], ts: Any, panels: Mapping[str, tuple[str, np.ndarray]]) -> list[list[Any]]:
    """Each of `quantities` in time on its matplotlib axes, one line a mode; the lines of each."""
    from matplotlib import colormaps

    ts, drawn = np.asarray(ts), []
    for ax, (title, values) in zip(axes, panels.values(), strict=True):
        look = {} if values.ndim > 1 else {"color": "0.25"}
        if values.ndim > 1 and values.shape[1] > NAMED:
            ax.set_prop_cycle(color=colormaps["viridis"](np.linspace(0, 0.9, values.shape[1])))
        drawn.append(ax.plot(ts, values, linewidth=1.2, **look))
        ax.set(xlabel="$t$", title=title, xlim=(ts[0], ts[-1]))
    return drawn


def draw_phase(
    axes: dict[str, np.ndarray],
    values: np.ndarray,
    path: str | Path,
    *,
    name: str,
    log: tuple[str, ...] = (),
    constants: str = "",
    threshold: np.ndarray | None = None,
    edge: str = r"$\eta = \eta_c$",
) -> None:
    """Write a picture of a phase diagram: values (y, x) over the first and the second axis.

    constants  what was held constant, in words below
    threshold  eta - eta_c at each point: a line where it is zero, which the key calls `edge`
    """
    import matplotlib.style
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.patheffects import withStroke

    check_suffix(path)
    (x, xs), (y, ys) = axes.items()
    with matplotlib.style.context(SHEET, after_reset=True):
        figure = _figure(4.2, 3.4)
        panel, key = figure.subplots(), list[Any]()
        if name == "verdict":
            colours = ListedColormap(list(OUTCOMES.values()))
            image = panel.pcolormesh(xs, ys, values, cmap=colours, norm=BoundaryNorm([-0.5, 0.5, 1.5, 2.5], 3))
            key = [Patch(facecolor=colour, label=outcome) for outcome, colour in OUTCOMES.items()]
        else:
            image = panel.pcolormesh(xs, ys, np.where(np.isfinite(values), values, np.nan), cmap="viridis")
            figure.colorbar(image, label=WORDS[name])
        image.set_rasterized(True)
        if threshold is not None and np.nanmin(threshold) < 0 < np.nanmax(threshold):
            look: dict[str, Any] = {"color": "0.1", "linestyle": (0, (5, 1.5)), "linewidth": 1.2}
            line = panel.contour(xs, ys, threshold, levels=[0.0], colors="0.1", linestyles=[look["linestyle"]])
            line.set(path_effects=[withStroke(linewidth=2.6, foreground="white")])  # dark on light, light on dark
            key.append(Line2D([], [], **look, label=edge))
        panel.set(xlabel=LETTERS.get(x, x), ylabel=LETTERS.get(y, y))
        panel.set_xscale("log" if "x" in log else "linear")
        panel.set_yscale("log" if "y" in log else "linear")
        if key:
            figure.legend(handles=key, loc="outside upper center", ncols=4)
        _write(figure, path, constants)


WORDS = {
    "p": r"$p(\infty)$ ($p_+$ where it survives)",
    "w": r"$w(\infty)$, a layer at rest",
    "nu": r"$\nu^*$, the variance at rest",
    "escape_time": "time to 90 % of rest",
    "alignment": "least $K_j$ on the way",
}
LETTERS = {
    "alpha_p": r"$\alpha_p$",
    "beta": r"$\beta$",
    "eta": r"$\eta$",
    "sigma2": r"$\sigma^2$",
    "tau": r"$\tau$",
    "lambda_d": r"$\lambda_d$",
    "lambda_s": r"$\lambda_s$",
    "eta_p": r"$\eta_p$",
    "eta_c": r"$\eta_c$",
    "kappa": r"$\kappa$",
    "mu": r"$\mu$",
    "p0": "$p_0$",
    "s0": "$s_0$",
    "w0": "$w_0$",
    "nu0": r"$\nu_0$",
    "a": "$a$",
    "t1": "$t_1$",
    "n": "$n$",
    "d": "$d$",
}


def words(values: Mapping[str, Any]) -> str:
    """Constants in words, by their letters: numbers, or one a mode."""
    parts = []
    for name, value in values.items():
        numbers = [f"{x:g}" if isinstance(x, float) else str(x) for x in np.ravel(value).tolist()]
        more = ", …" if len(numbers) > 4 else ""
        parts.append(f"{LETTERS.get(name, name)} = {', '.join(numbers[:4])}{more}")
    return "; ".join(parts)


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _write(figure: Any, path: str | Path, constants: str) -> None:
    """The same figure gives the same bytes; constants that are too wide for a line are divided."""
    per_line = int(17 * figure.get_figwidth())
    lines = [""]
    for part in constants.split("; ") if constants else ():
        if len(lines[-1]) + len(part) > per_line and lines[-1]:
            lines.append("")
        lines[-1] += ("; " if lines[-1] else "") + part
    if constants:
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=6.5, color="0.3")
    buffer, suffix = io.BytesIO(), Path(path).suffix
    figure.savefig(buffer, format=suffix[1:], dpi=200, metadata=METADATA[suffix])
    store.write_bytes(path, buffer.getvalue())


def quantities(ys: Any) -> dict[str, tuple[str, np.ndarray]]:
    """What is drawn of a state, by its field: title, and values with a leading axis t; matrices by their spectra."""
    if hasattr(ys, "W"):
        W, Wp, Wa = (np.asarray(a) for a in ys)
        norms = np.linalg.norm(W, axis=(1, 2)) * np.linalg.norm(Wa, axis=(1, 2))
        cosine = np.divide((W * Wa).sum((1, 2)), norms, out=np.full(len(W), np.nan), where=norms > 0)
        return {
            "W": ("eigenvalues of $WW^T$", np.linalg.svd(W, compute_uv=False) ** 2),
            "Wp": ("eigenvalues of $W_p$, symmetric part", _spectrum(Wp)),
            "Wa": ("cosine of $W_a$ and $W$", cosine),
        }
    if hasattr(ys, "F"):
        Wp, F = (np.asarray(a) for a in ys)
        commutator = np.linalg.norm(F @ Wp - Wp @ F, axis=(1, 2))
        return {
            "F": ("eigenvalues of $F$", _spectrum(F)),
            "Wp": ("eigenvalues of $W_p$", _spectrum(Wp)),
            "L": (r"$\|[F, W_p]\|$", commutator),
        }
    letters = {
        "p": "$p$",
        "s": "$s$",
        "tau": r"$\tau$",
        "w": "$w$",
        "wp": "$w_p$",
        "wa": "$w_a$",
        "nu": r"$\nu$",
        "y": "$y$",
    }
    fields = ys._asdict() if hasattr(ys, "_asdict") else {"y": ys}
    columns = {name: np.asarray(value).reshape(len(value), -1) for name, value in fields.items()}
    return {name: (letters.get(name, name), values) for name, values in columns.items()}


def _spectrum(A: np.ndarray) -> np.ndarray:
    """Descending."""
    return np.linalg.eigvalsh((A + A.swapaxes(1, 2)) / 2)[..., ::-1]
