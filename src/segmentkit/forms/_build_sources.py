"""Where builder expressions begin: attributes, events, related objects, segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, Self, TypeVar

from segmentkit.dsl.predicates import Duration
from segmentkit.errors import repr_of
from segmentkit.forms._build_expressions import Condition, PlainValue, Value, as_condition, operand
from segmentkit.forms._build_windows import window
from segmentkit.forms._build_written import (
    ATOM,
    CONDITION,
    OR,
    SUM,
    Piece,
    Written,
    constant,
    length,
    misuse,
    named,
    text,
    write,
)

__all__ = [
    "Chain",
    "EventSource",
    "InSegment",
    "Names",
    "RelatedSource",
    "attribute",
    "counted",
    "duration",
    "property_",
    "rank",
]

T = TypeVar("T")


class Names(Generic[T]):
    """Anything that the schema names: `names.orders`, or `names["last order"]` for odd ones."""

    __slots__ = ("_make", "_what")

    def __init__(self, what: str, make: Callable[[str], T]) -> None:
        self._what = what
        self._make = make

    def __getattr__(self, name: str) -> T:
        if name.startswith("__"):  # Python asks for these, not people
            raise AttributeError(name)
        return self._make(name)

    def __getitem__(self, name: str) -> T:
        return self._make(name)

    def __repr__(self) -> str:
        return f"<{self._what} by name>"


def attribute(name: str) -> Value:
    """Return an attribute of the object."""
    spelled = named(name, "an attribute")
    return PlainValue(Written(spelled, f"object.{spelled}", ATOM))


def property_(name: str) -> Value:
    """Return a property of the event in whose brackets it stands; elsewhere its text is refused."""
    spelled = named(name, "a property")
    return PlainValue(Written(f"prop[{spelled}]", spelled, ATOM))


# -------------------------------------------------------------------------------- events

_LAST: Final = "the last step of a sequence can be one that did not happen, and nothing follows it"


class EventSource:
    """Events of one name, all of them or those that pass a condition: `event.purchase[prop.amount > 100]`."""

    __slots__ = ("_inside", "_name")

    def __init__(self, name: str) -> None:
        self._name = named(name, "an event")
        self._inside = ""

    def __repr__(self) -> str:
        return f"<events: {self._spelled()}>"

    def __getitem__(self, condition: Condition | Value) -> EventSource:
        found = EventSource.__new__(EventSource)
        written = as_condition(condition, "the brackets of an event")
        found._name = self._name
        found._inside = written.at(OR, inside=True) if not self._inside else f"({self._inside}) and ({written.inside})"
        return found

    def _spelled(self) -> str:
        return f"{self._name}[{self._inside}]" if self._inside else self._name

    def did(self, **bounds: Any) -> Condition:
        """Return whether there is such an event in a window; bounds as `segmentkit.build.WINDOWS`."""
        return Condition(write(CONDITION, f"did {self._spelled()}", *window(bounds, operand)))

    def then(self, other: EventSource, within: Any = None) -> Chain:
        """Return the sequence of this event and a later one, at most so long after."""
        return Chain(f"did {self._spelled()}").then(other, within)

    def then_not(self, other: EventSource, within: Any = None) -> Chain:
        """Return the sequence of this event and no later one for so long."""
        return Chain(f"did {self._spelled()}").then_not(other, within)

    def _aggregate(self, function: str, name: str | None, bounds: dict[str, Any]) -> Value:
        of = "" if name is None else f".{named(name, 'a property')}"
        return PlainValue(write(ATOM, f"{function}({self._spelled()}{of}", *window(bounds, operand), ")"))

    def count(self, **bounds: Any) -> Value:
        """Return how many there are."""
        return self._aggregate("count", None, bounds)

    def days(self, **bounds: Any) -> Value:
        """Return on how many civil days there are some."""
        return self._aggregate("days", None, bounds)

    def sum(self, name: str, **bounds: Any) -> Value:
        """Return the sum of a property, 0 over no events."""
        return self._aggregate("sum", name, bounds)

    def avg(self, name: str, **bounds: Any) -> Value:
        """Return the mean of a property."""
        return self._aggregate("avg", name, bounds)

    def min(self, name: str, **bounds: Any) -> Value:
        """Return the smallest value of a property."""
        return self._aggregate("min", name, bounds)

    def max(self, name: str, **bounds: Any) -> Value:
        """Return the largest value of a property."""
        return self._aggregate("max", name, bounds)

    def median(self, name: str, **bounds: Any) -> Value:
        """Return the middle value of a property."""
        return self._aggregate("median", name, bounds)

    def distinct(self, name: str, **bounds: Any) -> Value:
        """Return how many different values a property has."""
        return self._aggregate("distinct", name, bounds)

    def first(self, name: str | None = None, **bounds: Any) -> Value:
        """Return the instant of the first event, or a property of it."""
        return self._aggregate("first", name, bounds)

    def last(self, name: str | None = None, **bounds: Any) -> Value:
        """Return the instant of the last event, or a property of it."""
        return self._aggregate("last", name, bounds)


class Chain(Condition):
    """A sequence of events, which is a condition as it stands: `event.signup.then(event.purchase, within=days(7))`."""

    __slots__ = ("_closed",)
    _closed: bool

    def __new__(cls, written: str | Written) -> Self:
        self = super().__new__(cls, Written(written, written, CONDITION) if isinstance(written, str) else written)
        self._closed = False
        return self

    def then(self, other: EventSource, within: Any = None) -> Chain:
        """Return the sequence with one more step, at most so long after the one before."""
        return self._step("", other, within)

    def then_not(self, other: EventSource, within: Any = None) -> Chain:
        """Return the sequence with a last step that did not happen for so long."""
        chain = self._step("not ", other, within)
        chain._closed = True
        return chain

    def _step(self, word: str, other: EventSource, within: Any) -> Chain:
        if self._closed:
            raise misuse(_LAST, self._written)
        if not isinstance(other, EventSource):
            raise misuse(f"a step of a sequence is an event, got {repr_of(other)}", hint="write event.purchase")
        gap = "" if within is None else f" within {length(within)}"
        return Chain(f"{self._written.text} then {word}{other._spelled()}{gap}")

    def when(self, **bounds: Any) -> Condition:
        """Return the sequence with a window that all its steps lie in."""
        return Condition(write(CONDITION, (self._written, CONDITION), *window(bounds, operand)))


# ----------------------------------------------------------------------- related objects


class RelatedSource(Value):
    """What a relation leads to, and paths over it: `related.company.industry`, `related.deals.any(...)`.

    An attribute with the name of one of the methods is written `related.company["size"]`.
    """

    __slots__ = ("_path",)
    _path: str

    def __init__(self, name: str, before: str = "") -> None:
        spelled = named(name, "a relation or attribute")
        self._path = f"{before}.{spelled}" if before else spelled
        super().__init__(Written(self._path, f"object.{self._path}", ATOM))

    def __getattr__(self, name: str) -> RelatedSource:
        if name.startswith("_"):
            raise AttributeError(name)
        return RelatedSource(name, self._path)

    def __getitem__(self, inside: Any) -> Any:
        """Return an attribute of the related object by its name, or whether the one object passes a condition."""
        if isinstance(inside, Condition | Value):
            return Condition(write(CONDITION, self._filtered(inside)))
        return RelatedSource(inside, self._path)

    def of(self, value: Value) -> Value:
        """Return a value of the related object that is more than an attribute: `of(event.login.count())`."""
        if not isinstance(value, Value):
            raise misuse(
                f"expected a value of the related object, got {repr_of(value)}", hint="write event.login.count()"
            )
        tail = value.written.text
        return PlainValue(Written(f"{self._path}.{tail}", f"object.{self._path}.{tail}", ATOM))

    def _filtered(self, condition: Any) -> str:
        if condition is None:
            return self._path
        return f"{self._path}[{as_condition(condition, 'the brackets of a relation').at(OR, inside=False)}]"

    def _quantified(self, word: str, condition: Any) -> Condition:
        return Condition(write(CONDITION, f"{word} {self._filtered(condition)}"))

    def any(self, condition: Any = None) -> Condition:
        """Return whether there is a related object that passes the condition."""
        return self._quantified("any", condition)

    def all(self, condition: Any) -> Condition:
        """Return whether all related objects pass the condition; so it is when there are none."""
        return self._quantified("all", condition)

    def no(self, condition: Any = None) -> Condition:
        """Return whether no related object passes the condition."""
        return self._quantified("no", condition)

    def _aggregate(self, function: str, of: Any, where: Any) -> Value:
        tail = ""
        if isinstance(of, Value):  # a value of the related object, such as an aggregate over its events
            tail = f".{of._written.text}"
        elif of is not None:
            tail = f".{named(of, 'an attribute')}"
        return PlainValue(write(ATOM, f"{function}({self._filtered(where)}{tail})"))

    def count(self, where: Any = None) -> Value:
        """Return how many related objects there are, or pass a condition."""
        return self._aggregate("count", None, where)

    def sum(self, of: str | Value, where: Any = None) -> Value:
        """Return the sum of a value of each, 0 over none."""
        return self._aggregate("sum", of, where)

    def avg(self, of: str | Value, where: Any = None) -> Value:
        """Return the mean of a value of each."""
        return self._aggregate("avg", of, where)

    def min(self, of: str | Value, where: Any = None) -> Value:
        """Return the smallest of a value of each."""
        return self._aggregate("min", of, where)

    def max(self, of: str | Value, where: Any = None) -> Value:
        """Return the largest of a value of each."""
        return self._aggregate("max", of, where)

    def distinct(self, of: str | Value, where: Any = None) -> Value:
        """Return how many different values there are."""
        return self._aggregate("distinct", of, where)


# ------------------------------------------------------------------ segments and ranks


class InSegment(Condition):
    """Membership in another segment, which is a condition as it stands, and its history."""

    __slots__ = ("_segment",)
    _segment: str

    def __new__(cls, name: str) -> Self:
        spelled = f"segment {text(name)}"
        self = super().__new__(cls, Written(f"in {spelled}", f"in {spelled}", CONDITION))
        self._segment = spelled
        return self

    def entered(self, **bounds: Any) -> Condition:
        """Return whether the object entered the segment in a window."""
        return Condition(write(CONDITION, f"entered {self._segment}", *window(bounds, operand)))

    def left(self, **bounds: Any) -> Condition:
        """Return whether the object left the segment in a window."""
        return Condition(write(CONDITION, f"left {self._segment}", *window(bounds, operand)))

    def was_ever(self) -> Condition:
        """Return whether the object was ever in the segment."""
        return Condition(write(CONDITION, f"was ever in {self._segment}"))


def duration(count: int, unit: str) -> Duration:
    """Return so many units."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise misuse(f"a duration has a whole number of {unit}s that is not negative, got {repr_of(count)}")
    return Duration(count, unit)  # type: ignore[arg-type]  # the callers have the units


