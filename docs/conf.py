"""Sphinx: one configuration for both languages; `make docs` builds each without the internet."""

import importlib.util
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE / "_ext"))
# The drawn town on which the service is asked for its document.
sys.path.insert(0, str(HERE.parent / "tests" / "helpers"))

project = "Yilu 驿路"
author = "Yilu"
copyright = ""  # noqa: A001 - the name that Sphinx asks for
html_show_copyright = False
# Without myst-nb the pages are there, and the notebooks are not; tests need no Jupyter.
NOTEBOOKS = importlib.util.find_spec("myst_nb") is not None and os.environ.get("YILU_NOTEBOOKS") != "0"
extensions = [
    "myst_nb" if NOTEBOOKS else "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "yilu_reference",
    "chinese_search",
]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
napoleon_google_docstring = False
autodoc_member_order = "bysource"
autodoc_typehints = "description"
# What libraries of types are called does not resolve here and need not.
nitpicky = False
# A notebook that does not run ends the build.
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE.parent / "out" / "notebooks")
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True
exclude_patterns = [] if NOTEBOOKS else ["**.ipynb"]
suppress_warnings = [] if NOTEBOOKS else ["toc.excluded", "toc.not_readable"]
html_theme = "furo"
html_title = "Yilu 驿路"
# No file of anybody else's: the pages are read where there is no internet.
html_theme_options = {"footer_icons": [], "top_of_page_buttons": []}
html_last_updated_fmt = None
# Browsers let no page opened from a disk read another one, which a summary of what was found would need.
html_show_search_summary = False
html_show_sphinx = False
