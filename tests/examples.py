"""How many examples a law looks at, where one example is dear.

Laws of one object type look at 2,000 examples each in CI. An example of several related types runs a
naive engine that evaluates everything for everybody, and costs twenty times as much; so does one at the
ends of the calendar, where time goes on for years; forms and the linter evaluate many facts for each
filter; and what holds for one part of the index or the language is held again by the laws of the whole.
`DEEP=1` gives them all the full number.
"""

from __future__ import annotations

import os

from hypothesis import settings

_FULL = settings.default.max_examples
_IS_DEEP = os.environ.get("DEEP", "") == "1"


def at_most(n: int) -> settings:
    """Return settings with no more than `n` examples, unless the environment says DEEP=1."""
    return settings(max_examples=_FULL if _IS_DEEP else min(n, _FULL))


RELATED = at_most(50)
FORMS = at_most(100)
PARTS = at_most(150)
