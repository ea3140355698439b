"""How much is trained and measured: by data set and size, the trainings and the numbers of images, views and epochs.

    smoke   seconds, for the tests
    cpu     minutes on two cores. CIFAR-100 is halved to 16 × 16 and cut to 5,000 images; VICReg on RES-5-32 alone
    full    RES-5-250 on all of CIFAR-100 for 1000 epochs, in bfloat16, for an accelerator; not yet run

Weights of VICReg are the paper's (25, 25, 1, in the released convention); its other hyperparameters are unknown to us.
"""

from dataclasses import dataclass, replace

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
    side: int | None = None  # of the images, halved until they are no larger
    first: int | None = None
    samples: int = 500  # images of the sample level, a class each
    views: int = 100  # of each for training
    fresh: int = 20  # and for the test
    test: int = 10_000  # images of the test set that are measured
    clusters: tuple[int, ...] = (3, 10, 20, 50, 100, 500)  # numbers of k-means
    noises: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)  # fractions of labels that are replaced
    further: bool = True  # whether what the encoder has of its input is estimated, and maps are drawn


RECORD = Recording(measure=10**9, evaluate=0, probes=(), final=(), keep=1)
NONE = Projector(widths=())
COSINE = Schedule(name="cosine", warmup=1)
WEAKER = "variance=5,1,0.2"  # in place of 25


def digits(
    epochs: int,
    seeds: int,
    kept: tuple[int, ...],
    methods: tuple[str, ...] | None = None,
    *,
    widths: tuple[int, ...] = (64,) * 5,
    first: int | None = None,
    **more: object,
) -> Size:
    """The digits: an MLP of five equal blocks."""
    common = Options(
        data=Data(augment="digits"),
        encoder=MlpEncoder(widths=widths),
        projector=Projector(widths=(128, 32), norm="batch"),
        schedule=COSINE,
        optimiser=Optimiser(lr=0.1),
        run=Run(epochs=epochs, batch=128, seeds=tuple(range(seeds))),
        record=replace(RECORD, log=2, save=(11 if first is None else first // 128) * kept[0]),
    )
    byol = Byol(predictor=LinearPredictor(), target=Target(gamma_a=0.99))
    plain = Projector(widths=(128, 32))
    vicreg = replace(common, method=Vicreg(), optimiser=Optimiser(lr=0.02))
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
        "weaker": replace(vicreg, run=replace(common.run, sweep=(WEAKER,))),
    }
    chosen = {name: o for name, o in found.items() if methods is None or name in methods}
    return Size(trainings=chosen, epochs=kept, first=first, **more)  # type: ignore[arg-type]


def cifar100(
    first: int | None, batch: int, epochs: int, kept: tuple[int, ...], encoder: Res, run: Run, **more: object
) -> Size:
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
    found = {"vicreg": replace(common, method=Vicreg(), optimiser=Optimiser(lr=0.02))}
    if first is None:
        found["simclr"] = replace(common, method=Simclr(), optimiser=Optimiser(lr=0.1))
        found["supervised"] = replace(supervised, data=replace(common.data, augment="none"))
        found["supervised_augmented"] = supervised
    return Size(trainings=found, epochs=kept, first=first, **more)  # type: ignore[arg-type]


SIZES = {
    ("digits", "smoke"): digits(
        2, 3, (1, 2), ("vicreg",), widths=(16, 16), first=300,
        samples=12, views=4, fresh=2, test=100, clusters=(3, 10), noises=(1.0,), further=False,
    ),
    ("digits", "cpu"): digits(
        48, 4, (1, 2, 4, 8, 16, 32, 48), samples=100, views=20, fresh=10, clusters=(3, 10, 30, 100),
    ),
    ("cifar100", "cpu"): cifar100(
        5000, 100, 20, (1, 2, 4, 8, 14, 20), Res(layers=5, width=32), Run(seeds=(0, 1, 2)),
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
