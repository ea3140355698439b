"""The site: `make docs` builds it into out/site, every block of code executed, every warning an error."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import api_pages  # noqa: E402

import linbyol  # noqa: E402
from linbyol.explorer import explorer  # noqa: E402

project = "linbyol"
author = "the linbyol developers"
release = linbyol.__version__
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
html_extra_path = ["_extra"]  # the explorer, written below
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False

extra = Path(__file__).parent / "_extra"
extra.mkdir(exist_ok=True)
(extra / "explorer.html").write_text(explorer(), encoding="utf-8")
api_pages.write(Path(__file__).parent)
