"""LaTeX as inline SVG, set by matplotlib: outlines that take the colour of the text, with the source as their name."""

from html import escape

import matplotlib.style
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath, TextToPath

SIZE = 18.0  # pixels an em


def svg(latex: str) -> str:
    """One line of mathematics as an <svg> element: aria-label and title hold the LaTeX."""
    with matplotlib.style.context({"mathtext.fontset": "cm"}, after_reset=True):
        font, text = FontProperties(size=SIZE), f"${latex}$"
        width, height, descent = TextToPath().get_text_width_height_descent(text, font, ismath=True)
        glyphs = TextPath((0, 0), text, prop=font)
    outline = Path(np.asarray(glyphs.vertices) * [1, -1] + [1, height - descent + 1], glyphs.codes)
    name = escape(latex, quote=True)
    return (
        f'<svg class="equation" role="img" aria-label="{name}" width="{width + 2:.1f}" height="{height + 2:.1f}" '
        f'viewBox="0 0 {width + 2:.1f} {height + 2:.1f}"><title>{name}</title><path d="{_commands(outline)}"/></svg>'
    )


def _commands(outline: Path) -> str:
    """A path's SVG commands, to a twentieth of a pixel."""
    letters = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}
    parts = []
    for points, code in outline.iter_segments(simplify=False, curves=True):
        numbers = [] if code == Path.CLOSEPOLY else [f"{x:g}" for x in np.round(np.asarray(points), 2)]
        parts.append(letters[code] + " ".join(numbers))
    return "".join(parts)
