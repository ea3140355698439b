"""NCC against scikit-learn's NearestCentroid, and what becomes of it when the centres are those of the query."""

import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.extremes import every
from linbyol.representation import ncc, ncc_classify
from theory.clustering.instances import blobs

SOURCE = "Ben-Shaul et al. 2023, measurements"


@claim(
    "C33",
    title="NCC with centres from the query is over-optimistic",
    statement="Accuracy with the centres of the set that is classified is above that with the train set's centres, on "
    "the mean over draws, and most where classes have few samples.",
    source="reading of public code",
    kind="numeric",
)
def centres_of_the_query(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 33])
    gains = {}
    for n in (5, 20, 80):  # samples of a class, in train as in test
        draws = [blobs(rng, C=10, n=2 * n, d=20, spread=4.0) for _ in range(20)]
        half = [np.arange(len(y)) % 2 == 0 for _, y in draws]
        own = [ncc(h[~a], y[~a], h[~a], y[~a]) for (h, y), a in zip(draws, half, strict=True)]
        train = [ncc(h[a], y[a], h[~a], y[~a]) for (h, y), a in zip(draws, half, strict=True)]
        apart = np.subtract(own, train)
        gains[n] = float(apart.mean()), float(apart.std() / np.sqrt(len(apart)))
    return holds_if(
        every(gain > 4 * error for gain, error in gains.values()) and gains[5][0] > gains[20][0] > gains[80][0],
        **{f"gain_with_{n}_a_class": gain for n, (gain, _) in gains.items()},
        standard_errors=[error for _, error in gains.values()],
    )


@claim(
    "C40",
    title="NCC is scikit-learn's NearestCentroid",
    statement="Away from ties the nearest class centre predicts what scikit-learn's NearestCentroid does.",
    source=SOURCE,
    kind="numeric",
)
def against_scikit_learn(run: Run) -> Verdict:
    from sklearn.neighbors import NearestCentroid

    rng = np.random.default_rng([run.seed, 40])
    differing, number = 0, 0
    for C, n, d in ((2, 500, 3), (13, 40, 64), (100, 30, 32)):
        h, labels = blobs(rng, C, n, d, spread=2.0)
        labels = 3 * labels - 20
        train = np.arange(len(h)) < 0.8 * len(h)
        for dtype in (np.float64, np.float32):
            x = (h + 10).astype(dtype)
            other = NearestCentroid().fit(x[train].astype(float), labels[train]).predict(x[~train].astype(float))
            differing += int(np.sum(other != ncc_classify(x[train], labels[train], x[~train])))
            number += len(other)
    return holds_if(differing == 0, predictions=number, differing=differing)
