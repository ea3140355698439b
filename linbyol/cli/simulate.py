"""linbyol simulate"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

FLOWS = Literal["weights", "symmetric", "modes", "amplitudes"]
VARIANTS = Literal["byol", "simsiam", "no-stop-gradient", "no-predictor", "held-target"]


@dataclass(frozen=True)
class Simulate:
    """Integrate a flow of the paper and show, save or plot the trajectory.

    Example: linbyol simulate modes --eta 0.04 --sigma2 0.25 --d 3 --t1 200 --out modes.npz --plot modes.png
    """

    flow: Annotated[FLOWS, tyro.conf.Positional]
    """weights (Lemma 1), symmetric (Eq. 7), modes (Eqs. 11-13) or amplitudes (Eqs. 104-106)"""
    alpha_p: float = 1.0
    """learning rate of the predictor divided by that of the encoder"""
    beta: float = 0.4
    """rate of the target's moving average"""
    eta: float = 0.04
    """weight decay"""
    sigma2: float | None = None
    """isotropic data: variance of the augmentation noise (0.25 if nothing else describes the data)"""
    tau: float | None = None
    """isotropic data: Wa = tau W, for the flow without a tau of its own (symmetric); initial tau of modes"""
    lambda_d: tuple[float, ...] = ()
    """commuting data: eigenvalues of X, one a mode"""
    lambda_s: tuple[float, ...] = ()
    """commuting data: eigenvalues of X + X_aug, one a mode"""
    moments: Path | None = None
    """npz archive with X and X_aug, e.g. of `linbyol data moments` (weights only)"""
    variant: VARIANTS = "byol"
    """BYOL itself or an ablation of it"""
    eta_p: float | None = None
    """weight decay of the predictor, if it is not eta"""
    n: int = 8
    """input dimension (weights)"""
    d: int = 4
    """feature dimension, or number of modes"""
    seed: int = 0
    """seed of the random initial state"""
    init: Path | None = None
    """npz archive with the initial state's fields, instead of a random one"""
    target: Literal["copy", "zero", "independent"] = "copy"
    """initial target of a random state: the encoder (BYOL), zero (the paper's theory) or independent (its code)"""
    t1: float = 100.0
    """last time"""
    points: int = 201
    """number of times saved, from 0 to t1"""
    rtol: float = 1e-8
    """relative tolerance of a step"""
    atol: float = 1e-10
    """absolute tolerance of a step"""
    solver: str = "tsit5"
    """tsit5, dopri8 or kvaerno5"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """npz archive to write (ts, the state's fields, ok, config), with a JSON of the same name beside it"""
    plot: Path | None = None
    """picture to write: .png, .pdf or .svg"""
    json: bool = False
    """print JSON alone"""

    def run(self) -> int:
        import time

        from linbyol import claims, plot, store
        from linbyol.integrate import integrate

        if self.plot is not None:
            plot.check_suffix(self.plot)
        k = constants(self)
        y0 = initial_state(self, k)
        start = time.perf_counter()
        ts = times(self.t1, self.points)
        options: dict[str, Any] = {"rtol": self.rtol, "atol": self.atol, "solver": self.solver}
        trajectory = integrate(flow(self), y0, k, ts, progress=not self.json, **options)
        seconds = time.perf_counter() - start

        config = {"command": "simulate", **asdict(self)} | {"out": None, "plot": None, "json": None}
        record = config | {"environment": claims.environment(), "seconds": seconds, "steps": int(trajectory.steps)}
        if self.out is not None:
            trajectory.save(self.out, config)
            store.write_json(Path(self.out).with_suffix(".json"), record)
        if self.plot is not None:
            plot.draw(trajectory, self.plot)
        final = {name: value[-1] for name, value in trajectory.ys._asdict().items()}
        if self.json:
            print(store.to_json({"t": self.t1, "final": final, "ok": bool(trajectory.ok), **record}))
            return 0
        print(f"{self.flow}, {self.variant}: t = {self.t1:g} after {int(trajectory.steps)} steps, {seconds:.2f} s")
        for name, value in final.items():
            print(f"{name} = {_show(value)}")
        for path in (self.out, self.plot):
            if path is not None:
                print(f"Written: {path}")
        return 0


def constants(settings: Simulate) -> Any:
    """The constants that the options describe: isotropic, commuting, or measured moments."""
    import jax.numpy as jnp

    from linbyol.checks import InputError
    from linbyol.equations import Constants, Isotropic
    from linbyol.store import read_arrays

    described = {
        "sigma2": settings.sigma2 is not None,
        "lambda_d": bool(settings.lambda_d or settings.lambda_s),
        "moments": settings.moments is not None,
    }
    if sum(described.values()) > 1:
        names = " and ".join(f"--{name.replace('_', '-')}" for name, given in described.items() if given)
        raise InputError(f"Options {names} describe the data twice; give one of them.")
    rates = (settings.alpha_p, settings.beta, settings.eta)
    if settings.tau is not None and settings.flow not in ("symmetric", "modes"):
        raise InputError("Option --tau is for symmetric and modes; the other flows carry their own target.")
    if described["moments"]:
        if settings.flow != "weights":
            raise InputError(f"Option --moments is for weights, but the flow is {settings.flow}.")
        arrays = read_arrays(settings.moments, "X", "X_aug")  # type: ignore[arg-type]
        return Constants(*rates, jnp.asarray(arrays["X"], float), jnp.asarray(arrays["X_aug"], float))
    if described["lambda_d"]:
        return _commuting(settings, rates)
    sigma2 = 0.25 if settings.sigma2 is None else settings.sigma2
    if settings.flow == "weights":
        if sigma2 < 0:
            raise InputError(f"Argument `sigma2` must be at least 0, but is {sigma2:g}.")
        return Constants(*rates, jnp.eye(settings.n), sigma2 * jnp.eye(settings.n))
    return Isotropic(*rates, sigma2, 1.0 if settings.tau is None else settings.tau)


def _commuting(settings: Simulate, rates: tuple[float, float, float]) -> Any:
    import jax.numpy as jnp

    from linbyol.checks import InputError
    from linbyol.equations import Commuting, Constants

    if len(settings.lambda_d) != len(settings.lambda_s):
        raise InputError(
            f"Options --lambda-d and --lambda-s must give one number a mode each, "
            f"but give {len(settings.lambda_d)} and {len(settings.lambda_s)}."
        )
    lambda_d, lambda_s = jnp.asarray(settings.lambda_d), jnp.asarray(settings.lambda_s)
    if settings.flow == "symmetric":
        raise InputError("The flow symmetric is for isotropic data: give --sigma2 instead of --lambda-d, --lambda-s.")
    if settings.flow == "weights":
        return Constants(*rates, jnp.diag(lambda_d), jnp.diag(lambda_s - lambda_d))
    return Commuting(*rates, lambda_d, lambda_s)


def initial_state(settings: Simulate, k: Any) -> Any:
    """The state in --init, or a random one: entries N(0, 1)/√n, the predictor N(0, 1)/√d."""
    import jax
    import jax.numpy as jnp

    from linbyol.checks import InputError
    from linbyol.integrate.trajectory import STATES
    from linbyol.store import read_arrays

    state = STATES[settings.flow.capitalize()]
    if settings.init is not None:
        arrays = read_arrays(settings.init, *state._fields)
        return state(**{name: jnp.asarray(arrays[name]) for name in state._fields})
    for name in ("d", "n"):
        if getattr(settings, name) < 1:
            raise InputError(f"Argument `{name}` must be at least 1, but is {getattr(settings, name)}.")
    d = max(len(settings.lambda_d), 1) if settings.lambda_d and settings.flow != "weights" else settings.d
    n = k.X.shape[0] if settings.flow == "weights" else settings.n
    a, b, c = jax.random.split(jax.random.key(settings.seed), 3)
    W = jax.random.normal(a, (d, n)) / jnp.sqrt(n)
    Wp = jax.random.normal(b, (d, d)) / jnp.sqrt(d)
    Wa = {"copy": W, "zero": jnp.zeros_like(W), "independent": jax.random.normal(c, (d, n)) / jnp.sqrt(n)}
    if settings.flow == "weights":
        return state(W=W, Wp=Wp, Wa=Wa[settings.target])
    if settings.flow == "symmetric":
        return state(Wp=(Wp + Wp.T) / 2, F=W @ W.T)
    w, wp = jax.random.uniform(a, (d,), maxval=0.5), jax.random.uniform(b, (d,), maxval=0.5)
    wa = {"copy": w, "zero": 0 * w, "independent": jax.random.uniform(c, (d,), maxval=0.5)}[settings.target]
    if settings.flow == "modes":
        return state(p=wp, s=w * w, tau=wa / w if settings.tau is None else settings.tau)
    return state(w=w, wp=wp, wa=wa)


def flow(settings: Simulate) -> Any:
    """The flow with the ablation that the options name."""
    from linbyol import equations as eq
    from linbyol.checks import InputError

    chosen = getattr(eq, f"{settings.flow}_flow")
    if settings.variant != "byol" and settings.flow == "symmetric":
        raise InputError(f"Option --variant {settings.variant} is not for symmetric, which has no target; see --tau.")
    if settings.variant == "no-stop-gradient" and settings.flow != "weights":
        raise InputError(f"Option --variant no-stop-gradient is for weights, but the flow is {settings.flow}.")
    if settings.eta_p is not None:
        if settings.eta_p < 0:
            raise InputError(f"Argument `eta_p` must be at least 0, but is {settings.eta_p:g}.")
        chosen = eq.decay(chosen, Wp=settings.eta_p)
    variants = {
        "byol": lambda flow: flow,
        "simsiam": eq.simsiam,
        "no-stop-gradient": eq.no_stop_gradient,
        "no-predictor": eq.no_predictor,
        "held-target": lambda flow: eq.hold(flow, "Wa", "wa", "tau"),
    }
    return variants[settings.variant](chosen)


def times(t1: float, points: int) -> Any:
    """`points` times from 0 to t1."""
    import jax.numpy as jnp

    from linbyol.checks import InputError

    if not 0 < t1 < float("inf"):
        raise InputError(f"Argument `t1` must be positive and finite, but is {t1:g}.")
    if points < 2:
        raise InputError(f"Argument `points` must be at least 2, but is {points}.")
    return jnp.linspace(0, t1, points)


def _show(value: Any) -> str:
    import numpy as np

    with np.printoptions(precision=6, suppress=True, linewidth=110, threshold=64):
        return str(np.asarray(value)).replace("\n", "\n    ")
