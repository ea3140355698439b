"""What the theory says of a network's later spectrum, from its last map at one time; an assumption more at each step.

The layers below the last map are held as they are, so that its input has fixed moments X and X_aug. Then, in words:

    lemma        Lemma 1 for (W, Wp, Wa), whole: for a linear encoder nothing is assumed
    target       and the target is proportional: Wa = τ W with one τ (Assumption 1)
    aligned      or: F, Wp and the moments share eigenvectors, those u_j of F at that time: Eqs. 11-13 for each mode,
                 p_j = u_jᵀ Wp u_j, λ_d and λ_s of a mode as F sees them, τ_j its target's ratio
    balanced     and each mode starts on s = p²/alpha_p, which Theorem 1 tends to
    isotropic    or Lemma 1 where X and X_aug are multiples of the identity, as F sees them (Assumption 2)
    tangent      or `aligned` where the layers below learn too, each mode as fast as the network's tangent kernel along
                 it says: that number in the place of λ_d, λ_s/λ_d and F as they are

What is predicted are eigenvalues s of F = W X Wᵀ and p_j = u_jᵀ Wp u_j along its eigenvectors at each time.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float
from scipy.integrate import solve_ivp

from experiments.trainer.flow_time import Rates
from experiments.trainer.last_map import LastMap, NetworkModes
from linbyol.equations import Amplitudes, Commuting, Weights, amplitudes_flow, decay, weights_flow
from linbyol.integrate import integrate

RTOL, ATOL = 1e-6, 1e-9


class Start(NamedTuple):
    """All that is known of a lane at the time from which it is predicted."""

    map: LastMap
    modes: NetworkModes
    tangent: Float[np.ndarray, " d"]
    rates: Rates


class Spectrum(NamedTuple):
    """In the order of F's eigenvalues, ascending, at each time."""

    s: Float[np.ndarray, "t d"]
    p: Float[np.ndarray, "t d"]


def spectrum(W: np.ndarray, Wp: np.ndarray, X: np.ndarray) -> Spectrum:
    """Eigenvalues of F, ascending, and p_j along its eigenvectors; leading axes are kept."""
    s, U = np.linalg.eigh(W @ X @ np.swapaxes(W, -1, -2))
    return Spectrum(s, np.sum(U * (Wp @ U), axis=-2))


def lemma(start: Start, ts: np.ndarray) -> Spectrum:
    """Lemma 1."""
    return _followed(decay(weights_flow, Wp=start.rates.eta_p), start.map, start.rates, ts)


def target(start: Start, ts: np.ndarray) -> Spectrum:
    """Lemma 1 with a target that is a multiple of the encoder."""
    m, r = start.map, start.rates

    def flow(y: Weights, k: Any) -> Weights:
        tau = np.sum(y.Wa * y.W) / np.sum(y.W * y.W)
        rate = weights_flow(Weights(y.W, y.Wp, tau * y.W), k)
        tau_rate = k.beta * (1 - tau) - tau * np.sum(y.W * rate.W) / np.sum(y.W * y.W)
        return Weights(rate.W, rate.Wp - (r.eta_p - k.eta) * y.Wp, tau_rate * y.W + tau * rate.W)

    tau = np.sum((m.Wa @ m.X) * m.W) / np.trace(m.F)
    return _followed(flow, m._replace(Wa=tau * m.W), r, ts)


def isotropic(start: Start, ts: np.ndarray) -> Spectrum:
    """Lemma 1 with moments that are multiples of the identity."""
    m, size = start.map, np.trace(start.map.F)
    x = np.trace(m.W @ m.X @ m.X @ m.W.T) / size
    noise = np.trace(m.W @ m.X_aug @ m.W.T) / size
    s, U = np.linalg.eigh(m.F)
    W = (U * np.sqrt(np.maximum(s, 0) / x)) @ U.T
    tau, eye = np.sum((m.Wa @ m.X) * m.W) / size, np.eye(len(s))
    return lemma(start._replace(map=LastMap(W, m.Wp, tau * W, x * eye, noise * x * eye)), ts)


def aligned(start: Start, ts: np.ndarray) -> Spectrum:
    """Eqs. 11-13."""
    return _decoupled(start.modes, start.rates, ts)


def balanced(start: Start, ts: np.ndarray) -> Spectrum:
    """Eqs. 11-13 from the parabola."""
    y = start.modes.y
    return _decoupled(start.modes._replace(y=y._replace(p=np.sqrt(start.rates.alpha_p * y.s))), start.rates, ts)


def tangent(start: Start, ts: np.ndarray) -> Spectrum:
    """Eqs. 11-13 at the speed of the whole network."""
    m, speed = start.modes, start.tangent
    faster = m._replace(y=m.y._replace(s=m.F / speed), lambda_d=speed, lambda_s=speed * m.lambda_s / m.lambda_d)
    return _decoupled(faster, start.rates, ts)


PREDICTIONS: dict[str, Callable[[Start, np.ndarray], Spectrum]] = {
    "lemma": lemma,
    "target": target,
    "aligned": aligned,
    "balanced": balanced,
    "isotropic": isotropic,
    "tangent": tangent,
}


def _followed(flow: Any, m: LastMap, r: Rates, ts: np.ndarray) -> Spectrum:
    k = m.constants(r.alpha_p, r.beta, r.eta)
    with jax.enable_x64(True):
        ys = integrate(flow, m.weights, k, ts, solver="dop853", rtol=RTOL, atol=ATOL).ys
    return spectrum(np.asarray(ys.W), np.asarray(ys.Wp), m.X)


def _decoupled(m: NetworkModes, r: Rates, ts: np.ndarray) -> Spectrum:
    p, s, tau = m.y
    k, w = Commuting(r.alpha_p, r.beta, r.eta, m.lambda_d, m.lambda_s), np.sqrt(s)
    flow, start = decay(amplitudes_flow, Wp=r.eta_p), Amplitudes(w, p, tau * w)  # regular where w crosses 0
    rate = lambda t, y: np.concatenate(flow(Amplitudes(*y.reshape(3, -1)), k))  # noqa: E731
    span, y0 = (ts[0], ts[-1]), np.concatenate(start)
    found = solve_ivp(rate, span, y0, "LSODA", ts, rtol=1e-8, atol=1e-12)  # some modes are stiff
    w, wp, _ = np.moveaxis(found.y.reshape(3, len(w), -1), -1, 1)
    F = m.lambda_d * w**2
    order = np.argsort(F, axis=1)
    return Spectrum(np.take_along_axis(F, order, 1), np.take_along_axis(wp, order, 1))
