"""Settings of the documentation: Sphinx with MyST pages; every warning is an error in CI."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version as version_of

from sphinx.application import Sphinx

from segmentkit.forms.lexer import SegmentLexer

project = "segmentkit"
author = "The segmentkit authors"
project_copyright = "The segmentkit authors, Apache-2.0"
try:
    release = version_of("segmentkit")
except PackageNotFoundError:  # built from a checkout that is on the path but not installed
    release = "unreleased"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_custom_sections = ["Cost"]

add_module_names = False

html_theme = "furo"
html_title = "segmentkit"
html_copy_source = False


_CODE = re.compile(r"(?<![`:])`([^`]+)`(?!`)(\w)?")


def _mark_code(_app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Turn the single backticks of our docstrings, which read like those of Markdown, into code."""
    lines[:] = [_CODE.sub(lambda match: f"``{match[1]}``" + rf"\ {match[2]}" * bool(match[2]), line) for line in lines]


def setup(app: Sphinx) -> None:
    """Let pages fence filters as `filter` and definition files as `seg`, also without the installed entry point."""
    app.connect("autodoc-process-docstring", _mark_code)
    app.add_lexer("filter", SegmentLexer)
    app.add_lexer("seg", SegmentLexer)
