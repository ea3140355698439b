"""Who solves an ensemble: threads, each with a device, taking chunks in turn."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import numpy as np

from linbyol.ensemble.compiled import EnsembleResult, Job
from linbyol.ensemble.lanes import Tolerance
from linbyol.ensemble.queue import TILE
from linbyol.machine import cores
from linbyol.progress import bar


class Crew(NamedTuple):
    """Chunks of one size (so one compilation), on the devices in turn; a lone CPU device is shared by its cores."""

    chunk: int
    devices: list
    workers: int | None
    progress: bool

    def share(self, job: Job, y0: Any, k: Any, t1: np.ndarray, tol: Tolerance) -> EnsembleResult:
        """All trajectories, in NumPy arrays that can be written to."""
        hands = self.workers or (cores() if self._lone_cpu() else len(self.devices))
        rounds = -(-t1.size // (self.chunk * hands))
        size = whole_tiles(-(-t1.size // (rounds * hands)))  # all hands have as much to do
        cuts = [slice(i, min(i + size, t1.size)) for i in range(0, t1.size, size)]
        with bar("trajectories", len(cuts), self.progress) as advance:

            def solve(i: int) -> EnsembleResult:
                y, c, t = jax.tree.map(lambda x: x[cuts[i]], (y0, k, t1))
                with jax.enable_x64(t1.dtype == np.float64):  # a thread does not know what was set around its caller
                    found = job.chunk(y, c, t, tol, self.chunk, self.devices[i % len(self.devices)])
                advance()
                return found

            if len(cuts) == 1:
                return solve(0)
            with ThreadPoolExecutor(hands) as threads:
                try:
                    found = list(threads.map(solve, range(len(cuts))))
                except BaseException:
                    threads.shutdown(wait=True, cancel_futures=True)
                    raise
        return jax.tree.map(lambda *parts: np.concatenate(parts, axis=-1), *found)

    def _lone_cpu(self) -> bool:
        return len(self.devices) == 1 and self.devices[0].platform == "cpu"


def whole_tiles(n: int) -> int:
    """n rounded up to whole tiles."""
    return max(1, -(-n // TILE)) * TILE
