"""LeJEPA and VICReg on the handwritten digits with a linear encoder, beside their equations, nothing fitted.

The encoder (8, 8) is trained by stochastic gradient descent on pairs of views of the digits on the eight axes on which
X = I and X_aug is diagonal (`experiments.linear.banks.diagonal`), by the losses as they were released: LeJEPA from a
small start on the axes, where modes stay modes; VICReg, whose features turn towards the cleanest axes, from a random
one. The equations get the measured moments and the weights of the losses, and nothing else. Real features are not
Gaussian, a batch is finite, and SIGReg's quadrature is coarse: LeJEPA's errors hold all three.
Arrays in regularisers.npz, with t times, d = 8 features, r runs of LeJEPA:

    ts                    (t,)       flow time of LeJEPA, learning rate × steps
    sigma2                (d,)       eigenvalues of X_aug where those of X are 1
    units                 (r,)       mu/(a d), the weight of SIGReg over that of the invariance
    lejepa, lejepa_flow   (r, t, d)  variance of the features along each axis, of descent and of the mode equations
    vicreg_ts             (t,)
    vicreg, vicreg_flow   (t, d)     eigenvalues of the features' covariance, ascending
"""

import functools
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from experiments.linear.banks import AXES, diagonal
from experiments.linear.pairs import BankPairs
from linbyol import losses
from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations.regularised import Encoder, Features, RegularisedModes
from linbyol.equations.sigreg import sigreg_modes_flow
from linbyol.equations.vicreg import Vicreg, paper_weights, vicreg_flow
from linbyol.extremes import every, largest
from linbyol.integrate import integrate
from linbyol.store import write_arrays

BATCH, SLICES, LR, RECORDS, EVERY = 128, 24, 0.4, 32, 25
T_MAX = 5.0  # of SIGReg's quadrature: on [0, 3] the pull at small variances is 4.6 % too weak (M20)
UNITS = (0.3, 1.2)  # mu/(a d)
SMALL = 0.02  # variance of the features at the start
DROPPED = 1e-3  # variance below which the equations have dropped a direction, a twentieth of the start
VICREG = {"invariance": 25.0, "variance": 6.0, "covariance": 1.0}  # so soft that no feature reaches the hinge
VICREG_LR = 0.005


class Found(NamedTuple):
    """Variances of the features, of descent and of the equations."""

    ts: np.ndarray  # (t,)
    descent: np.ndarray  # (r, t, d)
    flow: np.ndarray  # (r, t, d)


def lejepa(W: Array, x: tuple[Array, Array], key: Array, mu: Array) -> Array:
    """Two views; the invariance of `losses.lejepa` has a = 1/(2d), its SIGReg mu = lamb batch √(2π)."""
    z = jnp.stack([view @ W.T for view in x])
    return losses.lejepa(z, key, slices=SLICES, lamb=mu / (BATCH * np.sqrt(2 * np.pi)), t_max=T_MAX).total


def vicreg(W: Array, x: tuple[Array, Array], key: Array, mu: Array) -> Array:
    """VICReg as released."""
    return losses.vicreg(x[0] @ W.T, x[1] @ W.T, convention="code", **VICREG).total


@eqx.filter_jit
def descend(loss: Any, pairs: BankPairs, W: Array, lr: float, key: Array, mu: Array) -> Float[Array, "t d n"]:
    """W at the start and after each `EVERY` steps; step i has the key fold_in(key, i)."""

    def record(W: Array, start: Array) -> tuple[Array, Array]:
        def step(i: Array, W: Array) -> Array:
            a, b = jax.random.split(jax.random.fold_in(key, start + i))
            return W - lr * jax.grad(loss)(W, pairs(a), b, mu)

        W = jax.lax.fori_loop(0, EVERY, step, W)
        return W, W

    return jnp.concatenate([W[None], jax.lax.scan(record, W, EVERY * jnp.arange(RECORDS))[1]])


@functools.cache
def with_sigreg(run: Run) -> tuple[Found, np.ndarray]:
    """LeJEPA at each of the weights, on the axes, and σ² of these."""
    bank, moments, key = diagonal(run, 60)
    sigma2 = np.diagonal(moments.X_aug)
    a, ts = 1 / (2 * AXES), LR * EVERY * np.arange(RECORDS + 1)
    W, start = jnp.diag(jnp.sqrt(SMALL / (1 + jnp.asarray(sigma2)))), Features(np.full(AXES, SMALL))
    descent, flow = [], []
    for unit in UNITS:
        mu = unit * a * AXES
        Ws = np.asarray(descend(lejepa, BankPairs(bank, BATCH), W, LR, key, jnp.asarray(mu)))
        descent.append(np.einsum("tij,j,tij->tj", Ws, 1 + sigma2, Ws))  # of input axis j, in whatever features
        k = RegularisedModes(a, mu, np.ones(AXES), 1 + sigma2)
        flow.append(integrate(sigreg_modes_flow, start, k, ts, solver="dop853").ys.nu)
    return Found(ts, np.array(descent), np.array(flow)), sigma2


