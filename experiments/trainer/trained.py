"""A trained network in the hands of a Python program: its table, its spectra, and what it makes of images."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from experiments import presets, settings
from experiments.augment import plain
from experiments.datasets.arrays import as_bytes
from experiments.datasets.splits import sha256_of
from experiments.networks import join, split
from experiments.tables import path_of
from experiments.trainer.evaluation import BLOCK, at_rest
from experiments.trainer.model import Identity
from experiments.trainer.options import Options
from experiments.trainer.runner import Tell, run
from experiments.trainer.saved import Saved, lane_number, opened, options_of
from experiments.trainer.uses import check_effect
from linbyol import outputs, runs, store
from linbyol.checks import InputError

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True)
class Trained:
    """A run's folder, and the lane in it that is meant; what is asked is read when it is asked."""

    path: Path
    seed: int | None = None  # where the run has several lanes
    data: Path | None = None  # folder with the data sets, if not where they are looked for

    def lane(self, seed: int) -> "Trained":
        """The same run, and of its lanes the one with this seed."""
        return Trained(self.path, seed, self.data)

    @cached_property
    def settings(self) -> Options:
        """As config.toml has them."""
        return options_of(self.path)

    @cached_property
    def metrics(self) -> dict[str, Float[np.ndarray, " rows"]]:
        """metrics.csv by columns, nan where a cell is empty; a row for each lane and step that was logged."""
        columns = runs.read(self.path).columns
        mine = slice(None) if self.seed is None else columns["seed"] == self.seed
        return {name: column[mine] for name, column in columns.items()}

    @cached_property
    def spectra(self) -> list[runs.Spectrum]:
        """Eigenvalues of F and of W_p, and their cosines, one entry for each lane and measurement."""
        found = runs.read(self.path).spectra
        return [one for one in found if self.seed is None or one.lane.seed == self.seed]

    @cached_property
    def results(self) -> list[dict[str, Any]]:
        """The last evaluation of each lane, as run.json has it."""
        found = store.read_json(self.path / "run.json").get("results", [])
        return [one for one in found if self.seed is None or one.get("seed") == self.seed]

    @cached_property
    def network(self) -> Any:
        """Encoder and projector at rest; h, _ = encoder(x, False) for x (b, h, w, c) as the recipe has it."""
        return at_rest(self._saved.session, self._saved.state, self._lane, untrained=self._saved.step == 0,
                       parts=("encoder", "projector"))  # fmt: skip

    def features(self, images: Any, block: int | str | None = None) -> Float[np.ndarray, "N d"]:
        """Features of images that the network was not trained on, say.

        images  (N, h, w) or (N, h, w, c): bytes, or floats from 0 to 1, of the size that it was trained on
        block   None for the encoder's output, 1, 2, … for that of a block (its mean over pixels), "projector"

        Raises `InputError` for images of another size, and for a block that there is not.
        """
        saved, (encoder, projector) = self._saved, self.network
        images = as_bytes("Argument `images`", np.asarray(images))
        shape = saved.session.dataset.train.images.shape[1:]
        if images.shape[1:] != shape:
            raise InputError(
                f"Argument `images` must have shape (N, {', '.join(map(str, shape))}), but {images.shape}."
            )
        number = len(encoder.body.layers)
        if not (block is None or (block == "projector" and not isinstance(projector, Identity))
                or (isinstance(block, int) and 1 <= block <= number)):  # fmt: skip
            more = "" if isinstance(projector, Identity) else ' or "projector"'
            raise InputError(f"Argument `block` must be None, 1 to {number}{more}, but is {block!r}.")
        with jax.enable_x64(self.settings.run.precision == "float64"):
            parts = split((encoder, projector))
            plan = saved.session.plan._replace(mesh=None)
            size = min(BLOCK, len(images))
            found = []
            for i in range(0, len(images), size):
                rows = images[i : i + size]
                padded = np.concatenate([rows, np.repeat(rows[:1], size - len(rows), axis=0)])
                found.append(np.asarray(_outputs(plan, block, *parts, padded))[: len(rows)])
        return np.concatenate(found)

    @cached_property
    def _saved(self) -> Saved:
        with opened(self.path, data=self.data) as saved:
            return saved

    @property
    def _lane(self) -> int:
        return lane_number(self._saved.session, self.seed)


def train(
    chosen: str | Path | Options | Mapping[str, Any],
    data: Mapping[str, Any] | tuple | str | Path | None = None,
    *,
    out: str | Path = "runs",
    tell: Tell | None = None,
    **changes: Any,
) -> Trained:
    """See `linbyol.training.train`."""
    name, options = _settings(chosen)
    given = {path_of(Options, setting): value for setting, value in changes.items()}
    options = settings.with_values(options, given)
    folder = None
    if isinstance(data, str | Path):
        folder = Path(data)
    elif data is not None:
        path = _kept(data, Path(out))
        options = settings.with_values(options, {"data.name": str(path)})
    options.check()
    check_effect(options, given)
    with jax.enable_x64(options.run.precision == "float64"):
        ran = run(name, options, Path(out), data=folder, tell=tell)
    return Trained(ran.path, data=folder)


def _settings(chosen: Any) -> tuple[str, Options]:
    if isinstance(chosen, Options):
        return "run", chosen
    if isinstance(chosen, Mapping):
        return "run", settings.with_values(Options(), dict(settings.flattened((Options,), chosen)))
    return presets.preset(str(chosen))


def _kept(data: Any, out: Path) -> Path:
    """The arrays as an archive beside the runs, named by their content: what a run goes on with must stay."""
    if isinstance(data, tuple) and len(data) in (2, 4):
        data = dict(zip(ARRAYS if len(data) == 4 else ("images", "labels"), data, strict=True))
    if not isinstance(data, Mapping):
        what = "(images, labels), the four of training and testing, a mapping of them, or a folder of data sets"
        raise InputError(f"Argument `data` must be {what}, but is a {type(data).__name__}.")
    arrays = {str(name): np.asarray(value) for name, value in data.items()}
    if odd := [name for name, array in arrays.items() if array.dtype == object]:
        raise InputError(f"Argument `data` must hold arrays, but `{odd[0]}` holds objects.")
    path = outputs.make_folder(out) / f"data-{sha256_of(*arrays.values())[:12]}.npz"
    if not path.exists():
        store.write_arrays(path, arrays)
    return path


@partial(jax.jit, static_argnums=(0, 1))
def _outputs(plan: Any, block: Any, parameters: Any, statistics: Any, images: Array) -> Array:
    encoder, projector = join(parameters, statistics)
    x = plain(images, plan.recipe, plan.compute)
    if isinstance(block, int):
        h = encoder.blocks(x)[block - 1]
        h = h if h.ndim == 2 else h.mean(axis=(1, 2))
    else:
        h, _ = encoder(x, False)
        if block == "projector":
            h, _ = projector(h, False)
    return h.astype(plan.dtype)
