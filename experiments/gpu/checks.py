"""What a GPU must not change: losses, bits of a rerun, probes and views."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments.augment import RECIPES, augment
from experiments.gpu.curves import CASES
from linbyol.representation import knn_probe, linear_probe, ridge_probe

ROOT = Path(__file__).parents[2]
DETERMINISTIC = "--xla_gpu_deterministic_ops=true"
MARGIN = 10  # a curve may leave float64's ten times as far as the CPU's float32 does: another order of sums, no more
VIEWS = 1e-5  # of views, in units of a standard deviation of the images: some roundings of float32 over 0.2


def checks(tiny: bool) -> dict[str, Callable[[], dict[str, Any]]]:
    """Name -> a check that gives its numbers, and in `ok` whether they are as they must be."""
    found: dict[str, Callable[[], dict[str, Any]]] = {}
    for case in CASES:
        found[f"losses as on a CPU: {case}"] = lambda case=case: losses(case, 3 if tiny else 20, tiny)
    precisions = ("float32",) if tiny else ("float32", "bfloat16")
    for case in list(CASES)[-1:] if tiny else CASES:
        for precision in precisions:
            found[f"same bits again: {case}, {precision}"] = lambda case=case, p=precision: reruns(case, p, tiny)
    recipes = ("digits-shift",) if tiny else tuple(RECIPES)
    return found | {
        "probes": lambda: probes(600 if tiny else 1200),
        "views": lambda: views(recipes, 8 if tiny else 256),
    }


def losses(case: str, steps: int, tiny: bool) -> dict[str, Any]:
    """Float32 on the device, products of full precision and as they come (TF32), beside float32 and 64 on a CPU."""
    short = {"steps": steps, "tiny": tiny}
    cpu = process(case, ["float32", "float64"], "highest", platform="cpu", **short)
    here = {matmul: process(case, ["float32"], matmul, **short)["float32"] for matmul in ("highest", "default")}
    exact = np.array(cpu["float64"]["losses"])
    away = lambda found: float(np.abs(np.array(found["losses"]) - exact).max())  # noqa: E731
    allowed = MARGIN * max(away(cpu["float32"]), 1e-6)
    return {
        "ok": away(here["highest"]) <= allowed,
        "allowed": allowed,
        "cpu_float32": away(cpu["float32"]),
        "device_float32": away(here["highest"]),
        "device_default_products": away(here["default"]),
        "losses_float64": exact,
        "losses_device": here["highest"]["losses"],
    }


def reruns(case: str, precision: str, tiny: bool) -> dict[str, Any]:
    """Two processes with XLA's deterministic operations end in the same bits; without the flag it is only noted."""
    again = lambda flags: len(  # noqa: E731
        {process(case, [precision], steps=3 if tiny else 20, tiny=tiny, flags=flags)[precision]["sha256"] for _ in "ab"}
    )
    same = again(DETERMINISTIC) == 1
    return {"ok": same, "flag": DETERMINISTIC, "same_without_flag": None if tiny else again("") == 1}


def probes(train: int) -> dict[str, Any]:
    """Predictions for digits, float32 on the device, against scikit-learn in float64: at most 1 in 200 another."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler

    from experiments.linear.digits import digits

    images, labels, _ = digits()
    h, y = np.asarray(images, np.float64).reshape(1797, 64), np.asarray(labels)
    (train_h, h), (train_y, y) = np.split(h, [train]), np.split(y, [train])
    scaler = StandardScaler().fit(train_h)
    x, test_x = scaler.transform(train_h), scaler.transform(h)
    data = (train_h.astype(np.float32), train_y, h.astype(np.float32), y)
    logistic = LogisticRegression(C=0.1, tol=1e-8, max_iter=5000).fit(x, train_y)
    ridge = Ridge(alpha=0.01 * train).fit(x, np.eye(10)[train_y])
    votes = KNeighborsClassifier(
        20, metric="cosine", algorithm="brute", weights=lambda distance: np.exp((1 - distance) / 0.1)
    ).fit(train_h, train_y)
    pairs = {
        "linear_strict": (linear_probe(*data, protocol="strict", C=0.1), logistic.predict(test_x)),
        "ridge": (ridge_probe(*data, alpha=0.01), ridge.predict(test_x).argmax(axis=1)),
        "knn": (knn_probe(*data, k=20), votes.predict(h)),
    }
    differ = {name: float(np.mean(np.asarray(ours.predicted) != theirs)) for name, (ours, theirs) in pairs.items()}
    accuracy = {name: float(ours.accuracy) for name, (ours, _) in pairs.items()}
    return {"ok": max(differ.values()) <= 1 / 200, "differ": differ, "accuracy": accuracy}


def views(recipes: tuple[str, ...], number: int) -> dict[str, Any]:
    """Recipes on the device and on a CPU; hue and solarise have jumps: one number in 10,000 may be further away."""
    rng = np.random.default_rng(1)
    further, largest = {}, {}
    cpu = jax.devices("cpu")[0]
    for name in recipes:
        side, channels = (8, 1) if name.startswith("digits") else (32, 3)
        images = rng.integers(0, 256, (number, side, side, channels), np.uint8)
        index = np.arange(number, dtype=np.int32)
        here = np.asarray(augment(jax.random.key(5), images, index, RECIPES[name]))
        with jax.default_device(cpu):
            there = np.asarray(augment(jax.random.key(5), images, index, RECIPES[name]))
        apart = np.abs(here - there) / there.std()
        further[name], largest[name] = float(np.mean(apart > VIEWS)), float(apart.max())
    return {"ok": max(further.values()) <= 1e-4, "tolerance": VIEWS, "further": further, "largest": largest}


def process(
    case: str, precisions: list[str], matmul: str = "default", *, steps: int, tiny: bool, platform: str = "",
    flags: str = "",
) -> dict[str, Any]:  # fmt: skip
    """`experiments.gpu.curves` in a process of its own, on this process's kind of device unless told otherwise."""
    words = ["--case", case, "--steps", str(steps), "--matmul", matmul, "--precision", *precisions]
    words += ["--first", "128"] if tiny else []
    environment = os.environ | {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()}
    environment |= {"JAX_PLATFORMS": platform} if platform else {}
    command = [sys.executable, "-m", "experiments.gpu.curves", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout.splitlines()[-1])
