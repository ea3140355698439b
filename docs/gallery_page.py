"""The page of figures, written from those that are drawn: each with what to see, its command, claims and numbers."""

import shutil
from html import escape
from pathlib import Path

INTRODUCTION = """# Figures

Each is drawn by the command below it, as PDF and PNG, from the functions that this package hands out, and leaves the
numbers that it shows as a table. `linbyol figure --all` draws them all, and `make reproduce` too, beside the verdicts
on the claims that they show.
"""


def write(folder: Path, drawn: Path) -> None:
    """gallery.md in a folder, its pictures and tables in _extra/figures; `drawn` holds NAME.png and NAME.csv."""
    import figures
    from figures.report.pictures import small

    place = folder / "_extra" / "figures"
    place.mkdir(parents=True, exist_ok=True)
    entries = []
    for name in figures.names():
        if not all((drawn / f"{name}.{suffix}").exists() for suffix in ("png", "csv")):
            continue
        content, (width, height) = small(drawn / f"{name}.png")
        (place / f"{name}.avif").write_bytes(content)
        shutil.copyfile(drawn / f"{name}.csv", place / f"{name}.csv")
        module = figures.module(name)
        title, *rest = (module.__doc__ or "").strip().split("\n\n")
        title = title.replace("\n", " ")
        claims = ", ".join(getattr(module, "CLAIMS", ()))
        picture = (
            f'<img src="figures/{name}.avif" width="{width}" height="{height}" alt="{escape(title)}" loading="lazy">'
        )
        lines = [f"## {title}", *rest, picture, module.CAPTION]
        lines += [f'`linbyol figure {name}` · <a href="figures/{name}.csv">the numbers drawn</a>']
        entries.append("\n\n".join([*lines, *([f"Claims: {claims}"] if claims else [])]))
    missing = "" if entries else "None is drawn yet: `linbyol figure --all --out out/gallery`, and build again.\n"
    (folder / "gallery.md").write_text("\n\n".join([INTRODUCTION + missing, *entries, ""]), encoding="utf-8")
