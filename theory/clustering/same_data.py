"""The same features, measured here and by the formulas that other programs describe: the table in SAME_DATA.md.

No other program is run: each formula is a few lines of NumPy written from its description.
"""

import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_digits

from linbyol.losses import nt_xent, vicreg
from linbyol.representation import (
    alignment,
    alpha_req,
    cdnv,
    cka,
    directional_cdnv,
    lidar,
    nc1,
    nc2,
    ncc,
    participation_ratio,
    rankme,
    silhouette,
    two_nn,
    uniformity,
)
from theory.clustering.instances import plain_cdnv
from theory.clustering.loss_conventions import ONES, double
from theory.clustering.other_programs import entropy_rank, lda_matrix, principal_variances
from theory.clustering.untrained_labels import features, pixels


def layer() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Digits behind a fixed random ReLU layer, (1797, 32), their labels, and which rows are train."""
    h = np.maximum(features(pixels(), (64, 32), np.random.default_rng(0)), 0)
    return h, load_digits().target, np.arange(len(h)) % 3 > 0


def views() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (600, 32) of the first 60 digits with ten noisy views each, their images and their labels."""
    images = np.repeat(np.arange(60), 10)
    x = pixels()[images] + 0.1 * np.random.default_rng(1).standard_normal((600, 64))
    return np.maximum(features(x, (64, 32), np.random.default_rng(0)), 0), images, load_digits().target[images]


def ours() -> dict[str, float]:
    """The column of this project."""
    h, y, train = layer()
    few = (y != 3) & (y != 7)
    v, images, _ = views()
    z = jnp.asarray(v[0::10]), jnp.asarray(v[1::10])
    code = vicreg(*z, convention="code", **ONES)
    return {
        "CDNV": cdnv(h, y),
        "CDNV, two classes absent": cdnv(h[few], y[few]),
        "CDNV, directional": directional_cdnv(h, y),
        "NCC, test": ncc(h[train], y[train], h[~train], y[~train]),
        "NC1": nc1(h, y),
        "NC2, equal norms": nc2(h, y).equinorm,
        "NC2, equal angles": nc2(h, y).equiangular,
        "RankMe": rankme(h),
        "LiDAR": lidar(v, images),
        "participation ratio": participation_ratio(h),
        "alpha-ReQ, indices 1 to 20": alpha_req(h, fit=(1, 20)),
        "TwoNN": two_nn(h).dimension,
        "silhouette": silhouette(h, y),
        "alignment of two views": alignment(v[0::10], v[1::10]),
        "uniformity": uniformity(v),
        "CKA, 20 rows of independent data": cka(*_independent()),
        "VICReg, invariance": float(code.invariance),
        "VICReg, variance": float(code.variance),
        "NT-Xent": float(nt_xent(*z, temperature=0.5).total),
    }


def elsewhere() -> dict[str, dict[str, float]]:
    """What the described formulas of other programs give, by measure and program."""
    h, y, train = layer()
    few = (y != 3) & (y != 7)
    v, images, classes = views()
    a, b = v[0::10], v[1::10]
    means = np.stack([h[y == c].mean(axis=0) for c in range(10)])
    norms = np.log(np.linalg.norm(means - h.mean(axis=0), axis=1))
    own = np.stack([h[~train & (y == c)].mean(axis=0) for c in range(10)])
    nearest = np.argmin(((h[~train][:, None] - own) ** 2).sum(axis=2), axis=1)
    share = np.linalg.svd(h, compute_uv=False)
    x, w = (k - k.mean(axis=0) for k in _independent())
    biased = np.sum((x.T @ w) ** 2) / np.linalg.norm(x.T @ x) / np.linalg.norm(w.T @ w)
    spread = [np.sqrt(np.var(k, axis=0, ddof=1) + 1e-4) for k in (a, b)]
    return {
        "CDNV, two classes absent": {"RepX": plain_cdnv(h[few], y[few]) * 28 / 45},
        "NCC, test": {"RepX": float(np.mean(nearest == y[~train]))},
        "NC2, equal norms": {"nc-toolbox": float(np.mean(norms[:, None] - norms[None, :]))},
        "RankMe": {
            "reptrix": entropy_rank(principal_variances(h)),
            "stable-pretraining (torch)": _rank(share / share.sum() + 1e-5),
            "MONAI": _rank(principal_variances(h) / principal_variances(h).sum()) / np.min(h.shape),
        },
        "LiDAR": {
            "reptrix": entropy_rank(principal_variances(lda_matrix(v, images, 1e-4))),
            "stable-pretraining (JAX)": entropy_rank(np.maximum(np.linalg.eigvalsh(lda_matrix(v, classes, 1e-4)), 0)),
        },
        "CKA, 20 rows of independent data": {"MONAI": float(biased)},
        "VICReg, variance": {"solo-learn": float(sum(np.mean(np.maximum(0, 1 - s)) for s in spread))},
        "NT-Xent": {"google-research/simclr": double(a, b, 0.5)},
    }


def _rank(p: np.ndarray) -> float:
    p = p[p > 0]
    return float(np.exp(-np.sum(p * np.log(p))))


def _independent() -> tuple[np.ndarray, np.ndarray]:
    x, w = np.random.default_rng(2).standard_normal((2, 20, 10))
    return x, w


if __name__ == "__main__":
    import jax

    with jax.enable_x64(True):
        for name, value in ours().items():
            print(name, f"{value:.4f}", {k: f"{v:.4f}" for k, v in elsewhere().get(name, {}).items()})
