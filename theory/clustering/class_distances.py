"""CDNV: two pairs on a line, two Gaussians, a simplex; absent classes, invariance, and what normalisation changes."""

import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.extremes import largest
from linbyol.representation import cdnv, directional_cdnv, nc1, nc2, ncc, statistics, unit_rows
from theory.clustering.instances import around, blobs, plain_cdnv, relative, rotation, simplex

ROUNDING = 1e-12
SOURCE = "Ben-Shaul et al. 2023, measurements"


@claim(
    "C32",
    title="Absent classes do not change CDNV",
    statement="The classes are those present: with 2 of 10 classes dropped, CDNV is that of the 8 others; a sum over "
    "the pairs present that is divided by all 45 pairs is 28/45 of it.",
    source=SOURCE,
    kind="numeric",
)
def absent_classes(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 32])
    h, labels = blobs(rng, C=10, n=30, d=8)
    kept = labels % 5 != 3
    found, plain = cdnv(h[kept], labels[kept]), plain_cdnv(h[kept], labels[kept])
    renamed = cdnv(h[kept], np.array([7, 90, -4, 0, 12, 3, 55, 1, 21, -60])[labels[kept]])
    of_all_pairs = plain * 28 / 45
    gap = largest([relative(found, plain), relative(renamed, plain)])
    return holds_if(
        gap < ROUNDING and relative(of_all_pairs, found) > 0.3,
        cdnv=found,
        relative_gap=gap,
        divided_by_all_pairs=of_all_pairs,
        ratio=of_all_pairs / found,
    )


@claim(
    "C34",
    title="Normalising the features changes CDNV",
    statement="CDNV of features put on the unit sphere differs from that of the features as they are.",
    source=SOURCE,
    kind="numeric",
)
def normalised(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 34])
    h, labels = blobs(rng, C=6, n=50, d=10)
    h = (h + 1) * rng.uniform(0.5, 2, (len(h), 1))
    raw, unit = cdnv(h, labels), cdnv(unit_rows(h), labels)
    plain = plain_cdnv(h / np.linalg.norm(h, axis=1, keepdims=True), labels)
    return holds_if(
        relative(unit, plain) < ROUNDING and relative(unit, raw) > 0.01,
        as_they_are=raw,
        normalised=unit,
        relative_gap=relative(unit, plain),
    )


@claim(
    "C36",
    title="CDNV of {0, 2} and {3, 5}",
    statement="The classes {0, 2} and {3, 5} have variance 1 and means 1 and 4: CDNV is (1 + 1)/(2 · 9) = 1/9.",
    source=SOURCE,
    kind="numeric",
)
def two_pairs(run: Run) -> Verdict:
    h, labels = np.array([[0.0], [2.0], [3.0], [5.0]]), np.array([0, 0, 1, 1])
    found, along = cdnv(h, labels), directional_cdnv(h, labels)
    return holds_if(largest([abs(found - 1 / 9), abs(along - 1 / 9)]) < 1e-15, cdnv=found, directional_cdnv=along)


@claim(
    "C37",
    title="CDNV of two isotropic Gaussians",
    statement="With variance s² in each of p dimensions and means D apart, CDNV tends to p s²/D² and the directional "
    "CDNV to s²/D².",
    source=SOURCE,
    kind="numeric",
)
def two_gaussians(run: Run) -> Verdict:
    """Of n samples a class, CDNV strays by √(1/(p n)) relative and the directional one by √(1/n): 0.07 %, 0.3 %."""
    rng = np.random.default_rng([run.seed, 37])
    p, n, s, D = 20, 100_000, 0.7, 3.0
    labels = np.arange(2 * n) % 2
    h = s * rng.standard_normal((2 * n, p)) + 5
    h[labels == 1] += D * rotation(rng, p)[0]
    found, along = cdnv(h, labels), directional_cdnv(h, labels)
    return holds_if(
        relative(found, p * s**2 / D**2) < 0.01 and relative(along, s**2 / D**2) < 0.02,
        cdnv=found,
        expected=p * s**2 / D**2,
        directional_cdnv=along,
        expected_directional=s**2 / D**2,
        samples=2 * n,
    )


@claim(
    "C38",
    title="Measures of a simplex with isotropic classes",
    statement="Around the C vertices of a unit simplex in R^C, with covariance s² I in each class: NC1 = "
    "s² (C - 1)²/C, tr S_W/tr S_B = s² C, CDNV = s² (C - 1)/2, and both forms of NC2 are 0.",
    source=SOURCE,
    kind="numeric",
)
def on_a_simplex(run: Run) -> Verdict:
    gaps = []
    for C, s in ((2, 0.5), (3, 1.3), (10, 0.1), (40, 1e-3)):
        h, labels = around(simplex(C), s)
        pairs = [
            (nc1(h, labels), s**2 * (C - 1) ** 2 / C),
            (nc1(h, labels, form="svd"), s**2 * (C - 1) ** 2 / C),
            (nc1(h, labels, form="quotient"), s**2 * C),
            (cdnv(h, labels), s**2 * (C - 1) / 2),
        ]
        gaps += [relative(*pair) for pair in pairs] + list(nc2(h, labels))
    return holds_if(largest(gaps) < 1e-10, largest_gap=largest(gaps), classes=[2, 3, 10, 40])


@claim(
    "C39",
    title="CDNV, NC1 and NCC do not see rotation, shift and scale",
    statement="h → a Q h + b with orthogonal Q and a ≠ 0 leaves CDNV, directional CDNV, NC1 and the predictions of NCC "
    "as they are.",
    source=SOURCE,
    kind="numeric",
)
def invariance(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 39])
    h, labels = blobs(rng, C=7, n=20, d=12, spread=1.5)
    gaps, accuracies = [], []
    for a, b in ((1.0, 0.0), (1e-7, 0.0), (-30.0, 100.0), (1.0, 3000.0)):
        moved = a * h @ rotation(rng, 12) + a * b * rng.standard_normal(12)
        for measure in (cdnv, directional_cdnv, nc1):
            gaps.append(relative(measure(moved, labels), measure(h, labels)))
        accuracies.append(ncc(moved, labels, moved, labels))
    return holds_if(
        largest(gaps) < 1e-9 and len(set(accuracies)) == 1,  # rounding of a shift by 3000, 1e-12, over the least mean
        largest_gap=largest(gaps),
        accuracy=accuracies[0],
        classes=len(statistics(h, labels).labels),
    )
