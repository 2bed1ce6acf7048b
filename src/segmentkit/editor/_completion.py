"""One thing that may come next."""

from __future__ import annotations

from typing import Literal as OneOf

import attrs

__all__ = ["Completion", "Kind"]

Kind = OneOf[
    "attribute", "property", "relation", "event", "segment", "function", "operator", "keyword", "unit", "value"
]


@attrs.frozen
class Completion:
    """One thing that may come next in a filter.

    `text` takes the place of the characters `replaces` (start and end offset). `type` is the type
    of the value, such as "integer" or "text", or "" where there is none; `detail` says more, for people.
    """

    text: str
    kind: Kind
    type: str
    detail: str
    replaces: tuple[int, int]
