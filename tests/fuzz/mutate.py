"""Inputs that are nearly right: filters, documents and files with a few places changed."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any, Final

from tests.fuzz.choices import Choices
from tests.fuzz.seeds import FILTERS, Seed

__all__ = ["mutated_document", "mutated_text", "tokens_of"]

_TOKEN: Final = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`\n]*`|[\w:.]+|\s+|.", re.DOTALL)
_ODD: Final = ("\ud800", "\0", "\ufeff", "\u00a0", "\u2028", "ſ", "İ", "١", "\r", "\x85", "\\", '"', "`", "’", "𝟙", "#")  # noqa: RUF001
_WRAPPED: Final = (
    ("not (", ")"), ("(", ")"), ("at least 1 of (true, ", ")"), ("company[", "]"), ("any deals[", "]"), ("-", ""),
    ("all children[", "]"), ("did visit[", "]"), ("top 3 of (", ") by orders"), ("", " and consent"), ("false or ", ""),
    ("coalesce(", ", 1)"), ("abs(", ")"), ("count(deals[", "]) > 0"), ("parent[", "]"), ("any children[", "]"),
)  # fmt: skip


def tokens_of(text: str) -> list[str]:
    """Return a text in pieces; joined they are the text again."""
    return _TOKEN.findall(text)


def mutated_text(text: str, words: Sequence[str], choices: Choices, at_most: int = 4) -> str:
    """Return a text in which some pieces are others."""
    tokens = tokens_of(text)
    for _ in range(choices.below(at_most + 1)):
        here = choices.below(len(tokens) or 1)
        there = choices.below(len(tokens) or 1)
        match choices.below(10):
            case 0 | 1 | 2:
                tokens[here : here + 1] = [choices.pick(words)]
            case 3:
                tokens[here:here] = [choices.pick(words), " "]
            case 4:
                del tokens[here : here + 1]
            case 5:
                tokens[here:here] = tokens[min(here, there) : max(here, there) + 1]
            case 6:
                other = tokens_of(choices.pick(FILTERS).text)
                start = choices.below(len(other) or 1)
                tokens[here : here + choices.below(4)] = other[start : start + 1 + choices.below(8)]
            case 7:
                before, behind = choices.pick(_WRAPPED)
                tokens = [before, *tokens, behind]
            case 8:
                tokens += [choices.pick((" and ", " or ", ", ")), choices.pick(FILTERS).text]
            case _:
                tokens[here:here] = [choices.pick(_ODD)]
        tokens = tokens[:400]
    return "".join(tokens)


def same_kind(seed: Seed, choices: Choices) -> Seed:
    """Return another seed over the same schema and type."""
    options = [other for other in FILTERS if (other.schema, other.on) == (seed.schema, seed.on)]
    return choices.pick(options)


# ------------------------------------------------------------------------------ documents

_SCALARS: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 10**18, 10**400, 10**4200, -(10**1001),
    0.5, 1e308, float("inf"), float("nan"), "", "x", "PL", "3", "1e5",
    "2026-11-22", "9999-12-31", "0001-01-01T00:00:00Z", "2026-11-22T10:00:00Z", "\ud800", "\0", "1e400", "0.1", [], {},
    "and", "or", "not", "is_true", "compare", "attribute", "literal", "integer", "decimal", "text_set", "month", "day",
    "<", "=", "!=", "between", "orders", "country", "tags", "consent", "company.industry", "x" * 300, "Europe/Warsaw",
)  # fmt: skip
_KEYS: Final = (
    "node", "items", "item", "value", "left", "right", "operator", "type", "name", "window", "zone", "where", "count",
    "rules", "combinator", "field", "not", "valueSource", "muted", "and", "or", "!", "var", "in", "<", "==", "missing",
    "", "version", "filter", "unit", "first", "last", "steps", "events", "property", "relation", "segment", "options",
)  # fmt: skip


def _places(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    stack = [document]
    while stack:
        inner = stack.pop()
        keys: Any = list(inner) if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ()
        found += [(inner, key) for key in keys]
        stack += [inner[key] for key in keys]
    return found


def mutated_document(document: Any, choices: Choices, at_most: int = 4) -> Any:
    """Return a copy of what `json.loads` may give in which some places are others."""
    holder: list[Any] = [copy.deepcopy(document)]
    for _ in range(choices.below(at_most + 1)):
        places = _places(holder)
        inside, key = places[choices.below(len(places))]
        other, at = places[choices.below(len(places))]
        match choices.below(7):
            case 0 | 1:
                inside[key] = copy.deepcopy(choices.pick(_SCALARS))
            case 2 if inside is not holder:
                del inside[key]
            case 3:
                inside[key] = copy.deepcopy(other[at])
            case 4:
                inside[key] = [inside[key], copy.deepcopy(other[at])]
            case 5 if isinstance(inside, dict):
                inside[choices.pick(_KEYS)] = copy.deepcopy(choices.pick((*_SCALARS, other[at])))
            case _ if isinstance(inside, dict):
                inside[choices.pick(_KEYS)] = inside.pop(key)
            case _:
                inside.insert(key, copy.deepcopy(choices.pick(_SCALARS))) if inside is not holder else None
    return holder[0]
