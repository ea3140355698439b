"""Settings that a run's tables have, but makes no use of: refused where they are asked for, not ignored."""

from collections.abc import Callable, Iterable
from typing import Any

from experiments.tables import kinds, variants
from experiments.trainer.choices import FromFeatures, LinearPredictor
from linbyol.checks import InputError

OF_RULES: dict[str, Any] = {  # the rules that give W_p whole, from the features alone
    rule.name: rule  # type: ignore[attr-defined]
    for rule in variants(kinds(LinearPredictor)["rule"])
    if issubclass(rule, FromFeatures)
}
SETTING_RULES = tuple(OF_RULES)
_SETTINGS = dict.fromkeys(name for rule in OF_RULES.values() for name in kinds(rule) if name not in ("name", "freq"))


def rule_of(o: Any) -> Any:
    """The rule of a predictor that is a matrix W_p, or None."""
    return getattr(getattr(o.method, "predictor", None), "rule", None)


def is_linear(o: Any) -> bool:
    """Whether the predictor is a matrix W_p."""
    return rule_of(o) is not None


def has_target(o: Any) -> bool:
    """Whether a moving average of the online network is the target."""
    return hasattr(o.method, "target")


def _descends(o: Any) -> bool:
    """Whether gradient steps of what follows the projector leave a trace."""
    rule = rule_of(o)
    overwritten = rule is not None and rule.name in SETTING_RULES and rule.freq == 1
    predictor = getattr(o.method, "predictor", None)
    return o.method.name == "supervised" or (predictor is not None and predictor.name != "none" and not overwritten)


_HEAD = "predictors that gradient steps train, and supervised classifiers", _descends

USES: dict[str, tuple[str, Callable[[Any], bool]]] = {  # where a setting has an effect: in words, and of options
    "projector.norm": ("projectors of two layers and more", lambda o: len(o.projector.widths) > 1),
    **{f"method.predictor.rule.{name}": ("rules with freq > 0", lambda o: rule_of(o).freq > 0) for name in _SETTINGS},
    "optimiser.alpha_p": _HEAD,
    "optimiser.eta_p": _HEAD,
    "record.probes": ("runs with evaluate > 0", lambda o: o.record.evaluate > 0),
}


def has_effect(o: Any, path: str) -> bool:
    """Whether a setting that is there has an effect in a run with these options."""
    return path not in USES or USES[path][1](o)


def check_effect(o: Any, paths: Iterable[str], where: str = "") -> None:
    """Refuse the first of the settings that has no effect."""
    for path in paths:
        if not has_effect(o, path):
            raise InputError(f"Setting `{path}`{where} has no effect here: it belongs to {USES[path][0]}.")
