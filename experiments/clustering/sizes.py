"""How much is trained and measured: by data set and size, the trainings and the numbers of images, views and epochs.

    smoke   seconds, for the tests
    cpu     minutes on two cores. CIFAR-100 is halved to 16 × 16 pixels and cut to 5,000 images, the network is RES-5-32
    full    RES-5-250 on all of CIFAR-100 for 1000 epochs, in bfloat16, for an accelerator; not yet run

Weights of VICReg are the paper's (25, 25, 1, in the released convention); its other hyperparameters are not known to us.
"""

from dataclasses import dataclass, field, replace

from experiments.trainer.choices import (
    Barlow,
    Byol,
    Direct,
    LinearPredictor,
    MlpEncoder,
    Res,
    Simclr,
    Supervised,
    Target,
    Vicreg,
)
from experiments.trainer.options import Data, Optimiser, Options, Projector, Recording, Run, Schedule
from linbyol.checks import InputError


@dataclass(frozen=True, kw_only=True)
class Size:
    """One set of trainings, and how they are measured."""

    trainings: dict[str, Options]
    epochs: tuple[int, ...]  # at which the networks are kept and measured, without 0, which always is
    measured: tuple[str, ...] = ()  # trainings that are measured at every block and on every target set; the first leads
    side: int | None = None  # of the images, halved until they are no larger
    first: int | None = None
    samples: int = 500  # images of the sample level, a class each
    views: int = 100  # of each for training
    fresh: int = 20  # and for the test
    test: int = 10_000  # images of the test set that are measured
    critics: int = 5  # initialisations of MINE
    clusters: tuple[int, ...] = (3, 10, 20, 50, 100, 500)  # numbers of k-means
    noises: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)  # fractions of labels that are replaced
    extra: dict[str, tuple[str, ...]] = field(default_factory=dict)  # sweeps among the trainings, by name


RECORD = Recording(measure=10**9, evaluate=0, probes=(), final=(), keep=1)
NONE = Projector(widths=())
COSINE = Schedule(name="cosine", warmup=1)
REGULARISERS = (25.0, 5.0, 1.0, 0.2, 0.04)  # weights of VICReg's variance term; the covariance term keeps its share


def digits(epochs: int, seeds: int, kept: tuple[int, ...], methods: tuple[str, ...] | None = None, **more: object) -> Size:
    """The digits: an MLP of five equal blocks."""
    common = Options(
        data=Data(augment="digits"),
        encoder=MlpEncoder(widths=(64,) * 5),
        projector=Projector(widths=(128, 32), norm="batch"),
        schedule=COSINE,
        optimiser=Optimiser(lr=0.1),
        run=Run(epochs=epochs, batch=128, seeds=tuple(range(seeds))),
        record=replace(RECORD, log=2, save=11 * kept[0]),
    )
    byol = Byol(predictor=LinearPredictor(), target=Target(gamma_a=0.99))
    plain = Projector(widths=(128, 32))
    vicreg = replace(common, method=Vicreg(), optimiser=Optimiser(lr=0.02))
    weak = {
        f"weak{i}": replace(vicreg, method=Vicreg(variance=mu, covariance=mu / 25))
        for i, mu in enumerate(REGULARISERS[1:], 1)
    }
    found = {
        "vicreg": vicreg,
        "simclr": replace(common, method=Simclr()),
        "barlow": replace(common, method=Barlow(), optimiser=Optimiser(lr=0.01)),
        "byol": replace(common, method=byol, projector=plain, optimiser=Optimiser(lr=0.03)),
        "directpred": replace(
            common,
            method=replace(byol, predictor=LinearPredictor(rule=Direct(floor=1e-4))),
            projector=plain,
            optimiser=Optimiser(lr=0.03),
        ),
        "supervised": replace(common, method=Supervised(), projector=NONE, data=Data(augment="none")),
        "supervised_augmented": replace(common, method=Supervised(), projector=NONE),
        "narrow": replace(vicreg, encoder=MlpEncoder(widths=(32,) * 5)),
        "shallow": replace(vicreg, encoder=MlpEncoder(widths=(64,) * 3)),
        **weak,
    }
    chosen = {name: o for name, o in found.items() if methods is None or name in methods}
    leading = tuple(name for name in ("vicreg", "simclr", "barlow", "byol", "directpred", "narrow", "shallow") if name in chosen)
    return Size(trainings=chosen, epochs=kept, measured=leading, **more)  # type: ignore[arg-type]


def cifar100(first: int | None, batch: int, epochs: int, kept: tuple[int, ...], encoder: Res, run: Run, **more: object) -> Size:
    """CIFAR-100: RES-L-H."""
    steps = (50_000 if first is None else first) // batch
    wide = (2048, 2048) if first is None else (128, 64)
    common = Options(
        data=Data(name="cifar100", augment="cifar-simclr", first=first),
        encoder=encoder,
        projector=Projector(widths=wide, norm="batch"),
        schedule=COSINE,
        optimiser=Optimiser(lr=0.05),
        run=replace(run, epochs=epochs, batch=batch),
        record=replace(RECORD, log=10, save=steps * kept[0]),
    )
    supervised = replace(common, method=Supervised(), projector=NONE)
    found = {
        "vicreg": replace(common, method=Vicreg(), optimiser=Optimiser(lr=0.02)),
        "supervised": replace(supervised, data=replace(common.data, augment="none")),
        "supervised_augmented": supervised,
        "simclr": replace(common, method=Simclr(), optimiser=Optimiser(lr=0.1)),
    }
    return Size(trainings=found, epochs=kept, measured=("vicreg", "simclr"), first=first, **more)  # type: ignore[arg-type]


SIZES = {
    ("digits", "smoke"): digits(
        4, 3, (1, 2, 4), ("vicreg", "directpred", "supervised", "supervised_augmented"),
        samples=12, views=6, fresh=3, test=200, critics=2, clusters=(3, 10), noises=(1.0,),
    ),
    ("digits", "cpu"): digits(100, 5, (2, 4, 8, 16, 32, 64, 100), samples=100, views=20, fresh=10, clusters=(3, 10, 30, 100)),
    ("cifar100", "cpu"): cifar100(
        5000, 100, 40, (1, 2, 4, 8, 16, 28, 40), Res(layers=5, width=32), Run(seeds=(0, 1, 2)),
        side=16, samples=200, views=20, fresh=10, test=2000, clusters=(3, 10, 20, 50, 100, 200),
    ),
    ("cifar100", "full"): cifar100(
        None, 250, 1000, (10, 20, 50, 100, 200, 400, 700, 1000), Res(layers=5, width=250),
        Run(seeds=(0, 1, 2), precision="bfloat16"),
    ),
}  # fmt: skip


def size_of(data: str, size: str) -> Size:
    """The trainings and measurements of a data set and size. Raises `InputError` for what there is not."""
    if (data, size) not in SIZES:
        known = ", ".join(f"{a} {b}" for a, b in SIZES)
        raise InputError(f"Arguments `data` and `size` must be one of {known}, but are {data} {size}.")
    return SIZES[data, size]
