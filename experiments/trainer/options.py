"""What a run is made of: frozen tables of plain values, from a preset, the command line or a test."""

from typing import ClassVar, Literal

from experiments.trainer.choices import Byol, Encoder, Method, MlpEncoder, Norm
from experiments.trainer.lanes import lanes, swept_paths
from experiments.trainer.ranges import check_ranges, constant, table, whole, widths
from experiments.trainer.uses import SETTING_RULES, check_effect, rule_of
from linbyol.checks import InputError, check_choice

PROBES = ("knn", "ridge", "linear_paper", "linear_strict")


@table
class Data:
    """Images, and how views are made of them."""

    name: str = "digits"  # of experiments.datasets, a folder of images or an npz archive
    first: int | None = whole(None, 1)  # only the first images of each split
    augment: str = "digits"  # a recipe of experiments.augment; "none" trains on the images as they are


@table
class Projector:
    """Layers between encoder and predictor."""

    widths: tuple[int, ...] = widths(512, 128, least=0)  # of its layers; () for none
    norm: Norm = "batch-no-affine"


@table
class Optimiser:
    """How parameters follow their gradients."""

    name: Literal["sgd", "lars", "adamw"] = "sgd"
    lr: float = constant(0.03, positive=True)
    momentum: float = constant(0.9)
    eta: float = constant(4e-4)  # weight decay as an optimiser takes it
    alpha_p: float = constant(1.0, positive=True)  # learning rate of the predictor over that of the rest
    eta_p: float | None = constant(None)  # the predictor's weight decay: eta if none; Lemma 1 has eta / alpha_p
    decay_all: bool = True  # also biases and normalisation (LARS then scales these too)


@table
class Schedule:
    """The learning rate over the steps."""

    name: Literal["constant", "cosine"] = "constant"
    warmup: int = whole(0)  # epochs over which it rises linearly


@table
class Run:
    """How long, how exactly, and how often."""

    epochs: int = whole(100, 1)
    batch: int = whole(128, 1)
    precision: Literal["float32", "bfloat16", "float64"] = "float32"
    seeds: tuple[int, ...] = whole((0,))
    sweep: tuple[str, ...] = ()  # "eta=1e-4,4e-4": a lane for each combination of values and seeds


@table
class Recording:
    """What is written, and when; the compiled program knows nothing of it."""

    log: int = whole(0)  # steps between two rows of metrics.csv; 0 for once an epoch
    measure: int = whole(0)  # steps between two measurements of spectra and alignment; 0 for once an epoch
    save: int = whole(0)  # steps between two checkpoints; 0 for once an epoch
    keep: int = whole(2, 1)  # checkpoints kept
    evaluate: int = whole(10)  # epochs between two evaluations; 0 for none but the last
    probes: tuple[str, ...] = ("knn", "ridge")  # at each evaluation
    final: tuple[str, ...] = ("knn", "ridge", "linear_paper", "linear_strict")  # at the last one


@table
class Options:
    """A run."""

    data: Data = Data()
    encoder: Encoder = MlpEncoder()
    projector: Projector = Projector()
    method: Method = Byol()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    run: Run = Run()
    record: Recording = Recording()

    RENAMED: ClassVar[dict[str, str]] = {  # of the time before tables, where the end of a path is not the old name
        "widths": "encoder.widths",
        "projector": "projector.widths",
        "projector_norm": "projector.norm",
        "predictor_hidden": "method.predictor.hidden",
        "predictor_bias": "method.predictor.bias",
        "norm": "method.predictor.rule.norm",
        "target": "method.target.start",
    }

    def check(self) -> None:
        """Raises `InputError` for values that no run can have, that contradict each other, or are swept in vain."""
        seeds, method = self.run.seeds, self.method
        check_ranges(self, self.run.precision)
        if not seeds or len(set(seeds)) != len(seeds):
            raise InputError(f"Setting `run.seeds` must name different seeds, at least one, but is {seeds}.")
        for name in self.record.probes + self.record.final:
            check_choice("probes", name, PROBES)
        rule = rule_of(self)
        if rule is not None and rule.name in SETTING_RULES and method.predictor.bias:
            what = f"must be false for rule {rule.name}, which sets W_p alone"
            raise InputError(f"Setting `method.predictor.bias` {what}.")
        if method.name == "isoloss" and (rule is None or rule.name == "learned"):
            what = "must be set, direct or copy for method isoloss: W_p has no gradient"
            raise InputError(f"Setting `method.predictor.rule.name` of predictor linear {what}.")
        if self.run.batch < 2 and method.name in ("vicreg", "simclr", "barlow"):
            what = f"must be at least 2 for method {method.name}, which compares images"
            raise InputError(f"Setting `run.batch` {what}.")
        if method.name == "lejepa" and method.points % 2 == 0:
            raise InputError(f"Setting `method.points` must be odd, but is {method.points}.")
        if method.name == "lejepa" and method.weights == "convex" and method.lamb > 1:
            raise InputError(f"Setting `method.lamb` must be at most 1 for weights convex, but is {method.lamb:g}.")
        lanes(self)
        check_effect(self, swept_paths(self), " in `run.sweep`")
