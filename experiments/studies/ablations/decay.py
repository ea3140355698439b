"""What do weight decay and a bias do (Tables 2 and 3)?

Theory: decay makes a mode forget its start (B49), and too much of it makes collapse unavoidable (B51).
"""

from experiments.studies.ablations.evidence import Study, judged, published
from experiments.studies.ablations.statistics import Values
from linbyol.claims import Run, Verdict, claim


def gain(r: Study, average: float) -> Values:
    """Of the usual decay over none."""
    decay, _ = r.usual()
    return r.accuracy("regular", eta=decay, gamma_a=average) - r.accuracy("regular", eta=0, gamma_a=average)


def rows(r: Study) -> dict[str, Values]:
    """All decays with and without moving average, and with a bias."""
    found = {
        f"{'EMA' if slow else 'no EMA'}, decay {decay:g}{word}": r.accuracy(training, eta=decay, gamma_a=slow)
        for training, word in (("regular", ""), ("bias", ", bias"))
        for slow in r.levels(training, "gamma_a")
        for decay in r.levels(training, "eta")
    }
    return found | {"untrained": r.untrained()}


@claim(
    "B122",
    title="Tables 2 and 3: weight decay helps",
    statement="No weight decay lowers accuracy, with EMA more than without; here of an MLP on the digits, a linear "
    "predictor, at the usual decay.",
    source="Tables 2, 3",
    kind="real data",
    expected="open",
)
def no_decay(run: Run) -> Verdict:
    def effects(r: Study) -> dict[str, Values]:
        _, slow = r.usual()
        return {"with EMA": gain(r, slow), "without": gain(r, 0), "more with EMA": gain(r, slow) - gain(r, 0)}

    above = [("EMA, decay 0.0004", "EMA, no decay"), ("no EMA, decay 0.0004", "no EMA, no decay")]
    return judged(run, effects, needs=("regular", "bias"), rows=rows, beside=published("B122", above=above))
