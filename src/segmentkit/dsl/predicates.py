"""The typed trees that filters become: the nodes, and what each one means.

Two closed unions: a `Predicate` is true or false for an object at an instant, a `Value`
is a value or missing. Functions over them use `match` and end in `assert_never`, so that
a new node is a type error wherever it matters.

A missing value makes every comparison false; `Not` is the exact complement. There are no
nodes for `!=`, `not in`, `did not`, `has none of`, `is known`: the parser writes them as
`Not` of the positive form. `did purchase at least 3 times` is a comparison of a count.
`all` and `no` of related objects are made of `AnyRelated` and `Not`. Below `Path`, `Related` and
`OneRelated` names are those of the related object's type. `before`, `after`, `since`, `until`, `on` are comparisons.

`dsl.evaluate` defines what the nodes mean; the docstrings here say it in a sentence.
Literals are in the plain form of `segmentkit.values` (instants in microseconds, dates
as ordinals). `span` is where the node stood in the text; it takes no part in equality.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, Literal as OneOf, TypeAlias

import attrs

from segmentkit import values as _values
from segmentkit.values import ValueType

__all__ = [
    "Absolute",
    "Aggregate",
    "And",
    "Anniversary",
    "AnyRelated",
    "Arithmetic",
    "AtLeast",
    "Attribute",
    "Between",
    "Calendar",
    "Call",
    "Chain",
    "Compare",
    "Constant",
    "Crossing",
    "Duration",
    "Events",
    "In",
    "InBox",
    "InPolygon",
    "InSegment",
    "InWindow",
    "IsEmpty",
    "IsMissing",
    "IsTrue",
    "Literal",
    "Matches",
    "Negate",
    "Not",
    "Now",
    "OneRelated",
    "Or",
    "Path",
    "Predicate",
    "Property",
    "Rank",
    "Related",
    "RelatedAggregate",
    "Relative",
    "Sample",
    "SetTest",
    "Span",
    "Step",
    "TextTest",
    "Today",
    "Value",
    "Window",
    "Within",
    "children",
    "goes_by_days",
    "iter_nodes",
]

Span: TypeAlias = tuple[int, int]
"""Start and end offset in the source text."""

CompareOperator = OneOf["=", "<", "<=", ">", ">="]
ArithmeticOperator = OneOf["+", "-", "*", "/"]
Function = OneOf["length", "lower", "abs", "round", "coalesce", "year", "month", "day", "weekday", "hour", "size"]
AggregateFunction = OneOf["count", "sum", "avg", "min", "max", "median", "distinct", "days", "first", "last"]
RelatedFunction = OneOf["count", "sum", "avg", "min", "max", "distinct"]
CalendarUnit = OneOf["day", "week", "month", "quarter", "year"]
RelativeForm = OneOf[
    "more than ago",  # x < now - d
    "at least ago",  # x <= now - d
    "last",  # now - d < x <= now
    "between ago",  # now - second < x <= now - first
    "next",  # now < x <= now + d
    "more than from now",  # x > now + d
    "at least from now",  # x >= now + d
]


def _span() -> Any:
    return attrs.field(default=None, eq=False, repr=False, kw_only=True)


# --------------------------------------------------------------------------- values


UNITS: Final = ("second", "minute", "hour", "day", "week", "month", "year")
"""Units of a `Duration`."""


@attrs.frozen(cache_hash=True)
class Duration:
    """A length of time: whole calendar months, or exact microseconds; never both.

    `unit` is how it was written (second, minute, hour, day, week, month, year) and `count` how many.
    """

    count: int
    unit: OneOf["second", "minute", "hour", "day", "week", "month", "year"]

    @property
    def months(self) -> int:
        """Calendar months, or 0 for an exact length."""
        return self.count * {"month": 1, "year": 12}.get(self.unit, 0)

    @property
    def micros(self) -> int:
        """Exact microseconds, or 0 for a calendar length."""
        return self.count * _MICROS.get(self.unit, 0)


_MICROS = {
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}


@attrs.frozen(cache_hash=True)
class Literal:
    """A constant in plain form; for type `duration` it is a `Duration`."""

    value: Any
    type: ValueType
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Now:
    """The instant of the host's clock."""

    span: Span | None = _span()

    @property
    def type(self) -> ValueType:
        """An instant."""
        return _values.instant


@attrs.frozen(cache_hash=True)
class Today:
    """The civil date of now in the zone of the rule, moved by `days` (yesterday is -1)."""

    days: int = 0
    span: Span | None = _span()

    @property
    def type(self) -> ValueType:
        """A date."""
        return _values.date


