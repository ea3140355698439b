"""What a training of the tables leaves: accuracies, measures and spectra along it, and the balance of its last layer.

Arrays have the axes L lanes (seeds slowest, the last sweep fastest), t measurements and E epochs (0 first):

    knn, ridge            (L,)      accuracy on the test set of the encoder's output, after training
    untrained_knn, …      (L,)      of the untrained network
    epoch                 (t,)      of the measurements
    rank, asymmetry, …    (L, t)    as the run's table has them; NaN where a run has no such thing
    F, Wp, cosines        (L, t, d) eigenvalues of F and of the symmetric part of Wp, ascending, and cos(u_j, Wp u_j)
    balance_norm          (L, E)    ‖W Wᵀ + b bᵀ - Wpᵀ Wp/alpha_p‖ of the projector's last layer W, b, linear Wp
"""

from typing import Any

import numpy as np

from experiments.clustering.kept import Trained
from experiments.trainer.measures import Measures
from experiments.trainer.model import last_layer
from experiments.trainer.uses import is_linear
from linbyol import runs
from linbyol.store import read_json

PROBES = ("knn", "ridge")
SPECTRA = ("F", "Wp", "cosines")


def measured(training: Trained) -> dict[str, Any]:
    """The arrays above."""
    found: dict[str, Any] = accuracies(training) | along(training)
    if is_linear(training.session.o) and not training.session.o.method.predictor.bias:
        found["balance_norm"] = np.array([_balances(training, epoch) for epoch in training.epochs]).T
    return found


def accuracies(training: Trained) -> dict[str, np.ndarray]:
    """Of each lane, before and after."""
    record = read_json(training.path / "run.json")
    found = {name: np.array([row[name] for row in record["results"]], float) for name in PROBES}
    before = record["untrained"]
    return found | {f"untrained_{name}": np.array([row.get(name, np.nan) for row in before], float) for name in PROBES}


def along(training: Trained) -> dict[str, np.ndarray]:
    """Measures of the table, the loss among them, and spectra."""
    files, lanes = runs.read(training.path), len(training.session.lanes)
    table = {name: x.reshape(-1, lanes).T for name, x in files.columns.items()}
    found = {name: table[name] for name in ("loss", *Measures._fields) if np.isfinite(table[name]).any()}
    for name in SPECTRA:
        rows = list(files.spectrum(name).values())
        if len(rows) == lanes:
            found[name] = np.stack([values for _, values in rows])
    return {"epoch": table["epoch"][0], **found}


def _balances(training: Trained, epoch: int) -> list[float]:
    found = []
    for lane, net in zip(training.session.lanes, training.networks(epoch), strict=True):
        last = last_layer(net)
        W, Wp = np.asarray(last.weight, float), np.asarray(net.predictor.weight, float)
        G = W @ W.T + (0 if last.bias is None else np.outer(last.bias, last.bias))
        found.append(float(np.linalg.norm(G - Wp.T @ Wp / lane.scalars["alpha_p"])))
    return found
