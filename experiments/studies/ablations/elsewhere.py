"""Tables that the trainings here cannot check: a shifted spectrum, ImageNet, partitions, other replications.

Each verdict is 'not run' and says what would run it; its numbers are those published, the differences that the
statement is about, and their spread over the published seeds.
"""

from collections.abc import Sequence

from experiments.studies.ablations.evidence import published as rows_of
from linbyol.claims import Claim, Run, Verdict, claim, not_run

TRAIN = "linbyol train"
STL = "BYOL, ResNet-18 on STL-10, 100 epochs, 5 seeds"


def published(
    id: str,
    title: str,
    statement: str,
    source: str,
    needs: str,
    *,
    above: Sequence[tuple[str, str]] = (),
    close: Sequence[tuple[str, str]] = (),
) -> Claim:
    """A claim on trained networks: `above` pairs (higher, lower) of its rows, `close` pairs that differ little."""

    def check(run: Run) -> Verdict:
        return not_run(f"needs {needs}: {TRAIN}", **rows_of(id, above=above, close=close))

    return claim(id, title=title, statement=statement, source=source, kind="real data")(check)


shift = published(
    "B127",
    "Table 7: the sign of c_j",
    "c_j > 0 hurts and is unstable at freq = 1; c_j < 0 is harmless.",
    "Table 7",
    f"a sweep of c ({STL})",
    above=[("freq 1, c -0.05", "freq 1, c 0.05"), ("freq 1, c -0.1", "freq 1, c 0.1")],
    close=[("freq 1, c -0.05", "freq 1, c 0"), ("freq 1, c -0.1", "freq 1, c 0")],
)
imagenet = published(
    "B130",
    "Table 9: ImageNet",
    "On ImageNet DirectPred matches the 2-layer predictor and beats the linear one.",
    "Table 9",
    "BYOL, ResNet-50 on ImageNet, 60 and 300 epochs",
    above=[(f"{t}, DirectPred", f"{t}, linear") for t in (60, 300)],
    close=[(f"{t}, DirectPred", f"{t}, 2 layers") for t in (60, 300)],
)
partitions = published(
    "B131",
    "Feature-dependent DirectPred",
    "Six random partitions of the features give 78.20 ± 0.16, between DirectPred and a 2-layer predictor.",
    "Sec. 4",
    f"DirectPred with one correlation matrix a partition ({STL})",
    above=[("six partitions", "DirectPred"), ("2 layers", "six partitions")],
)
replication = published(
    "B132",
    "Replication on CIFAR-10",
    "A symmetric Wp crashes without EMA; decay on the predictor alone rescues it.",
    "KTH replication (ReScience)",
    "SimSiam and BYOL, ResNet-18 on CIFAR-10",
    above=[
        ("no EMA, regular", "no EMA, sym"),
        ("no EMA, predictor decay only, sym, lowest", "no EMA, no decay, sym"),
    ],
)
directcopy = published(
    "B133",
    "DirectCopy against DirectPred and SGD",
    "DirectCopy beats SGD but not DirectPred on CIFAR-100; all three are close on ImageNet.",
    "2110.04947",
    "DirectCopy, DirectPred and SGD, ResNet-18 on CIFAR-100, 500 epochs (ResNet-50 on ImageNet, 100 epochs)",
    above=[
        ("CIFAR-100 500, DirectCopy", "CIFAR-100 500, SGD"),
        ("CIFAR-100 500, DirectPred", "CIFAR-100 500, DirectCopy"),
    ],
    close=[("ImageNet, DirectCopy", "ImageNet, SGD"), ("ImageNet, DirectCopy", "ImageNet, DirectPred")],
)
