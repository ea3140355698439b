"""I(X; Z + noise) by MINE through a training: X the training images as they are, Z the encoder's output.

Z is a function of X, so that without noise the information is infinite. The noise is Gaussian, on each entry of Z, of a
quarter of the total variance of Z: of what it has at that epoch ("present"), which no scale of the features moves, or
of what the untrained network's has ("first"). Each value is the mean over five critics on rows that they were not
trained on. Arrays have the axes S seeds, E epochs (0, the untrained network, is the control), K these kinds of noise:

    value, spread     (S, E, K)  nats, and the standard deviation over the critics
    shuffled          (S, E, K)  the same with Z dealt anew to the images: the truth is 0
    untrained         (S, E, K)  of the critics before their first step
    channel, noise    (S, E, K)  ½ log det(I + Cov(Z)/noise), the most that Z can carry; the variance of the noise
    known             (S, E, K)  the same information from the density of the noise, which no critic has to learn
    ceiling           ()         more than that these rows cannot tell

What MINE misses, `known` less `value`, grows with features and falls with rows: it has to learn from them what noise
does to Z. `known` is the bound of InfoNCE at its best critic, log of the noise's density, over all N images: below the
truth, by about e^I/(2 N).
"""

from typing import Any

import jax
import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from experiments.clustering.kept import Trained
from experiments.clustering.layers import batches, features
from linbyol.representation import mine

KINDS = ("present", "first")
SHARE = 1 / 4
DRAWS = 4  # of the noise on each image
BLOCK = 2**22  # squared distances at once
READ = ("value", "spread", "shuffled", "untrained", "channel", "noise")


def information(training: Trained, estimate: Any = mine) -> dict[str, Any]:
    """The arrays above; `estimate` is called as `linbyol.representation.mine`."""
    plan, images = training.session.plan, training.session.dataset.train.images
    x = images.reshape(len(images), -1).astype(np.float32)
    shape = len(training.seeds), len(training.epochs), len(KINDS)
    found: dict[str, Any] = {name: np.full(shape, np.nan) for name in (*READ, "known")}
    first: dict[int, float] = {}
    for e, epoch in enumerate(training.epochs):
        for s, net in enumerate(training.networks(epoch)):
            layers = features(plan, net, batches(plan, images))
            z = layers[[name for name in layers if name != "projector"][-1]]
            present = SHARE * float(np.var(z, axis=0).sum())
            first.setdefault(s, present)
            for k, noise in enumerate((present, first[s])):
                key = jax.random.fold_in(jax.random.key(training.seeds[s]), 2 * epoch + k)
                one = estimate(x, z, key=key, noise=noise)
                for name in READ:
                    found[name][s, e, k] = getattr(one, name)
                found["ceiling"] = np.array(one.ceiling)
                rng = np.random.default_rng((training.seeds[s], epoch, k))
                found["known"][s, e, k] = through_noise(z, noise, rng)
    return found


def through_noise(z: Float[np.ndarray, "N d"], noise: float, rng: np.random.Generator) -> float:
    """Nats that z + noise has of the row of z: mean log p(y_i | z_i) less log of the mean over j of p(y_i | z_j).

    y_i = z_i + Gaussian noise of variance `noise` on each entry. At most log N.
    """
    z = (z - z[0]).astype(float) / np.sqrt(noise)
    squares, step, total = np.vecdot(z, z) / 2, max(1, BLOCK // len(z)), 0.0
    for _ in range(DRAWS):
        for first in range(0, len(z), step):
            rows = z[first : first + step]
            e = rng.standard_normal(rows.shape)
            y = rows + e
            logs = y @ z.T - squares - np.vecdot(y, y)[:, None] / 2
            total += float(np.sum(-np.vecdot(e, e) / 2 - logsumexp(logs, axis=1)))
    return total / DRAWS / len(z) + float(np.log(len(z)))
