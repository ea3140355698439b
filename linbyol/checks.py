"""The sentences in which bad input is refused, at the doors: command line, integration, data.

Shapes and types are checked always, values where they are concrete: under `vmap` or `jit` a bad lane shows in `.ok`.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

WEIGHTS = ("a", "mu", "invariance", "variance", "covariance", "gamma", "eps")  # of a loss and its hinge, in constants
MOMENTS = ("X", "X_aug", "Sxx", "Sigma", "D")  # covariances among constants


class InputError(ValueError):
    """An argument that cannot be used; the message is one sentence with the argument's name and value."""


def concrete(x: Any) -> np.ndarray | None:
    """x as a NumPy array, or None while it is traced."""
    try:
        return np.asarray(x)
    except jax.errors.TracerArrayConversionError:
        return None


def fields(name: str, tree: Any) -> list[tuple[str, Any]]:
    """The leaves of a state or of constants with the name a user knows them by: `y0.Wp`, `k.eta`."""
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return [(name + "".join(_key(key) for key in path), leaf) for path, leaf in leaves]


def check_numbers(name: str, tree: Any) -> None:
    """Every leaf is a finite real number or array of such."""
    for leaf_name, leaf in fields(name, tree):
        try:
            dtype = jnp.result_type(leaf) if not isinstance(leaf, str) else None
        except TypeError:
            dtype = None
        if dtype is None and hasattr(leaf, "dtype"):
            raise InputError(f"Argument `{leaf_name}` must be real, but has dtype {leaf.dtype}.")
        if dtype is None:
            raise InputError(f"Argument `{leaf_name}` must be a real number or array, but is {leaf!r}.")
        if not (jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer)):
            raise InputError(f"Argument `{leaf_name}` must be real, but has dtype {dtype}.")
        x = concrete(leaf)
        if x is not None and not np.isfinite(x).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
            at = f"{leaf_name}{list(where)} = {x[where]}" if where else f"it is {x}"
            raise InputError(f"Argument `{leaf_name}` must be finite, but {at}.")


def check_constants(k: Any) -> None:
    """Rates and variances are not negative, alpha_p is positive, moments are symmetric positive semidefinite."""
    check_numbers("k", k)
    for name in ("alpha_p", "beta", "eta", "sigma2", "lambda_d", "lambda_s", "d", *WEIGHTS):
        x = concrete(getattr(k, name)) if hasattr(k, name) else None
        if x is None:
            continue
        if (x < 0).any():
            raise InputError(f"Argument `{name}` must be at least 0, but is {_worst(x)}.")
        if name in ("alpha_p", "d", *getattr(k, "positive", ())) and (x == 0).any():
            raise InputError(f"Argument `{name}` must be positive, but is 0.")
    for name in MOMENTS:
        if hasattr(k, name):
            check_moment(name, getattr(k, name))


def check_spectra(k: Any) -> None:
    """lambda_s, an eigenvalue of X + X_aug, is at least lambda_d, that of X: X_aug has no negative eigenvalue."""
    lambda_d, lambda_s = (concrete(getattr(k, name)) if hasattr(k, name) else None for name in ("lambda_d", "lambda_s"))
    if lambda_d is None or lambda_s is None:
        return
    lambda_d, lambda_s = np.broadcast_arrays(lambda_d, lambda_s)
    rounding = 100 * np.finfo(np.result_type(lambda_d, lambda_s, np.float32)).eps  # of measured spectra
    if (low := lambda_s < lambda_d * (1 - rounding)).any():
        raise InputError(
            f"Argument `lambda_s` (of X + X_aug) must be at least lambda_d (of X), but is {lambda_s[low][0]:.10g} "
            f"where lambda_d is {lambda_d[low][0]:.10g}."
        )


def check_moment(name: str, A: Any) -> None:
    """A is square; where its values are known numbers, symmetric and positive semidefinite up to rounding."""
    check_symmetric(name, A)
    x = concrete(A)
    if x is None or x.dtype.kind not in "fiu":
        return
    rounding = _rounding(x)
    if (
        not _has_root(x + rounding * np.eye(len(x)))
        and (least := float(np.linalg.eigvalsh(x).min(initial=0))) < -rounding
    ):
        raise InputError(f"Argument `{name}` must be positive semidefinite, but has the eigenvalue {least:.3g}.")


