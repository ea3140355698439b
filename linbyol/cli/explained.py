"""What `linbyol explain` says of each flow: a record for machines, and lines for people."""

from collections.abc import Callable
from typing import Any

Told = tuple[dict[str, Any], list[str]]


def modes(command: Any) -> Told:
    """One mode of BYOL, SimSiam, a rule's, or without stop-gradient."""
    from linbyol import explain
    from linbyol.cli.constants import of_modes
    from linbyol.equations import Modes
    from linbyol.predictors import RULES

    k, y0 = _one(of_modes(command)), Modes(command.p, command.s, command.tau)
    if command.rule is not None:
        return _alone(explain.explain_slaved(command.s, k, RULES[command.rule]))
    if command.no_stop_gradient:
        return _alone(explain.explain_open(y0, k))
    result = explain.explain(y0, k, ema=not command.simsiam)
    record, lines = _alone(result)
    low, high = result.window
    if result.survives is not None and not result.changes:
        turn = "make it collapse" if result.survives else "save it"
        lines.append(f"No change of a single constant by a factor of 1000 would {turn}.")
    if result.survives is not None and low < high:
        lines.append(f"DirectPred would make collapse unstable for {low:.4g} < eps < {high:.4g} (p_minus, p_plus).")
    return record, lines


def deep(command: Any) -> Told:
    """All modes of deep JEPA or MAE."""
    from linbyol.cli.constants import of_deep
    from linbyol.explain import LOSSES, explain_deep

    k, told = of_deep(command), explain_deep(_each(command.w), of_deep(command), command.about)
    record, lines = _together(told)
    if told.swaps:
        turns = [f"w0 {_side(swap)}" for swap in told.swaps]
        lines.append(f"Neighbours in the order change places with {', '.join(turns)} (now {told.swaps[0].now:.4g}).")
    return record | {"depth": k.depth, "loss": LOSSES[command.about].name}, lines


def regularised(command: Any) -> Told:
    """All modes that a regulariser holds up."""
    from linbyol.cli.constants import of_regularised
    from linbyol.explain import explain_regularised

    return _together(explain_regularised(_each(command.nu), of_regularised(command, command.about), command.about))


def run(command: Any) -> Told:
    """A run of `linbyol train`, a lane after the other."""
    from linbyol import trees

    trees.provide()
    from experiments.trainer.diagnosis import diagnose

    found = diagnose(command.about, seed=command.seed, lane=command.lane, data=command.data)
    plain = lambda x: x._asdict() if hasattr(x, "_asdict") else x  # noqa: E731
    record = {"run": command.about, "lanes": [{k: plain(v) for k, v in one._asdict().items()} for one in found]}
    paragraphs = ["\n".join(one.sentences) for one in found]
    return record, "\n\n".join(paragraphs).split("\n")


EXPLAINED: dict[str, Callable[[Any], Told]] = {
    "modes": modes, "jepa": deep, "mae": deep, "sigreg": regularised, "bhep": regularised, "vicreg": regularised,
}  # fmt: skip


def _one(k: Any) -> Any:
    """Constants of one mode as numbers. Raises `InputError` for several."""
    import numpy as np

    from linbyol.checks import InputError

    for name, leaf in zip(k._fields, k, strict=True):
        if np.size(leaf) != 1:
            raise InputError(f"Argument `{name}` must be one number, for one mode, but has {np.size(leaf)} of them.")
    return type(k)(*(float(np.reshape(leaf, ())) for leaf in k))


def _each(values: tuple[float, ...]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _alone(result: Any) -> Told:
    from linbyol.explain import apart

    lines = [result.reason]
    if result.changes:
        turn = "make it collapse" if result.survives else "save it"
        lines.append(f"What would {turn}, one constant at a time:")
    for change in result.changes:
        numbers = apart(change.turns_at, change.now)
        lines.append("  {} {} {} (now {})".format(change.constant, _word(change), *numbers))
    return result._asdict() | {"changes": [change._asdict() for change in result.changes]}, lines


def _together(told: Any) -> Told:
    """A sentence for all, and one a mode, with where it would turn."""
    record = told._asdict() | {
        "modes": [mode._asdict() | {"changes": [change._asdict() for change in mode.changes]} for mode in told.modes]
    }
    if "swaps" in record:
        record["swaps"] = [swap._asdict() for swap in told.swaps]
    lines = [told.reason]
    for i, mode in enumerate(told.modes):
        lines.append(f"Mode {i + 1}. {mode.reason}")
        if mode.changes:
            lines.append(f"  It would turn with {', or '.join(f'{c.constant} {_side(c)}' for c in mode.changes)}.")
    return record, lines


def _word(change: Any) -> str:
    return "above" if change.turns_at > change.now else "below"


def _side(change: Any) -> str:
    from linbyol.explain import apart

    return f"{_word(change)} {apart(change.turns_at, change.now)[0]}"
