"""What `linbyol phase` shows of flows besides BYOL's: verdict, rest and time at each point, by closed forms."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

WHOLE = ("depth", "d")  # constants that are whole numbers
FRACTION = 0.9  # of the rest, of the encoder or of a variance


class Shown(NamedTuple):
    """Arrays (y, x): the outcome's, and the distance from the threshold, if there is one."""

    outcome: dict[str, Any]
    threshold: Any


def deep(command: Any, k: Any) -> Shown:
    """A mode of deep JEPA or MAE from a layer of --w0, and the time in which its encoder comes near its rest."""
    import numpy as np

    from linbyol.equations import DeepMode
    from linbyol.exact import deep_rests, growth_time
    from linbyol.exact.deep_modes import KINDS
    from linbyol.explain import LOSSES

    mode = DeepMode(k["lambda_d"], k["lambda_s"], int(k["depth"]), k["eta"])
    loss, w0 = LOSSES[command.flow], command.w0
    kind = KINDS[loss.name](mode.depth)
    w_minus, w_plus = deep_rests(mode, loss.name)
    alive = w0 >= w_minus
    growth = lambda w: w ** (kind.m - 1) * (mode.lambda_d - mode.lambda_s * w**kind.q) - mode.eta  # noqa: E731
    with np.errstate(invalid="ignore", divide="ignore"):
        time = growth_time(w0, FRACTION ** (1 / mode.depth) * w_plus, w_minus, w_plus, growth)
    w = np.where(alive, np.where(w0 == w_minus, w_minus, w_plus), 0)
    return Shown(_outcome(command, "w", w, alive, time), k["eta"] - np.asarray(loss.threshold(mode)))


def alike(command: Any, k: Any) -> Shown:
    """Modes that are all alike, of variance --nu0: where they are held, and the time in which they come near."""
    import numpy as np

    from linbyol.equations.bhep import bhep_alike_flow, bhep_alike_gradient
    from linbyol.equations.regularised import Alike, Features
    from linbyol.equations.sigreg import sigreg_alike_flow
    from linbyol.equations.vicreg import VicregModes, vicreg_mode_flow
    from linbyol.exact import TOTAL_COLLAPSE, bhep_rest, growth_time, slice_rest, vicreg_rest

    d, data = int(k["d"]), (k["lambda_d"], k["lambda_s"])
    flow: Any
    nu: Any
    constants: Any = Alike(k["a"], k["mu"], d, *data, k["eta"])
    theta = d * (k["a"] * (data[1] - data[0]) + k["eta"] / 2) / (k["mu"] * data[1])
    if command.flow == "vicreg":
        constants = VicregModes(k["a"], k["mu"], d, *data, 1.0, k["eps"], k["eta"])
        theta = theta + d * k["a"] * (data[1] - data[0]) / (k["mu"] * data[1])  # its invariance has a weight of 2Λ
        flow, nu, threshold = vicreg_mode_flow, vicreg_rest(command.nu0, constants), theta * np.sqrt(k["eps"]) - 1
    elif command.flow == "sigreg":
        flow, nu, threshold = sigreg_alike_flow, slice_rest(theta), theta - TOTAL_COLLAPSE
    else:
        flow, nu, threshold = bhep_alike_flow, bhep_rest(theta, d), theta + d * bhep_alike_gradient(0.0, d)
    nu = np.asarray(nu)
    rest = np.where(nu > 0, nu, 1.0)
    time = growth_time(command.nu0, FRACTION * rest, 0.0, rest, lambda x: flow(Features(x), constants).nu / x)
    return Shown(_outcome(command, "nu", nu, nu > 0, time), threshold)


FLOWS: dict[str, Callable[[Any, Any], Shown]] = {
    "jepa": deep, "mae": deep, "sigreg": alike, "bhep": alike, "vicreg": alike,
}  # fmt: skip


def shown(command: Any, axes: dict[str, Any]) -> Shown:
    """All points of the grid, with axes (y, x); a constant that is a whole number goes value by value."""
    import numpy as np

    from linbyol.checks import check_positive
    from linbyol.cli import constants

    x, y = command.x[0], command.y[0]
    for name in ("mu", "lambda_s"):
        check_positive(name, axes.get(name, getattr(command, name) or 1))
    k = constants.of_modes(command, swept={name: axes[name] for name in axes if name not in ("a", "mu", "eps", *WHOLE)})
    data = {"lambda_d": 1.0, "lambda_s": 1.0 + k.sigma2} if hasattr(k, "sigma2") else k._asdict()
    whole = {name: getattr(command, name) for name in ("a", "mu", "eps", "eta", *WHOLE)} | data
    grid = dict(zip((x, y), np.meshgrid(axes[x], axes[y]), strict=True))
    parts = [FLOWS[command.flow](command, _at(whole | part)) for part in _lines(grid, x, y)]
    along = 1 if x in WHOLE else 0
    join = lambda arrays: np.concatenate(arrays, axis=along)  # noqa: E731
    outcome = {name: join([part.outcome[name] for part in parts]) for name in parts[0].outcome}
    return Shown(outcome, join([part.threshold for part in parts]))


def _lines(grid: dict[str, Any], x: str, y: str) -> Iterator[dict[str, Any]]:
    """The grid in pieces in each of which the whole number is one."""
    if x in WHOLE:
        for i in range(grid[x].shape[1]):
            yield {x: grid[x][0, i], y: grid[y][:, i : i + 1]}
    elif y in WHOLE:
        for i in range(grid[y].shape[0]):
            yield {x: grid[x][i : i + 1], y: grid[y][i, 0]}
    else:
        yield grid


def _at(k: dict[str, Any]) -> dict[str, Any]:
    """Isotropic data by their variance, where an axis has it."""
    return k | {"lambda_s": 1.0 + k["sigma2"]} if "sigma2" in k else k


def _outcome(command: Any, name: str, rest: Any, alive: Any, time: Any) -> dict[str, Any]:
    import numpy as np

    from linbyol.phase import COLLAPSES, SLOW, SURVIVES

    verdict = np.where(alive, np.where(time > command.t1, SLOW, SURVIVES), COLLAPSES)
    return {"verdict": verdict, name: rest, "escape_time": np.where(alive, time, np.inf)}
