"""What an array or a column of a file is, by its name: features of a layer, labels, ids; of which epoch and split.

A name is words joined by `/`, in any case: `h`, `train/h`, `block3/h`, `epoch-10/test/block3/h`; `labels`,
`labels/coarse`, `train/labels/coarse`; `ids`; `epoch`. Split and label set may also be joined by _ or -, as many do:
`train_features`, `X_train`, `y_test`, `coarse_labels`. The name of a file counts for what is in it: `train.npz`,
`epoch-10.npz`, `resnet-epoch10-test.csv`.
"""

import re
from typing import NamedTuple

FEATURES = frozenset((
    "h", "z", "x", "f", "feature", "features", "feat", "feats", "embedding", "embeddings", "embed", "embeds",
    "emb", "representation", "representations", "repr", "reps", "activation", "activations", "hidden", "hiddens",
))  # fmt: skip
LABELS = frozenset(("label", "labels", "y", "target", "targets"))
IDS = frozenset((
    "id", "ids", "index", "indices", "idx", "uid", "uids", "sample_id", "sample_ids", "image_id", "image_ids",
    "filename", "filenames", "file", "path", "paths",
))  # fmt: skip
SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"} | dict.fromkeys(
    ("val", "valid", "validation", "dev", "eval"), "val"
)
TIMES = "epoch|ep|step|iter|checkpoint|ckpt"
EDGE = r"(?:^|(?<=[_\-. /]))", r"(?=$|[_\-. /])"
EPOCH = re.compile(rf"{EDGE[0]}(?:{TIMES})[_\-= ]?(\d+(?:\.\d+)?){EDGE[1]}", re.IGNORECASE)
SPLIT = re.compile(rf"{EDGE[0]}({'|'.join(SPLITS)}){EDGE[1]}", re.IGNORECASE)


class Context(NamedTuple):
    """What a file's name, or the beginning of an array's, says of all that follows."""

    epoch: float | None = None
    split: str | None = None
    rest: str = ""  # what is left of the name


class Meaning(NamedTuple):
    """What one array or column is."""

    kind: str  # "features", "labels", "ids", "epoch", or "other" for a name that says nothing
    name: str  # of the layer or of the label set
    epoch: float | None
    split: str | None


def context(name: str) -> Context:
    """Epoch and split that a name has among its words, and the name without them."""
    epoch = split = None
    if found := EPOCH.search(name):
        epoch, name = float(found[1]), name[: found.start()] + name[found.end() :]
    if found := SPLIT.search(name):
        split, name = SPLITS[found[1].lower()], name[: found.start()] + name[found.end() :]
    name = re.sub(r"(?<=[/_\-. ])[_\-. ]+|[_\-. ]+(?=/)|/(?=/)", "", name)
    return Context(epoch, split, name.strip("/_-. "))


def meaning(name: str) -> Meaning:
    """What the array of this name is."""
    if name.lower() in ("epoch", "step"):
        return Meaning("epoch", name, None, None)
    if name.lower() in SPLITS:  # an array that is called no more than `train`
        return Meaning("other", "h", None, SPLITS[name.lower()])
    epoch, split, rest = context(name)
    words = rest.split("/")
    last = words[-1].lower()
    if last in IDS and len(words) == 1:
        return Meaning("ids", rest, epoch, split)
    if (found := label_set(words)) is not None:
        return Meaning("labels", found, epoch, split)
    return Meaning("features" if last in FEATURES else "other", rest or "h", epoch, split)


def label_set(words: list[str]) -> str | None:
    """The name of the label set, `labels` for the one without a name; None if the words are of no labels."""
    lower = [word.lower() for word in words]
    if lower[0] in LABELS:
        return "/".join(words[1:]) or "labels"
    if lower[-1] in LABELS:
        return "/".join(words[:-1])
    for joint in "_-":
        first, _, rest = words[-1].partition(joint)
        before, _, end = words[-1].rpartition(joint)
        if len(words) == 1 and rest and first.lower() in LABELS:
            return rest
        if len(words) == 1 and before and end.lower() in LABELS:
            return before
    return None
