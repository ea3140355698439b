"""Deep linear JEPA and MAE by gradient descent on sampled pairs: which of two features do they learn first?

Protocol: pairs (x, y) are drawn with chosen λ_d and ρ in a random basis, y = Σyx Σxx⁻¹ x + noise; networks of equal
scaled orthogonal layers descend on all samples at once (a linear network's gradient has of the data the two sample
moments alone, so these are what is kept). A feature is learnt when |W̄ q| on its direction q reaches half of its limit.
Prediction, with the chosen numbers and nothing fitted: the closed forms of `linbyol.exact` and the order of
`theory/newer/learning_order.py`. It is asked of pairs whose sample moments are as chosen (x whitened, the noise made
orthogonal to it), and of pairs as they come, whose moments are aligned only to 1/√samples: then the feature that is up
pulls the other along, by a force that small starts, which enter by their powers, do not outweigh.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from linbyol.claims import Run, Verdict, claim, holds_if
from linbyol.equations import DeepMode
from linbyol.equations.jepa import Moments, Stack, encoder, jepa_layers_flow, mae_layers_flow
from linbyol.exact import jepa_time, mae_time
from linbyol.extremes import every, largest

LAMBDA_D, RHO = np.array([0.8, 1.0]), np.array([0.9, 0.4])  # A has the larger ρ, B the larger λ_d
SAMPLES, NOISE = 40_000, 0.5
CLOSE = 0.01  # relative, of a time: steps are finite


class Setting(NamedTuple):
    """A loss, a depth, a start of each layer and a step."""

    loss: str
    depth: int
    w0: float
    lr: float


SETTINGS = (
    *(Setting("JEPA", 1, 0.05, 0.02), Setting("JEPA", 2, 0.05, 0.2), Setting("JEPA", 3, 0.2, 0.1)),
    *(Setting("MAE", 2, 0.05, 0.02), Setting("MAE", 3, 0.2, 0.01)),
)
FLOWS: dict[str, Callable[..., Stack]] = {"JEPA": jepa_layers_flow, "MAE": mae_layers_flow}
TIMES = {"JEPA": jepa_time, "MAE": mae_time}


def pairs(rng: np.random.Generator, *, exact: bool) -> tuple[Moments, np.ndarray]:
    """Sample moments of pairs (x, y), `exact` or as they come, and the directions of A and B as columns."""
    Q, _ = np.linalg.qr(rng.normal(size=(2, 2)))
    white, noise = rng.normal(size=(2, SAMPLES, 2))
    if exact:
        white = np.linalg.qr(white)[0] * np.sqrt(SAMPLES)
        noise -= white @ (white.T @ noise) / SAMPLES
    x = white * np.sqrt(LAMBDA_D / RHO) @ Q.T
    y = x @ (Q * RHO) @ Q.T + NOISE * noise
    return Moments(Sxx=x.T @ x / SAMPLES, Syx=y.T @ x / SAMPLES), Q


def rest(s: Setting) -> np.ndarray:
    """The layer at rest, by feature."""
    return RHO if s.loss == "JEPA" else RHO ** (1 / (s.depth + 1))


def predicted(s: Setting) -> np.ndarray:
    """Half-rise times of A and B in closed form."""
    return np.asarray(TIMES[s.loss](rest(s) * 0.5 ** (1 / s.depth), s.w0, DeepMode(LAMBDA_D, LAMBDA_D / RHO, s.depth)))


def descended(s: Setting, k: Moments, Q: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The times, steps times their size, at which gradient descent has half of A and of B; nan if it never has."""
    turns = [np.linalg.qr(rng.normal(size=(2, 2)))[0] for _ in range(s.depth)]
    y = Stack(tuple(s.w0 * turn for turn in turns), s.w0 * np.eye(2))
    if s.loss == "MAE":
        y = y._replace(V=encoder(y).T / s.w0 ** (s.depth - 1))
    half, found = rest(s) ** s.depth / 2, np.full(2, np.nan)
    for step in range(1, int(1.5 * predicted(s).max() / s.lr)):
        rate = FLOWS[s.loss](y, k)
        y = Stack(tuple(W + s.lr * r for W, r in zip(y.layers, rate.layers, strict=True)), y.V + s.lr * rate.V)
        risen = np.linalg.norm(encoder(y) @ Q, axis=0) >= half
        found[risen & np.isnan(found)] = step * s.lr
        if every(risen):
            break
    return found


@claim(
    "L38",
    title="Deep JEPA and MAE on sampled pairs learn in the order that their closed forms say",
    statement="JEPA by gradient descent on 40,000 pairs learns the larger λ_d first from w₀ = 0.05 at L = 1 and 2, and "
    "the larger ρ first from 0.2 at L = 3; MAE learns the larger λ_d first from both. Half of each feature comes "
    "within 1 % of the closed form's time where the sample moments are as chosen.",
    source="beyond arXiv 2407.03475",
    kind="numeric",
)
def order_on_samples(run: Run) -> Verdict:
    rng = np.random.default_rng([run.seed, 2038])
    rows: dict[str, Any] = {}
    errors: dict[str, list] = {"exact": [], "drawn": []}
    orders = []
    for kind, found in errors.items():
        k, Q = pairs(rng, exact=kind == "exact")
        for s in SETTINGS:
            theory, seen = predicted(s), descended(s, k, Q, rng)
            found.append(np.abs(seen / theory - 1))
            orders.append((seen[0] < seen[1]) == (s.loss == "JEPA" and s.depth == 3))
            row = rows.setdefault(f"{s.loss}, L = {s.depth}, w0 = {s.w0}", {"predicted": theory})
            row[f"moments {kind}"] = seen
    return holds_if(
        largest(errors["exact"]) < CLOSE and every(np.array(orders)),
        times_of_A_and_B=rows,
        largest_error=largest(errors["exact"]),
        largest_error_with_moments_as_drawn=largest(errors["drawn"]),
    )
