"""One pass over a training: every kept network, every block, every target set.

Arrays have the axes S seeds, E epochs (0 first), B layers (blocks in order, then the projector) and T target sets:

    ncc_train, ncc_test   (S, E, B, T)  nearest class centre, centres from train
    linear, balanced      (S, E, B, T)  accuracy, and balanced accuracy, of a ridge probe on the test set
    cdnv                  (S, E, B, T)  on train
    rankme                (S, E, B)     of the training images
    silhouette            (S, E, t)     of the encoder's output: samples, classes, superclasses, on the test sets
    target_…              (S, T)        randomness, classes that occur, entropy (nats), majority share
    agreement_test        (S, T)        share of the test labels that are the true ones

Features are means over pixels, not normalised, with running statistics of batch normalisation, at epoch 0 refreshed
from training images without a step. NaN is what was not measured: random targets of a labeller or of partial noise
are, at the first and last epoch alone.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from experiments.clustering.kept import Network, Trained
from experiments.clustering.layers import Layers, batches, features
from experiments.clustering.probe import SharedRidge
from experiments.clustering.sizes import Size
from experiments.clustering.target_sets import TargetSet
from experiments.targets import balanced_accuracy, sample_level
from linbyol.representation import cdnv, ncc, rankme, silhouette, statistics

QUANTITIES = ("ncc_train", "ncc_test", "linear", "balanced", "cdnv")
LEVELS = ("samples", "classes", "superclasses")
ALWAYS = (*LEVELS, "noise 1")  # at every epoch


def measure(
    size: Size,
    training: Trained,
    targets: Sequence[Sequence[TargetSet]],
    *,
    samples: bool = True,
    show: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """The arrays above, with `layers` and `targets`, the names along B and T; `targets` are those of each lane."""
    names = [*(["samples"] if samples else []), *(target.name for target in targets[0])]
    seeds, epochs = training.seeds, training.epochs
    arrays: dict[str, Any] = {}
    for e, epoch in enumerate(epochs):
        for s, net in enumerate(training.networks(epoch)):
            show(f"{training.name}: epoch {epoch}, seed {seeds[s]}")
            images, views = _features(size, training, net, seeds[s], samples)
            layers = list(images[0])
            if not arrays:
                shape = len(seeds), len(epochs), len(layers), len(names)
                arrays = {name: np.full(shape, np.nan) for name in QUANTITIES}
                arrays |= {"rankme": np.full(shape[:3], np.nan), "silhouette": np.full((*shape[:2], 3), np.nan)}
            wanted = [t for t in targets[s] if epoch in (0, epochs[-1]) or t.name in ALWAYS]
            for b, layer in enumerate(layers):
                arrays["rankme"][s, e, b] = rankme(images[0][layer])
                rows = list(_rows(*(part[layer] for part in images), wanted))
                if views is not None:
                    rows += list(_rows(*(part[layer] for part in views), [_identity(size)]))
                for name, row in rows:
                    for quantity, value in row.items():
                        arrays[quantity][s, e, b, names.index(name)] = value
            top = [name for name in layers if name != "projector"][-1]
            seen = {"samples": (views[1][top], _identity(size).test)} if views is not None else {}
            seen |= {t.name: (images[1][top], t.test) for t in targets[s] if t.name in LEVELS}
            for name, (h, labels) in seen.items():
                arrays["silhouette"][s, e, LEVELS.index(name)] = silhouette(h, labels)
    described = [[{}] * samples + [target.row() for target in lane] for lane in targets]
    for name in targets[0][0].row():
        arrays[f"target_{name}"] = [[row.get(name, np.nan) for row in lane] for lane in described]
    truth = targets[0][0].test
    arrays["agreement_test"] = [[np.nan] * samples + [np.mean(t.test == truth) for t in lane] for lane in targets]
    return arrays | {"layers": layers, "targets": names}


def _features(
    size: Size, training: Trained, net: Network, seed: int, samples: bool
) -> tuple[tuple[Layers, Layers], tuple[Layers, Layers] | None]:
    """(train, test) of images as they are, and of views of the sample level."""
    plan, dataset = training.session.plan, training.session.dataset
    of = lambda x: features(plan, net, x)  # noqa: E731
    images = of(batches(plan, dataset.train.images)), of(batches(plan, dataset.test.images[: size.test]))
    if not samples:
        return images, None
    views = lambda split, views: sample_level(  # noqa: E731
        dataset.train.images, plan.recipe, seed, number=size.samples, views=views, split=split
    )
    return images, (of(v.x for v in views("train", size.views)), of(v.x for v in views("test", size.fresh)))


def _identity(size: Size) -> TargetSet:
    return TargetSet("samples", *(np.tile(np.arange(size.samples), views) for views in (size.views, size.fresh)))


def _rows(train: np.ndarray, test: np.ndarray, targets: Sequence[TargetSet]) -> Any:
    """(name, values) of each target set on the same features."""
    probe = SharedRidge(train, test)
    for target in targets:
        found, predicted = statistics(train, target.train), probe.predict(target.train)
        yield (
            target.name,
            {
                "ncc_train": ncc(found, None, train, target.train),
                "ncc_test": ncc(found, None, test, target.test),
                "linear": float(np.mean(predicted == target.test)),
                "balanced": balanced_accuracy(predicted, target.test),
                "cdnv": cdnv(found) if len(found.labels) > 1 else np.nan,
            },
        )
