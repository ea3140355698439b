"""The ensemble engine's work against its precision, beside other solvers on the same machine (no figure of the paper).

What to see: at any measured error this library's line lies lowest, by a factor of tens below adaptive solvers mapped
over trajectories, and of a thousand below loops over them; for matrices, a solve costs little more than the matrix
products that it cannot do without. Reads what `linbyol bench` wrote, and never measures.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from figures import style
from linbyol.store import read_json

CAPTION = (
    "Work against precision. (a) Microseconds a trajectory over the largest relative error at t = 100, every solver "
    "on the same random constants of the EMA amplitudes; the vertical line is where times are compared. (b) Time of "
    "a matrix flow with n = 2 d in units of the bare matrix products of its evaluations, this library and others."
)
SHIPPED = Path(__file__).parent.parent / "experiments" / "results"
FILE = "bench_cpu.json"
MATRIX_SOLVERS = {  # of the flow in d × n matrices, by the columns of the record
    "linbyol": "seconds",
    "diffrax Tsit5, vmap": "diffrax_seconds",
    "scipy RK45, loop": "rk45_seconds",
    "scipy DOP853, loop": "dop853_seconds",
}
MARKS = "osD^vPX*"
COLOURS = ("#1A1A1A", "#0072B2", "#56B4E9", "#E69F00", "#CC79A7", "#7A5C00", "#332288", "#9A9A9A")


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """The numbers of a benchmark in the folder `results`, or, where none was run, as they came with the project."""
    del fast  # nothing is computed
    own = None if results is None else results / FILE
    return numbers(read_json(own if own is not None and own.exists() else SHIPPED / FILE))


def numbers(record: dict[str, Any]) -> dict[str, Any]:
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
            [[_number(flow.get(key)) / flow["products_seconds"] for key in MATRIX_SOLVERS.values()] for flow in flows]
        ).reshape(len(flows), len(MATRIX_SOLVERS)),
        "measured": _measured(record),
    }


def _measured(record: dict[str, Any]) -> str:
    """On what it was measured, as far as the record says."""
    work, of = record.get("workload", {}), record.get("environment", {})
    versions = of.get("versions", {})
    parts = (
        work and f"(a) {work['trajectories']:,} trajectories to t = {work['t1']:g}, seed {work['seed']}",
        of and f"{of.get('cores', '?')} cores, {of['platform']}, {of['device']}",
        versions and f"jax {versions['jax']}, diffrax {versions['diffrax']}, scipy {versions['scipy']}",
        of.get("date", ""),
    )
    return "; ".join(part for part in parts if part)


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """Trajectories, and matrices where they were measured; a solver looks the same in both."""
    matrices = data["d"].size > 0
    figure, axes = style.panels(1, 1 + matrices, width="page" if matrices else "text", height=3.0)
    solvers = list(dict.fromkeys([*data["names"], *(MATRIX_SOLVERS if matrices else ())]))
    looks = {name: _look(i) for i, name in enumerate(solvers)}
    _draw_trajectories(axes[0, 0], data, looks)
    if matrices:
        _draw_matrices(axes[0, 1], data, looks)
    key = [style.entry(name, **look) for name, look in looks.items()]
    return style.finish(figure, data["measured"] + ".", key, columns=4 if matrices else 3)


def _draw_trajectories(ax: Any, data: dict[str, Any], looks: dict[str, Any]) -> None:
    ax.axvline(data["target"], color="0.75", linewidth=0.8, zorder=0)
    ax.text(data["target"], 0.3, " times compared here", fontsize=7, transform=ax.get_xaxis_transform())
    for name, error, time in zip(data["names"], data["error"], data["microseconds"], strict=True):
        shown = np.isfinite(error) & (error > 0) & (error < 1)
        ax.plot(error[shown], time[shown], **looks[name])
    ax.set(xscale="log", yscale="log", xlabel="largest relative error", ylabel="µs a trajectory", title="trajectories")
    ax.invert_xaxis()


def _draw_matrices(ax: Any, data: dict[str, Any], looks: dict[str, Any]) -> None:
    ax.axhline(1, color="0.75", linewidth=0.8, zorder=0)
    for name, times in zip(MATRIX_SOLVERS, data["times_products"].T, strict=True):
        if np.isfinite(times).any():
            ax.plot(data["d"], times, **looks[name])
    ax.set(xscale="log", yscale="log", xlabel="$d$", ylabel="time / time of its matrix products")
    ax.set_title("matrices of $d \\times 2d$")
    ax.set_xticks(data["d"], [str(d) for d in data["d"]])
    low, high = ax.get_ylim()
    ax.set_yticks(ticks := [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10) if low < t < high], [f"{t:g}" for t in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_minor_locator(NullLocator())


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
