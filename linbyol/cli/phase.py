"""linbyol phase"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from linbyol.cli.repeated import Repeated, flat

SHOWN = Literal["verdict", "p", "escape_time", "alignment"]


@dataclass(frozen=True)
class Phase:
    """Phase diagram of one mode over two constants: survives, collapses or slow; final p; escape time; alignment rate.

    Example: linbyol phase --x eta 0.001 0.3 --y sigma2 0 1 --p0 0.1 --plot phase.png
    """

    x: tuple[str, float, float] = ("eta", 0.001, 0.3)
    """constant on the horizontal axis, its first and its last value"""
    y: tuple[str, float, float] = ("sigma2", 0.0, 1.0)
    """constant on the vertical axis, its first and its last value"""
    log: Repeated[Literal["x", "y"]] = ()
    """axes with logarithmic steps"""
    points: tuple[int, int] = (200, 200)
    """number of values on each axis"""
    alpha_p: float = 1.0
    """learning rate of the predictor divided by that of the encoder"""
    beta: float = 0.4
    """rate of the target's moving average"""
    eta: float = 0.04
    """weight decay"""
    sigma2: float | None = None
    """isotropic data: variance of the augmentation noise (0.25 if nothing else describes the data)"""
    tau: float = 1.0
    """Wa = tau W: held, or with --ema the target's initial value (0 the paper's theory, 1 a copy)"""
    lambda_d: float | None = None
    """commuting data: eigenvalue of X"""
    lambda_s: float | None = None
    """commuting data: eigenvalue of X + X_aug"""
    p0: float = 0.1
    """initial eigenvalue of the predictor"""
    s0: float | None = None
    """initial eigenvalue of W Wᵀ (on the parabola, p0²/alpha_p, if not given)"""
    ema: bool = False
    """the target moves; integrated, not in closed form"""
    t1: float = 1000.0
    """time by which a mode must have escaped, or settled, not to be called slow"""
    show: SHOWN = "verdict"
    """what --plot draws"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """npz archive to write: both axes, verdict (0 collapses, 1 survives, 2 slow), p, escape_time, alignment (y, x)"""
    plot: Path | None = None
    """picture to write: .png, .pdf or .svg"""
    json: bool = False
    """print JSON alone"""

    def run(self) -> int:
        import time

        import numpy as np

        from linbyol import claims, plot, store

        if self.plot is not None:
            plot.check_suffix(self.plot)
        axes = {self.x[0]: _values(self, 0), self.y[0]: _values(self, 1)}
        start = time.perf_counter()
        outcome = diagram(self, axes)
        seconds = time.perf_counter() - start
        config = {"command": "phase", **asdict(self)} | {"out": None, "plot": None, "json": None}
        shares = {
            name: float(np.mean(outcome["verdict"] == code))
            for name, code in (("collapses", 0), ("survives", 1), ("slow", 2))
        }
        record = config | {"shares": shares, "seconds": seconds, "environment": claims.environment()}
        written = []
        if self.out is not None:
            store.write_arrays(self.out, axes | outcome | {"config": store.to_json(config, indent=None)})
            store.write_json(self.out.with_suffix(".json"), record)
            written.append(self.out)
        if self.plot is not None:
            plot.draw_phase(axes, outcome[self.show], self.plot, name=self.show, log=flat(self.log))
            written.append(self.plot)
        if self.json:
            print(store.to_json(record))
            return 0
        print(f"{outcome['verdict'].size} points in {seconds:.2f} s: " + _words(shares))
        for path in written:
            print(f"Written: {path}")
        return 0


def diagram(settings: Phase, axes: dict[str, Any]) -> dict[str, Any]:
    """verdict, p, escape_time, alignment at each point, with axes (y, x)."""
    import numpy as np
    from jax.tree_util import Partial

    from linbyol import phase
    from linbyol.equations import Modes

    k = constants(settings)
    if settings.ema:
        s0 = settings.p0**2 / settings.alpha_p if settings.s0 is None else settings.s0
        y0 = Modes(settings.p0, s0, settings.tau)
        order = {settings.y[0]: axes[settings.y[0]], settings.x[0]: axes[settings.x[0]]}
        outcome = phase.sweep_with_target(k, y0, settings.t1, **order)
        return {name: np.asarray(value) for name, value in outcome._asdict().items()}
    if settings.s0 is None:
        f = Partial(phase.on_parabola, p0=settings.p0, horizon=settings.t1)
    else:
        f = Partial(phase.in_plane, p0=settings.p0, s0=settings.s0)
    vertical, horizontal = settings.y[0], settings.x[0]
    outcome = phase.sweep(f, k, **{vertical: axes[vertical], horizontal: axes[horizontal]})
    return {name: np.asarray(value) for name, value in outcome._asdict().items()}


def constants(settings: Phase) -> Any:
    """Isotropic or commuting constants of one mode."""
    from linbyol.checks import InputError
    from linbyol.equations import Commuting, Isotropic

    rates = (settings.alpha_p, settings.beta, settings.eta)
    names = {settings.x[0], settings.y[0]}
    commuting = names & {"lambda_d", "lambda_s"} or settings.lambda_d is not None or settings.lambda_s is not None
    if not commuting:
        return Isotropic(*rates, 0.25 if settings.sigma2 is None else settings.sigma2, settings.tau)
    if settings.sigma2 is not None or "sigma2" in names:
        raise InputError("Give sigma2, or lambda_d and lambda_s, to describe the data, and not both.")
    lambda_d = 1.0 if settings.lambda_d is None else settings.lambda_d
    return Commuting(*rates, lambda_d, 1.25 * lambda_d if settings.lambda_s is None else settings.lambda_s)


def _values(settings: Phase, axis: int) -> Any:
    import numpy as np

    from linbyol.checks import InputError

    letter = "xy"[axis]
    name, first, last = (settings.x, settings.y)[axis]
    count = settings.points[axis]
    if settings.x[0] == settings.y[0]:
        raise InputError(f"Options --x and --y must name two constants, but both name {name}.")
    if count < 1:
        raise InputError(f"Argument `points` must be at least 1 on each axis, but is {count}.")
    if letter in flat(settings.log):
        if first <= 0 or last <= 0:
            raise InputError(
                f"A logarithmic axis needs positive values, but --{letter} goes from {first:g} to {last:g}."
            )
        return np.geomspace(first, last, count)
    return np.linspace(first, last, count)


def _words(shares: dict[str, float]) -> str:
    return ", ".join(f"{100 * share:.1f} % {name}" for name, share in shares.items())
