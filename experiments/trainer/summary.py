"""A run in a few numbers: for each swept setting the mean and standard deviation over its seeds, before and after."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

from experiments.trainer.options import PROBES

SHOWN = ("rank", "embedding_std", *PROBES)


def summary(results: Sequence[dict[str, Any]], untrained: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each setting its swept values, and under `untrained` and `trained` the numbers over its seeds.

    A number is {"mean": …, "std": …, "seeds": …} over the lanes that are finite; std, with divisor seeds - 1, is None
    for one seed.
    """
    settings = list(dict.fromkeys(_setting(r) for r in results))
    return [
        {
            "setting": dict(setting),
            "untrained": _spread([r for r in untrained if _setting(r) == setting]),
            "trained": _spread([r for r in results if _setting(r) == setting]),
        }
        for setting in settings
    ]


def rows(results: Sequence[dict[str, Any]], untrained: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """The final table: a row a lane, and for each setting the untrained network and the mean over several seeds."""
    names = [name for name in SHOWN if any(name in r for r in results)]
    found = []
    for group in summary(results, untrained):
        who = {name.removeprefix("sweep_"): f"{x:g}" for name, x in group["setting"].items()}
        lanes = [r for r in results if _setting(r) == tuple(group["setting"].items())]
        found += [who | {"seed": f"{r['seed']:g}"} | {n: f"{r[n]:.4g}" for n in names if n in r} for r in lanes]
        parts = [("untrained", group["untrained"])] + ([("mean ± std", group["trained"])] if len(lanes) > 1 else [])
        found += [who | {"seed": what} | {n: _words(part[n]) for n in names if n in part} for what, part in parts]
    return found


def _setting(r: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    return tuple((name, float(x)) for name, x in r.items() if name.startswith("sweep_"))


def _spread(lanes: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {}
    for name in SHOWN:
        values = [float(r[name]) for r in lanes if r.get(name) is not None and math.isfinite(r[name])]
        if values:
            std = statistics.stdev(values) if len(values) > 1 else None
            found[name] = {"mean": statistics.fmean(values), "std": std, "seeds": len(values)}
    return found


def _words(number: dict[str, Any]) -> str:
    return f"{number['mean']:.4g}" + ("" if number["std"] is None else f" ± {number['std']:.2g}")
