"""Random views of images on the device that holds them: recipes as data, one jitted map over a batch."""

from experiments.augment.pipeline import augment, plain
from experiments.augment.recipes import RECIPES, Recipe

__all__ = ["RECIPES", "Recipe", "augment", "plain"]
