"""Work against precision, drawn from a benchmark's JSON."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

MARKS = "osD^vPX*"


def draw(record: dict[str, Any], path: str | Path) -> None:
    """Microseconds a trajectory over the largest relative error, one line a contender."""
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    rows = [row for row in record["contenders"] if "points" in row]
    for row, mark in zip(rows, MARKS * len(rows), strict=False):
        points = [(p["error_max"], p["microseconds"]) for p in row["points"] if p["error_max"]]  # null: it blew up
        axes.loglog(*zip(*points, strict=True), marker=mark, label=row["name"]) if points else None
    axes.axvline(record["target_error"], color="0.6", lw=0.8, zorder=0)
    axes.set(xlabel="largest relative error", ylabel="µs a trajectory")
    axes.invert_xaxis()
    axes.legend(fontsize="small")
    figure.savefig(path)
    plt.close(figure)
