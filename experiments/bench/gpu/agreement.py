"""One computation on a CPU and on the card, in float64 and float32: how far apart, and how far they may be."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

Compute = Callable[[str], Any]  # dtype -> a pytree of arrays, on the default device
MARGIN = 10  # another order of sums: the card may be ten times as far from the CPU's float64 as the CPU's float32 is
FLOOR = 1e-6  # of float32: some roundings, where the CPU's own come out well


def agreement(
    compute: Compute,
    *,
    dtypes: tuple[str, ...] = ("float64", "float32"),
    allowed: Mapping[str, float] | None = None,
    on: Callable[[str, Compute, str, str], list[np.ndarray]] | None = None,
) -> dict[str, Any]:
    """Distances from the CPU's float64, largest over all arrays, in units of each array's largest number.

    dtypes   the card's, with products of full precision
    allowed  dtype -> what it may be instead of ten times the CPU's float32, scaled to the dtype's rounding
    on       (where, compute, dtype, products) -> arrays, where "cpu" or "card"
    """
    on = on or here
    exact, rough = (on("cpu", compute, dtype, "highest") for dtype in ("float64", "float32"))
    cpu = distance(rough, exact)
    found: dict[str, Any] = {"cpu_float32": cpu}
    for dtype in dtypes:
        rounding = np.finfo(dtype).eps / np.finfo("float32").eps
        most = (allowed or {}).get(dtype, MARGIN * max(cpu, FLOOR) * float(rounding))
        found |= {dtype: distance(on("card", compute, dtype, "highest"), exact), f"{dtype}_allowed": most}
    if jax.default_backend() != "cpu":  # which has no shorter products
        found["float32_default_products"] = distance(on("card", compute, "float32", "default"), exact)
    return found | {"ok": all(found[dtype] <= found[f"{dtype}_allowed"] for dtype in dtypes)}


def here(where: str, compute: Compute, dtype: str, products: str) -> list[np.ndarray]:
    """What it computes on the first CPU or the first device; "highest" products are not shortened to TF32."""
    device = jax.devices("cpu")[0] if where == "cpu" else jax.devices()[0]
    with jax.default_device(device), jax.enable_x64(dtype == "float64"), jax.default_matmul_precision(products):
        return [np.asarray(x, np.float64) for x in jax.tree.leaves(compute(dtype))]


def distance(found: list[np.ndarray], exact: list[np.ndarray]) -> float:
    """Largest difference, in units of the largest finite number of the array; inf where one is nan or inf alone."""
    worst = 0.0
    for a, b in zip(found, exact, strict=True):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        scale = np.abs(b[np.isfinite(b)]).max(initial=0.0) or 1.0
        apart = np.abs(np.where(same, 0, a) - np.where(same, 0, b)) / scale
        worst = max(worst, float(np.where(np.isnan(apart), np.inf, apart).max(initial=0.0)))
    return worst
