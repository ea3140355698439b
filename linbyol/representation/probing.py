"""What the probes share: their door, the classes, the scale of the features, the held-out part and the result."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from linbyol.checks import InputError
from linbyol.representation.features import check_finite, comparable, feature_rows, label_column

FOLDS = 5  # of each class, every fifth sample is held out


class ProbeResult(NamedTuple):
    """What a probe found. A test label that train lacks counts as an error, and `unseen` says how many there are."""

    accuracy: float  # on the test set, from 0 to 1
    protocol: str  # "paper", "strict", "svm", "ridge" or "knn"
    setting: dict[str, Any]  # what was used; where there was a choice, what was chosen
    history: dict[str, np.ndarray]  # one entry a candidate (epoch, C, alpha), empty where nothing was chosen
    predicted: np.ndarray  # labels, (N_test,)
    unseen: int
    converged: bool = True  # False if an iteration reached its limit first
    weights: Array | None = None  # (C, d), of the features as given: scores are h @ weights.T + bias
    bias: Array | None = None  # (C,), in the order of the sorted labels of train

    @property
    def choice(self) -> str | None:
        """Which constant was chosen from a grid on a held-out part of train: "C", "alpha", or None."""
        return next((name for name in ("C", "alpha") if name in self.history), None)

    @property
    def at_edge(self) -> bool:
        """Whether the constant chosen is an end of its grid: a better one may lie beyond."""
        return self.choice is not None and bool(self.setting[self.choice] in self.history[self.choice][[0, -1]])


class Samples(NamedTuple):
    """Features and classes behind the door; a class is the index of its label among train's, -1 if it is not there."""

    train_h: Float[Array, "N d"]
    train_y: Int[Array, " N"]
    test_h: Float[Array, "M d"]
    test_y: Int[Array, " M"]
    labels: np.ndarray  # sorted, (C,)

    def accuracy(self, predicted: Any) -> float:
        """Share of the test set that is predicted right."""
        return float(np.mean(np.asarray(predicted) == np.asarray(self.test_y)))

    def result(self, protocol: str, predicted: Any, setting: dict[str, Any], **more: Any) -> ProbeResult:
        """The result for predicted classes of the test set."""
        found: dict[str, Any] = {
            "accuracy": self.accuracy(predicted),
            "protocol": protocol,
            "setting": setting,
            "history": {},
        }
        found |= {"predicted": self.labels[np.asarray(predicted)], "unseen": int(np.sum(np.asarray(self.test_y) < 0))}
        return ProbeResult(**found | more)


class Scale(NamedTuple):
    """Mean and standard deviation (divisor N) of each feature; ∞, so that it is left out, for one that is constant."""

    mean: Float[Array, " d"]
    std: Float[Array, " d"]

    def __call__(self, h: Float[Array, "n d"]) -> Float[Array, "n d"]:
        return (h - self.mean[None, :]) / self.std[None, :]

    def unscaled(self, W: Float[Array, "d C"], bias: Float[Array, " C"]) -> tuple[Array, Array]:
        """Weights (C, d) and bias of the features as given, from those of the standardised ones."""
        W = W / self.std[:, None]
        return W.T, bias - self.mean @ W


@jax.jit
def scale_of(h: Float[Array, "N d"], part: Float[Array, " N"]) -> Scale:
    """The scale of the samples whose `part` is 1, not 0; safe for large means and for huge or tiny values."""
    first = h[:1]
    around = h - first
    peak = jnp.max(jnp.abs(around), axis=0, keepdims=True)
    unit = around / jnp.where(peak > 0, peak, 1)  # in [-1, 1]: no square overflows
    part = part[:, None] / jnp.sum(part)
    mean = jnp.sum(part * unit, axis=0, keepdims=True)
    std = jnp.sqrt(jnp.sum(part * (unit - mean) ** 2, axis=0)) * peak[0]
    mean = (first + mean * peak)[0]
    rounding = 10 * jnp.finfo(h.dtype).eps * jnp.abs(mean)
    return Scale(mean, jnp.where(std > rounding, std, jnp.inf))


def samples(train_h: Any, train_labels: Any, test_h: Any, test_labels: Any) -> Samples:
    """The door: features (N, d) and (M, d) are finite, labels numbers or strings, one a row; else `InputError`."""
    train_h, test_h = _features("train_h", train_h), _features("test_h", test_h)
    if train_h.shape[1] != test_h.shape[1]:
        raise InputError(
            f"Argument `test_h` must have shape (M, {train_h.shape[1]}) like `train_h`, but {test_h.shape}."
        )
    train_labels = label_column("train_labels", train_labels, train_h.shape[0])
    test_labels = label_column("test_labels", test_labels, test_h.shape[0])
    comparable("test_labels", test_labels, "train_labels", train_labels)
    labels, train_y = np.unique(train_labels, return_inverse=True)
    place = np.minimum(np.searchsorted(labels, test_labels), len(labels) - 1)
    test_y = np.where(labels[place] == test_labels, place, -1)
    return Samples(train_h, _classes(train_y), test_h.astype(train_h.dtype), _classes(test_y), labels)


def held_out(classes: Any) -> Bool[np.ndarray, " N"]:
    """Every `FOLDS`-th sample of each class, in the order in which they stand; none of a class with fewer."""
    classes = np.asarray(classes)
    order = np.argsort(classes, kind="stable")
    starts = np.searchsorted(classes[order], classes[order])  # where the class begins in that order
    out = np.empty(len(classes), dtype=bool)
    out[order] = (np.arange(len(classes)) - starts) % FOLDS == FOLDS - 1
    return out


def check_positive(name: str, value: Any) -> None:
    """One positive finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < np.inf:
        raise InputError(f"Argument `{name}` must be a positive number, but is {value!r}.")


def candidates(name: str, values: Any) -> list[float]:
    """One positive number or a sequence of them, increasing, as a list."""
    values = [values] if np.ndim(values) == 0 else values
    if np.ndim(values) != 1 or len(values) == 0:
        raise InputError(f"Argument `{name}` must be a sequence of positive numbers, but is {values!r}.")
    for i, value in enumerate(values):
        check_positive(f"{name}[{i}]", value)
        if i and value <= values[i - 1]:
            raise InputError(
                f"Argument `{name}` must increase, but {name}[{i}] = {value:.10g} follows "
                f"{name}[{i - 1}] = {values[i - 1]:.10g}."
            )
    return [float(value) for value in values]


def _features(name: str, h: Any) -> Array:
    h = jnp.asarray(feature_rows(name, h, there=True))
    h = h.astype(jnp.promote_types(h.dtype, jnp.float32))  # bfloat16 and float16 hold too few digits for a Gram matrix
    if not bool(jnp.isfinite(h).all()):
        check_finite(name, np.asarray(h), 0)
    return h


def _classes(y: np.ndarray) -> Array:
    return jnp.asarray(y, dtype=jnp.int32)
