"""Losses of a few steps, and the bits of the state they end in, in a process of their own: its flags differ.

    JAX_PLATFORMS=cpu python -m experiments.gpu.curves --case "byol, mlp" --precision float32 --matmul highest

All precisions begin at the weights of float32, so that curves differ by rounding alone.
"""

import argparse
import hashlib
import json
from typing import Any

import jax
import numpy as np

from experiments.datasets import load
from experiments.trainer.options import Options
from experiments.trainer.session import prepare
from experiments.trainer.state import State
from experiments.trainer.steps import advance, emptied, orders_of

DIGITS = Options(augment="digits", projector=(64, 32), lr=0.03, eta=4e-4, batch=64, target="independent")
CASES = {
    "byol, mlp": {"encoder": "mlp", "widths": (64, 64)},
    "directpred, conv": {"encoder": "conv", "widths": (16, 32), "rule": "direct", "form": "code", "floor": 1e-4},
}
PRECISIONS = ("float32", "float64", "bfloat16")


def curve(case: str, steps: int, precision: str, first: int | None = None) -> dict[str, Any]:
    """The loss of each step, the SHA-256 of the last state, and where it ran; under x64 for float64."""
    from dataclasses import replace

    dataset = load("digits", first=first)
    o = replace(DIGITS, **CASES[case], precision=precision)
    session = prepare(o, dataset, jax.devices()[:1])
    plan, state = session.plan, session.start()
    if precision == "float64":
        short = prepare(replace(o, precision="float32"), dataset, jax.devices()[:1]).start()
        state = jax.tree.map(lambda narrow, wide: narrow.astype(wide.dtype), short, state)
    losses = []
    for step in range(steps):
        orders = orders_of(plan, session.seeds, len(session.data.images), np.int32(step // plan.steps))
        numbers = np.int32(step), np.int32(1)
        state = advance(plan, session.data, state, orders, session.scalars, session.seeds, *numbers)
        losses.append(float(state.tally.terms.total))
        state = emptied(plan, state)
    return {"losses": losses, "sha256": digest(state), "device": jax.devices()[0].device_kind}


def digest(state: State) -> str:
    """SHA-256 of all bits of a state."""
    return hashlib.sha256(b"".join(np.asarray(x).tobytes() for x in jax.tree.leaves(state))).hexdigest()


def main() -> None:
    """The command line; see the head of the file."""
    ask = argparse.ArgumentParser(prog="python -m experiments.gpu.curves", description=__doc__.splitlines()[0])
    ask.add_argument("--case", choices=tuple(CASES), required=True)
    ask.add_argument("--steps", type=int, default=20)
    ask.add_argument("--precision", nargs="+", choices=PRECISIONS, default=["float32"])
    ask.add_argument("--matmul", choices=("default", "highest"), default="default", help="of products in float32")
    ask.add_argument("--first", type=int, help="images of each split")
    a = ask.parse_args()
    found = {}
    for precision in a.precision:
        with jax.enable_x64(precision == "float64"), jax.default_matmul_precision(a.matmul):
            found[precision] = curve(a.case, a.steps, precision, a.first)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
