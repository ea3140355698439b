"""Mutual information of inputs and their representation by a trained critic: MINE, InfoNCE, NWJ.

Cost, by default: 500 steps of 6 critics on batches of 256 rows; on two cores 5 CPU seconds for up to 10⁴ rows and 64
features, and 10 more to compile for each new number of rows or features. Linear in rows but for the whitening, cubic in
features (3,000 of them: 10 seconds).
"""

from typing import Any, NamedTuple

import jax
import numpy as np

from linbyol.checks import InputError, check_count
from linbyol.representation.bounds import BOUNDS, capped
from linbyol.representation.critic_training import drawn, read, train
from linbyol.representation.critics import start
from linbyol.representation.gaussian_information import log_det_one_plus
from linbyol.representation.information import DETERMINISTIC, Information, check_noise, constant, sides
from linbyol.representation.probing import check_positive
from linbyol.representation.seed_parts import FOLDS, prepared

LEAST = 50  # rows
ROUND = 25  # steps between two looks at the validation rows
LOOKED_AT, READ = 512, 4096  # at most so many validation and held-out rows


class Training(NamedTuple):
    """How critics are trained; see `mine`."""

    seeds: int = 5
    steps: int = 500
    batch: int = 256
    hidden: int = 64
    components: int = 128
    lr: float | int = 2e-3
    decay: float | int = 0.99

    def checked(self) -> "Training":
        """Itself, if all of it can be used; else `InputError`."""
        for name in ("seeds", "steps", "batch", "hidden", "components"):
            check_count(name, getattr(self, name))
        if self.batch < 2:
            raise InputError(f"Argument `batch` must be at least 2, but is {self.batch}.")
        check_positive("lr", self.lr)
        if not isinstance(self.decay, int | float | np.number) or not 0 <= self.decay < 1:
            raise InputError(f"Argument `decay` must be at least 0 and below 1, but is {self.decay!r}.")
        return self


def mine(
    x: Any,
    z: Any,
    *,
    key: Any,
    seeds: int = 5,
    noise: Any = 0.0,
    control: Any = None,
    steps: int = 500,
    batch: int = 256,
    hidden: int = 64,
    components: int = 128,
    lr: float | int = 2e-3,
    decay: float | int = 0.99,
) -> Information:
    """MINE: the Donsker-Varadhan bound on I(X; Z + N(0, noise I)) in nats, by critics trained from several seeds.

    x (N, n) and z (N, d), rows in the same order, at least 50. The gradient is MINE's, bias-corrected by a moving
    average of the exponential mean: `decay` is the share of the OLD average that a step keeps (0.99: over about 100
    batches; 0: plain Donsker-Varadhan).
    A critic is the log density ratio of a Gaussian fitted to its training rows plus a network that starts at 0. Each
    seed has its own held-out fifth of the rows, which neither trains nor stops its critic, and which alone gives its
    value: mean T over the pairs less log mean e^T over all pairs of different rows, capped at log of their number. Of
    the other rows 15 % choose when to stop. Whitened coordinates (of normal scores, where these gain 0.05 nats there)
    come from all rows of one side alone; of more than `components` of them the leading ones are kept, which can only
    lower the value. The value misses about n d/(1.4 N) nats: a Gaussian in n and d dimensions is learnt from rows.
    control: features (N, d′) of an untrained network on the same x, estimated in the same way, beside z.
    A constant side has 0 nats. Raises `InputError` for rows that do not match, are too few or not finite.
    """
    training = Training(seeds, steps, batch, hidden, components, lr, decay)
    return _estimate("mine", x, z, key, noise, control, training)


def infonce(x: Any, z: Any, *, key: Any, noise: Any = 0.0, control: Any = None, **training: Any) -> Information:
    """InfoNCE on the held-out rows, never above log of their number; arguments and errors are those of `mine`."""
    return _estimate("infonce", x, z, key, noise, control, Training(**training))


def nwj(x: Any, z: Any, *, key: Any, noise: Any = 0.0, control: Any = None, **training: Any) -> Information:
    """The bound of Nguyen, Wainwright & Jordan on the held-out rows; arguments and errors are those of `mine`."""
    return _estimate("nwj", x, z, key, noise, control, Training(**training))


def _estimate(bound: str, x: Any, z: Any, key: Any, noise: Any, control: Any, training: Training) -> Information:
    seeds = training.checked().seeds
    noise, rng = check_noise(noise), _generator(key)
    x, z = sides(x, z, least=LEAST)
    beside = None
    if control is not None:
        _, control = sides(x, control, least=LEAST, name="control")
        beside = _estimate(bound, x, control, key, noise, None, training).value
    words = f"{BOUNDS[bound].name} in nats on held-out rows, {BOUNDS[bound].pairs}"
    words += f", of which a moving average keeps {training.decay:g} a step in training" if bound == "mine" else ""
    notes = [] if noise else [DETERMINISTIC]
    found = Information(
        0.0, 0.0, np.zeros(seeds), float(np.log(len(x) // FOLDS)), 0.0, 0.0, beside, None, noise, words, ()
    )
    if noise:
        found = found._replace(channel=log_det_one_plus(np.cov(z.T, bias=True).reshape((z.shape[1],) * 2) / noise))
    for name, side in (("x", x), ("z", z)):
        if constant(side):
            notes.append(f"`{name}` is the same in all rows: 0 nats, and nothing was trained")
            return found._replace(notes=tuple(notes))

    parts = prepared(x, z + np.sqrt(noise) * rng.standard_normal(z.shape), seeds, training.components, rng)
    critics = [start(lane.fit, training.hidden, rng) for lane in parts.lanes]
    rounds = -(-training.steps // ROUND)
    each = -(-training.steps // rounds)
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *critics)
    data = parts.x, parts.z, np.stack([lane.partners for lane in parts.lanes])
    batches = np.stack([drawn(lane.training, rounds + 1, each, training.batch, rng) for lane in parts.lanes])
    looked, rows = (
        np.stack([getattr(lane, name)[:most] for lane in parts.lanes])
        for name, most in (("validation", LOOKED_AT), ("held_out", READ))
    )
    with jax.default_matmul_precision("highest"):
        best, seen = train(bound, stacked, *data, batches, looked, np.float32(training.decay), np.float32(training.lr))
        before, after = (capped(read(bound, critics, *data, rows), rows.shape[1]) for critics in (stacked, best))
    seen = np.asarray(seen)
    finite = np.isfinite(seen)
    found = found._replace(
        value=float(after[:-1].mean()),
        spread=float(after[:-1].std(ddof=1)) if seeds > 1 else float("nan"),
        values=after[:-1],
        ceiling=float(np.log(rows.shape[1])),
        shuffled=float(after[-1]),
        untrained=float(before[:-1].mean()),
        steps=tuple(int(i) * each for i in np.where(finite, seen, -np.inf).argmax(axis=1)[:-1]),
        rows=(len(parts.lanes[0].training), len(parts.lanes[0].validation), rows.shape[1]),
    )
    if not finite.all():
        notes.append("some critics diverged, and count as they were before")
    if found.at_ceiling:
        notes.append(
            f"within one nat of the ceiling log {rows.shape[1]}, so that no more is known than that it is of that order"
        )
    return found._replace(notes=(*notes, *parts.notes))


def _generator(key: Any) -> np.random.Generator:
    """NumPy's generator of a JAX key: nothing is compiled for what it draws."""
    try:
        data = jax.random.key_data(key)
    except TypeError:
        raise InputError(f"Argument `key` must be a jax.random.key, but is {key!r}.") from None
    return np.random.default_rng(np.asarray(data).ravel())
