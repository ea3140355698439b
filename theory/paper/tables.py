"""The published tables: claims that only trained deep networks can check, with the numbers to meet.

Each verdict is 'not run' and says what would run it; its numbers are those published, the differences that the
statement is about, and their spread over the published seeds.
"""

from collections.abc import Sequence
from math import hypot
from typing import Any

from linbyol.claims import Claim, Run, Verdict, claim, not_run
from theory.paper.tables_data import PUBLISHED, Value

TRAIN = "linbyol train"
STL = "BYOL, ResNet-18 on STL-10, 100 epochs, 5 seeds"


def difference(high: Value, low: Value) -> dict[str, float | None]:
    """high - low with the spread of one pair of runs, None where a spread is not published."""
    known = high[1] is not None and low[1] is not None
    return {"difference": round(high[0] - low[0], 2), "spread": round(hypot(high[1], low[1]), 2) if known else None}


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
    rows = PUBLISHED.get(id, {})
    numbers: dict[str, Any] = {"published": {label: list(value) for label, value in rows.items()}} if rows else {}
    for word, pairs in (("above", above), ("close", close)):
        if pairs:
            numbers[word] = {f"{a} | {b}": difference(rows[a], rows[b]) for a, b in pairs}

    def check(run: Run) -> Verdict:
        return not_run(f"needs {needs}: {TRAIN}", **numbers)

    return claim(id, title=title, statement=statement, source=source, kind="real data")(check)


