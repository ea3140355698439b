"""The measures of representations against scikit-learn and NumPy in one run: time, memory, growth with the samples."""

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from experiments.bench.ready import in_turn
from linbyol.representation import cka, clusters, rankme, statistics

FULL = {"samples": 50_000, "features": 2048, "classes": 100, "growth": (10_000, 100_000, 1_000_000)}
QUICK = {"samples": 5_000, "features": 256, "classes": 50, "growth": (1_000, 10_000, 100_000)}
NARROW = 64  # features where the samples grow
BLOCKS = 5  # of a network, in one pass with three label sets


def measure(*, full: bool = True, seed: int = 0, rounds: int = 3) -> dict[str, Any]:
    """Medians over rounds, in which contenders take turns; memory is what NumPy asked for at its peak.

    Beside the time by the clock stands that of all processors, which says more on a machine that is busy otherwise:
    with one thread (OMP_NUM_THREADS=1), for threads of a product that wait for one another count as busy.
    """
    size = FULL if full else QUICK
    N, d, C = (int(size[name]) for name in ("samples", "features", "classes"))  # type: ignore[call-overload]
    h, labels = made_up(N, d, C, seed)
    contenders = {
        "clusters": lambda: clusters(h, labels),
        "scikit-learn NearestCentroid": lambda: nearest_centroid(h, labels),
        "NumPy CDNV": lambda: plain_cdnv(h, labels),
    }
    timed = {name: (lambda f=f: seconds(f)) for name, f in contenders.items()}
    few = made_up(200, 8, 4, seed)
    for warm in (clusters, nearest_centroid, plain_cdnv):  # imports
        warm(*few)
    found = {name: np.median(took, axis=0) for name, took in in_turn(timed, rounds).items()}
    times = (sum(found.values()) - found["clusters"]) / found["clusters"]
    record: dict[str, Any] = {
        "samples": N,
        "features": d,
        "classes": C,
        "blas_threads": max((one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"), default=1),
        "seconds": {name: took[0] for name, took in found.items()},
        "cpu_seconds": {name: took[1] for name, took in found.items()},
        "times_faster": times[0],
        "times_less_work": times[1],
        "memory_over_features": 1 + peak(contenders["clusters"]) / h.nbytes,
        "agreement": abs(clusters(h, labels).cdnv / plain_cdnv(h, labels) - 1),
        "growth": [growth(n, seed) for n in size["growth"]],  # type: ignore[attr-defined]
        "label_sets": label_sets(N, d // 8, C, seed),
    }
    other, _ = made_up(N, d, C, seed + 1)
    record["gram"] = {
        f"{name}_{clock}": took
        for name, f in (("rankme", lambda: rankme(h)), ("cka", lambda: cka(h, other)))
        for clock, took in zip(("seconds", "cpu_seconds"), seconds(f), strict=True)
    }
    return record


def made_up(N: int, d: int, C: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Float32 features of classes that overlap, as a network's do."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, C, N)
    h = rng.standard_normal((N, d), np.float32)
    means = 0.3 * rng.standard_normal((C, d), np.float32)
    for c in range(C):
        h[labels == c] += means[c]
    return h, labels


def nearest_centroid(h: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """scikit-learn's fit and predict."""
    from sklearn.neighbors import NearestCentroid

    return NearestCentroid().fit(h, labels).predict(h)


def plain_cdnv(h: np.ndarray, labels: np.ndarray) -> float:
    """CDNV class by class, and pair by pair of means."""
    means, variances = [], []
    for c in np.unique(labels):
        rows = h[labels == c]
        means.append(rows.mean(axis=0))
        variances.append(np.mean(np.sum((rows - means[-1]) ** 2, axis=1)))
    pairs = [(i, j) for i in range(len(means)) for j in range(i)]
    of = [(variances[i] + variances[j]) / (2 * np.sum((means[i] - means[j]) ** 2)) for i, j in pairs]
    return float(np.mean(of))


def growth(n: int, seed: int) -> dict[str, float]:
    """One size of narrow features: microseconds a sample."""
    h, labels = made_up(n, NARROW, 100, seed)
    clock, cpu = (1e6 * least / n for least in np.min([seconds(lambda: clusters(h, labels)) for _ in range(3)], axis=0))
    return {"samples": n, "microseconds_a_sample": clock, "cpu_microseconds_a_sample": cpu}


def label_sets(N: int, d: int, C: int, seed: int) -> dict[str, float]:
    """All blocks of a network under three label sets: in one pass, and set by set."""
    h, labels = made_up(N, d, C, seed)
    sets = {"classes": labels, "superclasses": labels // 5, "samples": np.arange(N) // 100}
    blocks = {f"block {i}": h for i in range(BLOCKS)}
    together = seconds(lambda: statistics(blocks, sets))
    apart = np.sum([seconds(lambda c=c: statistics(blocks, c)) for c in sets.values()], axis=0)
    return {
        "blocks": BLOCKS,
        "features": d,
        "seconds": together[0],
        "cpu_seconds": together[1],
        "cpu_seconds_set_by_set": apart[1],
    }


def seconds(f: Callable[[], Any]) -> tuple[float, float]:
    """Of the clock, and of all processors."""
    began = time.perf_counter(), time.process_time()
    f()
    return time.perf_counter() - began[0], time.process_time() - began[1]


def peak(f: Callable[[], Any]) -> int:
    """Bytes that NumPy held at most beyond what was there."""
    tracemalloc.start()
    f()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most
