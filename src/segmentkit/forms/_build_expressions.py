"""Conditions and values: what Python's operators write."""

from __future__ import annotations

from typing import Any, NoReturn, Self

from segmentkit.dsl._arguments import in_order
from segmentkit.errors import repr_of
from segmentkit.forms._build_windows import window
from segmentkit.forms._build_written import (
    AND,
    ATOM,
    CONDITION,
    NOT,
    OR,
    PRODUCT,
    SIGN,
    SUM,
    Piece,
    Written,
    constant,
    misuse,
    text,
    write,
)

__all__ = ["Condition", "PlainValue", "Value", "as_condition", "call", "operand"]


class Condition(str):
    """A condition: the text of a filter, which Python's `&`, `|` and `~` join.

    It is a `str`, so that it goes wherever a filter goes: `engine.define(where=...)`, `parse`.
    Equal conditions are those with the same text. It has no truth value in Python, which
    catches `and`, `or`, `not` and chained comparisons.
    """

    __slots__ = ("_written",)
    _written: Written

    def __new__(cls, written: Written) -> Self:
        self = super().__new__(cls, written.text)
        self._written = written
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (self._written.text,)

    def __repr__(self) -> str:
        return f"<condition: {self._written.text}>"

    def __str__(self) -> str:
        return self._written.text

    def __bool__(self) -> NoReturn:
        raise misuse(
            "a condition has no truth value in Python",
            self._written,
            "join conditions with & and |, turn them around with ~, each in parentheses; "
            "write x.between(1, 5) for 1 < x < 5",
        )

    def __and__(self, other: Any) -> Condition:
        return _join(AND, self, " and ", other)

    def __rand__(self, other: Any) -> Condition:
        return _join(AND, other, " and ", self)

    def __or__(self, other: Any) -> Condition:
        return _join(OR, self, " or ", other)

    def __ror__(self, other: Any) -> Condition:
        return _join(OR, other, " or ", self)

    def __invert__(self) -> Condition:
        return Condition(write(NOT, "not ", (self._written, NOT)))

    def ignoring_case(self) -> Condition:
        """Return the test of text without regard to case; goes with `==`, `!=`, `in_` and tests of text and sets."""
        return self._followed(" ignoring case", "ignoring_case()")

    def in_zone(self, zone: str) -> Condition:
        """Return the condition with days that begin in a time zone, such as "Europe/Warsaw"."""
        return self._followed(f" in zone {text(zone)}", "in_zone()")

    def _followed(self, words: str, method: str) -> Condition:
        if self._written.level != CONDITION:
            raise misuse(f"{method} stands behind a single condition", self._written, "apply it before & and |")
        return Condition(write(CONDITION, (self._written, CONDITION), words))


def as_condition(value: Any, where: str) -> Written:
    """Return a condition, or a boolean attribute, as it stands beside others.

    Raises:
        FilterTypeError: it is neither; `where` says what it was for.
    """
    if isinstance(value, Condition | Value):
        return value._written
    raise misuse(
        f"{where} takes conditions, got {repr_of(value)} ({type(value).__name__})",
        hint="comparisons stand in parentheses beside & and |: (attr.orders > 4) & attr.consent",
    )


def _join(level: int, left: Any, word: str, right: Any) -> Condition:
    parts = [(as_condition(part, f"'{'&' if level == AND else '|'}'"), level) for part in (left, right)]
    return Condition(write(level, parts[0], word, parts[1]))


def operand(value: Any) -> Written:
    """Return a value, or a constant of Python, as a side of an operator."""
    if isinstance(value, Condition):
        raise misuse("a condition stands where a value is expected", value._written, "put comparisons in parentheses")
    return value._written if isinstance(value, Value) else constant(value)


def call(function: str, *arguments: Any) -> Value:
    """Return a function of values."""
    pieces: list[Piece] = []
    for argument in arguments:
        pieces += [", ", (operand(argument), SUM)] if pieces else [(operand(argument), SUM)]
    return PlainValue(write(ATOM, f"{function}(", *pieces, ")"))


