"""Filters as Python expressions: `attr.orders > 4`, `event.purchase.count(last=days(30)) > 5`.

An expression writes the text of a filter, and nothing else. So it means what that text means,
goes wherever text goes (`engine.define(where=...)`, `parse`), and is checked against a schema
there. `&`, `|` and `~` join conditions; comparisons beside them stand in parentheses.

>>> from segmentkit.build import attr, days, event
>>> print((attr.orders > 4) & attr.last_visit.when(more_than_ago=days(40)) & ~attr.email_marketing_consent)
orders > 4 and last_visit more than 40 days ago and not email_marketing_consent
>>> print(event.purchase.count(last=days(30)) > 5)
count(purchase in the last 30 days) > 5

In the brackets of an event the event's own properties are those of `prop`, and `attr` stays
with the object:

>>> from segmentkit.build import prop
>>> print(event.purchase[prop.amount > attr.limit].did(this="month"))
did purchase[amount > object.limit] in this month
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from segmentkit.dsl import parse
from segmentkit.dsl.predicates import Duration, Predicate
from segmentkit.errors import repr_of
from segmentkit.forms._build_expressions import Condition, PlainValue, Value, as_condition
from segmentkit.forms._build_sources import (
    Chain,
    EventSource,
    InSegment,
    Names,
    RelatedSource,
    attribute,
    counted,
    duration,
    property_,
    rank,
)
from segmentkit.forms._build_windows import WINDOWS
from segmentkit.forms._build_written import AND, ATOM, OR, Piece, Written, misuse, text, write
from segmentkit.schema import Schema

__all__ = [
    "WINDOWS",
    "Chain",
    "Condition",
    "EventSource",
    "InSegment",
    "RelatedSource",
    "Value",
    "all_of",
    "any_of",
    "at_least",
    "at_most",
    "attr",
    "bottom",
    "days",
    "event",
    "exactly",
    "hours",
    "minutes",
    "months",
    "now",
    "param",
    "prop",
    "related",
    "resolve",
    "sample",
    "seconds",
    "segment",
    "today",
    "tomorrow",
    "top",
    "weeks",
    "years",
    "yesterday",
]

attr: Final = Names("attributes", attribute)
"""The object's attributes: `attr.orders`, `attr["last order"]`."""
prop: Final = Names("properties", property_)
"""The properties of the event in whose brackets they stand."""
event: Final = Names("events", EventSource)
"""The object's events: `event.purchase`."""
related: Final = Names("relations", RelatedSource)
"""What relations lead to: `related.company.industry`, `related.deals.any(attr.stage == "open")`."""


def _word(word: str) -> Value:
    return PlainValue(Written(word, word, ATOM))


now: Final = _word("now")
"""The instant of the engine's clock."""
today: Final = _word("today")
"""The civil date of now."""
yesterday: Final = _word("yesterday")
"""The day before today."""
tomorrow: Final = _word("tomorrow")
"""The day after today."""


def resolve(
    expression: Condition | Value,
    schema: Schema,
    on: str,
    params: Mapping[str, Any] | None = None,
    *,
    segments: Mapping[str, str] | None = None,
) -> Predicate:
    """Return the typed tree of an expression: what its text is parsed into.

    Args:
        expression: a condition, or a boolean value.
        schema: what its names mean.
        on: the object type that it is about.
        params: values for `param(...)`.
        segments: the object type of each segment it may refer to; None does not check such names.

    Raises:
        UnknownNameError, FilterTypeError, LimitError: as `segmentkit.parse`; places are those in the text.

    >>> from segmentkit.schema import ObjectType, Schema
    >>> from segmentkit.values import integer
    >>> schema = Schema(ObjectType("contact", {"orders": integer}))
    >>> resolve(attr.orders > 4, schema, on="contact") == parse("orders > 4", schema, on="contact")
    True
    """
    return parse(as_condition(expression, "resolve").text, schema, on, params, segments=segments)


def segment(name: str) -> InSegment:
    """Return membership in another segment; `.entered(...)`, `.left(...)`, `.was_ever()` are its history."""
    return InSegment(name)


def param(name: str) -> Value:
    """Return the parameter `$name`, whose value is given where the filter is defined."""
    if not isinstance(name, str) or not name.isidentifier():
        raise misuse(f"a parameter has a name of letters, digits and _, got {repr_of(name)}")
    return _word(f"${name}")


def sample(salt: str) -> Value:
    """Return the number in [0, 1) that is fixed for each object and salt."""
    return _word(f"sample({text(salt)})")


# ----------------------------------------------------------------------------- durations


def seconds(count: int) -> Duration:
    """Return so many seconds."""
    return duration(count, "second")


def minutes(count: int) -> Duration:
    """Return so many minutes."""
    return duration(count, "minute")


def hours(count: int) -> Duration:
    """Return so many hours."""
    return duration(count, "hour")


def days(count: int) -> Duration:
    """Return so many days of 24 hours."""
    return duration(count, "day")


def weeks(count: int) -> Duration:
    """Return so many weeks."""
    return duration(count, "week")


def months(count: int) -> Duration:
    """Return so many steps of the calendar, from month to month."""
    return duration(count, "month")


def years(count: int) -> Duration:
    """Return so many steps of the calendar, from year to year."""
    return duration(count, "year")


# --------------------------------------------------------------------------------- logic


def _joined(level: int, word: str, conditions: Iterable[Any]) -> Condition:
    if not isinstance(conditions, Iterable) or isinstance(conditions, str):  # a condition is text
        raise misuse(f"conditions to join stand in a list, got {repr_of(conditions)}")
    pieces: list[Piece] = []
    for condition in conditions:
        pieces += [word] if pieces else []
        pieces.append((as_condition(condition, word.strip()), level))
    if not pieces:
        return Condition(Written("true" if level == AND else "false", "true" if level == AND else "false", ATOM))
    return Condition(write(level, *pieces))


def all_of(conditions: Iterable[Any]) -> Condition:
    """Return whether all of many conditions hold; in one step, where a loop over `&` copies what it has."""
    return _joined(AND, " and ", conditions)


def any_of(conditions: Iterable[Any]) -> Condition:
    """Return whether any of many conditions holds."""
    return _joined(OR, " or ", conditions)


def at_least(count: int, *conditions: Any) -> Condition:
    """Return whether so many of the conditions hold, or more."""
    return counted("at least", count, conditions)


def at_most(count: int, *conditions: Any) -> Condition:
    """Return whether so many of the conditions hold, or fewer."""
    return counted("at most", count, conditions)


def exactly(count: int, *conditions: Any) -> Condition:
    """Return whether so many of the conditions hold."""
    return counted("exactly", count, conditions)


# --------------------------------------------------------------------------------- ranks


def top(count: int | str, *, by: Any, per: Any = None, of: Any = None, ties: bool = False) -> Condition:
    """Return whether the object is among the first by a value: `top(10, by=attr.ltv)`, `top("5%", ...)`.

    Args:
        count: how many, or a percentage as text.
        by: what is ranked by, large values first.
        per: a value; each group of equal ones has its own ranks.
        of: only what passes this condition is ranked.
        ties: whether all that tie with the last one are in.
    """
    return rank("top", count, by, per, of, ties)


def bottom(count: int | str, *, by: Any, per: Any = None, of: Any = None, ties: bool = False) -> Condition:
    """Return whether the object is among the last by a value; see `top`."""
    return rank("bottom", count, by, per, of, ties)
