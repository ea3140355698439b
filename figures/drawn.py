"""The numbers that a figure draws, as one table: whoever wants to draw it anew, or to read a value off it, has them."""

import csv
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver


class Row(NamedTuple):
    """A point of the table: where it is drawn, and as part of what."""

    panel: str  # its letter, or 1 where there is one panel alone
    kind: str  # line, points, segment, area, bar, contour, field, picture
    series: str  # what the legend calls it, or its number among its kind
    colour: str  # hexadecimal, as in the legend; empty where colour shows the value
    x: float
    y: float
    value: float | str = ""  # of the colour, or the length of an arrow along x
    value_y: float | str = ""  # of an arrow along y


def table(figure: Figure) -> str:
    """CSV with a header, a row a point, in the order in which they are drawn; what lies outside the data is left out.

    Numbers have nine digits. A photograph has no numbers to read, and none here.
    """
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(Row._fields)
    for number, axes in enumerate(figure.axes):
        panel = chr(ord("a") + number) if len(figure.axes) > 1 else "1"
        for kind, artist, points, value in _drawn(axes):
            name, colour = _name(artist), "" if np.size(value) else _colour(artist)
            values = np.reshape(value, (len(points), -1)) if np.size(value) else np.empty((len(points), 0))
            for point, more in zip(points, values, strict=True):
                row = [_short(x) for x in (*point, *more)]
                out.writerow([panel, kind, name, colour, *row, *[""] * (4 - len(row))])
    return text.getvalue()


def _drawn(axes: Axes) -> Iterator[tuple[str, Any, Any, Any]]:
    """Kind, artist, points (n, 2) and values (n,), (n, 2) or none of all that shows data."""
    for line in axes.lines:
        yield "line" if line.get_linestyle() != "None" else "points", line, _xy(line.get_xydata()), ()
    for bars in axes.containers:
        if isinstance(bars, BarContainer):
            corners = [bar.get_bbox().get_points() for bar in bars]
            yield "bar", bars, np.concatenate(corners), ()
    for collection in axes.collections:
        yield from _collected(collection)
    for image in axes.images:
        values = np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan)
        if values.ndim == 2:
            left, right, bottom, top = image.get_extent()
            rows, columns = values.shape
            y = np.linspace(bottom, top, 2 * rows + 1)[1::2]
            x = np.linspace(left, right, 2 * columns + 1)[1::2]
            yield "picture", image, _grid(x, y if image.origin == "lower" else y[::-1]), values.ravel()


def _collected(artist: Collection) -> Iterator[tuple[str, Any, Any, Any]]:
    values = artist.get_array()
    match artist:
        case Quiver():
            yield "field", artist, _xy(artist.XY), np.stack([artist.U, artist.V], axis=-1)
        case QuadMesh():
            at = artist.get_coordinates()
            if np.size(values) < at[..., 0].size:  # cells, not corners
                at = (at[:-1, :-1] + at[1:, 1:]) / 2
            yield "picture", artist, at.reshape(-1, 2), np.ma.filled(np.ma.asarray(values, float), np.nan).ravel()
        case ContourSet(filled=False):
            for path, level in zip(artist.get_paths(), artist.levels, strict=True):
                yield "contour", artist, _xy(path.vertices), np.full(len(path.vertices), level)
        case PathCollection():
            points = _xy(artist.get_offsets())
            yield "points", artist, points, () if values is None else np.ravel(values)
        case LineCollection():
            for segment in artist.get_segments():
                yield "segment", artist, _xy(segment), ()
        case PolyCollection():
            for path in artist.get_paths():
                yield "area", artist, _xy(path.vertices), ()


def _xy(points: Any) -> np.ndarray:
    return np.ma.filled(np.ma.asarray(points, float), np.nan).reshape(-1, 2)


def _grid(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _name(artist: Any) -> str:
    label = str(artist.get_label())
    return label.removeprefix("_child") if label.startswith("_") else label


def _colour(artist: Any) -> str:
    if isinstance(artist, BarContainer):
        return to_hex(artist.patches[0].get_facecolor())
    for get in ("get_color", "get_edgecolor", "get_facecolor"):
        if hasattr(artist, get) and np.size(colour := getattr(artist, get)()):
            return to_hex(np.reshape(colour, (-1, np.shape(colour)[-1]))[0] if np.ndim(colour) else colour)
    return ""


def _short(x: Any) -> str:
    return f"{float(x):.9g}"
