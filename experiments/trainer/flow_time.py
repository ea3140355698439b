"""From an optimiser's settings to the constants of the flow: a loss c J, whose steps take c lr/(1 - momentum)."""

from typing import Any, NamedTuple

from experiments.trainer.uses import has_target


class Rates(NamedTuple):
    """The flow's constants of a lane."""

    time: float  # flow time of a step
    alpha_p: float
    beta: float | None  # None where the target is the encoder
    eta: float
    eta_p: float  # decay of Wp in the flow, alpha_p included: Lemma 1 has eta


def rates(o: Any, scalars: dict[str, float]) -> Rates:
    """Of a lane's constants: J is the paper's, 2 - 2 cos is 2 J of normalised features, and both directions are two."""
    c = (2.0 if o.method.loss == "cosine" else 1.0) * (2.0 if o.method.symmetric else 1.0)
    time = c * scalars["lr"] / (1 - scalars["momentum"])
    beta = (1 - scalars["gamma_a"]) / time if has_target(o) else None
    return Rates(time, scalars["alpha_p"], beta, scalars["eta"] / c, scalars["alpha_p"] * scalars["eta_p"] / c)
