"""linbyol simulate"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from linbyol.cli.options import AtLeastZero, Between, Count, Positive, Seed, default, flag
from linbyol.cli.start import DEEP, REGULARISED, RULES

FLOWS = Literal["weights", "symmetric", "modes", "amplitudes", "jepa", "mae", "sigreg", "bhep", "vicreg"]
FEW = 1000  # steps that SciPy takes in the time in which XLA compiles
VARIANTS = Literal["byol", "simsiam", "no-stop-gradient", "no-predictor", "held-target"]


@dataclass(frozen=True)
class Simulate:
    """Integrate a flow of a paper and show, save or plot the trajectory.

    Example: linbyol simulate modes --eta 0.04 --sigma2 0.25 --d 3 --t1 200 --out modes.npz --plot modes.png
    """

    flow: Annotated[FLOWS, tyro.conf.Positional]
    """weights (Lemma 1), symmetric (Eq. 7), modes (Eqs. 11-13), amplitudes (Eqs. 104-106); jepa or mae, one layer of a
    balanced mode of a deep linear network (arXiv 2407.03475); sigreg, bhep or vicreg, variances nu of features that a
    regulariser holds up"""
    alpha_p: Positive = default(1.0)
    """learning rate of the predictor divided by that of the encoder"""
    beta: AtLeastZero = default(0.4)
    """rate of the target's moving average"""
    eta: AtLeastZero = 0.04
    """weight decay"""
    sigma2: AtLeastZero | None = None
    """isotropic data: variance of the augmentation noise (0.25 if nothing else describes the data)"""
    tau: float | None = None
    """isotropic data: Wa = tau W, for the flow without a tau of its own (symmetric); initial tau of modes"""
    lambda_d: tuple[AtLeastZero, ...] = default(())
    """commuting data: eigenvalues of X, one a mode"""
    lambda_s: tuple[AtLeastZero, ...] = default(())
    """commuting data: eigenvalues of X + X_aug, one a mode"""
    moments: Path | None = None
    """npz archive with X and X_aug, e.g. of `linbyol data moments` (weights only)"""
    variant: VARIANTS = default("byol")
    """BYOL itself or an ablation of it"""
    rule: RULES | None = None
    """sets the predictor at each moment, instead of its own flow: DirectPred and others (linbyol.predictors)"""
    eta_p: AtLeastZero | None = None
    """weight decay of the predictor, if it is not eta"""
    depth: Count = default(1)
    """layers of the encoder (jepa, mae)"""
    a: AtLeastZero = default(1.0)
    """weight of the invariance (sigreg, bhep; Λ of vicreg)"""
    mu: AtLeastZero = default(1.0)
    """weight of the regulariser (sigreg, bhep; that of the variances, M, of vicreg)"""
    eps: AtLeastZero = default(0.0)
    """what is added to a variance (vicreg)"""
    n: Count = default(8)
    """input dimension (weights, symmetric)"""
    d: Count = default(4)
    """feature dimension, or number of modes"""
    seed: Seed = default(0)
    """seed of the random initial state"""
    init: Path | None = None
    """npz archive with the initial state's fields, instead of a random one"""
    target: Literal["copy", "zero", "independent"] = default("copy")
    """initial target of a random state: the encoder (BYOL), zero (the paper's theory) or independent (its code)"""
    t1: Positive = 100.0
    """last time"""
    points: Annotated[int, Between(2, 2**63 - 1)] = 201
    """number of times saved, from 0 to t1"""
    rtol: Annotated[float, Between(1e-15, 0.1)] = 1e-8
    """relative tolerance of a step"""
    atol: Annotated[float, Between(0, 0.1)] = 1e-10
    """absolute tolerance of a step"""
    solver: str | None = None
    """dop853 (SciPy, nothing to compile), or compiled: tsit5, dopri8, kvaerno5 (stiff). If none is named, dop853 where
    it needs few steps, else tsit5"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """npz archive to write (ts, the state's fields, ok, config), with a JSON of the same name beside it"""
    plot: Path | None = None
    """picture to write: .png, .pdf or .svg"""
    json: bool = False
    """print JSON alone"""

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options without effect for this flow, variant and data, and why."""
        moves = self.flow in ("weights", "modes", "amplitudes") and self.variant in ("byol", "no-predictor")
        if self.flow in (*DEEP, *REGULARISED):
            nothing = ("alpha_p", "beta", "tau", "variant", "rule", "eta_p", "target")
            what = "one layer of a balanced mode" if self.flow in DEEP else "which has no predictor"
            yield from ((name, f"for {self.flow}, {what}") for name in nothing)
        for name, flows in (("depth", DEEP), ("a", REGULARISED), ("mu", REGULARISED), ("eps", ("vicreg",))):
            if self.flow not in flows:
                yield name, f"for {self.flow}, only for {', '.join(flows)}"
        if not moves:
            yield "beta", f"where no target moves ({self.flow}, {self.variant})"
        if self.flow not in ("symmetric", "modes"):
            yield "tau", f"for {self.flow}, which carries its own target"
        if self.flow in ("modes", "amplitudes", *DEEP, *REGULARISED):
            yield "n", f"for {self.flow}, which has modes alone"
        if self.flow != "weights":
            yield "moments", f"for {self.flow}, only for weights"
        if self.flow == "symmetric":
            yield from ((name, "for symmetric, which is for isotropic data") for name in ("lambda_d", "lambda_s"))
            yield "target", "for symmetric, which has --tau"
        if self.variant in ("simsiam", "no-stop-gradient"):
            yield from ((name, f"for {self.variant}, whose target is the encoder") for name in ("target", "tau"))
        if self.rule is not None:
            yield from ((name, "beside --rule, which sets the predictor") for name in ("alpha_p", "eta_p"))
        if self.variant == "no-predictor":
            yield "rule", "for no-predictor"
            yield from ((name, "for no-predictor") for name in ("alpha_p", "eta_p"))
        if self.flow == "modes" and self.tau is not None:
            yield "target", "beside --tau"
        if self.init is not None:
            held = ("d", "n", "seed", "target", *(["tau"] if self.flow == "modes" else []))
            yield from ((name, "beside --init, whose file holds the state") for name in held)
        for data in ("moments", "lambda_d"):
            if getattr(self, data):
                yield "n", f"beside {flag(data)}, which has its own size"
        if self.lambda_d and self.flow != "weights":
            yield "d", "beside --lambda-d, which has a number a mode"

    def run(self) -> int:
        import time
        from functools import partial

        import jax.numpy as jnp

        from linbyol import claims, outputs, plot, store
        from linbyol.checks import check_choice
        from linbyol.cli import constants, landmarks, start
        from linbyol.integrate import SOLVER_NAMES, integrate

        inputs = [self.init, self.moments]
        outputs.check_outputs(inputs=inputs, out=(self.out, outputs.ARCHIVE), plot=(self.plot, outputs.PICTURE))
        if self.solver is not None:
            check_choice("solver", self.solver, SOLVER_NAMES)
        chosen = flow(self)
        start.check_sizes(self)
        y0 = None if self.init is None else start.of_file(self)
        if self.flow == "weights":
            k = constants.of_weights(self, self.n if y0 is None else y0.W.shape[1])
        elif self.flow in DEEP:
            k = constants.of_deep(self)
        elif self.flow in REGULARISED:
            k = constants.of_regularised(self, self.flow, None if y0 is None else y0.nu.size)
        else:
            k = constants.of_modes(self, tau=1.0 if self.tau is None else self.tau)
        if y0 is None:
            y0 = start.random(self, k)
        else:
            start.check_fit(self, y0, k)
        began = time.perf_counter()
        ts = jnp.linspace(0, self.t1, self.points)
        solve: Any = partial(integrate, chosen, y0, k, ts, rtol=self.rtol, atol=self.atol, progress=not self.json)
        named = self.solver or (self.rule and "tsit5")  # rules are slow where nothing is compiled
        solver = named or "dop853"
        trajectory = solve(solver=solver, **({} if named else {"max_steps": FEW, "throw": False}))
        if not trajectory.ok:
            trajectory = solve(solver=(solver := "tsit5"))
        seconds = time.perf_counter() - began

        config = {"command": "simulate", **asdict(self)} | {"solver": solver, "out": None, "plot": None, "json": None}
        record = config | {"environment": claims.environment(), "seconds": seconds, "steps": int(trajectory.steps)}
        if self.out is not None:
            trajectory.save(self.out, config)
            store.write_json(Path(self.out).with_suffix(".json"), record)
        if self.plot is not None:
            at_rest = landmarks.of_modes(self)
            shown = landmarks.constants(self, at_rest)
            plot.draw(trajectory, self.plot, constants=shown, levels=landmarks.levels(self, at_rest))
        final = {name: value[-1] for name, value in trajectory.ys._asdict().items()}
        if self.json:
            print(store.to_json({"t": self.t1, "final": final, "ok": bool(trajectory.ok), **record}))
            return 0
        name = self.flow if self.flow in (*DEEP, *REGULARISED) else f"{self.flow}, {self.variant}"
        print(f"{name}: t = {self.t1:g} after {int(trajectory.steps)} steps, {seconds:.2f} s")
        for name, value in final.items():
            print(f"{name} = {_show(value)}")
        for path in (self.out, self.plot):
            if path is not None:
                print(f"Written: {path}")
        return 0


def flow(settings: Simulate) -> Any:
    """The flow with the ablation that the options name."""
    from linbyol import equations as eq
    from linbyol.checks import InputError

    if settings.flow in REGULARISED:
        from linbyol.equations.vicreg import vicreg_held_flow
        from linbyol.explain import REGULARISERS

        return vicreg_held_flow if settings.flow == "vicreg" else REGULARISERS[settings.flow].flow
    chosen = getattr(eq, f"{settings.flow}_flow")
    if settings.variant != "byol" and settings.flow == "symmetric":
        raise InputError(f"Option --variant {settings.variant} is not for symmetric, which has no target; see --tau.")
    if settings.variant == "no-stop-gradient" and settings.flow != "weights":
        raise InputError(f"Option --variant no-stop-gradient is for weights, but the flow is {settings.flow}.")
    if settings.eta_p is not None:
        chosen = eq.decay(chosen, Wp=settings.eta_p)
    variants = {
        "byol": lambda flow: flow,
        "simsiam": eq.simsiam,
        "no-stop-gradient": eq.no_stop_gradient,
        "no-predictor": eq.no_predictor,
        "held-target": lambda flow: eq.hold(flow, "Wa", "wa", "tau"),
    }
    chosen = variants[settings.variant](chosen)
    if settings.rule is None:
        return chosen
    from linbyol import predictors

    return eq.slave(chosen, predictors.RULES[settings.rule])


def _show(value: Any) -> str:
    import numpy as np

    with np.printoptions(precision=6, suppress=True, linewidth=110, threshold=64):
        return str(np.asarray(value)).replace("\n", "\n    ")
