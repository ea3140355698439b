"""LaTeX as inline SVG, set by matplotlib: outlines that take the colour of the text, with the source as their name.

A page draws each glyph once, and its lines of mathematics refer to it.
"""

from collections.abc import Sequence
from html import escape

import matplotlib.style
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextToPath

SIZE = 18.0  # pixels an em


class Sheet:
    """The mathematics of one page: `svg` sets a line, and `glyphs`, once all are set, is what the lines refer to."""

    def __init__(self) -> None:
        self._setter = TextToPath()
        self._outlines: dict[str, str] = {}

    def svg(self, latex: str) -> str:
        """One line of mathematics as an <svg> element: aria-label and title hold the LaTeX."""
        with matplotlib.style.context({"mathtext.fontset": "cm"}, after_reset=True):
            font, text = FontProperties(size=SIZE), f"${latex}$"
            width, height, descent = self._setter.get_text_width_height_descent(text, font, ismath=True)
            placed, outlines, bars = self._setter.get_glyphs_mathtext(font, text)
        for glyph, outline in outlines.items():
            self._outlines.setdefault(_name(glyph), _commands(*outline))
        inside = "".join(
            f'<use href="#{_name(glyph)}" transform="translate({x:.4g} {y:.4g}) scale({scale:.4g})"/>'
            for glyph, x, y, scale in placed
        )
        inside += "".join(f'<path d="{_commands(*bar)}"/>' for bar in bars)
        name, em = escape(latex, quote=True), SIZE / self._setter.FONT_SCALE
        return (
            f'<svg class="equation" role="img" aria-label="{name}" width="{width + 2:.1f}" height="{height + 2:.1f}" '
            f'viewBox="0 0 {width + 2:.1f} {height + 2:.1f}"><title>{name}</title>'
            f'<g transform="matrix({em:g} 0 0 {-em:g} 1 {height - descent + 1:.2f})">{inside}</g></svg>'
        )

    @property
    def glyphs(self) -> str:
        """The outline of each glyph, in an <svg> that takes no room."""
        drawn = "".join(f'<path id="{name}" d="{outline}"/>' for name, outline in sorted(self._outlines.items()))
        return f'<svg class="glyphs" width="0" height="0" aria-hidden="true"><defs>{drawn}</defs></svg>'


def _name(glyph: str) -> str:
    return f"glyph-{glyph}"


def _commands(vertices: np.ndarray, codes: Sequence[int]) -> str:
    """A path's SVG commands, to a thousandth of an em."""
    letters = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}
    parts = []
    for points, code in Path(np.asarray(vertices), codes).iter_segments(simplify=False, curves=True):
        numbers = [] if code == Path.CLOSEPOLY else [f"{x:g}" for x in np.round(np.asarray(points), 1)]
        parts.append(letters[code] + " ".join(numbers))
    return "".join(parts)