class Value:
    """A value: an attribute, a property, an aggregate, or what is computed from them.

    Python's comparisons make conditions and its arithmetic makes values; the methods are the
    other forms of the language. A boolean value stands beside `&` and `|` as a condition.
    """

    __slots__ = ("_written",)
    __hash__ = None  # type: ignore[assignment]  # == makes a condition
    __iter__ = None

    def __init__(self, written: Written) -> None:
        self._written = written

    def __repr__(self) -> str:
        return f"<value: {self._written.text}>"

    def __str__(self) -> str:
        return self._written.text

    @property
    def written(self) -> Written:
        """How the value is spelled, for those who put pieces together."""
        return self._written

    def __bool__(self) -> NoReturn:
        raise misuse(
            "a value has no truth value in Python",
            self._written,
            "join conditions with & and |, and turn them around with ~",
        )

    def __contains__(self, other: object) -> NoReturn:
        raise misuse(
            "Python's 'in' does not make a condition", self._written, "write .in_(...), .has(...) or .contains(...)"
        )

    # ------------------------------------------------------------------- comparisons

    def _compare(self, operator: str, other: Any) -> Condition:
        return Condition(write(CONDITION, (self._written, SUM), f" {operator} ", (operand(other), SUM)))

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]  # that is the point of it
        return self._compare("=", other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return self._compare("!=", other)

    def __lt__(self, other: Any) -> Condition:
        return self._compare("<", other)

    def __le__(self, other: Any) -> Condition:
        return self._compare("<=", other)

    def __gt__(self, other: Any) -> Condition:
        return self._compare(">", other)

    def __ge__(self, other: Any) -> Condition:
        return self._compare(">=", other)

    def between(self, low: Any, high: Any) -> Condition:
        """Return `low <= value <= high`."""
        return Condition(
            write(CONDITION, (self._written, SUM), " between ", (operand(low), SUM), " and ", (operand(high), SUM))
        )

    def in_(self, *options: Any) -> Condition:
        """Return whether the value is one of the constants."""
        return self._test("in", *_listed(options))

    def not_in(self, *options: Any) -> Condition:
        """Return whether the value is none of the constants; true for a missing value."""
        return self._test("not in", *_listed(options))

    def is_missing(self) -> Condition:
        """Return whether there is no value."""
        return self._test("is missing")

    def is_known(self) -> Condition:
        """Return whether there is a value."""
        return self._test("is known")

    def _test(self, words: str, *pieces: Piece) -> Condition:
        return Condition(write(CONDITION, (self._written, SUM), f" {words}", *([" "] if pieces else []), *pieces))

    # -------------------------------------------------------------------------- text

    def contains(self, *texts: str) -> Condition:
        """Return whether the text contains one of the texts."""
        return self._test("contains", *_one_or_any(texts))

    def starts_with(self, *texts: str) -> Condition:
        """Return whether the text starts with one of the texts."""
        return self._test("starts with", *_one_or_any(texts))

    def ends_with(self, *texts: str) -> Condition:
        """Return whether the text ends with one of the texts."""
        return self._test("ends with", *_one_or_any(texts))

    def matches(self, pattern: str) -> Condition:
        """Return whether a regular expression is found in the text."""
        return self._test("matches", text(pattern))

    # -------------------------------------------------------------------------- sets

    def has(self, member: str) -> Condition:
        """Return whether the set has the member."""
        return self._test("has", text(member))

    def has_any(self, *members: str) -> Condition:
        """Return whether the set has one of the members."""
        return self._test("has any of", *_listed(members))

    def has_all(self, *members: str) -> Condition:
        """Return whether the set has all the members."""
        return self._test("has all of", *_listed(members))

    def has_none(self, *members: str) -> Condition:
        """Return whether the set has none of the members."""
        return self._test("has none of", *_listed(members))

    def is_empty(self) -> Condition:
        """Return whether the set has no members."""
        return self._test("is empty")

    # ------------------------------------------------------------------------ places

    def within(self, distance: float, unit: str, of: tuple[float, float]) -> Condition:
        """Return whether the point lies at most so many "m", "km" or "mi" from latitude and longitude."""
        if unit not in ("m", "km", "mi"):
            raise misuse(f"a distance is in 'm', 'km' or 'mi', not in {repr_of(unit)}")
        return self._test("within", (constant(distance), SIGN), f" {unit} of ", _point(of))

    def in_box(self, south: float, west: float, north: float, east: float) -> Condition:
        """Return whether the point lies in the box; one with `west > east` crosses the 180 degree meridian."""
        sides = ", ".join(constant(side).text for side in (south, west, north, east))
        return self._test("in box", f"({sides})")

    def in_polygon(self, *points: tuple[float, float]) -> Condition:
        """Return whether the point lies in the polygon with these corners."""
        return self._test("in polygon", f"({', '.join(map(_point, points))})")

    # -------------------------------------------------------------------------- time

    def when(self, **bounds: Any) -> Condition:
        """Return whether the instant or date lies in a window, such as `when(last=days(30))`.

        The names are those of `segmentkit.build.WINDOWS`.
        """
        return Condition(write(CONDITION, (self._written, SUM), *window(bounds, operand)))

    def anniversary(self, **bounds: Any) -> Condition:
        """Return whether the anniversary of the date lies in a window, such as `anniversary(next=days(7))`."""
        return Condition(write(CONDITION, (self._written, SUM), " anniversary", *window(bounds, operand)))

    # -------------------------------------------------------------------- arithmetic

    def __add__(self, other: Any) -> Value:
        return _compute(SUM, self, " + ", other)

    def __radd__(self, other: Any) -> Value:
        return _compute(SUM, other, " + ", self)

    def __sub__(self, other: Any) -> Value:
        return _compute(SUM, self, " - ", other)

    def __rsub__(self, other: Any) -> Value:
        return _compute(SUM, other, " - ", self)

    def __mul__(self, other: Any) -> Value:
        return _compute(PRODUCT, self, " * ", other)

    def __rmul__(self, other: Any) -> Value:
        return _compute(PRODUCT, other, " * ", self)

    def __truediv__(self, other: Any) -> Value:
        return _compute(PRODUCT, self, " / ", other)

    def __rtruediv__(self, other: Any) -> Value:
        return _compute(PRODUCT, other, " / ", self)

    def __neg__(self) -> Value:
        return PlainValue(write(SIGN, "-", (self._written, ATOM)))

    def __abs__(self) -> Value:
        return call("abs", self)

    def __round__(self, digits: None = None) -> Value:
        return call("round", self)

    def length(self) -> Value:
        """Return how many characters the text has."""
        return call("length", self)

    def lower(self) -> Value:
        """Return the text in lower case."""
        return call("lower", self)

    def size(self) -> Value:
        """Return how many members the set has."""
        return call("size", self)

    def coalesce(self, *others: Any) -> Value:
        """Return the value, or the first of the others that is known."""
        return call("coalesce", self, *others)

    def year(self) -> Value:
        """Return the year of the date or instant."""
        return call("year", self)

    def month(self) -> Value:
        """Return the month, from 1."""
        return call("month", self)

    def day(self) -> Value:
        """Return the day of the month, from 1."""
        return call("day", self)

    def weekday(self) -> Value:
        """Return the day of the week; Monday is 1."""
        return call("weekday", self)

    def hour(self) -> Value:
        """Return the hour of the instant, from 0."""
        return call("hour", self)

    # ------------------------------------------------------------------------- logic

    def __and__(self, other: Any) -> Condition:
        return _join(AND, self, " and ", other)

    def __rand__(self, other: Any) -> Condition:
        return _join(AND, other, " and ", self)

    def __or__(self, other: Any) -> Condition:
        return _join(OR, self, " or ", other)

    def __ror__(self, other: Any) -> Condition:
        return _join(OR, other, " or ", self)

    def __invert__(self) -> Condition:
        return Condition(write(NOT, "not ", (self._written, NOT)))


def _compute(level: int, left: Any, operator: str, right: Any) -> Value:
    return PlainValue(write(level, (operand(left), level), operator, (operand(right), level + 1)))


def _listed(items: tuple[Any, ...]) -> tuple[Piece, ...]:
    """Return constants in parentheses; one argument that is a list stands for its items."""
    if len(items) == 1 and isinstance(items[0], list | tuple | set | frozenset):
        items = tuple(in_order(items[0]) if isinstance(items[0], set | frozenset) else items[0])
    if not items:
        raise misuse("a list of values is empty", hint="name at least one")
    if len(items) == 1 and isinstance(items[0], Value):  # a parameter that stands for the list
        return ((items[0]._written, ATOM),)
    return (f"({', '.join(operand(item).text for item in items)})",)


def _one_or_any(texts: tuple[str, ...]) -> tuple[Piece, ...]:
    if len(texts) == 1 and isinstance(texts[0], str):
        return (text(texts[0]),)
    return ("any of ", *_listed(texts))


def _point(point: Any) -> str:
    if not isinstance(point, tuple | list) or len(point) != 2:
        raise misuse(f"expected a point (latitude, longitude), got {repr_of(point)}")
    return f"({constant(point[0]).text}, {constant(point[1]).text})"


class PlainValue(Value):
    """Every value but what relations lead to.

    Were one of the two a subclass of the other, Python would ask it first in a comparison, whatever
    side it stands on, and turn the comparison around.
    """

    __slots__ = ()
