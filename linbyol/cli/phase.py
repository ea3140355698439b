"""linbyol phase"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from linbyol.cli.options import AtLeastZero, Between, Count, Positive, default
from linbyol.cli.outcomes import WHOLE
from linbyol.cli.repeated import Repeated, flat
from linbyol.cli.start import DEEP, REGULARISED

DATA = ("sigma2", "lambda_d", "lambda_s")
CONSTANTS = {  # that axes may vary, by flow
    "modes": ("alpha_p", "beta", "eta", "tau", *DATA),
    **dict.fromkeys(DEEP, ("eta", "depth", *DATA)),
    **dict.fromkeys(REGULARISED, ("a", "mu", "eta", "d", *DATA)),
}
CONSTANTS["vicreg"] += ("eps",)
SHOWN = Literal["verdict", "p", "w", "nu", "escape_time", "alignment"]
FLOWS = Literal["modes", "jepa", "mae", "sigreg", "bhep", "vicreg"]


@dataclass(frozen=True)
class Phase:
    """Phase diagram of one mode over two constants: survives, collapses or slow; final p; escape time; alignment rate.

    Example: linbyol phase --x eta 0.001 0.3 --y sigma2 0 1 --p0 0.1 --plot phase.png

    Of deep JEPA: linbyol phase jepa --x eta 0 0.1 --y depth 1 6 --w0 0.5 --plot deep.png
    """

    flow: Annotated[FLOWS, tyro.conf.Positional] = "modes"
    """one mode of BYOL, one of a deep linear JEPA or MAE, or d modes, all alike, that SIGReg, BHEP or VICReg holds"""
    x: tuple[str, float, float] = ("eta", 0.001, 0.3)
    """constant on the horizontal axis, its first and its last value"""
    y: tuple[str, float, float] = ("sigma2", 0.0, 1.0)
    """constant on the vertical axis, its first and its last value"""
    log: Repeated[Literal["x", "y"]] = ()
    """axes with logarithmic steps"""
    points: Annotated[tuple[int, int], Between(2, 2**63 - 1)] = (200, 200)
    """number of values on each axis"""
    alpha_p: Positive = default(1.0)
    """learning rate of the predictor divided by that of the encoder"""
    beta: AtLeastZero = default(0.4)
    """rate of the target's moving average"""
    eta: AtLeastZero = default(0.04)
    """weight decay"""
    sigma2: AtLeastZero | None = None
    """isotropic data: variance of the augmentation noise (0.25 if nothing else describes the data)"""
    tau: float = default(1.0)
    """Wa = tau W: held, or with --ema the target's initial value (0 the paper's theory, 1 a copy)"""
    lambda_d: AtLeastZero | None = None
    """commuting data: eigenvalue of X"""
    lambda_s: AtLeastZero | None = None
    """commuting data: eigenvalue of X + X_aug"""
    p0: float = default(0.1)
    """initial eigenvalue of the predictor"""
    s0: AtLeastZero | None = None
    """initial eigenvalue of W Wᵀ (on the parabola, p0²/alpha_p, if not given)"""
    depth: Count = default(1)
    """layers of the encoder (jepa, mae)"""
    w0: Positive = default(0.1)
    """initial strength of a layer (jepa, mae)"""
    nu0: Positive = default(0.001)
    """initial variance of the features (sigreg, bhep, vicreg)"""
    a: AtLeastZero = default(1.0)
    """weight of the invariance (sigreg, bhep; Λ of vicreg)"""
    mu: AtLeastZero = default(1.0)
    """weight of the regulariser (sigreg, bhep; that of the variances, M, of vicreg)"""
    eps: AtLeastZero = default(0.0)
    """what is added to a variance (vicreg)"""
    d: Count = default(4)
    """number of modes (sigreg, bhep, vicreg)"""
    ema: bool = False
    """the target moves; integrated, not in closed form"""
    t1: Positive = default(1000.0)
    """time by which a mode must have escaped, or settled, not to be called slow"""
    show: SHOWN = default("verdict")
    """what --plot draws"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """npz archive to write: both axes, verdict (0 collapses, 1 survives, 2 slow), escape_time, p and alignment, or w
    or nu at rest (y, x)"""
    plot: Path | None = None
    """picture to write: .png, .pdf or .svg"""
    json: bool = False
    """print JSON alone"""

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options without effect, and why."""
        for names, flows in (
            (("alpha_p", "beta", "tau", "p0", "s0", "ema"), ("modes",)),
            (("depth", "w0"), DEEP),
            (("nu0", "a", "mu", "d"), REGULARISED),
            (("eps",), ("vicreg",)),
        ):
            if self.flow not in flows:
                yield from ((name, f"for {self.flow}, only for {', '.join(flows)}") for name in names)
        for axis, (name, *_) in (("x", self.x), ("y", self.y)):
            if name in CONSTANTS[self.flow]:
                yield name, f"beside --{axis} {name}, which sweeps it"
        if not self.ema and self.flow == "modes":
            yield "beta", "without --ema: the target is held"
        if self.s0 is not None and not self.ema:
            yield "t1", "beside --s0, where the outcome has no time"
        if self.plot is None:
            yield "show", "without --plot"

    def run(self) -> int:
        import time

        import numpy as np

        from linbyol import claims, outputs, plot, store
        from linbyol.cli import landmarks, outcomes
        from linbyol.machine import check_memory

        outputs.check_outputs(out=(self.out, outputs.ARCHIVE), plot=(self.plot, outputs.PICTURE))
        check_axes(self)
        check_memory("The diagram (--points)", (300 if self.ema else 100) * self.points[0] * self.points[1])
        axes = {self.x[0]: _values(self, 0), self.y[0]: _values(self, 1)}
        start = time.perf_counter()
        if self.flow == "modes":
            outcome, threshold = diagram(self, axes), landmarks.above_threshold(self, axes)
        else:
            outcome, threshold = outcomes.shown(self, axes)
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
            edge = r"$\theta = \theta_c$" if self.flow in REGULARISED else r"$\eta = \eta_c$"
            known = {"constants": landmarks.constants(self), "threshold": threshold, "edge": edge}
            plot.draw_phase(axes, outcome[self.show], self.plot, name=self.show, log=flat(self.log), **known)
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
    from linbyol.cli import constants
    from linbyol.equations import Commuting, Held, Modes

    swept = {name: values for name, values in axes.items() if name != "tau"}
    k = constants.of_modes(settings, swept=swept, tau=settings.tau)
    k = Held(*k, settings.tau) if isinstance(k, Commuting) else k
    if settings.ema:
        y0 = Modes(settings.p0, settings.s0, None)  # on the parabola without s0, from k's tau
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


