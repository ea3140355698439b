"""How far a prediction is from a run: in log s at later times, beside baselines; which modes live; when they escape.

Modes are numbered by size at each time. A measured s below 1e-10 of the largest is rounding and is not compared; a
prediction counts as no less than that.
"""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from linbyol.extremes import every

ROUNDING = 1e-10  # of the largest s at that time
ALIVE = 0.01  # of the largest s at the end: a mode that has more has survived
ESCAPES = float(np.e) ** 2  # a mode that grows by so much escapes when it passes the geometric mean of both ends


def compared(measured: Float[np.ndarray, "t d"]) -> Bool[np.ndarray, "t d"]:
    """What is not rounding, after the first time."""
    return measured[1:] > ROUNDING * measured[1:].max(axis=1, keepdims=True)


def errors(measured: Float[np.ndarray, "t d"], predicted: Float[np.ndarray, "t d"]) -> Float[np.ndarray, " compared"]:
    """log predicted - log measured, time after time; both begin with the time from which is predicted."""
    least = ROUNDING * measured[1:].max(axis=1, keepdims=True)
    found = np.log(np.maximum(predicted[1:], least)) - np.log(np.maximum(measured[1:], least))
    return found[compared(measured)]


def nothing(s: Float[np.ndarray, "t d"], times: Float[np.ndarray, " t"], place: int) -> Float[np.ndarray, "t1 d"]:
    """The baseline that all stays as it is."""
    return np.broadcast_to(s[place], s[place:].shape)


def linear(s: Float[np.ndarray, "t d"], times: Float[np.ndarray, " t"], place: int) -> Float[np.ndarray, "t1 d"]:
    """The baseline that s goes on as between the last two measurements."""
    slope = (s[place] - s[place - 1]) / (times[place] - times[place - 1])
    return s[place] + slope * (times[place:] - times[place])[:, None]


def exponential(s: Float[np.ndarray, "t d"], times: Float[np.ndarray, " t"], place: int) -> Float[np.ndarray, "t1 d"]:
    """The baseline that log s goes on as between the last two measurements, until s is a thousand times the largest."""
    slope = np.log(s[place] / s[place - 1]) / (times[place] - times[place - 1])
    far = np.log(1e3 * s[place].max())
    return np.exp(np.minimum(np.log(s[place]) + slope * (times[place:] - times[place])[:, None], far))


BASELINES = {"nothing": nothing, "linear": linear, "exponential": exponential}


def survivors(s: Float[np.ndarray, "t d"]) -> int:
    """How many modes are alive in the end; they are the largest."""
    return int(np.sum(s[-1] > ALIVE * s[-1].max()))


def escapes(
    measured: Float[np.ndarray, "t d"], predicted: Float[np.ndarray, "t d"], times: Float[np.ndarray, " t"]
) -> Float[np.ndarray, " modes"]:
    """log of predicted over measured time of the modes that escape, where both do; times begin with 0."""
    found = []
    for j in np.flatnonzero(measured[-1] > ESCAPES * measured[0]):
        level = np.sqrt(measured[0, j] * measured[-1, j])
        when = [_passes(x[:, j], level, times) for x in (predicted, measured)]
        if every(np.isfinite(when)):
            found.append(np.log(when[0] / when[1]))
    return np.array(found)


def confronted(
    measured: Float[np.ndarray, "L t d"], predicted: Float[np.ndarray, "L t d"], times: Float[np.ndarray, " t"]
) -> dict[str, Any]:
    """Of several lanes: their numbers together, and of each its survivors."""
    pairs = list(zip(measured, predicted, strict=True))
    found = np.abs(np.concatenate([errors(a, b) for a, b in pairs]))
    times = times - times[0]
    escaped = np.abs(np.concatenate([escapes(a, b, times) for a, b in pairs]))
    counts = [(survivors(b), survivors(a)) for a, b in pairs]
    return {
        "median": float(np.median(found)),
        "largest": float(found.max()),
        "within 1 %": float(np.mean(found < 0.01)),
        "survivors": counts,
        "survivors right": sum(a == b for a, b in counts),
        "escape": float(np.median(escaped)) if len(escaped) else None,
        "escapes": len(escaped),
    }


def _passes(s: Float[np.ndarray, " t"], level: float, times: Float[np.ndarray, " t"]) -> float:
    """When log s first passes the level, by interpolation; inf if never."""
    above = np.flatnonzero(s >= level)
    if not len(above):
        return float(np.inf)
    i = int(above[0])
    if i == 0:
        return float(times[0])
    share = np.log(level / s[i - 1]) / np.log(s[i] / s[i - 1])
    return float(times[i - 1] + share * (times[i] - times[i - 1]))
