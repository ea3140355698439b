"""Which settings a run makes use of: what has no effect is refused where it is asked for, not ignored.

A preset or a file may hold settings that its method does not use (it is changed by a word into another one); a word on
the command line or a sweep that changes nothing is a mistake.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from linbyol.checks import InputError

SETTING_RULES = ("direct", "copy", "set", "optimal")  # they give W_p whole, from the features alone


def is_predictive(o: Any) -> bool:
    """Whether a predictor stands between the views."""
    return o.method in ("byol", "simsiam", "isoloss")


def is_linear(o: Any) -> bool:
    """Whether the predictor is a matrix W_p."""
    return is_predictive(o) and o.predictor == "linear"


def has_target(o: Any) -> bool:
    """Whether a moving average of the online network is the target."""
    return o.method in ("byol", "isoloss")


class Use(NamedTuple):
    """Where a setting has an effect: in words, and of options."""

    words: str
    holds: Callable[[Any], bool]


def _method(*names: str) -> Use:
    return Use(f"method {_or(names)}", lambda o: o.method in names)


def _encoder(*names: str) -> Use:
    return Use(f"encoder {_or(names)}", lambda o: o.encoder in names)


def _rule(*names: str) -> Use:
    return Use(f"rule {_or(names)} (with freq > 0)", lambda o: is_linear(o) and o.rule in names and o.freq > 0)


def _or(names: tuple[str, ...]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _descends(o: Any) -> bool:
    """Whether gradient steps of what follows the projector leave a trace."""
    overwritten = is_linear(o) and o.rule in SETTING_RULES and o.freq == 1
    return o.method == "supervised" or (is_predictive(o) and o.predictor != "none" and not overwritten)


_PREDICTIVE = _method("byol", "simsiam", "isoloss")
_TARGET = _method("byol", "isoloss")
_HEAD = Use("predictors that gradient steps train, and supervised classifiers", _descends)

USES: dict[str, Use] = {  # a setting that is not here has an effect always
    "layers": _encoder("res"),
    "flat": _encoder("res"),
    "stem": _encoder("resnet18"),
    "projector_norm": Use(
        "projectors of two layers and more, and predictor mlp",
        lambda o: len(o.projector) > 1 or (is_predictive(o) and o.predictor == "mlp"),
    ),
    "predictor": _PREDICTIVE,
    "predictor_hidden": Use("predictor mlp", lambda o: is_predictive(o) and o.predictor == "mlp"),
    "predictor_bias": Use("predictor linear", is_linear),
    "loss": _PREDICTIVE,
    "symmetric": _PREDICTIVE,
    "stop_gradient": _PREDICTIVE,
    "freq": Use("rules other than learned", lambda o: is_linear(o) and o.rule != "learned"),
    "form": _rule("direct"),
    "floor": _rule("direct"),
    "norm": _rule("copy", "set"),
    "exponent": _rule("set"),
    "eps": _rule(*SETTING_RULES),
    "rho": _rule(*SETTING_RULES),
    "centre": _rule(*SETTING_RULES),
    "convention": _method("vicreg"),
    "invariance": _method("vicreg"),
    "variance": _method("vicreg"),
    "covariance": _method("vicreg"),
    "temperature": _method("simclr"),
    "redundancy": _method("barlow"),
    "gamma_a": _TARGET,
    "gamma_schedule": _TARGET,
    "target": _TARGET,
    "alpha_p": _HEAD,
    "eta_p": _HEAD,
    "probes": Use("runs with evaluate > 0", lambda o: o.evaluate > 0),
}


def has_effect(o: Any, name: str) -> bool:
    """Whether the setting of that name has an effect in a run with these options."""
    return name not in USES or USES[name].holds(o)


def check_effect(o: Any, names: Iterable[str], where: str = "") -> None:
    """Refuse the first of the names whose setting has no effect."""
    for name in names:
        if not has_effect(o, name):
            raise InputError(f"Setting `{name}`{where} has no effect here: it belongs to {USES[name].words}.")
    if "widths" in names and o.encoder in ("linear", "resnet18", "res") and len(o.widths) > 1:
        raise InputError(f"Setting `widths` must be one number for encoder {o.encoder}, but is {o.widths}.")
