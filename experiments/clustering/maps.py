"""Maps of the encoder's output in the plane (Fig. 1): untrained and trained, at every level, of the first seed.

    map.samples, map.classes, map.superclasses            (2, n, 2)  untrained, trained; by t-SNE
    labels.samples, labels.classes, labels.superclasses   (n,)       of what the first five of a level hold

Samples are fresh views of five training images; classes and superclasses are test images as they are. A map shows who
is whose neighbour, neither distances nor sizes: what clusters is measured in the features themselves.
"""

from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.manifold import TSNE

from experiments.clustering.kept import Trained
from experiments.clustering.layers import batches, features
from experiments.clustering.measuring import LEVELS
from experiments.targets import sample_level

SHOWN = 5  # of each level
EACH = 60  # rows of each of these


def maps(training: Trained) -> dict[str, Any]:
    """The arrays above, of the levels that the data set has."""
    session, seed = training.session, training.seeds[0]
    plan, train, test = session.plan, session.dataset.train, session.dataset.test
    views = list(sample_level(train.images, plan.recipe, seed, number=SHOWN, views=EACH, split="test"))
    inputs: dict[str, Any] = {LEVELS[0]: [view.x for view in views]}
    found: dict[str, Any] = {f"labels.{LEVELS[0]}": np.concatenate([view.labels for view in views])}
    for level, labels in zip(LEVELS[1:], (test.labels, test.coarse), strict=True):
        if labels is None:
            continue
        rows = np.concatenate([np.flatnonzero(labels == c)[:EACH] for c in range(SHOWN)])
        inputs[level] = list(batches(plan, test.images[rows]))
        found[f"labels.{level}"] = labels[rows]
    for level, x in inputs.items():
        outputs = [features(plan, next(training.networks(epoch)), x) for epoch in (0, training.epochs[-1])]
        last = [name for name in outputs[0] if name != "projector"][-1]
        found[f"map.{level}"] = np.stack([placed(layers[last]) for layers in outputs])
    return found


def placed(h: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n 2"]:
    """t-SNE from the principal components, of standard deviation 1 over both coordinates; the same for the same h."""
    h = h.astype(float)
    h = (h - h.mean(axis=0)) / np.linalg.norm(h.std(axis=0))
    place = TSNE(perplexity=min(30, len(h) / 4), init="pca", random_state=0).fit_transform(h)
    return (place - place.mean(axis=0)) / place.std()
