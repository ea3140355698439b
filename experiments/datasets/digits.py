"""The handwritten digits that scikit-learn carries: 1,797 images of 8 × 8 pixels, no download.

E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998).
"""

from pathlib import Path

import numpy as np

from experiments.datasets.splits import Dataset, Split, split_of, stratified


def read_digits(folder: Path | None, first: int | None) -> Dataset:
    """1437 images for training and 360 for testing, of each digit alike; pixels 0 … 16 become 0 … 255, rounded."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = np.rint(found.images[..., None] * (255 / 16)).astype(np.uint8)
    whole = split_of("the digits", images, found.target, 10)
    train, test = (
        Split(whole.images[index[:first]], whole.labels[index[:first]]) for index in stratified(whole.labels)
    )
    return Dataset("digits", train, test, tuple("0123456789"))
