"""Mutual information from distances to neighbours (Kraskov, Stögbauer & Grassberger 2004, first estimator)."""

import warnings
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma

from linbyol.checks import InputError, check_count
from linbyol.representation.gaussian_information import log_det_one_plus
from linbyol.representation.information import DETERMINISTIC, Information, check_noise, constant, sides

MANY = 10  # dimensions, of x and z together, above which KSG is known to fall short


def ksg(x: Any, z: Any, *, k: int = 3, noise: Any = 0.0, rng: np.random.Generator | int = 0) -> Information:
    """ψ(k) + ψ(N) - mean[ψ(n_x + 1) + ψ(n_z + 1)] in nats, n_x and n_z the neighbours nearer than the k-th jointly.

    x (N, n) and z (N, d) standardised by feature, distances by the largest coordinate; `spread` is the standard error
    of that mean over the rows. No critic: fast and nearly unbiased in few dimensions, far too low in many, of which a
    warning tells; the ceiling is ψ(N) - ψ(k). noise: the variance of Gaussian noise added to z. Cost: N log N in few
    dimensions (10⁴ rows, 2 seconds), N² in many. A constant side has 0 nats. Raises `InputError` as `mine` does.
    """
    check_count("k", k)
    noise = check_noise(noise)
    x, z = sides(x, z, least=2)
    N = len(x)
    if k >= N:
        raise InputError(f"Argument `k` must be below the {N} rows, but is {k}.")
    words = f"KSG 1 in nats, k = {k}, features standardised, largest-coordinate distances"
    notes = [] if noise else [DETERMINISTIC]
    channel = log_det_one_plus(np.cov(z.T, bias=True).reshape((z.shape[1],) * 2) / noise) if noise else None
    ceiling = float(digamma(N) - digamma(k))
    found = Information(0.0, 0.0, np.zeros(1), ceiling, None, None, None, channel, noise, words, ())
    for name, side in (("x", x), ("z", z)):
        if constant(side):
            return found._replace(notes=(*notes, f"`{name}` is the same in all rows: 0 nats"))
    x, z = _standardised(x), _standardised(z + np.sqrt(noise) * np.random.default_rng(rng).standard_normal(z.shape))
    if (wide := x.shape[1] + z.shape[1]) > MANY:
        notes.append(f"KSG falls short in many dimensions, and these are {wide}: the value is far too low")
        warnings.warn(f"{notes[-1]}.", RuntimeWarning, stacklevel=2)
    reach = cKDTree(np.hstack([x, z])).query(np.hstack([x, z]), k=k + 1, p=np.inf)[0][:, -1]
    if (reach == 0).any():
        notes.append("some rows have k copies: distances of 0 count as ties, and the value is unreliable")
    strict = np.nextafter(reach, 0)
    near = [cKDTree(h).query_ball_point(h, strict, p=np.inf, return_length=True) for h in (x, z)]  # itself among them
    local = digamma(k) + digamma(N) - digamma(near[0]) - digamma(near[1])
    value, error = float(local.mean()), float(local.std(ddof=1) / np.sqrt(N))
    return found._replace(value=value, spread=error, values=np.array([value]), notes=tuple(notes))


def _standardised(h: np.ndarray) -> np.ndarray:
    h = h - h[:1]
    h = h[:, (h != 0).any(axis=0)]
    return (h - h.mean(axis=0)) / h.std(axis=0)