@attrs.frozen(cache_hash=True)
class Attribute:
    """The object's own attribute. Inside event brackets it is written `object.name`."""

    name: str
    type: ValueType
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Property:
    """A property of the event at hand; stands only in `Events.where`."""

    name: str
    type: ValueType
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Sample:
    """A number in [0, 1) that the object's id and the salt fix for ever; see `dsl._sample` for the hash."""

    salt: str
    span: Span | None = _span()

    @property
    def type(self) -> ValueType:
        """A double."""
        return _values.number


@attrs.frozen(cache_hash=True)
class Arithmetic:
    """`left operator right`; missing when a side is, on division by zero, and on overflow.

    Integers and decimals give exact rationals (typed decimal), a double on either side gives a
    double. An instant plus or minus a duration is an instant, two instants differ by an exact
    duration, durations add up. A calendar duration moves an instant in the zone of the rule.
    """

    operator: ArithmeticOperator
    left: Value
    right: Value
    type: ValueType
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Negate:
    """The number with its sign changed."""

    operand: Value
    span: Span | None = _span()

    @property
    def type(self) -> ValueType:
        """The type of the operand."""
        return self.operand.type


@attrs.frozen(cache_hash=True)
class Call:
    """A function of values; missing when an argument is (but `coalesce`: its first known one)."""

    function: Function
    arguments: tuple[Value, ...]
    type: ValueType
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Events:
    """The object's events called `name` that pass `where`, lie in `window`, and are not in the future."""

    name: str
    where: Predicate | None = None
    window: Window | None = None
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Aggregate:
    """One value over events: `count` and `days` need no property, `first` and `last` may do without.

    Over no events `count`, `days`, `distinct`, `sum` are 0 and the others missing. Events without
    the property are left out of all but `count` and `days`. `days` are distinct civil days in the
    zone of the rule. `first` and `last` go by (at, id) and without property give the instant.
    """

    function: AggregateFunction
    events: Events
    property: Property | None
    type: ValueType
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Path:
    """A value of the object that a to-one relation leads to; missing when there is no such object.

    `value` is an `Attribute`, an aggregate, or another `Path` of that object, and knows nothing of the
    object it started from. `contact.company.size` is a path within a path.
    """

    relation: str
    value: Attribute | Path | Aggregate | RelatedAggregate
    span: Span | None = _span()

    @property
    def type(self) -> ValueType:
        """The type of the value at the end."""
        return self.value.type


@attrs.frozen(cache_hash=True)
class Related:
    """The objects that a to-many relation leads to and that pass `where`, a filter of their own type."""

    relation: str
    where: Predicate | None = None
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class RelatedAggregate:
    """One value over related objects: `count` takes no value, the others one of each object.

    Over no objects `count`, `distinct`, `sum` are 0 and the others missing. Objects whose value is
    missing are left out of all but `count`.
    """

    function: RelatedFunction
    related: Related
    value: Attribute | Path | Aggregate | RelatedAggregate | None
    type: ValueType
    span: Span | None = _span()


Value: TypeAlias = (
    Literal
    | Now
    | Today
    | Attribute
    | Property
    | Sample
    | Arithmetic
    | Negate
    | Call
    | Aggregate
    | Path
    | RelatedAggregate
)


# -------------------------------------------------------------------------- windows


@attrs.frozen(cache_hash=True)
class Relative:
    """A stretch of time that moves with now; `RelativeForm` has the bounds of each form."""

    form: RelativeForm
    duration: Duration
    second: Duration | None = None
    zone: str | None = None
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Calendar:
    """Whole calendar units in the zone, from `first` to `last` counted from the current one (0).

    `this month` is (0, 0), `last week` (-1, -1), `the last 3 calendar months` (-3, -1), `next year` (1, 1),
    and the day units `today` (0, 0) and `yesterday` (-1, -1). Weeks begin on Monday.
    """

    unit: CalendarUnit
    first: int
    last: int
    zone: str | None = None
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Absolute:
    """Fixed bounds, either of which may be absent: `start <= x` (`<` if `after`), `x < end` (`<=` if `until`).

    Each bound is an instant or a date of the object: a literal, `now`, `today`, an attribute, an
    aggregate over events, or arithmetic on them. A missing bound holds nothing. A date stands for its
    whole civil day in the zone: `since D` from its first instant, `after D` from the next day on,
    `before D` up to its first instant, `until D` to its end. `on D` is `since D until D`; `between T1
    and T2` is `since T1 until T2`; `within d after T` is `since T before T + d`, and `within d before
    T` is `since T - d before T`. Stands for events only.
    """

    start: Value | None
    end: Value | None
    after: bool = False
    until: bool = False
    zone: str | None = None
    span: Span | None = _span()


