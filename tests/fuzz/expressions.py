"""Filters as Python expressions, written down as JSON: `["call", ["attr", "orders"], "between", [1, 5], {}]`."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from segmentkit import build
from segmentkit.build import Chain, Condition, EventSource, InSegment, RelatedSource, Value
from tests.fuzz.choices import Choices
from tests.fuzz.seeds import SCHEMAS, SEGMENTS

__all__ = ["drawn", "made", "resolved"]

_NAMES: Final = (
    *("orders", "country", "consent", "tags", "signup", "company", "deals", "ltv", "visit", "purchase", "place", "in"),
    *(
        "amount",
        "pages",
        "size",
        "industry",
        "parent",
        "last order",
        "and",
        "x`y",
        "",
        "é",
        "birthday",
        "plan",
        "stage",
    ),
)
_VALUES: Final[Mapping[str, Any]] = {
    "text": "PL", "odd text": 'a"\\\n\x00', "surrogate": "\ud800", "empty": "", "zone": "Europe/Warsaw",
    "unit": "month",
    "units": "days", "km": "km", "one": 1, "minus": -1, "huge": 10**5000, "long number": -(10**400), "big": 2**63,
    "half": 0.5, "nan": float("nan"),
    "inf": float("-inf"), "small": 5e-324, "large": 1.7e308, "minus zero": -0.0, "decimal": Decimal("1.50"),
    "decimal nan": Decimal("NaN"), "decimal huge": Decimal("1e999"), "decimal small": Decimal("1e-999"), "true": True,
    "none": None, "date": date(2026, 11, 22), "first": date(1, 1, 1), "aware": datetime(2026, 11, 22, tzinfo=UTC),
    "naive": datetime(2026, 11, 22), "last": datetime.max.replace(tzinfo=UTC), "length": timedelta(days=2),  # noqa: DTZ001
    "long": timedelta.max, "fraction": timedelta(microseconds=1), "days": build.days(30), "months": build.months(2),
    "pair": (52.2, 21.0), "bad pair": (1,), "list": ["a", "b"], "set": {"a"}, "bytes": b"x", "object": object,
    "pairs": (3, "months"), "lengths": (build.days(1), build.days(2)), "percent": "10%", "zero": 0, "now": build.now,
    "years": build.years(9999), "today": build.today, "dates": (date(2026, 1, 1), date(2026, 2, 1)), "complex": 1j,
}  # fmt: skip
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "&": operator.and_, "|": operator.or_, "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": operator.truediv, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">=": operator.ge,
    "[]": operator.getitem, ".": getattr,
}  # fmt: skip
_UNARY: Final[Mapping[str, Callable[[Any], Any]]] = {
    "~": operator.invert,
    "-": operator.neg,
    "abs": abs,
    "round": round,
}
_FUNCTIONS: Final = (
    "all_of",
    "any_of",
    "at_least",
    "at_most",
    "exactly",
    "top",
    "bottom",
    "param",
    "sample",
    "segment",
)
_LENGTHS: Final = ("seconds", "minutes", "hours", "days", "weeks", "months", "years")
_SENSIBLE: Final[tuple[list[Any], ...]] = (
    ["op", ">=", ["attr", "orders"], ["value", "one"]],
    ["op", "==", ["attr", "country"], ["value", "text"]],
    ["call", ["attr", "tags"], "has", [["value", "odd text"]], {}],
    ["call", ["attr", "signup"], "when", [], {"last": ["value", "months"]}],
    ["call", ["event", "purchase"], "did", [], {"more_than_ago": ["value", "days"]}],
    ["op", ">=", ["call", ["event", "visit"], "count", [], {"last": ["value", "length"]}], ["value", "zero"]],
    ["call", ["related", "deals"], "any", [], {}],
    ["call", ["attr", "orders"], "is_missing", [], {}],
)
_METHODS: Final = sorted(
    {
        name
        for kind in (Condition, Value, EventSource, Chain, RelatedSource, InSegment)
        for name in dir(kind)
        if not name.startswith("_") and name in vars(kind)
    }
)


def drawn(choices: Choices, depth: int = 4) -> Any:
    """Return an expression that is often sensible."""
    if not depth or choices.chance(5):
        match choices.below(12):
            case 0 | 1 | 2:
                return ["attr", choices.pick(_NAMES)]
            case 3:
                return ["event", choices.pick(_NAMES)]
            case 4:
                return ["related", choices.pick(_NAMES)]
            case 5:
                return ["prop", choices.pick(_NAMES)]
            case 6 | 7 | 8:
                return list(choices.pick(_SENSIBLE))
            case 9:
                return [choices.pick(_LENGTHS), choices.pick(list(_VALUES))]
            case _:
                return ["value", choices.pick(list(_VALUES))]
    match choices.below(8):
        case 0 | 1 | 2 | 3:
            given = [drawn(choices, choices.below(depth)) for _ in range(choices.below(3))]
            options = [*build.WINDOWS, "within", "of", "where", "condition"]
            named = {choices.pick(options): drawn(choices, choices.below(depth)) for _ in range(choices.below(3))}
            return ["call", drawn(choices, depth - 1), choices.pick(_METHODS), given, named]
        case 4 | 5:
            return ["op", choices.pick(list(_OPERATORS)), drawn(choices, depth - 1), drawn(choices, depth - 1)]
        case 6:
            return ["unary", choices.pick(list(_UNARY)), drawn(choices, depth - 1)]
        case _:
            given = [drawn(choices, choices.below(depth)) for _ in range(1 + choices.below(3))]
            options = ["by", "per", "of", "ties"]
            named = {choices.pick(options): drawn(choices, choices.below(depth)) for _ in range(choices.below(3))}
            return ["function", choices.pick(_FUNCTIONS), given, named]


def made(written: Any) -> Any:
    """Return what the expression gives; what Python itself would refuse is left out."""
    match written:
        case ["attr" | "event" | "related" | "prop" as source, name]:
            return getattr(build, source)[name]
        case ["value", name]:
            return _VALUES[name]
        case ["call", subject, method, given, named]:
            found = made(subject)
            ours = any(method in vars(kind) for kind in type(found).__mro__ if kind.__module__.startswith("segmentkit"))
            return _called(getattr(found, method), given, named) if ours else found
        case ["op", sign, left, right]:
            a, b = made(left), made(right)
            return _OPERATORS[sign](a, b) if sign not in ("[]", ".") and _fits(sign, a, b) else a
        case ["unary", sign, operand]:
            found = made(operand)
            return _UNARY[sign](found) if isinstance(found, Value) or (sign == "~" and _is_condition(found)) else found
        case ["function", name, given, named]:
            return _called(getattr(build, name), given, named)
        case [name, count]:
            return getattr(build, name)(_VALUES[count])
    raise AssertionError(written)


def _called(function: Callable[..., Any], given: list[Any], named: Mapping[str, Any]) -> Any:
    positional, keywords = [made(item) for item in given], {key: made(item) for key, item in named.items()}
    if not callable(function):
        return function
    try:
        inspect.signature(function).bind(*positional, **keywords)
    except TypeError:
        return build.attr.orders
    return function(*positional, **keywords)


def _is_condition(found: Any) -> bool:
    return isinstance(found, Condition)


def _fits(sign: str, a: Any, b: Any) -> bool:
    """Whether Python asks one of ours what the operator means."""
    if sign in "&|":
        return isinstance(a, Value) or _is_condition(a)
    return isinstance(a, Value)


def resolved(expression: Any, schema: str, on: str) -> Any:
    """Return the tree of an expression."""
    return build.resolve(expression, SCHEMAS[schema], on, segments=SEGMENTS[schema])
