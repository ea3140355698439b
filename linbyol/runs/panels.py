"""What the page of a run shows: panels, each a few quantities in time. How they look stands in `run_plot.py`."""

from collections.abc import Callable, Iterable
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

from linbyol.runs.files import Lane, RunFiles

EIGENVALUES = 16  # of a spectrum that are drawn, evenly among their ranks
F, WP, WA, K, COMMUTATOR, BALANCE = "#D55E00", "#0072B2", "#CC79A7", "#332288", "#AA4499", "#7A5C00"
INK, QUIET = "#1A1A1A", "#9A9A9A"
CYCLE = ("#0072B2", "#D55E00", "#56B4E9", "#CC79A7", "#332288", "#E69F00")  # Okabe and Ito's without green
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.2)), (0, (1.2, 1.2)), (0, (4, 1.2, 1.2, 1.2)))  # told apart in grey too

MEASURES = (
    "rank", "embedding_std", "F_max", "F_min", "Wp_max", "Wp_min", "asymmetry", "commutator", "cosine", "balance",
    "proportionality",
)  # fmt: skip
PROBES = {
    "knn": "kNN", "ridge": "ridge", "linear": "linear", "linear_paper": "linear (paper)",
    "linear_strict": "linear (strict)",
}  # fmt: skip


class Curve(NamedTuple):
    """A quantity in time: steps and values of each lane."""

    label: str
    colour: Any
    lanes: dict[Lane, tuple[np.ndarray, np.ndarray]]
    look: dict[str, Any]


class Panel(NamedTuple):
    """A panel of the page; without curves it is left out."""

    title: str | Callable[[RunFiles], str]
    curves: Callable[[RunFiles], list[Curve]]
    log: bool = False  # where the values are positive, and far apart
    floor: float | None = None  # that the axis begins with


def groups_of(lanes: Iterable[Lane]) -> list[Any]:
    """The settings of a sweep in their order."""
    return list(dict.fromkeys(lane.group for lane in lanes))


def shades(colour: str, count: int) -> list[Any]:
    """A colour from light to dark."""
    from matplotlib.colors import to_rgb

    full = np.array(to_rgb(colour))
    steps = np.linspace(0, 1, count) if count > 1 else np.array([0.5])
    return [tuple((1 - x) * (1 - 0.5 * (1 - full)) + x * 0.45 * full) for x in steps]


def quantities(labels: dict[str, str], colours: Iterable[str], scale: float = 1.0, **look: Any) -> Callable:
    """The columns that have values, with their labels."""

    def curves(run: RunFiles) -> list[Curve]:
        found = {name: run.series(name) for name in labels}
        present = [(name, lanes) for name, lanes in found.items() if lanes]
        return [
            Curve(
                labels[name],
                colour,
                {lane: (x, scale * y) for lane, (x, y) in lanes.items()},
                {"linestyle": dashes, **look},
            )
            for (name, lanes), colour, dashes in zip(present, cycle(colours), cycle(DASHES), strict=False)
        ]

    return curves


def terms(run: RunFiles) -> list[Curve]:
    """The columns after the loss that are neither measures nor accuracies."""
    names = list(run.columns)
    rest = names[names.index("loss") + 1 :] if "loss" in names else []
    return quantities({name: name for name in rest if name not in MEASURES and name not in PROBES}, CYCLE)(run)


def eigenvalues(name: str, colour: str) -> Callable[[RunFiles], list[Curve]]:
    """Lines of a spectrum, dark for the largest; of a sweep, or without spectra, the extreme ones only."""

    def curves(run: RunFiles) -> list[Curve]:
        if not (d := dimension(run, name)):
            return quantities({f"{name}_max": "", f"{name}_min": ""}, [colour, QUIET])(run)
        lanes = {lane: line for lane, line in run.spectrum(name).items() if line[1].shape[1] == d}
        ranks = np.unique(np.linspace(0, d - 1, min(d, EIGENVALUES)).round().astype(int))
        return [
            Curve("", shade, {lane: (x, y[:, j]) for lane, (x, y) in lanes.items()}, {"linewidth": 0.8})
            for j, shade in zip(ranks, shades(colour, len(ranks)), strict=True)
        ]

    return curves


def which_eigenvalues(name: str, letter: str) -> Callable[[RunFiles], str]:
    """The title of their panel."""

    def title(run: RunFiles) -> str:
        d = dimension(run, name)
        which = f" ({EIGENVALUES} of {d})" if d > EIGENVALUES else "" if d else ": largest, smallest"
        return f"eigenvalues of {letter}{which}"

    return title


def dimension(run: RunFiles, name: str) -> int:
    """The number of eigenvalues of one spectrum, where all lanes are seeds of the same setting; else 0."""
    found = run.spectrum(name)
    return max((y.shape[1] for _, y in found.values()), default=0) if len(groups_of(run.lanes)) == 1 else 0


PANELS = (
    Panel("loss", quantities({"loss": "loss"}, [INK])),
    Panel("terms of the loss", terms),
    Panel("accuracy of probes (%)", quantities(PROBES, CYCLE, 100.0, marker="o", markersize=2.2)),
    Panel(which_eigenvalues("F", "$F$"), eigenvalues("F", F), log=True),
    Panel(which_eigenvalues("Wp", "$W_p$"), eigenvalues("Wp", WP)),
    Panel(
        "alignment",
        quantities({"cosine": r"$\cos(u_j, W_p u_j)$, mean", "proportionality": r"$\cos(W_a, W)$"}, [K, WA]),
    ),
    Panel(
        "relative departures",
        quantities(
            {"asymmetry": "asymmetry", "commutator": "commutator", "balance": "imbalance"},
            [WP, COMMUTATOR, BALANCE],
        ),
        log=True,
    ),
    Panel("effective rank", quantities({"rank": "rank"}, [WA])),
    Panel("embeddings' standard deviation", quantities({"embedding_std": "std"}, [COMMUTATOR]), floor=0.0),
)
