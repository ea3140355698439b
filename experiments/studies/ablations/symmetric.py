"""Does a symmetric predictor crash without a moving average (Table 3), what rescues it (Table 5, Fig. 6)?

Theory: none of the paper explains the crash, and the toy flow has none (B71). A larger α_p shrinks the basin of
collapse (B47); with η_s = 0 < η_p nothing collapses (B73). Protocol: Wp is replaced by its symmetric part after each
step.
"""

from typing import Any

import numpy as np

from experiments.studies.ablations.evidence import Study, judged, published
from experiments.studies.ablations.statistics import Values
from linbyol.claims import Run, Verdict, claim
from linbyol.published import PUBLISHED

CRASH = 10.0  # points; published: 28 to 36
KINDS = ("symmetric", "regular")


def table(r: Study) -> dict[str, Values]:
    """Accuracies by decay, moving average and kind."""
    return {
        f"{'EMA' if slow else 'no EMA'}, decay {decay:g}, {kind}": r.accuracy(kind, eta=decay, gamma_a=slow)
        for slow in r.levels("regular", "gamma_a")
        for decay in r.levels("regular", "eta")
        for kind in KINDS
    } | {"untrained": r.untrained()}


@claim(
    "B123",
    title="Table 3: a symmetric predictor without EMA crashes",
    statement="A symmetric linear Wp without EMA crashes (more than 10 points below the regular one), and with EMA it "
    "is no worse than 1 point below; here of an MLP on the digits, at the usual weight decay (the published table also "
    "has 2-layer predictors, which with EMA it does not help, and ImageNet).",
    source="Table 3",
    kind="real data",
    expected="open",
)
def crash(run: Run) -> Verdict:
    def effects(r: Study) -> dict[str, Values]:
        decay, slow = r.usual()
        gain = lambda average: np.subtract(*(r.accuracy(kind, eta=decay, gamma_a=average) for kind in KINDS))  # noqa: E731
        return {"crash without EMA": -gain(0) - CRASH, "none with EMA": gain(slow) + 1}

    above = [
        *(
            (f"{n}, no EMA{b}, regular", f"{n}, no EMA{b}, sym")
            for n in ("1 layer", "2 layers")
            for b in ("", ", bias")
        ),
        ("ImageNet SimSiam, regular", "ImageNet SimSiam, sym"),
        ("1 layer, EMA, sym", "1 layer, EMA, regular"),
        ("2 layers, EMA, regular", "2 layers, EMA, sym"),
    ]
    return judged(run, effects, needs=("regular", "symmetric"), rows=table, beside=published("B123", above=above))


@claim(
    "B125",
    title="Table 5: decay on the predictor alone",
    statement="Weight decay on Wp only rescues the symmetric Wp without EMA, none at all does not: with it the "
    "accuracy is higher than without any, and than with decay everywhere; here of an MLP on the digits.",
    source="Table 5",
    kind="real data",
    expected="open",
)
def decay_on_predictor(run: Run) -> Verdict:
    def of(r: Study, place: int) -> Values:
        return r.accuracy("predictor_decay", eta_p=r.levels("predictor_decay", "eta_p")[place])

    def effects(r: Study) -> dict[str, Values]:
        everywhere = r.accuracy("symmetric", eta=r.usual()[0], gamma_a=0)
        return {"above none": of(r, -1) - of(r, 0), "above decay everywhere": of(r, -1) - everywhere}

    def rows(r: Study) -> dict[str, Values]:
        return {"predictor only, no EMA": of(r, -1), "no decay, no EMA": of(r, 0)} | table(r)

    above = [(f"predictor only, no EMA{b}", f"no decay, no EMA{b}") for b in ("", ", bias")]
    needs = ("predictor_decay", "symmetric", "regular")
    return judged(run, effects, needs=needs, rows=rows, beside=published("B125", above=above))


@claim(
    "B116",
    title="Fig. 6: a fast symmetric predictor needs no EMA",
    statement="A symmetric Wp without EMA works for α_p > 1: at the largest α_p of the sweep the accuracy is well "
    "above (more than 10 points) that at α_p = 1; here of an MLP on the digits, α_p up to 16.",
    source="Fig. 6",
    kind="real data",
    expected="open",
)
def predictor_rate(run: Run) -> Verdict:
    def effects(r: Study) -> dict[str, Values]:
        fast = r.levels("alpha_p", "alpha_p")[-1]
        return {"fast": r.accuracy("alpha_p", alpha_p=fast) - r.accuracy("alpha_p", alpha_p=1) - CRASH}

    def raw(r: Study) -> dict[str, Any]:
        rank = {f"rank at {x:g}": r.array("rank", "alpha_p", alpha_p=x)[:, -1] for x in r.levels("alpha_p", "alpha_p")}
        return rank | {"the crash as published": PUBLISHED["B123"]["1 layer, no EMA, sym"]}

    rows = lambda r: {f"alpha_p {x:g}": r.accuracy("alpha_p", alpha_p=x) for x in r.levels("alpha_p", "alpha_p")}  # noqa: E731
    return judged(run, effects, needs=("alpha_p",), rows=rows, raw=raw)


@claim(
    "L41",
    title="A slow symmetric predictor without EMA crashes",
    statement="Of an MLP on the digits, symmetric Wp without EMA: at α_p = 4 the accuracy is more than 10 points above "
    "that at α_p = 1/4, as a larger basin of collapse at a smaller α_p wants.",
    source="Obs. 1; Fig. 6",
    kind="real data",
    expected="open",
)
def slow_predictor(run: Run) -> Verdict:
    at = lambda r, x: r.accuracy("alpha_p", alpha_p=x)  # noqa: E731
    return judged(
        run,
        lambda r: {"4 over 1/4": at(r, 4) - at(r, 0.25) - CRASH},
        needs=("alpha_p",),
        rows=lambda r: {f"alpha_p {x:g}": at(r, x) for x in r.levels("alpha_p", "alpha_p")},
    )