def check_symmetric(name: str, A: Any) -> None:
    """A is square; where its values are known numbers, it equals its transpose up to rounding."""
    x = concrete(A)
    if x is not None and x.dtype.kind not in "fiu":
        return
    shape = jnp.shape(A)
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        raise InputError(f"Argument `{name}` must be a square matrix (n, n), but has shape {shape}.")
    if x is None:
        return
    if (gap := float(np.abs(x - x.T).max(initial=0))) > _rounding(x):
        raise InputError(f"Argument `{name}` must be symmetric, but differs from its transpose by {gap:.3g}.")


def _rounding(x: np.ndarray) -> float:
    """Of the entries of a square matrix."""
    size = float(np.abs(x).max(initial=0))
    return float(100 * np.finfo(x.dtype if x.dtype.kind == "f" else float).eps * max(size, 1e-300) * len(x))


def _has_root(A: np.ndarray) -> bool:
    """Whether a Cholesky decomposition exists: half the time of eigenvalues, which are for the sentence."""
    try:
        np.linalg.cholesky(A)
    except np.linalg.LinAlgError:
        return False
    return True


def check_weights(y: Any, k: Any) -> None:
    """W, Wa (d, n), Wp (d, d), X, X_aug (n, n)."""
    W = jnp.shape(y.W)
    if len(W) != 2 or 0 in W:
        raise InputError(f"Argument `y0.W` must be a matrix (d, n), but has shape {W}.")
    d, n = W
    expected = [("y0.Wp", y.Wp, (d, d)), ("y0.Wa", y.Wa, (d, n))]
    expected += [(f"k.{name}", getattr(k, name), (n, n)) for name in ("X", "X_aug") if hasattr(k, name)]
    for name, value, shape in expected:
        if jnp.shape(value) != shape:
            raise InputError(
                f"Argument `{name}` must have shape {shape} for W of shape {W}, but has shape {jnp.shape(value)}."
            )


def check_nonnegative(name: str, value: Any) -> None:
    """No entry is below 0."""
    x = concrete(value)
    if x is not None and (x < 0).any():
        raise InputError(f"Argument `{name}` must be at least 0, but is {_worst(x)}.")


def check_positive(name: str, value: Any) -> None:
    """Every entry is above 0."""
    x = concrete(value)
    if x is not None and not (x > 0).all():
        raise InputError(f"Argument `{name}` must be positive, but is {_worst(x)}.")


def check_count(name: str, value: Any) -> None:
    """A positive whole number."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InputError(f"Argument `{name}` must be a positive whole number, but is {value!r}.")


def check_times(ts: Any) -> None:
    """ts is a finite vector of at least two increasing times."""
    shape = jnp.shape(ts)
    if len(shape) != 1 or shape[0] < 2:
        raise InputError(f"Argument `ts` must be a vector of at least two times, but has shape {shape}.")
    check_numbers("ts", ts)
    x = concrete(ts)
    if x is not None and not (x[1:] > x[:-1]).all():
        i = int(np.argmin(x[1:] > x[:-1])) + 1
        raise InputError(
            f"Argument `ts` must increase, but ts[{i}] = {x[i]:.10g} follows ts[{i - 1}] = {x[i - 1]:.10g}."
        )


def check_tolerances(rtol: Any, atol: Any, dtype: Any) -> None:
    """Tolerances are positive, and not below what the precision can hold."""
    floor = 1e-6 if jnp.finfo(dtype).bits < 64 else 1e-15
    for name, value in (("rtol", rtol), ("atol", atol)):
        x = concrete(value)
        if x is None:
            continue
        if not np.isfinite(x).all() or (x < 0).any():
            raise InputError(f"Argument `{name}` must be a finite number of at least 0, but is {x}.")
    x = concrete(rtol)
    if x is not None and (x < floor).any():
        hint = "; enable float64 (jax_enable_x64) or loosen it" if floor == 1e-6 else ""
        raise InputError(f"Argument `rtol` must be at least {floor:g} in {jnp.dtype(dtype).name}, but is {x}{hint}.")


def check_choice(name: str, value: Any, choices: Any) -> None:
    """The value is one of a few known words."""
    if value not in choices:
        raise InputError(f"Argument `{name}` must be one of {', '.join(map(str, choices))}, but is {value!r}.")


def _key(key: Any) -> str:
    if isinstance(key, jax.tree_util.GetAttrKey):
        return f".{key.name}"
    return f"[{getattr(key, 'idx', getattr(key, 'key', key))}]"


def _worst(x: np.ndarray) -> str:
    return f"{float(x.min()):.10g}"