Window: TypeAlias = Relative | Calendar | Absolute


# ----------------------------------------------------------------------- predicates


@attrs.frozen(cache_hash=True)
class Constant:
    """`true` or `false`, for everyone."""

    value: bool
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class And:
    """All of two or more; nested conjunctions are flat."""

    items: tuple[Predicate, ...]
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Or:
    """Any of two or more; nested disjunctions are flat."""

    items: tuple[Predicate, ...]
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Not:
    """The complement."""

    item: Predicate
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class AtLeast:
    """`at least k of (...)`; `at most` and `exactly` are written with it and `Not`."""

    count: int
    items: tuple[Predicate, ...]
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Compare:
    """Both sides known, and the comparison holds; numbers by exact value, text by code point.

    An instant against a date compares with the whole civil day in the zone (contract, section 5).
    `zone` also holds for `today` and calendar arithmetic inside; None is the schema's zone.
    """

    operator: CompareOperator
    left: Value
    right: Value
    ignoring_case: bool = False
    zone: str | None = None
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Between:
    """`low <= value <= high`, all three known."""

    value: Value
    low: Value
    high: Value
    zone: str | None = None
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class In:
    """The value is known and equals one of the options."""

    value: Value
    options: tuple[Literal, ...]
    ignoring_case: bool = False
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class IsMissing:
    """The value is missing. A set is never missing."""

    value: Value
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class IsTrue:
    """The boolean value is known and true."""

    value: Value
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class TextTest:
    """The text contains, starts with or ends with any of the patterns."""

    test: OneOf["contains", "starts with", "ends with"]
    value: Value
    patterns: tuple[str, ...]
    ignoring_case: bool = False
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Matches:
    """The regular expression of RE2 is found somewhere in the text."""

    value: Value
    pattern: str
    ignoring_case: bool = False
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class SetTest:
    """The set has any, or all, of the members."""

    quantifier: OneOf["any", "all"]
    value: Value
    members: tuple[str, ...]
    ignoring_case: bool = False
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class IsEmpty:
    """The set has no members."""

    value: Value
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Within:
    """The point lies at most `distance` `unit` from `centre` (latitude, longitude) on the mean Earth sphere."""

    value: Value
    distance: Any
    unit: OneOf["m", "km", "mi"]
    centre: tuple[float, float]
    span: Span | None = _span()

    @property
    def metres(self) -> float:
        """The distance in metres."""
        distance = min(self.distance, 1_000_000_000)  # farther than anything on Earth, and a double holds it
        return float(distance * {"m": 1, "km": 1_000}[self.unit]) if self.unit != "mi" else (float(distance) * 1609.344)


@attrs.frozen(cache_hash=True)
class InBox:
    """The point lies in the box, borders included; `west > east` crosses the 180 degree meridian."""

    value: Value
    south: float
    west: float
    north: float
    east: float
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class InPolygon:
    """The point lies in the polygon, its edges included; they are straight in latitude and longitude.

    Each edge goes the short way round the Earth, so that one may cross the 180 degree meridian. The
    last corner joins the first. Where edges cross, inside is what they go round an odd number of times.
    """

    value: Value
    corners: tuple[tuple[float, float], ...]
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Anniversary:
    """An anniversary of the date, or of the instant's civil day in the zone, lies in the window of days.

    Every year has one, by month and day, those before the date too; 29 February falls on 1 March in
    common years.
    """

    value: Value
    window: Relative | Calendar
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Step:
    """A step of a chain: events without a window of their own, and how long after the step before at most."""

    events: Events
    within: Duration | None = None


@attrs.frozen(cache_hash=True)
class Chain:
    """Some events, one for each step, follow one another in strict time order within the gaps.

    The events of all steps lie in `window`. If `absent`, the last step is one that did not come: some
    chain of the others has no such event after its end, up to the gap, and the gap is over. `zone` holds
    for everything inside, and for gaps of months.
    """

    steps: tuple[Step, ...]
    absent: bool = False
    window: Window | None = None
    zone: str | None = None
    span: Span | None = _span()

    @property
    def events(self) -> tuple[Events, ...]:
        """The events of each step, those in the window alone."""
        return tuple(attrs.evolve(step.events, window=self.window) for step in self.steps)


