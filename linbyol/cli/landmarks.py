"""What a picture says besides its curves: the constants that had an effect, the thresholds, and where modes rest."""

from typing import Any

from linbyol.cli.constants import SIGMA2

SHOWN = (
    "alpha_p",
    "beta",
    "eta",
    "eta_p",
    "sigma2",
    "tau",
    "lambda_d",
    "lambda_s",
    "depth",
    "a",
    "mu",
    "eps",
    "p0",
    "s0",
    "w0",
    "nu0",
    "n",
    "d",
    "seed",
)
KNOWN = {  # flows of modes at rest: the field that shows p, and that which shows s
    "modes": ("p", "s"), "amplitudes": ("wp", None), "symmetric": ("Wp", "F"), "weights": ("Wp", "W"),
}  # fmt: skip


def constants(command: Any, k: Any = None) -> str:
    """The options that had an effect, with their values; k adds the thresholds eta_c where they exist."""
    import numpy as np

    from linbyol.fixed_points import critical_eta
    from linbyol.plot import words

    idle = {name for name, _ in command.idle()}
    data = bool(getattr(command, "moments", None)) or command.lambda_d not in (None, ())
    swept = {getattr(command, axis)[0] for axis in "xy" if hasattr(command, axis)}
    values = {name: getattr(command, name, None) for name in SHOWN if name not in idle}
    if values.get("sigma2") is None and not data and not swept & {"sigma2", "lambda_d", "lambda_s"}:
        values["sigma2"] = SIGMA2
    shown = {name: value for name, value in values.items() if value not in (None, ()) and name not in swept}
    if k is not None:
        shown["eta_c"] = np.asarray(critical_eta(k))
    variant = getattr(command, "variant", "byol")
    return words(shown) + ("" if variant == "byol" else f"; {variant}")


def of_modes(command: Any) -> Any:
    """Constants of the modes at rest, where the theory has their fixed points in closed form; else None."""
    from linbyol.cli import constants as given

    known = command.variant in ("byol", "simsiam") and command.flow in KNOWN and command.moments is None
    if not known or (command.flow == "weights" and command.lambda_d):
        return None
    held = command.flow == "symmetric" and command.tau is not None  # elsewhere the target has caught up: tau = 1
    return given.of_modes(command, tau=command.tau if held else 1.0)


def levels(command: Any, k: Any) -> dict[str, tuple[str, Any]]:
    """p_plus and s at it, by the field of the state that shows it; none above the threshold, and no s for a rule."""
    import numpy as np

    from linbyol.fixed_points import fixed_points

    if k is None:
        return {}
    decays = {} if command.eta_p is None else {"Wp": command.eta_p, "W": command.eta}
    rest, found = fixed_points(k, **decays), {}
    for field, letter, value in zip(KNOWN[command.flow], ("$p_+$", "$s_+$"), (rest.p, rest.s), strict=True):
        if command.rule is not None and value is rest.s:
            continue
        level = np.atleast_1d(np.asarray(value)[..., 2])
        if field is not None and np.isfinite(level).any():
            found[field] = (letter, level[np.isfinite(level)])
    return found


def above_threshold(command: Any, axes: dict[str, Any]) -> Any:
    """eta - eta_c at each point of a phase diagram (y, x); a moving target has caught up by then, tau = 1."""
    import numpy as np

    from linbyol.cli import constants as given
    from linbyol.equations import Commuting, Held
    from linbyol.fixed_points import critical_eta

    x, y = axes
    grid = {x: axes[x][None, :], y: axes[y][:, None]}
    tau = 1.0 if command.ema else grid.get("tau", command.tau)
    k = given.of_modes(command, swept={name: axis for name, axis in axes.items() if name != "tau"})
    k = k._replace(**{name: axis for name, axis in grid.items() if name != "tau"})
    k = Held(*k, tau) if isinstance(k, Commuting) else k._replace(tau=tau)
    gap = np.asarray(k.eta) - np.asarray(critical_eta(k))
    return np.broadcast_to(gap, (len(axes[y]), len(axes[x])))
