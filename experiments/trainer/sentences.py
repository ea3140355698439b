"""What a run has to say of its lanes in words: a loss that is not finite, collapse, probes at the end of their grid."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.datasets import Dataset
from experiments.runs.manifests import listed
from experiments.trainer.lanes import swept
from experiments.trainer.measures import COLLAPSED
from experiments.trainer.session import Session

ALIKE = 0.95  # mean cosine of two images' embeddings, above which they are nearly one
CHOSEN = {"ridge": "alpha", "linear_strict": "C"}  # what a probe chooses from a grid


def broken_lanes(session: Session, broken: Sequence[int], kept: int | None) -> str:
    """Which lanes' losses are not finite, from which step on, and the checkpoint from before."""
    names = swept(session.o)
    lanes = [(step, lane.label(names)) for step, lane in zip(broken, session.lanes, strict=True) if step >= 0]
    where = listed([f"step {step} on" + (f" in lane {label}" if len(broken) > 1 else "") for step, label in lanes])
    if len(lanes) < len(broken):
        return f"The loss is not finite from {where}; the other lanes go on."
    last = "there is no checkpoint from before" if kept is None else f"the checkpoint of step {kept} is kept"
    return f"The loss is not finite from {where}; {last}."


def alarms(results: Sequence[dict[str, Any]], untrained: Sequence[dict[str, Any]]) -> list[str]:
    """A sentence for each lane whose embeddings have collapsed, or are on their way to it.

    The square of the standard deviation of embeddings on the unit sphere, 1 if they are isotropic, is 1 minus the mean
    cosine of two images' embeddings. Where that is above 0.95 and the standard deviation less than half of what it was
    untrained, training has taken most of what tells images apart. Measured on the way: at most 0.88 in healthy runs
    (DirectPred on the digits, early), 0.98 after four epochs without predictor on CIFAR-10.
    """
    before = {_who(r): r for r in untrained}
    sentences = []
    for r in results:
        if "embedding_std" not in r:
            continue
        now, then = r["embedding_std"], before.get(_who(r), {}).get("embedding_std")
        rank = f"effective rank {r['rank']:.3g}"
        if now < COLLAPSED:
            what = f"have collapsed (standard deviation {now:.3g} of an isotropic one's, {rank})"
        elif 1 - now**2 > ALIKE and (then is None or now < then / 2):
            was = "" if then is None else f", {then:.3g} untrained"
            what = (
                f"are on their way to collapse: two images' have a cosine of {1 - now**2:.3g} on average (standard "
                f"deviation {now:.3g} of an isotropic one's{was}; {rank})"
            )
        else:
            continue
        sentences.append(f"{_label(r)}: the embeddings {what}.")
    return sentences


def at_edges(results: Sequence[dict[str, Any]]) -> list[str]:
    """A sentence for each probe whose constant lies at an end of the grid it was chosen from, with the lanes."""
    sentences = []
    for probe, name in CHOSEN.items():
        lanes = [f"{r[f'{probe}_{name}']:g} ({_label(r).lower()})" for r in results if r.get(f"{probe}_at_edge")]
        if lanes:
            what = f"Probe {probe} chose {name} at the edge of its grid"
            sentences.append(f"{what}, so that a better one may lie beyond: {listed(lanes)}.")
    return sentences


def unseen(dataset: Dataset) -> list[str]:
    """A sentence about classes that only the test set has."""
    classes = np.setdiff1d(dataset.test.labels, dataset.train.labels)
    images = int(np.isin(dataset.test.labels, classes).sum())
    if not len(classes):
        return []
    where = f"{len(classes)} of the classes in the test set are not in the training set"
    return [f"{where}: every probe misses their {images} images."]


def _who(r: dict[str, Any]) -> tuple[float, ...]:
    """Seed and swept values of a result."""
    return tuple(float(value) for name, value in r.items() if name == "seed" or name.startswith("sweep_"))


def _label(r: dict[str, Any]) -> str:
    rest = (f"{name.removeprefix('sweep_')} = {x:g}" for name, x in r.items() if name.startswith("sweep_"))
    return ", ".join([f"Seed {r['seed']:g}", *rest])
