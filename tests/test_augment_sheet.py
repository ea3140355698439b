"""The contact sheet that came with the project: it is of today's recipes, and its tiles are what their names say."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from experiments.augment import RECIPES
from experiments.studies.contact_sheet import IMAGES, PARTS
from figures import contact_sheet
from linbyol import store


@pytest.fixture(scope="module")
def sheet():
    return contact_sheet.data()


def test_it_was_drawn_by_these_recipes():
    """A recipe that changes asks for a new sheet."""
    config = json.loads(contact_sheet.SHIPPED.with_suffix(".json").read_text())["config"]
    as_kept = lambda recipe: json.loads(store.to_json(asdict(recipe)))  # noqa: E731
    assert config["recipes"] == {name: as_kept(RECIPES[name]) for name in IMAGES}
    assert config["parts"] == {name: as_kept(recipe) for name, recipe in PARTS.items()}
    assert contact_sheet.SHIPPED.stat().st_size < 300_000


def test_its_tiles_do_what_their_names_say(sheet):
    tiles = dict(zip(sheet["part_names"].tolist(), sheet["parts"].astype(int), strict=True))
    image = tiles["image"]
    assert np.array_equal(tiles["flip"], image[:, ::-1])
    assert np.ptp(tiles["grey"], axis=2).max() <= 1  # a byte of rounding
    assert np.abs(tiles["grey"][..., 0] - image @ [0.299, 0.587, 0.114]).max() <= 2
    colourful, roughness = (lambda x: np.ptp(x, axis=2).mean()), (lambda x: np.abs(np.diff(x, axis=1)).mean())
    assert colourful(tiles["saturation"]) < 0.7 * colourful(image)  # the strongest draw was one of paler colours
    assert roughness(tiles["blur"]) < roughness(image) < roughness(tiles["noise"])
    change = {name: np.abs(tile - image).mean() for name, tile in tiles.items() if name != "image"}
    assert min(change.values()) > 5  # the eye sees each
    for name in IMAGES:
        assert len({tile.tobytes() for tile in sheet[name]}) == len(sheet[name])  # eleven different tiles


def test_a_folder_without_a_sheet_shows_the_one_that_came_with_the_project(sheet, tmp_path):
    assert all(np.array_equal(sheet[name], found) for name, found in contact_sheet.data(True, tmp_path).items())
    store.write_arrays(tmp_path / "contact_sheet.npz", {"parts": np.zeros(3)})
    with pytest.raises(store.FileError, match="must hold the array `part_names`, but holds parts"):
        contact_sheet.data(True, tmp_path)
