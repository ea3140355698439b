"""Constants from options, for every verb: of isotropic data, of commuting data mode by mode, or measured moments."""

from collections.abc import Mapping
from typing import Any

SIGMA2 = 0.25  # where nothing describes the data


def of_modes(command: Any, *, swept: Mapping[str, Any] | None = None, tau: float = 1.0) -> Any:
    """Isotropic, or Commuting where --lambda-d and --lambda-s are given or swept: one number a mode each.

    command  has alpha_p, beta, eta, sigma2, lambda_d, lambda_s; what is None or empty is not given
    swept    constants that an axis varies, with their values; they need not be given
    """
    import numpy as np

    from linbyol.checks import InputError, check_constants, check_spectra
    from linbyol.equations import Commuting, Isotropic

    rates, swept = (command.alpha_p, command.beta, command.eta), swept or {}
    spectra = {name: getattr(command, name) for name in ("lambda_d", "lambda_s")}
    described = {name for name, value in spectra.items() if value not in (None, ()) or name in swept}
    if not described:
        isotropic = Isotropic(*rates, SIGMA2 if command.sigma2 is None else command.sigma2, tau)
        check_constants(isotropic._replace(**swept))
        return isotropic
    if command.sigma2 is not None or "sigma2" in swept:
        raise InputError("Options --sigma2 and --lambda-d, --lambda-s describe the data twice; give one of them.")
    if len(described) == 1:
        (missing,) = spectra.keys() - described
        raise InputError(f"Options --lambda-d and --lambda-s belong together, but {missing} is missing.")
    lambda_d, lambda_s = (np.asarray(1.0 if value in (None, ()) else value) for value in spectra.values())
    if lambda_d.shape != lambda_s.shape:
        raise InputError(
            f"Options --lambda-d and --lambda-s must give one number a mode each, "
            f"but give {lambda_d.size} and {lambda_s.size}."
        )
    k = Commuting(*rates, lambda_d, lambda_s)
    grid = dict(zip(swept, np.meshgrid(*swept.values(), sparse=True), strict=True))
    check_constants(k._replace(**grid))
    check_spectra(k._replace(**grid))
    return k


def of_deep(command: Any) -> Any:
    """`DeepMode` of the modes' constants, one number a mode each, or one for all of isotropic data."""
    from linbyol.equations import DeepMode

    k = of_modes(command)
    return DeepMode(k.lambda_d, k.lambda_s, command.depth, k.eta)


def of_regularised(command: Any, name: str, modes: int | None = None) -> Any:
    """Constants of the regulariser's modes, so many or --d if they are isotropic; its weights are --a and --mu."""
    import numpy as np

    from linbyol.explain import REGULARISERS

    k = of_modes(command)
    d = np.size(k.lambda_d) if command.lambda_d else modes or command.d
    data = {name: np.broadcast_to(np.asarray(getattr(k, name), float), (d,)) for name in ("lambda_d", "lambda_s")}
    weights = {"a": command.a, "mu": command.mu}
    if name == "vicreg":
        weights = {"invariance": command.a, "variance": command.mu, "eps": command.eps, "d": d}
    return REGULARISERS[name].constants(**weights, **data, eta=k.eta)


def of_weights(command: Any, n: int) -> Any:
    """Constants of `weights_flow`: --moments, or X and X_aug of the modes' constants, in n dimensions if isotropic."""
    import jax.numpy as jnp

    from linbyol.checks import InputError
    from linbyol.equations import Commuting, Constants
    from linbyol.images.moments import read_moments

    rates = (command.alpha_p, command.beta, command.eta)
    if command.moments is not None:
        if command.sigma2 is not None or command.lambda_d or command.lambda_s:
            raise InputError("Option --moments and --sigma2, --lambda-d, --lambda-s describe the data twice.")
        return Constants(*rates, *map(jnp.asarray, read_moments(command.moments)))
    k = of_modes(command)
    if isinstance(k, Commuting):
        return Constants(*rates, jnp.diag(jnp.asarray(k.lambda_d)), jnp.diag(jnp.asarray(k.lambda_s - k.lambda_d)))
    return Constants(*rates, jnp.eye(n), k.sigma2 * jnp.eye(n))
