"""Are several partitions of the images clustered at once: k-means of one training, read in the features of another.

Labels are clusters of the training images in the encoder's output of the next seed at the last epoch; those of the test
images are the clusters whose centres are nearest there. NCC is measured in this seed's features, centres from train. Of
clusters in one's own features the test would be trivial. Axes S seeds, E = 2 (first and last epoch), K numbers of
clusters: ncc, shuffled (the same labels permuted, on both splits), own (the seed's own clusters, on train).
"""

from typing import Any

import numpy as np
from sklearn.cluster import KMeans

from experiments.clustering.kept import Trained
from experiments.clustering.layers import batches, features
from experiments.clustering.sizes import Size
from linbyol.representation import ncc


def partitions(size: Size, training: Trained) -> dict[str, Any]:
    """The arrays above, and k (K,)."""
    plan, dataset = training.session.plan, training.session.dataset
    images = dataset.train.images, dataset.test.images[: size.test]
    outputs = []  # (E, S) of (train, test)
    for epoch in (0, training.epochs[-1]):
        rows = []
        for net in training.networks(epoch):
            split = [features(plan, net, batches(plan, x)) for x in images]
            top = [name for name in split[0] if name != "projector"][-1]
            rows.append([layers[top] for layers in split])
        outputs.append(rows)
    seeds, ks = training.seeds, [k for k in size.clusters if k < len(images[0])]
    found = {name: np.full((len(seeds), 2, len(ks)), np.nan) for name in ("ncc", "shuffled", "own")}
    for j, k in enumerate(ks):
        fits = [KMeans(k, n_init=1, random_state=0).fit(train) for train, _ in outputs[-1]]
        for s, seed in enumerate(seeds):
            other = (s + 1) % len(seeds)
            train, test = fits[other].labels_, fits[other].predict(outputs[-1][other][1])
            rng = np.random.default_rng([seed, k])
            mixed = rng.permutation(train), rng.permutation(test)
            for e, rows in enumerate(outputs):
                h, test_h = rows[s]
                found["ncc"][s, e, j] = ncc(h, train, test_h, test)
                found["shuffled"][s, e, j] = ncc(h, mixed[0], test_h, mixed[1])
                found["own"][s, e, j] = ncc(h, fits[s].labels_, h, fits[s].labels_)
    return {"k": np.array(ks), **found}