last_layer = published(
    "B10",
    "Theorem 1 in a deep network",
    "In a real network the balance of the last projector layer (with bias) and a linear predictor decays as e^(-2ηt).",
    "Theorem 1; derived",
    "a trained ResNet-18 with a linear predictor, weights kept through training",
)
centring = published(
    "B83",
    "Centring F̂ hurts",
    "DirectPred on a centred correlation matrix has a lower Top-1 (no number is published).",
    "Sec. 4",
    f"two DirectPred runs, with and without the mean of the features ({STL})",
)
alignment = published(
    "B112",
    "Fig. 2: alignment in training",
    "In training the eigenspaces of F and Wp align, Wp becomes symmetric and positive semidefinite, and the "
    "eigenvalues split into growing and shrinking ones (the linear network's part: B68, B70).",
    "Fig. 2",
    f"F̂ and Wp kept through training ({STL})",
)
predictor_rate = published(
    "B116",
    "Fig. 6: a fast symmetric predictor needs no EMA",
    "A symmetric Wp without EMA works for α_p > 1: well above the crash of Table 3 (no numbers are published).",
    "Fig. 6",
    f"a sweep of α_p with a symmetrised predictor and no EMA ({STL}; CIFAR-10 too)",
)
plugged_in = published(
    "B121",
    "Table 1: the optimal predictor fails",
    "Plugging in the optimal predictor every N minibatches gives 32-41 % against 74-75 % with gradient training.",
    "Table 1",
    f"training with the least-squares predictor plugged in ({STL})",
    above=[("gradient", label) for label in PUBLISHED["B121"] if label != "gradient"],
)
no_decay = published(
    "B122",
    "Tables 2 and 3: weight decay helps",
    "No weight decay lowers accuracy, with EMA more than without.",
    "Tables 2, 3",
    f"training with and without weight decay ({STL})",
    above=[("EMA, decay 0.0004", "EMA, no decay"), ("no EMA, decay 0.0004", "no EMA, no decay")],
)
symmetric_crash = published(
    "B123",
    "Table 3: a symmetric predictor without EMA crashes",
    "A symmetric linear or 2-layer Wp without EMA crashes; with EMA it slightly helps the linear one, not the "
    "2-layer one.",
    "Table 3",
    f"training with a symmetrised predictor, with and without EMA ({STL}; SimSiam on ImageNet)",
    above=[
        *(
            (f"{n}, no EMA{b}, regular", f"{n}, no EMA{b}, sym")
            for n in ("1 layer", "2 layers")
            for b in ("", ", bias")
        ),
        ("ImageNet SimSiam, regular", "ImageNet SimSiam, sym"),
        ("1 layer, EMA, sym", "1 layer, EMA, regular"),
        ("2 layers, EMA, regular", "2 layers, EMA, sym"),
    ],
)
decay_on_predictor = published(
    "B125",
    "Table 5: decay on the predictor alone",
    "Weight decay on Wp only rescues the symmetric Wp without EMA; none at all does not.",
    "Table 5",
    f"training with unequal weight decay and a symmetrised predictor ({STL})",
    above=[(f"predictor only, no EMA{b}", f"no decay, no EMA{b}") for b in ("", ", bias")],
)
boost = published(
    "B126",
    "Table 6: a moderate eps",
    "DirectPred improves with ε up to about 0.1 and falls at 0.5.",
    "Table 6",
    f"a sweep of ε and ρ ({STL})",
    above=[
        (f"rho {rho}, eps {a}", f"rho {rho}, eps {b}")
        for rho in (0.3, 0.5)
        for a, b in ((0.01, 0), (0.1, 0.01), (0.1, 0.5))
    ],
)
shift = published(
    "B127",
    "Table 7: the sign of c_j",
    "c_j > 0 hurts and is unstable at freq = 1; c_j < 0 is harmless.",
    "Table 7",
    f"a sweep of c ({STL})",
    above=[("freq 1, c -0.05", "freq 1, c 0.05"), ("freq 1, c -0.1", "freq 1, c 0.1")],
    close=[("freq 1, c -0.05", "freq 1, c 0"), ("freq 1, c -0.1", "freq 1, c 0")],
)
against_sgd = published(
    "B128",
    "Table 8: DirectPred against SGD",
    "DirectPred is above the SGD linear predictor on STL-10 and comparable or above on CIFAR-10 (100, 300, 500 "
    "epochs).",
    "Table 8",
    "BYOL, ResNet-18 on STL-10 and CIFAR-10, 500 epochs, 5 seeds",
    above=[(f"{data} {t}, DirectPred", f"{data} {t}, SGD") for data in ("STL-10", "CIFAR-10") for t in (100, 300, 500)],
)
every_fifth = published(
    "B129",
    "Table 8: setting the predictor every fifth minibatch",
    "freq = 5 is better than freq = 1 on STL-10 at 300 and 500 epochs.",
    "Table 8",
    "BYOL, ResNet-18 on STL-10, 500 epochs, 5 seeds",
    above=[(f"freq 5, {t}", f"freq 1, {t}") for t in (300, 500)],
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
directcopy_boost = published(
    "B134",
    "DirectCopy: eps and the norm",
    "A moderate ε helps, ε = 1 ruins it; the kind of norm hardly matters.",
    "2110.04947",
    f"DirectCopy, sweeps of ε and of the norm ({STL}; CIFAR-10 too)",
    above=[("STL-10, eps 0.1", "STL-10, eps 0"), ("STL-10, eps 0.2", "STL-10, eps 1")],
    close=[(f"{d}, spectral", f"{d}, {norm}") for d in ("STL-10", "CIFAR-10") for norm in ("Frobenius", "no norm")],
)
directcopy_decay = published(
    "B135",
    "DirectCopy: weight decay",
    "DirectCopy needs weight decay, and too much of it hurts.",
    "2110.04947",
    f"DirectCopy, a sweep of weight decay ({STL}; CIFAR-10 too)",
    above=[(f"{d}, decay 4e-4", f"{d}, decay {other}") for d in ("STL-10", "CIFAR-10") for other in ("0", "1e-2")],
)
exponent = published(
    "B136",
    "DirectSet: the exponent",
    "The exponent α changes the result little at 100 epochs; at 300 epochs STL-10 spreads from 76.82 to 82.01.",
    "2110.04947",
    "DirectSet(α), ResNet-18 on STL-10 and CIFAR-10, 300 epochs",
    above=[("STL-10 300, alpha 1", "STL-10 300, alpha 1/4")],
    close=[(f"{d} 100, alpha 1", f"{d} 100, alpha {a}") for d in ("STL-10", "CIFAR-10") for a in ("2", "1/2", "1/4")],
)
