"""Inference: the constants of the modes' flow from measured trajectories, by derivatives through the integrator."""

from functools import cache
from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize

from linbyol.checks import InputError, check_numbers, check_times
from linbyol.equations import Isotropic, Modes, modes_flow
from linbyol.integrate import integrate

NAMES = ("alpha_p", "beta", "eta", "sigma2")
STARTS = ((1.0, 0.3, 0.02, 0.3), (0.3, 1.0, 0.005, 0.1), (3.0, 0.1, 0.05, 1.0), (1.0, 0.05, 0.1, 0.05))


class Fit(NamedTuple):
    """What was recovered.

    estimate    constants, tau as given
    error       standard errors of alpha_p, beta, eta, sigma2; inf where the data do not determine one
    correlation (4, 4) of the four logarithms, in the order of NAMES
    y0          fitted initial modes
    residual    root mean square of measured minus fitted p and s: the noise, if the model is right
    ok          whether the optimiser converged
    """

    estimate: Isotropic
    error: Isotropic
    correlation: np.ndarray
    y0: Modes
    residual: float
    ok: bool


def fit_modes(ts: Any, p: Any, s: Any, *, tau0: float = 1.0) -> Fit:
    """Constants (alpha_p, beta, eta, sigma2) and initial modes that Eqs. 11-13 need to pass through measured modes.

    ts    (t,) times of the flow, increasing; for SGD on the loss of Lemma 1 these are learning rate x steps
    p, s  (t, d) measured eigenvalues of Wp and of F (X = I), with equal noise in both
    tau0  the target's initial ratio Wa = tau0 W: 1 for a copy, 0 for the paper's theory

    Least squares in the logarithms of the constants, Gauss-Newton by forward derivatives through the integrator, from a
    few starts; standard errors from the curvature at the optimum and the residual, taken as independent: the noise of
    stochastic descent is correlated in time, so there the spread over runs is the honest error (up to six times larger
    on the digits). Raises `InputError` for bad data, and for modes that all rest, which hold no constants.
    """
    check_numbers("tau0", tau0)
    ts, p, s = _measured(ts, p, s)
    d = p.shape[1]
    scale = np.concatenate([np.ones(4), np.full(2 * d, max(float(np.abs(p).max()), 1e-3))])
    residuals, jacobian = _residuals(tau0)
    data = (jnp.asarray(ts), jnp.asarray(p), jnp.asarray(s))
    low = np.concatenate([np.full(4, -12.0), np.full(d, -np.inf), np.full(d, 0.0)])
    high = np.concatenate([np.full(4, 6.0), np.full(2 * d, np.inf)])
    best = None
    for start in STARTS:
        x0 = np.concatenate([np.log(start), p[0], np.maximum(s[0], 1e-12)])
        found = scipy.optimize.least_squares(
            lambda x: _finite(residuals(x, *data), 1e3),
            x0,
            jac=lambda x: _finite(jacobian(x, *data), 0.0),
            bounds=(low, high),
            x_scale=scale,
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-14,
        )
        best = found if best is None or found.cost < 0.999 * best.cost else best
    return _report(best, p.size + s.size, d, tau0)


def _report(found: Any, count: int, d: int, tau0: float) -> Fit:
    theta = np.exp(found.x[:4])
    noise2 = 2 * found.cost / max(count - len(found.x), 1)
    curvature, modes = np.linalg.eigh(found.jac.T @ found.jac)
    known = curvature > 1e-14 * curvature.max()
    covariance = noise2 * (modes[:, known] / curvature[known]) @ modes[:, known].T
    free = (modes[:4, ~known] ** 2).sum(axis=1) > 1e-6  # constants on which a flat direction of the cost depends
    log_error = np.where(free, np.inf, np.sqrt(np.diag(covariance)[:4]))
    spread = np.sqrt(np.outer(np.diag(covariance)[:4], np.diag(covariance)[:4]))
    correlation = np.divide(covariance[:4, :4], spread, out=np.eye(4), where=spread > 0)
    return Fit(
        estimate=Isotropic(**dict(zip(NAMES, map(float, theta), strict=True)), tau=tau0),
        error=Isotropic(**dict(zip(NAMES, map(float, theta * log_error), strict=True)), tau=0),
        correlation=correlation,
        y0=Modes(p=found.x[4 : 4 + d], s=found.x[4 + d :], tau=np.full(d, tau0)),
        residual=float(np.sqrt(2 * found.cost / count)),
        ok=bool(found.success),
    )


@cache
def _residuals(tau0: float) -> tuple[Any, Any]:
    def residuals(x, ts, p, s):
        d = p.shape[1]
        k = Isotropic(**dict(zip(NAMES, jnp.exp(x[:4]), strict=True)))
        y0 = Modes(p=x[4 : 4 + d], s=x[4 + d :], tau=jnp.full(d, tau0))
        options: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-11, "throw": False, "adjoint": diffrax.ForwardMode()}
        ys = integrate(modes_flow, y0, k, ts, max_steps=10_000, **options).ys
        return jnp.concatenate([(ys.p - p).reshape(-1), (ys.s - s).reshape(-1)])

    return jax.jit(residuals), jax.jit(jax.jacfwd(residuals))


def _finite(values: Any, instead: float) -> np.ndarray:
    return np.nan_to_num(np.asarray(values), nan=instead, posinf=instead, neginf=-instead)


def _measured(ts: Any, p: Any, s: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ts, p, s = (np.asarray(a, float) for a in (ts, p, s))
    check_times(ts)
    p, s = (a[:, None] if a.ndim == 1 else a for a in (p, s))
    for name, a in (("p", p), ("s", s)):
        if a.ndim != 2 or len(a) != len(ts) or a.shape != p.shape:
            raise InputError(f"Argument `{name}` must have shape ({len(ts)}, d), one row a time, but has {a.shape}.")
        check_numbers(name, a)
    if (s < 0).any() and s.min() < -1e-3 * s.max():
        raise InputError(f"Argument `s` must be at least 0, as eigenvalues of F are, but is {s.min():.6g}.")
    if p.size + s.size <= 4 + 2 * p.shape[1]:
        raise InputError(f"Argument `ts` must hold more times than {len(ts)} to determine four constants.")
    if all(np.ptp(a, axis=0).max() <= 1e-9 * np.abs(a).max() for a in (p, s)):
        raise InputError("Arguments `p` and `s` must change with time: modes at rest do not determine the constants.")
    return ts, p, s