def counted(word: str, count: int, conditions: tuple[Any, ...]) -> Condition:
    """Return `at least 2 of (...)`."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise misuse(f"a count of conditions is a whole number that is not negative, got {repr_of(count)}")
    if not conditions:
        raise misuse(f"'{word} {repr_of(count)} of' needs conditions")
    pieces: list[Piece] = []
    for condition in conditions:
        pieces += [", "] if pieces else []
        pieces.append((as_condition(condition, f"'{word}'"), OR))
    return Condition(write(CONDITION, f"{word} {constant(count).text} of (", *pieces, ")"))


def rank(word: str, count: Any, by: Any, per: Any, of: Any, ties: bool) -> Condition:  # noqa: PLR0917  # of `top`
    """Return `top 10 of (...) by ... per ...`."""
    number = count.removesuffix("%") if isinstance(count, str) else repr_of(count)
    if isinstance(count, bool) or not number.replace(".", "", 1).isdecimal() or not number.isascii():
        raise misuse(f"'{word}' takes a count or a percentage such as \"10%\", got {repr_of(count)}")
    among: tuple[Piece, ...] = () if of is None else (" of (", (as_condition(of, f"'{word} of'"), OR), ")")
    group: tuple[Piece, ...] = () if per is None else (" per ", (operand(per), SUM))
    how = "%" if isinstance(count, str) and count.endswith("%") else ""
    head = f"{word} {number}{how}"
    return Condition(write(CONDITION, head, *among, " by ", (operand(by), SUM), *group, " with ties" if ties else ""))
