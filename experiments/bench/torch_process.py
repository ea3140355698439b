"""The PyTorch loop in a process of its own, asked for one measurement at a time."""

import json
import os
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Torch:
    """`experiments.bench.torch_loop --serve`, run by a Python that has torch; it makes itself ready on its own."""

    def __init__(
        self, python: str, network: str, path: str, *, batch: int, steps: int, device: str, how: list[str], warmup: int
    ) -> None:
        words = ["-m", "experiments.bench.torch_loop", "--serve", "--network", network, "--path", path]
        words += ["--batch", str(batch), "--steps", str(steps), "--warmup", str(warmup), "--device", device, *how]
        environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([python, *words], cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True)
        self.lines: queue.Queue[str] = queue.Queue()
        self.about: dict[str, Any] | None = None
        threading.Thread(target=self._listen, daemon=True).start()

    def ready(self, seconds: float | None = None) -> bool:
        """Wait so long for what it says of itself, `about`; whether it can be measured."""
        if self.about is None:
            try:
                line = self.lines.get(timeout=None if seconds is None else max(0.0, seconds))
            except queue.Empty:
                return False
            self.about = json.loads(line) if line else {"skipped": "the process of PyTorch ended at once"}
        return "skipped" not in self.about

    def __call__(self) -> float:
        """Images a second."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        if not (line := self.lines.get()):
            raise RuntimeError(f"PyTorch's process ended with status {self.process.wait()}.")
        return json.loads(line)["images_per_second"]

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")  # it has ended
