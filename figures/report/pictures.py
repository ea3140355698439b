"""The figures of the report: each as it was drawn, in a format that keeps the page small, with what to see in it."""

import base64
from collections.abc import Collection
from html import escape
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

import figures
from linbyol import store

AVIF = {"quality": 45, "subsampling": "4:4:4", "speed": 8, "max_threads": 1}  # half a second, an eighth of PNG's size
WIDTH = 1520  # pixels: one and a half for each of the page's


def section(folder: str | Path | None, claims: Collection[str]) -> str:
    """The section of figures: NAME.png of a folder, where it is there, with links to those of the claims that it shows.

    Raises `FileError` where a picture cannot be read.
    """
    if folder is None:
        return ""
    shown = [(name, Path(folder) / f"{name}.png") for name in figures.names()]
    pictures = "\n".join(_picture(name, path, claims) for name, path in shown if path.exists())
    return f'<section id="figures">\n<h2>Figures</h2>\n{pictures}\n</section>'


def _picture(name: str, path: Path, claims: Collection[str]) -> str:
    content, (width, height) = small(path)
    module = figures.module(name)
    caption = escape(module.CAPTION, quote=True)
    shown = "".join(f' <a href="#{id}">{id}</a>' for id in getattr(module, "CLAIMS", ()) if id in claims)
    source = f"data:image/avif;base64,{base64.b64encode(content).decode()}"
    return (
        f'<figure id="{name}"><img src="{source}" width="{width}" height="{height}" alt="{caption}" loading="lazy">'
        f"<figcaption>{caption}<br><code>linbyol figure {name}</code>{shown}</figcaption></figure>"
    )


def small(path: Path) -> tuple[bytes, tuple[int, int]]:
    """The picture in few bytes, and the width and height to show it in."""
    try:
        image = Image.open(BytesIO(store.read_bytes(path))).convert("RGB")
        size = image.width // 2, image.height // 2  # at 150 dots an inch
        image.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
        encoded = BytesIO()
        image.save(encoded, format="avif", **AVIF)
    except (UnidentifiedImageError, OSError) as error:
        raise store.FileError(f"File {path} cannot be read as a picture: {error}.") from None
    return encoded.getvalue(), size