def check_axes(settings: Phase) -> None:
    """Two constants that the outcome depends on, each to a larger value; a picture of what is known."""
    from linbyol.checks import InputError, check_choice

    commuting = {settings.x[0], settings.y[0]} & {"lambda_d", "lambda_s"} or settings.lambda_d is not None
    others = {"sigma2"} if commuting else {"lambda_d", "lambda_s"}
    names = [name for name in CONSTANTS[settings.flow] if name not in others]
    for letter, (name, first, last) in (("x", settings.x), ("y", settings.y)):
        check_choice(letter, name, names)
        if name == "beta" and not settings.ema:
            raise InputError(f"Option --{letter} beta has no effect without --ema: the target is held.")
        if first >= last:
            raise InputError(f"Option --{letter} must go to a larger value, but goes from {first:g} to {last:g}.")
        if name in WHOLE and (first != int(first) or last != int(last) or first < 1):
            raise InputError(f"Option --{letter} {name} must go over positive whole numbers, but begins at {first:g}.")
        if letter in flat(settings.log) and first <= 0:
            raise InputError(
                f"A logarithmic axis needs positive values, but --{letter} goes from {first:g} to {last:g}."
            )
    if settings.x[0] == settings.y[0]:
        raise InputError(f"Options --x and --y must name two constants, but both name {settings.x[0]}.")
    parabola = settings.s0 is None and not settings.ema
    rest = "w" if settings.flow in DEEP else "nu" if settings.flow in REGULARISED else "p"
    if settings.plot is not None and settings.show in {"p", "w", "nu"} - {rest} | (
        {"alignment"} if rest != "p" else set()
    ):
        raise InputError(f"Option --show {settings.show} is not for {settings.flow}, whose rest is {rest}.")
    known = {"alignment": parabola and not commuting, "escape_time": parabola or settings.ema}
    if settings.plot is not None and not known.get(settings.show, True):
        where = {"alignment": "on the parabola of isotropic data", "escape_time": "on the parabola, or with --ema"}
        raise InputError(f"Option --show {settings.show} is known {where[settings.show]} only.")


def _values(settings: Phase, axis: int) -> Any:
    import numpy as np

    name, first, last = (settings.x, settings.y)[axis]
    if name in WHOLE:
        return np.arange(int(first), int(last) + 1)
    space = np.geomspace if "xy"[axis] in flat(settings.log) else np.linspace
    return space(first, last, settings.points[axis])


def _words(shares: dict[str, float]) -> str:
    return ", ".join(f"{100 * share:.1f} % {name}" for name, share in shares.items())