@functools.cache
def with_vicreg(run: Run) -> Found:
    """VICReg at one weight: eigenvalues of the features' covariance, since features turn."""
    bank, moments, key = diagonal(run, 61)
    X, X_aug = np.asarray(moments.X), np.asarray(moments.X_aug)
    first = np.random.default_rng([run.seed, 61]).standard_normal((AXES, AXES)) * np.sqrt(SMALL / AXES)
    Ws = descend(vicreg, BankPairs(bank, BATCH), jnp.asarray(first), VICREG_LR, key, jnp.asarray(0.0))
    k = Vicreg(**paper_weights("code", AXES, **VICREG), X=X, X_aug=X_aug, eps=1e-4)
    ts = VICREG_LR * EVERY * np.arange(RECORDS + 1)
    flow = integrate(vicreg_flow, Encoder(first), k, ts, solver="dop853").ys.W
    spectra = [np.linalg.eigvalsh(A @ (X + X_aug) @ np.swapaxes(A, 1, 2)) for A in map(np.asarray, (Ws, flow))]
    return Found(ts, spectra[0][None], spectra[1][None])


def error(found: Found) -> np.ndarray:
    """Largest gap of a variance at a time, relative to the largest variance at that time, (r, t)."""
    return np.abs(found.descent - found.flow).max(axis=-1) / found.flow.max(axis=-1)


@claim(
    "L36",
    title="LeJEPA on the digits drops the noisy directions that its mode equations name",
    statement="Linear LeJEPA trained by stochastic gradient descent on real pairs of views of the digits (batch 128, "
    "24 slices, SIGReg on [0, 5]) follows its mode equations with measured X and X_aug, nothing fitted: within 15 % "
    "of the largest variance in the end, within 35 % on the way. At weights μ/(a d) = 0.3 and 1.2 the equations keep "
    "two and four of eight directions, the cleanest; descent keeps the same, and each dropped one has less than 3 % "
    "of the variance of the least that is kept.",
    source="derived; M14 and M40 on data that are not Gaussian",
    kind="real data",
)
def noisy_directions_are_dropped(run: Run) -> Verdict:
    """One run a weight; which directions are kept is read from the equations alone."""
    found, sigma2 = with_sigreg(run)
    if run.out is not None:
        leave(run, run.out)
    kept = found.flow[:, -1] > DROPPED
    last = found.descent[:, -1]
    gaps = [largest(v[~keep]) / v[keep].min() for v, keep in zip(last, kept, strict=True)]
    cleanest = [largest(sigma2[keep]) < sigma2[~keep].min() for keep in kept]
    return holds_if(
        largest(error(found)) < 0.35
        and largest(error(found)[:, -1]) < 0.15
        and list(kept.sum(axis=1)) == [2, 4]
        and every(cleanest)
        and largest(gaps) < 0.03,
        units=list(UNITS),
        sigma2=sigma2,
        largest_error=error(found).max(axis=1),
        error_at_the_end=error(found)[:, -1],
        kept=kept.sum(axis=1),
        variances_of_descent=last,
        variances_of_the_equations=found.flow[:, -1],
        largest_dropped_over_least_kept=gaps,
    )


@claim(
    "L37",
    title="VICReg on the digits follows its flow",
    statement="Linear VICReg trained by stochastic gradient descent on real pairs of views of the digits (batch 128, "
    "released form) from a random start: the eigenvalues of the features' covariance stay within 15 % of the largest "
    "of those of `vicreg_flow` with measured X and X_aug, at all times, nothing fitted; in the end within 5 %.",
    source="derived; M21",
    kind="real data",
)
def vicreg_follows_its_flow(run: Run) -> Verdict:
    """One run; its features turn towards the clean axes, so that most eigenvalues fall by orders of magnitude."""
    found = with_vicreg(run)
    gaps = error(found)[0]
    return holds_if(
        largest(gaps) < 0.15 and gaps[-1] < 0.05 and largest(found.flow[0, -1]) > 3 * largest(found.flow[0, 0]),
        largest_error=largest(gaps),
        error_at_the_end=gaps[-1],
        eigenvalues_of_descent=found.descent[0, -1],
        eigenvalues_of_the_flow=found.flow[0, -1],
    )


def leave(run: Run, folder: Path) -> None:
    """regularisers.npz."""
    (found, sigma2), of_vicreg = with_sigreg(run), with_vicreg(run)
    arrays = {"ts": found.ts, "sigma2": sigma2, "units": UNITS, "lejepa": found.descent, "lejepa_flow": found.flow}
    arrays |= {"vicreg_ts": of_vicreg.ts, "vicreg": of_vicreg.descent[0], "vicreg_flow": of_vicreg.flow[0]}
    write_arrays(folder / "regularisers.npz", arrays)
