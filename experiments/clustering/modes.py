"""The eigenmodes of F along a training with a predictor matrix: do they grow, are they shared by views, carry classes?

F = E z zᵀ of the projector's output z on views of the training images, eigenvectors u_j. Of each mode, axes S seeds,
E epochs, d modes in the order of falling eigenvalue:

    F         (S, E, d)     s_j = u_jᵀ F u_j
    p         (S, E, d)     u_jᵀ Wp u_j
    shared    (S, E, d)     λ_d/λ_s along u_j: E[(u·z)(u·z′)] of two views over s_j; 1 where views agree
    classes   (S, E, d)     share of the variance of u·z that lies between the classes
    grown     (S, E, E, d)  u_jᵀ F(t′) u_j with the eigenvectors of t: what becomes of the modes of t at t′
    split     (S, E, 3)     the loss 2 - 2 cos(p, z′), what it would be without a predictor, 2 - 2 cos(z, z′), and the
                            difference: the predictor in the part that a regulariser has elsewhere
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.clustering.kept import Network, Trained
from experiments.trainer.model import Identity
from experiments.trainer.state import stream
from experiments.trainer.steps import make_views

NAMES = ("F", "p", "shared", "classes")


def modes(training: Trained, images: int = 2000) -> dict[str, Any]:
    """The arrays above, on two views, the same at all epochs, of the first training images."""
    plan, dataset = training.session.plan, training.session.dataset
    train = dataset.train.images[:images], dataset.train.labels[:images]
    found: dict[str, list[Any]] = {name: [] for name in (*NAMES, "split", "grown")}
    correlations, bases = [], []
    for epoch in training.epochs:
        rows = []
        for seed, net in zip(training.seeds, training.networks(epoch), strict=True):
            x = _views(plan._replace(mesh=None), stream(jnp.asarray(seed), "measure"), jnp.asarray(train[0]))
            z, p = (np.asarray(part, float) for part in _embeddings(net, x))
            rows.append(_of_lane(z, p, train[1], _matrix(net)))
        for name in (*NAMES, "split"):
            found[name].append([row[name] for row in rows])
        correlations.append([row["correlation"] for row in rows])
        bases.append([row["basis"] for row in rows])
    arrays = {name: np.swapaxes(np.array(found[name]), 0, 1) for name in (*NAMES, "split")}
    U, F = (np.swapaxes(np.array(part), 0, 1) for part in (bases, correlations))  # (S, E, d, d)
    return arrays | {"grown": np.einsum("sedj,stdk,sekj->setj", U, F, U)}


def _of_lane(z: np.ndarray, p: np.ndarray, labels: np.ndarray, Wp: np.ndarray | None) -> dict[str, Any]:
    """z and p (2, N, d) of two views."""
    both = z.reshape(-1, z.shape[2])
    F = both.T @ both / len(both)
    U = np.linalg.eigh(F)[1][:, ::-1]
    seen = z @ U  # (2, N, d)
    s = np.mean(seen**2, axis=(0, 1))
    centred = seen - seen.mean(axis=(0, 1))
    means = np.stack([centred[:, labels == c].mean(axis=(0, 1)) for c in np.unique(labels)])
    weights = np.unique(labels, return_counts=True)[1] / len(labels)
    tiny = np.finfo(float).tiny
    loss, without = 2 - 2 * _cosine(p[0], z[1]), 2 - 2 * _cosine(z[0], z[1])
    return {
        "F": s,
        "p": np.full(len(s), np.nan) if Wp is None else np.einsum("dj,dk,kj->j", U, Wp, U),
        "shared": np.mean(seen[0] * seen[1], axis=0) / np.maximum(s, tiny),
        "classes": weights @ means**2 / np.maximum(np.mean(centred**2, axis=(0, 1)), tiny),
        "split": [loss, without, loss - without],
        "correlation": F,
        "basis": U,
    }


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    sizes = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.mean(np.sum(a * b, axis=1) / np.maximum(sizes, 1e-12)))


_views = jax.jit(make_views, static_argnums=0)


@jax.jit
def _embeddings(net: Network, x: Any) -> tuple[Any, Any]:
    """z and Wp z of each view, x (V, b, h, w, c)."""

    def one(x: Any) -> tuple[Any, Any]:
        z = net.projector(net.encoder(x, False)[0], False)[0]
        return z, net.predictor(z, False)[0]

    return jax.vmap(one)(x)


def _matrix(net: Network) -> np.ndarray | None:
    """W_p, where the predictor is a matrix."""
    return None if isinstance(net.predictor, Identity) else np.asarray(net.predictor.weight, float)
