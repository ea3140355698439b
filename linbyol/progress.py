"""Progress on standard error: a bar on a terminal, nothing in a pipe."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
from jax.experimental import io_callback


def on_terminal() -> bool:
    """Whether somebody is looking."""
    return sys.stderr.isatty()


@contextmanager
def bar(text: str, total: int | None, enabled: bool = True, of: str = "steps") -> Iterator[Any]:
    """A function advance(text, steps) that moves a bar (of steps or bytes) on, by one unless told, with a new text."""
    if not (enabled and on_terminal()):
        yield lambda text=None, steps=1: None
        return
    from rich import progress
    from rich.console import Console

    left = (progress.TextColumn("left"), progress.TimeRemainingColumn())
    columns: dict[str, tuple[progress.ProgressColumn, ...]] = {
        "steps": (progress.MofNCompleteColumn(), progress.TimeElapsedColumn(), *left),
        "bytes": (progress.DownloadColumn(), progress.TransferSpeedColumn(), *left),
    }
    shown = (progress.TextColumn("{task.description}"), progress.BarColumn(), *columns[of])
    # Steps may take minutes, so the time left is told from those of the last ten.
    with progress.Progress(*shown, console=Console(stderr=True), transient=True, speed_estimate_period=600) as display:
        task = display.add_task(text, total=total)
        yield lambda text=None, steps=1: display.update(task, advance=steps, **({"description": text} if text else {}))


def track(items: Iterable, text: str, enabled: bool = True) -> Iterator:
    """The items one by one, with a bar."""
    items = list(items)
    with bar(text, len(items), enabled) as advance:
        for item in items:
            yield item
            advance()


class Meter(diffrax.AbstractProgressMeter):
    """Percent of the integration time done, rewritten in place on standard error; silent in a pipe."""

    def init(self) -> Any:
        return jnp.zeros(())

    def step(self, state: Any, progress: Any) -> Any:
        shown = jnp.floor(50 * progress) / 50
        jax.lax.cond(
            jnp.any(shown > state),
            lambda: io_callback(_show, None, shown, ordered=False),
            lambda: None,
        )
        return jnp.maximum(shown, state).astype(state.dtype)

    def close(self, state: Any) -> None:
        io_callback(_show, None, jnp.ones_like(state), ordered=False)


def _show(progress: Any) -> None:
    if on_terminal():
        done = float(jnp.min(progress))
        sys.stderr.write(f"\rintegrating {100 * done:3.0f} %" + ("\n" if done >= 1 else ""))
        sys.stderr.flush()
