"""Hypothesis strategies for well-typed filters, built as trees from the whole set of nodes.

`predicates(world, type)` draws from every node of `dsl.predicates`, in the form in which the
parser leaves it: connectives are flat, a numeric literal has the type of the other side,
and there is no node for what the language writes as `not`. Leaves draw from the pools of
`tests.strategies`, so that facts and filters meet often.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
from hypothesis import strategies as st

import segmentkit as sk
from segmentkit.dsl import predicates as p
from segmentkit.values import ValueType, duration as duration_type
from tests.strategies import DURATIONS, MEMBERS, POOLS, Source, World

__all__ = ["predicates"]

WINDOW_ZONES = (None, None, "Europe/Warsaw", "America/New_York", "Asia/Kathmandu")
_EXACT = tuple(duration for duration in DURATIONS if not duration.months)
DAYS = tuple(duration for duration in DURATIONS if duration.unit in ("day", "week", "month", "year"))
COMPARISONS = ("=", "<", "<=", ">", ">=")
NUMERIC = ("integer", "number", "decimal")
_ORDERED = (*NUMERIC, "instant", "date")
_COMPARABLE = (*NUMERIC, "text", "choice", "instant", "date", "boolean", "point")


@st.composite
def predicates(draw: st.DrawFn, world: World, on: str, depth: int = 2) -> p.Predicate:
    """Filters over objects of type `on`, of at most `depth` levels of connectives."""
    return _Scope(Source(draw), world, on).predicate(depth)


@attrs.frozen
class _Scope:
    """Where names are looked up: the attributes of a type, and an event's properties inside brackets."""

    source: Source
    world: World
    on: str
    properties: Mapping[str, ValueType] | None = None

    # ------------------------------------------------------------------- choosing

    def pick(self, *options: Any) -> Any:
        return self.source.pick(options)

    def rarely(self) -> bool:
        return self.source.chance(4)

    @property
    def attributes(self) -> Mapping[str, ValueType]:
        return self.world.schema.type(self.on).attributes

    @property
    def events(self) -> Mapping[str, sk.EventType]:
        return self.world.schema.type(self.on).events

    def names(self, *kinds: str) -> list[p.Value]:
        """All attributes of the kinds, and properties where there are any."""
        found: list[p.Value] = [p.Attribute(n, t) for n, t in self.attributes.items() if t.kind in kinds]
        if self.properties is not None:
            found += [p.Property(n, t) for n, t in self.properties.items() if t.kind in kinds] * 3
        return found

    def read(self, *kinds: str) -> list[p.Value]:
        """The same, and the first or last property of events, which is a value of the object too."""
        found = self.names(*kinds)
        if self.properties is None and (not found or self.rarely()):
            properties = [
                (event.name, p.Property(name, value_type))
                for event in self.events.values()
                for name, value_type in event.properties.items()
                if value_type.kind in kinds and value_type.kind != "text_set"
            ]
            if properties:
                name, property = self.pick(*properties)
                functions = ["first", "last"] + ["min", "max"] * (property.type.kind in _ORDERED)
                found = [p.Aggregate(self.pick(*functions), self.matching(name), property, property.type)]
        return found

    def literal(self, value_type: ValueType) -> p.Literal:
        return p.Literal(value_type.convert(self.pick(*self.world.values(value_type))), value_type)

    def duration(self) -> p.Duration:
        return self.pick(*DURATIONS)

    def zone(self) -> str | None:
        return self.pick(*WINDOW_ZONES)

    # ---------------------------------------------------------------- connectives

    def predicate(self, depth: int) -> p.Predicate:
        if depth == 0 or self.rarely():
            return self.condition()
        match self.pick("and", "or", "not", "at least"):
            case "and":
                return _flat(p.And, self.several(depth))
            case "or":
                return _flat(p.Or, self.several(depth))
            case "not":
                return p.Not(self.predicate(depth - 1))
            case _:
                items = self.several(depth)
                return p.AtLeast(self.pick(1, *range(len(items) + 1)), items)

    def several(self, depth: int) -> tuple[p.Predicate, ...]:
        return tuple(self.predicate(depth - 1) for _ in range(self.pick(2, 3)))

    # ----------------------------------------------------------------- conditions

    def condition(self) -> p.Predicate:
        """A condition of a kind that the names in scope allow."""
        forms: list[Callable[[], p.Predicate]] = [self.dates, self.mixed_dates, self.instants, self.lengths]
        for kinds, of_kinds in (
            (NUMERIC, [self.numbers, self.numbers, self.number_between, self.number_in]),
            (("text", "choice"), [self.texts, self.text_in, self.text_test, self.matches]),
            (("instant",), [self.window, self.window, self.instants, self.instant_between]),
            (("date",), [self.date_window, self.date_window, self.date_between]),
            (("date", "instant"), [self.anniversary]),
            (("boolean",), [self.truth]),
            (("text_set",), [self.set_test, self.set_test, self.empty]),
            (("point",), [self.within, self.box, self.polygon]),
            (_COMPARABLE, [self.missing]),
        ):
            if self.can_read(kinds):
                forms += of_kinds
        if self.properties is None:
            forms += [self.did] * 3 + [self.numbers] * 4 + [self.window] + [self.chain] * 3 + [self.sample]
        if self.rarely():
            forms += [self.constant]
        return self.pick(*forms)()

    def can_read(self, kinds: tuple[str, ...]) -> bool:
        """Whether `read` would find something."""
        if self.names(*kinds):
            return True
        of_events = [t.kind for event in self.events.values() for t in event.properties.values()]
        return self.properties is None and any(kind in kinds and kind != "text_set" for kind in of_events)

    def constant(self) -> p.Predicate:
        return p.Constant(self.pick(True, False))

    def missing(self) -> p.Predicate:
        if self.properties is None and self.rarely():
            return p.IsMissing(self.pick(self.number, self.instant)(1))
        return p.IsMissing(self.pick(*self.read(*_COMPARABLE)))

    def truth(self) -> p.Predicate:
        value = self.pick(*self.read("boolean"))
        if self.rarely():
            return p.Compare("=", value, self.pick(*self.read("boolean"), p.Literal(False, sk.boolean)))
        return p.IsTrue(value)

    # -------------------------------------------------------------------- numbers

    def numbers(self) -> p.Predicate:
        left = self.number(2)
        right = self.number(1) if self.rarely() else self.number_literal(left.type)
        sides = (right, left) if self.rarely() else (left, right)
        return p.Compare(self.pick(*COMPARISONS), *sides, zone=self.zone() if self.rarely() else None)

    def number_between(self) -> p.Predicate:
        value = self.pick(*self.read(*NUMERIC))
        low, high = self.number_literal(value.type), self.number_literal(value.type)
        return p.Between(value, low, self.number_name() if self.rarely() else high)

    def number_in(self) -> p.Predicate:
        value = self.pick(*self.read(*NUMERIC))
        options = self.options(lambda: self.number_literal(value.type))
        return p.In(value, options)

    def options(self, literal: Callable[[], p.Literal]) -> tuple[p.Literal, ...]:
        """One to three literals, none of them twice."""
        drawn = [literal() for _ in range(1 + self.source.below(3))]
        return tuple({(option.type, option.value): option for option in drawn}.values())

    def number_literal(self, other: ValueType) -> p.Literal:
        """A literal as it is written beside a value: a double beside a double, else with or without a point."""
        return self.literal(other if other.kind == "number" else self.pick(sk.integer, sk.decimal))

    def number_name(self) -> p.Value:
        return self.pick(*self.names(*NUMERIC), *([] if self.properties is not None else [self.count()]))

    def number(self, depth: int) -> p.Value:
        """A number: a name, an aggregate, arithmetic, or a function of something."""
        forms: list[Callable[[], p.Value]] = []
        if self.names(*NUMERIC):
            forms += [lambda: self.pick(*self.names(*NUMERIC))] * 2
        if self.properties is None:
            forms += [self.count] + [self.aggregate] * 3
        if depth > 0:
            forms += [lambda: self.arithmetic(depth), lambda: self.function(depth), lambda: self.function(depth)]
        if not forms:
            return p.Call("year", (p.Today(),), sk.integer)
        return self.pick(*forms)()

    def arithmetic(self, depth: int) -> p.Value:
        left = self.number(depth - 1)
        operator = self.pick("+", "-", "*", "/")
        right = self.number(depth - 1) if self.rarely() else self.number_literal(left.type)
        return p.Arithmetic(operator, left, right, arithmetic_type(left.type, right.type))

    def function(self, depth: int) -> p.Value:
        forms: list[Callable[[], p.Value]] = [
            lambda: p.Call(self.pick("year", "month", "day", "weekday"), (self.date_or_instant(),), sk.integer),
            lambda: p.Call("hour", (self.instant(0),), sk.integer),
        ]
        if texts := self.names("text", "choice"):
            forms += [lambda: p.Call("length", (self.pick(*texts),), sk.integer)]
        if sets := self.names("text_set"):
            forms += [lambda: p.Call("size", (self.pick(*sets),), sk.integer)] * 2
        if numbers := self.names(*NUMERIC):
            forms += [lambda: self.numeric_function(self.pick(*numbers)), lambda: self.coalesce(self.pick(*numbers))]
        return self.pick(*forms)()

    def numeric_function(self, value: p.Value) -> p.Value:
        match self.pick("negate", "abs", "round"):
            case "negate":
                return p.Negate(value)
            case "abs":
                return p.Call("abs", (value,), value.type)
            case _:
                return p.Call("round", (value,), sk.integer)

    def coalesce(self, value: p.Value) -> p.Value:
        other = self.pick(*self.names(*NUMERIC), self.number_literal(value.type))
        return p.Call("coalesce", (value, other), coalesce_type(value.type, other.type))

    # ----------------------------------------------------------------------- text

    def text(self) -> p.Value:
        value = self.pick(*self.read("text", "choice"))
        match self.pick("plain", "plain", "lower", "coalesce"):
            case "lower":
                return p.Call("lower", (value,), sk.text)
            case "coalesce":
                return p.Call("coalesce", (value, self.literal(value.type)), value.type)
            case _:
                return value

    def texts(self) -> p.Predicate:
        left = self.text()
        right = self.text() if self.rarely() else self.literal(left.type)
        operator = self.pick("=", "=", "<", ">=")
        return p.Compare(operator, left, right, ignoring_case=operator == "=" and self.pick(True, False))

    def text_in(self) -> p.Predicate:
        value = self.text()
        options = self.options(lambda: self.literal(value.type))
        return p.In(value, options, ignoring_case=self.pick(True, False))

    def text_test(self) -> p.Predicate:
        patterns = self.texts_of("p", "PL", "", "ss", "ß", "\\", "\n", "x")
        test = self.pick("contains", "starts with", "ends with")
        return p.TextTest(test, self.text(), patterns, ignoring_case=self.pick(True, False))

    def matches(self) -> p.Predicate:
        pattern = self.pick("^p", "l$", "^$", "s+", "[^a-z]", "\\\\", "ß", ".")
        return p.Matches(self.text(), pattern, ignoring_case=self.pick(True, False))

    def texts_of(self, *pool: str) -> tuple[str, ...]:
        """One or two of the texts, none of them twice."""
        return tuple(dict.fromkeys(self.pick(*pool) for _ in range(1 + self.source.below(2))))

    def set_test(self) -> p.Predicate:
        members = self.texts_of(*MEMBERS)
        quantifier = self.pick("any", "all") if len(members) > 1 else "any"
        value = self.pick(*self.names("text_set"))
        return p.SetTest(quantifier, value, members, ignoring_case=self.pick(True, False))

    def empty(self) -> p.Predicate:
        return p.IsEmpty(self.pick(*self.names("text_set")))

    # ------------------------------------------------------------------------ geo

    def within(self) -> p.Predicate:
        value = self.pick(*self.read("point"))
        distance, unit = self.pick((3, "km"), (0, "m"), (200, "mi"), (20_015, "km"))
        return p.Within(value, distance, unit, self.pick(*POOLS[sk.point]))

    def box(self) -> p.Predicate:
        value = self.pick(*self.read("point"))
        south, west, north, east = self.pick(
            (50.0, 19.0, 53.0, 22.0), (-10.0, 170.0, 10.0, -170.0), (52.23, 21.01, 90.0, 21.01)
        )
        return p.InBox(value, south, west, north, east)

    def polygon(self) -> p.Predicate:
        value = self.pick(*self.read("point"))
        corners = self.pick(
            ((52.0, 21.0), (52.25, 21.0), (52.25, 21.5)),
            ((-10.0, 170.0), (10.0, 170.0), (10.0, -170.0), (-10.0, -170.0)),
            ((0.0, 180.0), (52.23, 21.01), (50.06, 19.94), (90.0, 0.0)),
        )
        return p.InPolygon(value, corners)

    # ----------------------------------------------------------------------- time

    def instant(self, depth: int) -> p.Value:
        """An instant: a name, now, the first or last event, or one of these moved by a duration."""
        forms: list[Callable[[], p.Value]] = [p.Now]
        if self.names("instant"):
            forms += [lambda: self.pick(*self.names("instant"))] * 3
        if self.properties is None:
            forms += [self.extreme_instant] * 2
            if self.can_read(("instant",)):
                forms += [lambda: self.pick(*self.read("instant"))]
        if depth > 0:
            forms += [lambda: self.moved(self.instant(depth - 1)), lambda: self.known_instant(self.instant(depth - 1))]
        return self.pick(*forms)()

    def extreme_instant(self) -> p.Value:
        return p.Aggregate(self.pick("first", "last"), self.matching(), None, sk.instant)

    def moved(self, value: p.Value) -> p.Value:
        step = p.Literal(self.duration(), duration_type)
        return p.Arithmetic(self.pick("+", "-"), value, step, sk.instant)

    def known_instant(self, value: p.Value) -> p.Value:
        return p.Call("coalesce", (value, self.literal(sk.instant)), sk.instant)

    def instants(self) -> p.Predicate:
        right = self.literal(sk.instant) if self.pick(True, False) else self.instant(1)
        return p.Compare(self.pick(*COMPARISONS), self.instant(1), right, zone=self.zone())

    def lengths(self) -> p.Predicate:
        right = self.length() if self.rarely() else p.Literal(self.pick(*_EXACT), duration_type)
        return p.Compare(self.pick(*COMPARISONS), self.length(), right, zone=self.zone())

    def length(self) -> p.Value:
        """A duration: how far two instants are apart, and a little more."""
        apart = p.Arithmetic("-", self.instant(0), self.instant(1), duration_type)
        if self.rarely():
            return p.Arithmetic(self.pick("+", "-"), apart, p.Literal(self.pick(*_EXACT), duration_type), duration_type)
        return apart

    def instant_between(self) -> p.Predicate:
        low, high = self.instant(1), self.literal(sk.instant)
        return p.Between(self.pick(*self.read("instant")), low, high, zone=self.zone())

    def date(self) -> p.Value:
        day = self.pick(*self.names("date"), p.Today(self.pick(0, -1, 1)))
        return self.moved_day(day) if self.rarely() else day

    def moved_day(self, day: p.Value) -> p.Value:
        return p.Arithmetic(self.pick("+", "-"), day, p.Literal(self.pick(*DAYS), duration_type), sk.date)

    def date_or_instant(self) -> p.Value:
        return self.date() if self.pick(True, False) else self.instant(0)

    def dates(self) -> p.Predicate:
        left = self.date()
        right = self.date() if self.rarely() else self.literal(sk.date)
        return p.Compare(self.pick(*COMPARISONS), left, right, zone=self.zone())

    def mixed_dates(self) -> p.Predicate:
        sides = [self.instant(1), self.pick(self.literal(sk.date), self.date())]
        left, right = sides if self.pick(True, True, False) else sides[::-1]
        return p.Compare(self.pick(*COMPARISONS), left, right, zone=self.zone())

    def date_between(self) -> p.Predicate:
        value = self.pick(*self.read("date", "instant"))
        return p.Between(value, self.literal(sk.date), self.pick(self.literal(sk.date), self.date()), zone=self.zone())

    def window(self) -> p.Predicate:
        """A window around an instant that stays where it is: not now, nor what is made of it."""
        options = self.read("instant")
        if self.properties is None and (not options or self.rarely()):
            options = [self.extreme_instant()]
        value = self.pick(*options)
        match self.pick("plain", "plain", "moved", "known"):
            case "moved":
                value = self.moved(value)
            case "known":
                value = self.known_instant(value)
        return p.InWindow(value, self.pick(self.relative, self.relative, self.calendar)())

    def date_window(self) -> p.Predicate:
        value = self.pick(*self.read("date"))
        window = self.calendar() if self.rarely() else self.relative(DAYS)
        return p.InWindow(self.moved_day(value) if self.rarely() else value, window)

    def anniversary(self) -> p.Predicate:
        """Days within which a date, or an instant's day, comes back: those that `anniversary` can say."""
        value = self.pick(*self.read("date", "instant"))
        if self.rarely():
            value = self.moved_day(value) if value.type == sk.date else self.moved(value)
        if self.pick(True, False):
            return p.Anniversary(value, p.Relative(self.pick("last", "next"), self.pick(*DAYS), None, self.zone()))
        return p.Anniversary(value, self.calendar())

    def relative(self, durations: Sequence[p.Duration] = DURATIONS) -> p.Relative:
        form = self.pick(
            "more than ago", "at least ago", "last", "between ago", "next", "more than from now", "at least from now"
        )
        second = self.pick(*durations) if form == "between ago" else None
        return p.Relative(form, self.pick(*durations), second, self.zone())

    def calendar(self) -> p.Calendar:
        unit = self.pick("day", "week", "month", "quarter", "year")
        if unit == "day":
            first, last = self.pick((0, 0), (-1, -1), (1, 1), (-3, -1))
        else:
            first, last = self.pick((0, 0), (-1, -1), (1, 1), (-2, -1), (-3, -1))
        return p.Calendar(unit, first, last, self.zone())

    # --------------------------------------------------------------------- events

    def matching(self, name: str | None = None) -> p.Events:
        """The events of one name, sometimes filtered, mostly in some window."""
        name = name or self.pick(*self.events)
        where = None
        if self.pick(True, False, False):
            scope = attrs.evolve(self, properties=self.events[name].properties)
            where = scope.predicate(self.pick(0, 0, 1))
        window: p.Window | None = None
        match self.pick("none", "relative", "relative", "relative", "calendar", "absolute", "anchored"):
            case "relative":
                window = self.relative()
            case "calendar":
                window = self.calendar()
            case "absolute":
                window = self.absolute()
            case "anchored":
                window = self.anchored()
        return p.Events(name, where, window)

    def bound(self) -> p.Value:
        """Where a window of events begins or ends."""
        match self.pick("instant", "date", "now", "today", "moved", "read", "moved read"):
            case "instant":
                return self.literal(sk.instant)
            case "date":
                return self.literal(sk.date)
            case "now":
                return p.Now()
            case "today":
                return p.Today(self.pick(0, -1))
            case "read":
                return self.anchor()
            case "moved read":
                anchor = self.anchor()
                return self.moved_day(anchor) if anchor.type == sk.date else self.moved(anchor)
            case _:
                return self.moved(p.Now())

    def absolute(self) -> p.Absolute:
        match self.pick("since", "after", "before", "until", "both", "between", "on", "any"):
            case "since":
                return p.Absolute(self.bound(), None, zone=self.zone())
            case "after":
                return p.Absolute(self.bound(), None, after=True, zone=self.zone())
            case "before":
                return p.Absolute(None, self.bound(), zone=self.zone())
            case "until":
                return p.Absolute(None, self.bound(), until=True, zone=self.zone())
            case "both":
                return p.Absolute(self.bound(), self.bound(), zone=self.zone())
            case "between":
                return p.Absolute(self.bound(), self.bound(), until=True, zone=self.zone())
            case "any":
                after, until = self.pick(True, False), self.pick(True, False)
                return p.Absolute(self.bound(), self.bound(), after, until, zone=self.zone())
            case _:
                day = self.pick(self.literal(sk.date), p.Today())
                return p.Absolute(day, day, until=True, zone=self.zone())

    def anchor(self) -> p.Value:
        """An instant or a date of the object: an attribute, or its first or last event."""
        names = self.names("instant", "date")
        if names and not self.rarely():
            return self.pick(*names)
        window = self.relative() if self.rarely() else None
        return p.Aggregate(
            self.pick("first", "last"), p.Events(self.pick(*self.events), None, window), None, sk.instant
        )

    def anchored(self) -> p.Absolute:
        """`within d after T`, or before."""
        anchor = self.anchor()
        step = p.Literal(self.pick(*(DAYS if anchor.type == sk.date else DURATIONS)), duration_type)
        if self.pick(True, False):
            return p.Absolute(anchor, p.Arithmetic("+", anchor, step, anchor.type), zone=self.zone())
        return p.Absolute(p.Arithmetic("-", anchor, step, anchor.type), anchor, zone=self.zone())

    def chain(self) -> p.Predicate:
        """A sequence of two or three steps, with gaps and a window or without."""
        window = attrs.evolve(found, zone=None) if (found := self.matching().window) is not None else None
        steps = []
        for position in range(self.pick(2, 2, 3)):
            events = attrs.evolve(self.matching(), window=None)
            steps.append(p.Step(events, self.pick(None, *DURATIONS) if position else None))
        return p.Chain(tuple(steps), self.pick(False, False, True), window, self.zone())

    def sample(self) -> p.Predicate:
        share = p.Literal(self.pick(0.5, 0.1, 0.9), sk.number)
        return p.Compare(self.pick("<", ">="), p.Sample(self.pick("", "spring")), share)

    def count(self) -> p.Value:
        return p.Aggregate(self.pick("count", "count", "days"), self.matching(), None, sk.integer)

    def did(self) -> p.Predicate:
        operator = self.pick(">=", ">=", ">", "=", "<", "<=")
        return p.Compare(operator, self.count(), p.Literal(self.pick(1, 1, 2, 3, 0), sk.integer))

    def aggregate(self) -> p.Value:
        """A number over a property of some events; a count where the event has no such property."""
        events = self.matching()
        kinds = self.events[events.name].properties
        numeric = [p.Property(n, t) for n, t in kinds.items() if t.is_numeric]
        distinct = [p.Property(n, t) for n, t in kinds.items() if t.kind != "text_set"]
        functions = ["sum", "sum", "avg", "min", "max", "median", "first", "last"] * bool(numeric)
        functions += ["distinct"] * bool(distinct)
        if not functions:
            return p.Aggregate("count", events, None, sk.integer)
        function = self.pick(*functions)
        property = self.pick(*(distinct if function == "distinct" else numeric))
        return p.Aggregate(function, events, property, aggregate_type(function, property.type))


def _flat(connective: type[p.And] | type[p.Or], items: tuple[p.Predicate, ...]) -> p.Predicate:
    """Join, taking in the items of nested nodes of the same connective."""
    flat: list[p.Predicate] = []
    for item in items:
        flat += item.items if isinstance(item, connective) else [item]
    return connective(tuple(flat))


def arithmetic_type(left: ValueType, right: ValueType) -> ValueType:
    """Return the type of arithmetic on two numbers."""
    return sk.number if sk.number in (left, right) else sk.decimal


def coalesce_type(first: ValueType, second: ValueType) -> ValueType:
    """Return the type of the first known of two numbers."""
    return first if first == second else arithmetic_type(first, second)


def aggregate_type(function: str, property_type: ValueType) -> ValueType:
    """Return the type of an aggregate over a property."""
    if function == "distinct":
        return sk.integer
    if function in ("avg", "median") and property_type.kind == "integer":
        return sk.decimal
    return property_type
