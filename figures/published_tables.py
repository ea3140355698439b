"""Tables 1, 3 and 6 and Fig. 6: published accuracies of ResNet-18 on STL-10 beside those of an MLP on the digits.

What to see: at N = 1 (one step of the encoder to each of it) the optimal predictor fails here as there. A symmetric
predictor without EMA is the worst of its table here too, but at this decay the regular one suffers with it, and seeds
scatter, so that the crash is undecided; a slow predictor makes it certain, a fast one avoids it (Fig. 6). ε hardly
matters here.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures import clusters, style
from linbyol.published import PUBLISHED

CAPTION = (
    "Accuracies as published (ResNet-18, STL-10, linear probe; mean and standard deviation) and ours (MLP, digits, "
    "ridge probe; mean and standard deviation of five seeds; small dots, seeds). Networks and images differ: compare "
    "the order in a panel, not the numbers."
)
CLAIMS = ("B116", "B121", "B123", "B126", "L41")
DECAY, SLOW = 0.01, 0.99
ROWS = {  # panel -> rows: label, published row of a claim or None, training and constants of ours
    "Table 3": [
        ("EMA, symmetric", ("B123", "1 layer, EMA, sym"), ("symmetric", {"eta": DECAY, "gamma_a": SLOW})),
        ("EMA, regular", ("B123", "1 layer, EMA, regular"), ("regular", {"eta": DECAY, "gamma_a": SLOW})),
        ("symmetric", ("B123", "1 layer, no EMA, sym"), ("symmetric", {"eta": DECAY, "gamma_a": 0})),
        ("regular", ("B123", "1 layer, no EMA, regular"), ("regular", {"eta": DECAY, "gamma_a": 0})),
    ],
    "Table 1": [
        ("gradient, EMA", ("B121", "gradient"), ("regular", {"eta": DECAY, "gamma_a": SLOW})),
        ("optimal, EMA", ("B121", "EMA, N = 1"), ("optimal", {"gamma_a": SLOW})),
        ("optimal", ("B121", "no EMA, N = 1"), ("optimal", {"gamma_a": 0})),
    ],
    "Table 6": [
        (rf"$\epsilon = {x:g}$", ("B126", f"rho 0.3, eps {x:g}"), ("directpred", {"eps": x, "rho": 0.3}))
        for x in (0, 0.01, 0.1, 0.5)
    ],
    "Fig. 6": [(rf"$\alpha_p = {x:g}$", None, ("alpha_p", {"alpha_p": x})) for x in (0.25, 1, 4, 16)],
}


def data(fast: bool = False, results: Path | None = None) -> dict[str, Any]:
    """Of each panel its labels, what was published (rows, 2; NaN where nothing is) and ours (rows, S), percent."""
    del fast  # nothing is computed
    found = {}
    for panel, rows in ROWS.items():
        ours, published = [], []
        for _, theirs, (training, where) in rows:
            record = clusters.read(results, "digits", training, "ablations")
            lanes = record.about["lanes"]
            mine = [
                i for i, lane in enumerate(lanes) if not [k for k, x in where.items() if not np.isclose(lane[k], x)]
            ]
            ours.append(100 * record.arrays["ridge"].astype(float)[mine])
            published.append((np.nan, np.nan) if theirs is None else PUBLISHED[theirs[0]][theirs[1]])
        labels = [label for label, *_ in rows]
        found[panel] = {"labels": labels, "published": np.array(published, float), "ours": np.array(ours)}
    return found


@style.styled
def draw(data: dict[str, Any]) -> Figure:
    """A panel a table, a row a line."""
    figure, axes = style.panels(2, 2, width="page", height=3.9)
    for ax, (name, rows) in zip(axes.ravel(), data.items(), strict=True):
        y = np.arange(len(rows["labels"]))[::-1]
        theirs, ours = rows["published"], rows["ours"]
        grey, colour = style.COLOURS["quiet"], style.COLOURS["F"]
        ax.errorbar(theirs[:, 0], y + 0.15, xerr=theirs[:, 1], fmt="s", markersize=4, color=grey)
        ax.plot(ours, np.repeat((y - 0.15)[:, None], ours.shape[1], axis=1), ".", color=colour, markersize=2)
        ax.errorbar(ours.mean(axis=1), y - 0.15, xerr=ours.std(axis=1, ddof=1), fmt="o", markersize=4, color=colour)
        ax.set_yticks(y, rows["labels"])
        ax.set(xlim=(0, 100), ylim=(-0.6, len(y) - 0.4), xlabel="accuracy, %", title=name)
    key = [
        style.entry("published: ResNet-18, STL-10", color=style.COLOURS["quiet"], marker="s", linestyle="none"),
        style.entry("ours: MLP, digits", color=style.COLOURS["F"], marker="o", linestyle="none"),
    ]
    constants = (
        rf"Ours: weight decay {DECAY:g}, $\gamma_a = {SLOW:g}$ (EMA), $\rho = 0.3$; Fig. 6: symmetric $W_p$, no EMA "
        "(no numbers are published)."
    )
    return style.finish(figure, constants, key)
