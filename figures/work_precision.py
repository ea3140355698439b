"""The ensemble engine's work against its precision, beside other solvers on the same machine (no figure of the paper).

What to see: at any measured error this library's line lies lowest, by a factor of tens below adaptive solvers mapped
over trajectories, and of a thousand below loops over them; for matrices, a solve costs little more than the matrix
products that it cannot do without. Reads what `linbyol bench` wrote, and never measures.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from figures import style
from linbyol.store import FileError

CAPTION = (
    "Work against precision. Left: microseconds a trajectory over the largest relative error at t = 100, every solver "
    "on the same random constants of the EMA amplitudes; the vertical line is where times are compared. Right: time of "
    "a matrix flow with n = 2 d in units of the bare matrix products of its evaluations, this library and others."
)
SHIPPED = Path(__file__).parent.parent / "experiments" / "results"
FILE = "bench_cpu.json"
SOLVERS = {"linbyol": "seconds", "diffrax": "diffrax_seconds", "RK45": "rk45_seconds", "DOP853": "dop853_seconds"}
MARKS = "osD^vPX*"
COLOURS = ("#D55E00", "#0072B2", "#56B4E9", "#009E73", "#AA4499", "#7A5C00", "#332288", "#9A9A9A")


def data(fast: bool = False, results: Path | None = None) -> dict[str, np.ndarray]:
    """The numbers of a benchmark in the folder `results`, or, where none was run, as they came with the project."""
    del fast  # nothing is computed
    own = None if results is None else results / FILE
    return numbers(_read(own if own is not None and own.exists() else SHIPPED / FILE))


def numbers(record: dict[str, Any]) -> dict[str, np.ndarray]:
    """Names (c,), errors and microseconds (c, p); sizes (m,) and times in units of the products (m, solvers)."""
    rows = [row for row in record["contenders"] if row.get("points")]
    most = max(len(row["points"]) for row in rows)
    column = lambda row, key: [_number(p[key]) for p in row["points"]] + [np.nan] * (most - len(row["points"]))  # noqa: E731
    flows = record["matrix_flows"]
    return {
        "names": np.array([row["name"] for row in rows]),
        "error": np.array([column(row, "error_max") for row in rows]),
        "microseconds": np.array([column(row, "microseconds") for row in rows]),
        "target": np.array(record["target_error"]),
        "d": np.array([flow["d"] for flow in flows]),
        "times_products": np.array(
            [[_number(flow.get(key)) / flow["products_seconds"] for key in SOLVERS.values()] for flow in flows]
        ).reshape(len(flows), len(SOLVERS)),
    }


@style.styled
def draw(data: dict[str, np.ndarray]) -> Figure:
    """Trajectories on the left, and matrices on the right where they were measured."""
    matrices = data["d"].size > 0
    figure, axes = style.panels(1, 1 + matrices, width="page" if matrices else "text", height=2.9)
    _draw_trajectories(axes[0, 0], data)
    if matrices:
        _draw_matrices(axes[0, 1], data)
    return figure


def _draw_trajectories(ax: Any, data: dict[str, np.ndarray]) -> None:
    ax.axvline(data["target"], color="0.75", linewidth=0.8, zorder=0)
    for i, name in enumerate(data["names"]):
        error, time = data["error"][i], data["microseconds"][i]
        shown = np.isfinite(error) & (error > 0) & (error < 1)
        ax.plot(error[shown], time[shown], label=name, **_look(i))
    ax.set(xscale="log", yscale="log", xlabel="largest relative error", ylabel="µs a trajectory")
    ax.invert_xaxis()
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top * (top / bottom) ** 0.75)  # room for the words
    ax.legend(ncols=2, loc="upper center", fontsize="x-small")


def _draw_matrices(ax: Any, data: dict[str, np.ndarray]) -> None:
    ax.axhline(1, color="0.75", linewidth=0.8, zorder=0)
    for i, name in enumerate(SOLVERS):
        times = data["times_products"][:, i]
        if np.isfinite(times).any():
            ax.plot(data["d"], times, label=name, **_look((0, 1, 4, 3)[i]))
    ax.set(xscale="log", yscale="log", xlabel="$d$", ylabel="time in units of its products")
    ax.set_xticks(data["d"], [str(d) for d in data["d"]])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.legend()


def _look(i: int) -> dict[str, Any]:
    return {
        "color": COLOURS[i % len(COLOURS)],
        "marker": MARKS[i % len(MARKS)],
        "markersize": 3.4,
        "linewidth": 1.6 if i == 0 else 0.9,
        "linestyle": style.DASHES[i % len(style.DASHES)],
        "zorder": 3 if i == 0 else 2,
    }


def _number(x: Any) -> float:
    """JSON's null is what was not finite, or not measured."""
    return np.nan if x is None else float(x)


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FileError(f"File {path} is no benchmark's JSON: {error}.") from None
