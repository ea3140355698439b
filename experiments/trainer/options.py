"""What a run is made of: one frozen record of plain values, from a preset, the command line or a test."""

from dataclasses import dataclass, fields, replace
from typing import Literal

from experiments.trainer.lanes import SCALARS, check_constant, lanes, swept
from experiments.trainer.schedules import SCHEDULES
from experiments.trainer.uses import check_effect
from linbyol.checks import InputError, check_choice

Evaluation = tuple[str, ...]
COUNT = 2**31 - 1  # steps and seeds are 32 bits on the device
WIDEST, DEEPEST = 10**6, 1000
WHOLE = {  # the range of each whole number
    **dict.fromkeys(("batch", "epochs", "keep", "first"), (1, COUNT)),
    **dict.fromkeys(("freq", "warmup", "log", "measure", "save", "evaluate", "seeds"), (0, COUNT)),
    **dict.fromkeys(("widths", "projector", "predictor_hidden"), (1, WIDEST)),
    "layers": (1, DEEPEST),
}


@dataclass(frozen=True)
class Options:
    """A run. Letters are the papers'; what a method does not use (`uses.USES`) is ignored by it."""

    # data
    data: str = "digits"  # a name of experiments.datasets, a folder of images or an npz archive
    first: int | None = None  # only the first images of each split
    augment: str = "digits"  # a recipe of experiments.augment; "none" trains on the images as they are

    # networks
    encoder: Literal["linear", "mlp", "conv", "resnet18", "res"] = "mlp"
    widths: tuple[int, ...] = (256, 256)  # of mlp and conv; the first is d of linear, H of res, the stem of resnet18
    layers: int = 5  # L of res
    stem: Literal["cifar", "stl"] = "cifar"  # of resnet18
    flat: bool = False  # res: features are all positions instead of their mean
    projector: tuple[int, ...] = (512, 128)  # widths of its layers; () for none
    projector_norm: Literal["batch", "batch-no-affine", "none"] = "batch-no-affine"
    predictor: Literal["none", "linear", "mlp"] = "linear"
    predictor_hidden: int = 512
    predictor_bias: bool = False

    # method
    method: Literal["byol", "simsiam", "isoloss", "vicreg", "simclr", "barlow", "supervised"] = "byol"
    loss: Literal["cosine", "l2"] = "cosine"  # of byol, simsiam, isoloss
    symmetric: bool = True  # sum of both directions, as released; otherwise view 1 predicts view 2
    stop_gradient: bool = True
    rule: Literal["learned", "symmetric", "direct", "copy", "set", "optimal"] = "learned"
    freq: int = 1  # the rule sets the predictor at every freq-th step, gradient steps in between; 0 never
    form: Literal["paper", "code"] = "code"  # of direct: Eq. 18 as printed or as released
    floor: float | None = None  # least eigenvalue that direct gives; the released code has 1e-4
    norm: Literal["spectral", "frobenius", "none"] = "spectral"  # of set and copy
    exponent: float = 0.5  # alpha of set and of isoloss
    eps: float = 0.1  # boost of the predictor's spectrum; ridge of optimal
    rho: float = 0.3  # memory of the running correlation, Eq. 19
    centre: bool = False  # rules see the covariance instead of the correlation
    convention: Literal["paper", "code"] = "code"  # of vicreg
    invariance: float = 25.0  # weights of vicreg
    variance: float = 25.0
    covariance: float = 1.0
    temperature: float = 0.5  # of simclr
    redundancy: float = 5e-3  # of barlow

    # target
    gamma_a: float = 0.996  # momentum of the target; 0 makes it the online network of the step before
    gamma_schedule: Literal["constant", "cosine"] = "constant"  # cosine rises to 1
    target: Literal["copy", "independent", "zero"] = "copy"  # how it starts

    # optimiser
    optimiser: Literal["sgd", "lars", "adamw"] = "sgd"
    lr: float = 0.03
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: int = 0  # epochs over which the learning rate rises linearly
    momentum: float = 0.9
    eta: float = 4e-4  # weight decay as an optimiser takes it
    alpha_p: float = 1.0  # learning rate of the predictor over that of the rest
    eta_p: float | None = None  # the predictor's weight decay: eta if none; Lemma 1 has eta / alpha_p
    decay_all: bool = True  # also biases and normalisation (LARS then scales these too)

    # the run
    epochs: int = 100
    batch: int = 128
    seeds: tuple[int, ...] = (0,)
    sweep: tuple[str, ...] = ()  # "eta=1e-4,4e-4": a lane for each combination of values and seeds
    precision: Literal["float32", "bfloat16", "float64"] = "float32"
    log: int = 0  # steps between two rows of metrics.csv; 0 for once an epoch
    measure: int = 0  # steps between two measurements of spectra and alignment; 0 for once an epoch
    save: int = 0  # steps between two checkpoints; 0 for once an epoch
    keep: int = 2  # checkpoints kept
    evaluate: int = 10  # epochs between two evaluations; 0 for none but the last
    probes: Evaluation = ("knn", "ridge")  # at each evaluation
    final: Evaluation = ("knn", "ridge", "linear_paper", "linear_strict")  # at the last one

    def check(self) -> None:
        """Raises `InputError` for values that no run can have, that contradict each other, or are swept in vain."""
        for name, (least, most) in WHOLE.items():
            for value in _each(getattr(self, name)):
                if not least <= value <= most:
                    raise InputError(f"Setting `{name}` must be whole, from {least} to {most}, but is {value}.")
        for name in (*SCALARS, "floor"):
            if getattr(self, name) is not None:
                check_constant(self, name, getattr(self, name))
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise InputError(f"Setting `seeds` must name different seeds, at least one, but is {self.seeds}.")
        if not self.widths or len(self.widths) > DEEPEST or len(self.projector) > DEEPEST:
            raise InputError(f"Settings `widths`, `projector` must be 1 to {DEEPEST} and 0 to {DEEPEST} numbers.")
        for name in self.probes + self.final:
            check_choice("probes", name, PROBES)
        check_choice("schedule", self.schedule, SCHEDULES)
        self._check_rule()
        if self.batch < 2 and self.method in ("vicreg", "simclr", "barlow"):
            raise InputError(f"Setting `batch` must be at least 2 for method {self.method}, which compares images.")
        lanes(self)
        check_effect(self, swept(self), " in `sweep`")

    def _check_rule(self) -> None:
        sets = self.rule != "learned" or self.method == "isoloss"
        if self.method in ("vicreg", "simclr", "barlow", "supervised"):
            if self.rule != "learned":
                raise InputError(f"Setting `rule` must be learned for method {self.method}, which has no predictor.")
        elif sets and self.predictor != "linear":
            raise InputError(f"Setting `predictor` must be linear for rule {self.rule}, but is {self.predictor}.")
        elif sets and self.predictor_bias and self.rule not in ("learned", "symmetric"):
            raise InputError(f"Setting `predictor_bias` must be false for rule {self.rule}, which sets W_p alone.")
        if self.method == "isoloss" and self.rule == "learned":
            raise InputError("Setting `rule` must be set, direct or copy for method isoloss: W_p has no gradient.")
        if not self.stop_gradient and self.method != "simsiam":
            why = ", whose target has no gradient to stop" if self.method in ("byol", "isoloss") else ""
            raise InputError(f"Setting `stop_gradient` can be false for method simsiam, not for {self.method}{why}.")


def compiled(o: Options) -> Options:
    """What of the options the program is compiled for: runs that differ in the rest share it."""
    rows = ("log", "measure", "save", "keep", "evaluate", "probes", "final")
    default = Options()
    return replace(o, **{name: getattr(default, name) for name in (*SCALARS, *rows, "seeds", "sweep", "data", "first")})


PROBES = ("knn", "ridge", "linear_paper", "linear_strict")


def _each(value: int | tuple[int, ...] | None) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


NAMES = tuple(field.name for field in fields(Options))
