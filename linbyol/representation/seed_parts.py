"""The rows that each seed trains on, stops by and is read from, in whitened coordinates, with its fitted Gaussian."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from linbyol.representation.gaussian_fit import Canonical, canonical, normal_scores, whitened

FOLDS = 5  # a seed's held-out rows are one of five parts
VALIDATION = 0.15  # of the other rows
LOOKED_AT = 1024  # at most so many validation rows judge a fit
CLEARLY = 0.05  # nats that normal scores must gain
RANKED = 2**25  # numbers above which normal scores are not tried


class Lane(NamedTuple):
    """One critic's rows, and which row of z belongs to each row of x."""

    training: Int[np.ndarray, " n"]
    validation: Int[np.ndarray, " m"]
    held_out: Int[np.ndarray, " h"]
    partners: Int[np.ndarray, " N"]
    fit: Canonical


class Parts(NamedTuple):
    """Coordinates of all rows in float32, and a lane for each seed; the last one's partners are dealt anew."""

    x: Float[np.ndarray, "N n"]
    z: Float[np.ndarray, "N d"]
    lanes: list[Lane]
    notes: tuple[str, ...]


def prepared(
    x: Float[np.ndarray, "N n"], z: Float[np.ndarray, "N d"], seeds: int, components: int, rng: np.random.Generator
) -> Parts:
    """The parts in the coordinates, raw or of normal scores, in which fitted Gaussians do better on validation rows."""
    N = len(x)
    folds = rng.permutation(N)[: N // FOLDS * FOLDS].reshape(FOLDS, -1).astype(np.int32)
    split = [_split(np.roll(folds, seed, axis=0)) for seed in range(seeds)]
    split.append(split[0])
    partners = [np.arange(N, dtype=np.int32)] * seeds + [rng.permutation(N).astype(np.int32)]

    def in_coordinates(x: np.ndarray, z: np.ndarray) -> tuple[float, Parts]:
        (x, left_x), (z, left_z) = whitened(x, components), whitened(z, components)
        lanes, values = [], []
        for (training, validation, held_out), to in zip(split, partners, strict=True):
            fit = canonical(x[training], z[to[training]], x[validation], z[to[validation]])
            some = validation[:LOOKED_AT]
            values.append(fit.bound(x[some], z[to[some]]))
            lanes.append(Lane(training, validation, held_out, to, fit))
        notes = [f"{name} is seen through its first {components} principal components" for name, left in
                 (("`x`", left_x), ("`z`", left_z)) if left]  # fmt: skip
        return float(np.mean(values[:-1])), Parts(x.astype(np.float32), z.astype(np.float32), lanes, tuple(notes))

    value, parts = in_coordinates(x, z)
    if x.size + z.size > RANKED:
        return parts
    ranked, other = in_coordinates(normal_scores(x), normal_scores(z))
    return other if ranked > value + CLEARLY else parts


def _split(folds: Int[np.ndarray, "f n"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training, validation and held-out rows; the first fold is held out."""
    rest = folds[1:].ravel()
    looked = max(2, int(VALIDATION * len(rest)))
    return rest[looked:], rest[:looked], folds[0]
