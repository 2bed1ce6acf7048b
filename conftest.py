"""Every Python example in the README, the pages under docs and the docstrings under src is a test.

Pages: blocks fenced as ``python``, run in order in one namespace per page; a block with `>>>`
is compared with what it prints. Docstrings: `>>>` examples, in the namespace of their module.
"""

from __future__ import annotations

from doctest import ELLIPSIS

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection

_PAGE_PARSERS = [PythonCodeBlockParser(doctest_optionflags=ELLIPSIS), SkipParser()]

readme = Sybil(parsers=_PAGE_PARSERS, filenames=["README.md"], exclude="*/README.md")
# sybil matches a pattern from the right, so that "*.md" means every depth below `path`, and "**" is one level
pages = Sybil(parsers=_PAGE_PARSERS, path="docs", pattern="*.md")
docstrings = Sybil(
    parsers=[DocTestParser(optionflags=ELLIPSIS)],
    path="src",
    pattern="*.py",
    document_types={".py": PythonDocStringDocument},
)

pytest_collect_file = SybilCollection([readme, pages, docstrings]).pytest()
