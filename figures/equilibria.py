"""The equilibria of a mode and their stability, read off the flows themselves."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from linbyol.equations import Isotropic, Modes, effective_growth, mode_balance, modes_flow, parabola_flow, simsiam


def on_parabola(p: Any, k: Isotropic) -> np.ndarray:
    """The s at which `mode_balance` is zero: s = p²/alpha_p, of the shape of p."""
    return -np.asarray(mode_balance(Modes(p=jnp.asarray(p), s=0.0, tau=k.tau), k))


def zeros(k: Isotropic) -> np.ndarray:
    """The zeros of `parabola_flow`, ascending: p = 0, and the real ones of the quadratic that is left."""
    x = jnp.array([-1.0, 1.0, 2.0])
    quadratic = np.polynomial.Polynomial.fit(x, parabola_flow(x, k) / x, 2).convert()
    real = [float(root.real) for root in quadratic.roots() if abs(root.imag) < 1e-9]
    return np.unique(np.round([0.0, *real], 12))


def jacobian(p: float, s: float, k: Isotropic) -> np.ndarray:
    """(2, 2): the Jacobian of the rates of (p, s) at fixed tau."""

    def rates(x: jax.Array) -> jax.Array:
        rate = simsiam(modes_flow)(Modes(p=x[0], s=x[1], tau=jnp.ones(())), k)
        return jnp.stack([rate.p, rate.s])

    return np.asarray(jax.jacfwd(rates)(jnp.array([p, s])))


def growth(p: Any, k: Isotropic) -> np.ndarray:
    """ẇ/w of a mode at p: its sign is the stability of s = 0 there."""
    return np.asarray(effective_growth(Modes(p=jnp.asarray(p), s=0.0, tau=k.tau), k))
