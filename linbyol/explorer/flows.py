"""What the explorer shows: flows of `linbyol.equations`, with the ranges of their sliders."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from linbyol.equations import Amplitudes, Commuting, Held, Isotropic, Modes, amplitudes_flow, modes_flow, parabola_flow
from linbyol.equations.cosine import Cosine, Norms, frozen_flow
from linbyol.equations.directset import DirectSet, Encoder, directset_flow, set_predictor
from linbyol.equations.isoloss import Euclidean, Spectrum, euclidean_flow, euclidean_isoloss_flow


class Shown(NamedTuple):
    """A flow, the type of its state, those that its constants may have, and what is shown under a name of its own."""

    flow: Callable
    state: type
    constants: tuple[type, ...]
    named: Mapping[str, Callable] = {}  # e.g. p = rule(y, k)


class Mode(NamedTuple):
    """The state of a flow that takes a bare number."""

    p: Any


class Frozen(NamedTuple):
    """The constants of the cosine loss at norms that are held."""

    kappa: Any
    rho: Any
    encoder: Any
    predictor: Any
    overlap: Any


def cosine_flow(y: Mode, k: Frozen) -> Mode:
    """`frozen_flow` of one mode."""
    return Mode(frozen_flow(y.p, Norms(k.encoder, k.predictor, k.overlap), Cosine(k.kappa, k.rho)))


FLOWS: dict[str, Shown] = {
    "modes": Shown(modes_flow, Modes, (Isotropic, Commuting)),
    "amplitudes": Shown(amplitudes_flow, Amplitudes, (Isotropic, Commuting)),
    "parabola": Shown(lambda y, k: Mode(parabola_flow(y.p, k)), Mode, (Isotropic, Held)),
    "directset": Shown(directset_flow, Encoder, (DirectSet,), {"p": set_predictor}),
    "euclidean": Shown(euclidean_flow, Spectrum, (Euclidean,)),
    "isoloss": Shown(euclidean_isoloss_flow, Spectrum, (Euclidean,)),
    "cosine": Shown(cosine_flow, Mode, (Frozen,)),
}
