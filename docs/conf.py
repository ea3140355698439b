"""The site: `make docs` builds it into out/site, every block of code executed, every warning an error."""

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
DRAWN = [DOCS.parent / "out" / name for name in ("figures", "gallery")]  # by `make reproduce`, or for the site alone
sys.path.insert(0, str(DOCS))  # the extensions that stand here

project = "linbyol"
author = "the linbyol developers"
release = metadata.version("linbyol")
html_title = f"linbyol {release}"

extensions = ["myst_nb", "sphinx.ext.autodoc", "mathml", "plain_docstrings"]
exclude_patterns = ["_build"]
source_suffix = {".md": "myst-nb"}
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
suppress_warnings = ["myst.xref_missing"]  # links between files of the checkout, in pages that are included whole

autodoc_typehints = "none"  # shapes and types stand in the docstrings
autodoc_member_order = "bysource"

html_math_renderer = "mathml"
html_theme = "furo"
html_extra_path = ["_extra"]  # the explorer, which `setup` writes
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False


def setup(app: Any) -> None:
    """Write what the pages lead to: the API's pages and the explorer."""
    import api_pages
    import gallery_page

    from linbyol.explorer import explorer

    api_pages.write(DOCS)
    drawn = [folder for folder in DRAWN if folder.is_dir()]
    gallery_page.write(DOCS, (drawn or DRAWN)[0])
    extra = DOCS / "_extra"
    extra.mkdir(exist_ok=True)
    (extra / "explorer.html").write_text(explorer(), encoding="utf-8")
