"""Without stop-gradient, without predictor, and with other targets at the start.

Theory: without stop-gradient or without predictor every mode dies (Theorem 2, B94). Observation 10 (a slow target
widens the basin of collapse) is of a target that starts at 0 (B57), and reverses for a copy (B58). Protocol: the
embeddings' spread and rank after training, with those of the same seed in regular training.
"""

import numpy as np

from experiments.studies.ablations.direct import sgd
from experiments.studies.ablations.evidence import Study, judged
from experiments.studies.ablations.statistics import Values
from linbyol.claims import Run, Verdict, claim

COLLAPSED = 0.05  # standard deviation of embeddings on the unit sphere, of an isotropic one's: as the trainer's alarm


def spread(r: Study, training: str, **where: float) -> Values:
    """At the end."""
    return r.array("embedding_std", training, **where)[:, -1]


@claim(
    "L39",
    title="Without stop-gradient or predictor a network collapses",
    statement="Trained without stop-gradient, or without predictor and with no EMA, the embeddings of an MLP on the "
    "digits collapse: their standard deviation falls below 5 % of an isotropic one's, and with both it stays above.",
    source="Theorem 2; Sec. 2",
    kind="real data",
    expected="open",
)
def removed(run: Run) -> Verdict:
    def spreads(r: Study) -> dict[str, Values]:
        decay, slow = r.usual()
        return {
            "no stop-gradient": spread(r, "no_stop_gradient"),
            "no predictor, no EMA": spread(r, "no_predictor", gamma_a=0),
            "no predictor, EMA": spread(r, "no_predictor", gamma_a=slow),
            "regular, EMA": spread(r, "regular", eta=decay, gamma_a=slow),
        }

    def effects(r: Study) -> dict[str, Values]:
        found = spreads(r)
        dead = {name: COLLAPSED - found[name] for name in ("no stop-gradient", "no predictor, no EMA")}
        return dead | {"regular lives": found["regular, EMA"] - COLLAPSED}

    def rows(r: Study) -> dict[str, Values]:
        return {
            "no stop-gradient": r.accuracy("no_stop_gradient"),
            "no predictor, no EMA": r.accuracy("no_predictor", gamma_a=0),
            "no predictor, EMA": r.accuracy("no_predictor", gamma_a=r.usual()[1]),
            "regular, EMA": sgd(r),
            "untrained": r.untrained(),
        }

    raw = lambda r: {f"standard deviation, {name}": x.mean() for name, x in spreads(r).items()}  # noqa: E731
    return judged(run, effects, needs=("no_stop_gradient", "no_predictor", "regular"), rows=rows, raw=raw)


@claim(
    "L40",
    title="A slow target that starts at zero gains less than a copy",
    statement="Of an MLP on the digits: what the slow target gains over none is less where it starts at 0 than where "
    "it starts as a copy of the online network.",
    source="Obs. 10; B57, B58",
    kind="real data",
    expected="open",
)
def starts(run: Run) -> Verdict:
    def gains(r: Study) -> dict[str, Values]:
        decay, slow = r.usual()
        where = {"copy": ("regular", {"eta": decay}), "independent": ("independent", {}), "zero": ("zero", {})}
        return {
            name: np.subtract(*(r.accuracy(training, gamma_a=x, **more) for x in (slow, 0)))
            for name, (training, more) in where.items()
        }

    def rows(r: Study) -> dict[str, Values]:
        _, slow = r.usual()
        return {"copy": sgd(r)} | {name: r.accuracy(name, gamma_a=slow) for name in ("independent", "zero")}

    return judged(
        run,
        lambda r: {"copy - zero": gains(r)["copy"] - gains(r)["zero"]},
        needs=("zero", "independent", "regular"),
        rows=rows,
        raw=lambda r: {f"gain of EMA, {name}": x.mean() for name, x in gains(r).items()},
    )