@attrs.frozen(cache_hash=True)
class InWindow:
    """The instant (or whole civil day, for a date) lies in the window."""

    value: Value
    window: Relative | Calendar
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class OneRelated:
    """The to-one relation leads to an object that is there and passes `where`, a filter of its own type.

    `company is known` is `company[true]`.
    """

    relation: str
    where: Predicate
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class AnyRelated:
    """There is such a related object. `no deals[F]` is `Not` of it, `all deals[F]` is `no deals[not F]`."""

    related: Related
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class InSegment:
    """The object is a member of the segment, which is one of its own type."""

    segment: str
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Crossing:
    """The object has entered, or left, the segment at some instant of the window.

    Without a window at any time up to now: `was ever in segment` is to have entered it, since
    every stay begins with an entry.
    """

    direction: OneOf["entered", "left"]
    segment: str
    window: Window | None = None
    span: Span | None = _span()


@attrs.frozen(cache_hash=True)
class Rank:
    """The object is among the first `count` (or `count` percent) of its type by a value.

    Ranked are all objects of the type that pass `of` and whose `by` and `per` are known, in groups of
    equal `per`. `top` puts large values first, `bottom` small ones; ties go to the smaller object id.
    `count` percent are the ceiling of that part of those that are ranked in the group. `ties` lets in all
    whose value equals that of the last one. `zone` is the zone of the values, None the schema's.
    """

    direction: OneOf["top", "bottom"]
    count: int | Decimal
    percent: bool
    by: Value
    per: Value | None = None
    of: Predicate | None = None
    ties: bool = False
    zone: str | None = None
    span: Span | None = _span()


Predicate: TypeAlias = (
    Constant
    | And
    | Or
    | Not
    | AtLeast
    | Compare
    | Between
    | In
    | IsMissing
    | IsTrue
    | TextTest
    | Matches
    | SetTest
    | IsEmpty
    | Within
    | InBox
    | InPolygon
    | Chain
    | Anniversary
    | InWindow
    | OneRelated
    | AnyRelated
    | InSegment
    | Crossing
    | Rank
)

Node: TypeAlias = Predicate | Value | Window | Events | Related


def children(node: Node) -> Iterator[Node]:  # noqa: C901, PLR0915  # one case for each kind of node
    """Yield the nodes directly below, in the order of the text."""
    match node:
        case And(items) | Or(items) | AtLeast(_, items):
            yield from items
        case Not(item):
            yield item
        case Compare(_, left, right) | Arithmetic(_, left, right):
            yield left
            yield right
        case Between(value, low, high):
            yield value
            yield low
            yield high
        case In(value, options):
            yield value
            yield from options
        case InWindow(value, window) | Anniversary(value, window):
            yield value
            yield window
        case Chain(steps, _, chain_window):
            yield from (step.events for step in steps)
            if chain_window is not None:
                yield chain_window
        case Negate(operand):
            yield operand
        case Call(_, arguments):
            yield from arguments
        case Aggregate(_, events, property):
            yield events
            if property is not None:
                yield property
        case Events(_, where, window):
            if where is not None:
                yield where
            if window is not None:
                yield window
        case Absolute(start, end):
            if start is not None:
                yield start
            if end is not None:
                yield end
        case IsMissing(value) | IsTrue(value) | IsEmpty(value):
            yield value
        case TextTest(_, value) | Matches(value) | SetTest(_, value) | Within(value) | InBox(value) | InPolygon(value):
            yield value
        case Path(_, value):
            yield value
        case Related(_, where):
            if where is not None:
                yield where
        case RelatedAggregate(_, related, value):
            yield related
            if value is not None:
                yield value
        case OneRelated(_, where):
            yield where
        case AnyRelated(related):
            yield related
        case Crossing(_, _, window):
            if window is not None:
                yield window
        case Rank(_, _, _, by, per, of):
            if of is not None:
                yield of
            yield by
            if per is not None:
                yield per
        case (
            InSegment()
            | Constant()
            | Sample()
            | Literal()
            | Now()
            | Today()
            | Attribute()
            | Property()
            | Relative()
            | Calendar()
        ):
            return


def iter_nodes(node: Node) -> Iterator[Node]:
    """Yield `node` and everything below it, parents first, without recursion."""
    stack: list[Node] = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(list(children(current))))


def goes_by_days(where: Predicate | None) -> bool:
    """Return whether a bracket may depend on the zone: it reads an instant or a date, or has a window."""
    return where is not None and any(
        isinstance(node, Relative | Calendar | Absolute)
        or (isinstance(node, Value) and node.type.kind in ("instant", "date"))
        for node in iter_nodes(where)
    )
