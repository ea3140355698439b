"""Theory against networks: a run's modes after one time, as the theory foretells them from that time, and as they were.

What to see: for a linear encoder Lemma 1 is right to half a percent, and in the worst mode to five, where chance alone
makes a thousandth; decoupled modes are not, for the eigenvectors turn. For an MLP the layers below the last map learn
as well: held as they are (`lemma`), growth comes too late; at the speed of the whole network's tangent kernel the error
is less than half of any baseline's, but which of the weakest modes survives is often named wrong.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style

CAPTION = (
    "Left: eigenvalues s of F of one run (lines) and as foretold at the vertical line (dashes), every other mode; "
    "bands: repetitions of the run from there. Right: median of |Δ log s| over modes and runs at each epoch, of "
    "predictions and of the baselines that nothing changes or that s goes on as a straight line; band: from the best "
    "run to the worst. Above a linear encoder, below an MLP."
)
CLAIMS = ()
ROUNDING = 1e-10  # of the largest s: less is not compared
JUDGED = {"linear": "lemma", "mlp": "tangent"}
LOOKS: dict[str, dict[str, Any]] = {
    "lemma": {"color": style.COLOURS["L"], "linestyle": "-"},
    "aligned": {"color": style.COLOURS["p"], "linestyle": style.DASHES[1]},
    "tangent": {"color": style.COLOURS["s"], "linestyle": "-"},
    "nothing": {"color": style.COLOURS["quiet"], "linestyle": style.DASHES[3]},
    "linear": {"color": style.COLOURS["quiet"], "linestyle": style.DASHES[2]},
}
WORDS = {
    "lemma": "Lemma 1, layers below held",
    "aligned": "decoupled modes",
    "tangent": "decoupled, tangent speed",
    "nothing": "nothing changes",
    "linear": "straight line",
}


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Of each training: epoch (t,), place, measured (L, t, d), of each prediction and baseline (L, t', d), repeated."""
    del fast  # nothing is computed
    found = {}
    for training in JUDGED:
        record = clusters.read(results, "digits", training, "confrontation")
        epoch, s = record.arrays["epoch"].astype(float), record.arrays["s"].astype(float)
        place = int(np.flatnonzero(epoch == record.about["first"])[0])
        foretold = {name: record.arrays[f"s_{name}"].astype(float) for name in LOOKS if f"s_{name}" in record.arrays}
        slope = (s[:, place] - s[:, place - 1]) / (epoch[place] - epoch[place - 1])
        foretold["nothing"] = np.broadcast_to(s[:, place, None], s[:, place:].shape)
        foretold["linear"] = s[:, place, None] + slope[:, None] * (epoch[place:] - epoch[place])[:, None]
        found[training] = {
            "epoch": epoch,
            "place": place,
            "measured": s,
            "foretold": foretold,
            "repeated": record.arrays.get("repeated"),
            "lanes": len(s),
        }
    return found


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """A row a training."""
    figure, axes = style.panels(2, 2, width="page", height=4.4)
    for (left, right), (training, judged) in zip(axes, JUDGED.items(), strict=True):
        row = data[training]
        _modes(left, row, judged)
        left.set(yscale="log", xlabel="epoch", ylabel="s", title=f"{'linear encoder' if judged == 'lemma' else 'MLP'}")
        for name, look in LOOKS.items():
            if name in row["foretold"] and (training, name) != ("linear", "tangent"):  # there it is `aligned`
                right.plot(x := row["epoch"][row["place"] + 1 :], _medians(row, name), linewidth=1.1, **look)
        runs = [_medians(row, judged, lane) for lane in range(row["lanes"])]
        right.fill_between(x, np.min(runs, axis=0), np.max(runs, axis=0), color=LOOKS[judged]["color"], alpha=0.15)
        right.set(yscale="log", xlabel="epoch", ylabel=r"median $|\Delta \log s|$")
    key = [style.entry(WORDS[name], **look) for name, look in LOOKS.items()]
    key.append(style.entry("measured", color=style.COLOURS["law"], linewidth=0.8))
    constants = (
        f"digits; linear: {data['linear']['lanes']} seeds, {len(data['linear']['repeated'])} repetitions of the first; "
        f"MLP: {data['mlp']['lanes']} seeds; seeds on which nothing was chosen."
    )
    return style.finish(figure, constants, key, columns=3)


def _modes(axes: Any, row: dict[str, Any], judged: str) -> None:
    x, place, s = row["epoch"], row["place"], row["measured"][0]
    which = range(s.shape[1] - 1, -1, -2)
    least = ROUNDING * s[-1].max()
    shown = lambda y: np.where(y > least, y, np.nan)  # noqa: E731
    for j in which:
        axes.plot(x, shown(s[:, j]), color=style.COLOURS["law"], linewidth=0.8)
        axes.plot(x[place:], shown(row["foretold"][judged][0][:, j]), linewidth=1.2,
                  **{**LOOKS[judged], "linestyle": style.DASHES[1]})  # fmt: skip
        if row["repeated"] is not None:
            ends = row["repeated"][:, :, j].min(axis=0), row["repeated"][:, :, j].max(axis=0)
            axes.fill_between(x[place:], *ends, color=style.COLOURS["quiet"], alpha=0.5, linewidth=0)
    axes.axvline(x[place], color="0.7", linewidth=0.6)


def _medians(row: dict[str, Any], name: str, lane: int | None = None) -> np.ndarray:
    """(t' - 1,) over lanes, or of one, and the modes that are not rounding."""
    which = slice(None) if lane is None else slice(lane, lane + 1)
    s, y = row["measured"][which, row["place"] + 1 :], row["foretold"][name][which, 1:]
    least = ROUNDING * s.max(axis=2, keepdims=True)
    apart = np.abs(np.log(np.maximum(y, least)) - np.log(np.maximum(s, least)))
    return np.nanmedian(np.where(s > least, apart, np.nan), axis=(0, 2))
