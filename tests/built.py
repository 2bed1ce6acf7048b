"""Trees as expressions of the builder: what somebody would write in Python for a filter."""

from __future__ import annotations

import operator
from typing import Any, assert_never

from segmentkit import build
from segmentkit.dsl import predicates as p
from segmentkit.forms._build_sources import RelatedSource

__all__ = ["built"]

_COMPARE = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_COMPUTE = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
_FORMS = {
    "more than ago": "more_than_ago", "at least ago": "at_least_ago", "last": "last", "next": "next",
    "more than from now": "more_than_from_now", "at least from now": "at_least_from_now",
}  # fmt: skip


def built(node: Any) -> Any:  # noqa: C901  # one arm for each node
    """Return the expression of a predicate or a value."""
    match node:
        case p.Constant(value):
            return build.all_of([]) if value else build.any_of([])
        case p.And(items):
            return build.all_of(map(built, items))
        case p.Or(items):
            return build.any_of(map(built, items))
        case p.Not(item):
            return ~built(item)
        case p.AtLeast(count, items):
            return build.at_least(count, *map(built, items))
        case p.Compare(op, left, right, ignoring_case):
            # of a constant on the left, or of two, Python would make something else
            value, other = _value(left), built(right)
            found = _COMPARE[op](value, other)
            return _zoned(found.ignoring_case() if ignoring_case else found, node.zone)
        case p.Between(value, low, high):
            return _zoned(_value(value).between(built(low), built(high)), node.zone)
        case p.In(value, options, ignoring_case):
            return _cased(_value(value).in_(*map(built, options)), ignoring_case)
        case p.IsMissing(value):
            return _value(value).is_missing()
        case p.IsTrue(value):
            return ~~built(value) if isinstance(value, p.Literal) else built(value)
        case p.TextTest(test, value, patterns, ignoring_case):
            return _cased(getattr(_value(value), test.replace(" ", "_"))(*patterns), ignoring_case)
        case p.Matches(value, pattern, ignoring_case):
            return _cased(_value(value).matches(pattern), ignoring_case)
        case p.SetTest(quantifier, value, members, ignoring_case):
            return _cased(getattr(_value(value), f"has_{quantifier}")(*members), ignoring_case)
        case p.IsEmpty(value):
            return _value(value).is_empty()
        case p.Within(value, distance, unit, centre):
            return _value(value).within(distance, unit, of=centre)
        case p.InBox(value, south, west, north, east):
            return _value(value).in_box(south, west, north, east)
        case p.InPolygon(value, corners):
            return _value(value).in_polygon(*corners)
        case p.InWindow(value, window):
            return _value(value).when(**_window(window))
        case p.Anniversary(value, window):
            return _value(value).anniversary(**_window(window))
        case p.Chain(steps, absent, window):
            return _chain(steps, absent, window, node.zone)
        case p.OneRelated(relation, where):
            return build.related[relation][built(where)]
        case p.AnyRelated(related):
            return build.related[related.relation].any(None if related.where is None else built(related.where))
        case p.InSegment(segment):
            return build.segment(segment)
        case p.Crossing(direction, segment, window):
            bounds = {} if window is None else _window(window)
            return getattr(build.segment(segment), direction)(**bounds)
        case p.Rank():
            return _rank(node)
        case _:
            return _built_value(node)


def _built_value(node: p.Value) -> Any:  # noqa: C901
    match node:
        case p.Literal(value, value_type):
            return value if value_type.kind == "duration" else value_type.restore(value)
        case p.Now():
            return build.now
        case p.Today(days):
            return {-1: build.yesterday, 0: build.today, 1: build.tomorrow}[days]
        case p.Attribute(name):
            return build.attr[name]
        case p.Property(name):
            return build.prop[name]
        case p.Sample(salt):
            return build.sample(salt)
        case p.Arithmetic(op, left, right):
            return _COMPUTE[op](_value(left), built(right))
        case p.Negate(operand):
            return -_value(operand)
        case p.Call(function, arguments):
            first, *rest = arguments
            if function in ("abs", "round"):
                return {"abs": abs, "round": round}[function](_value(first))
            return getattr(_value(first), function)(*map(built, rest))
        case p.Aggregate(function, events, taken):
            bounds = {} if events.window is None else _window(events.window)
            names = () if taken is None else (taken.name,)
            return getattr(_events(events), function)(*names, **bounds)
        case p.Path(relation, value):
            source: Any = build.related[relation]
            while isinstance(value, p.Path):
                source, value = source[value.relation], value.value
            return source[value.name] if isinstance(value, p.Attribute) else source.of(built(value))
        case p.RelatedAggregate(function, related, of):
            source = RelatedSource(related.relation)
            where = None if related.where is None else built(related.where)
            return getattr(source, function)(*(() if of is None else (built(of),)), where=where)
        case _:
            assert_never(node)


def _value(node: p.Value) -> Any:
    """Return an expression also of a constant, whose methods and operators Python has not."""
    found = built(node)
    return found if isinstance(found, build.Value) else _constant(node)


def _constant(node: Any) -> Any:
    from segmentkit.forms._build_expressions import PlainValue
    from segmentkit.forms._build_written import constant

    return PlainValue(constant(_built_value(node)))


def _zoned(condition: Any, zone: str | None) -> Any:
    return condition if zone is None else condition.in_zone(zone)


def _cased(condition: Any, ignoring_case: bool) -> Any:
    return condition.ignoring_case() if ignoring_case else condition


def _events(node: p.Events) -> Any:
    source = build.event[node.name]
    return source if node.where is None else source[built(node.where)]


def _window(window: p.Window) -> dict[str, Any]:
    bounds = _bounds(window)
    return bounds if window.zone is None else bounds | {"zone": window.zone}


def _bounds(window: p.Window) -> dict[str, Any]:
    match window:
        case p.Relative("between ago", first, second):
            return {"between_ago": (first, second)}
        case p.Relative(form, length):
            return {_FORMS[form]: length}
        case p.Calendar(unit, 0, 0):
            return {"this": unit}
        case p.Calendar(unit, -1, -1):
            return {"last": unit}
        case p.Calendar(unit, 1, 1):
            return {"next": unit}
        case p.Calendar(unit, first, -1):
            return {"last": (-first, unit)}
        case p.Calendar(unit, _, last):
            return {"next": (last, unit)}
        case p.Absolute(start, end, after, until):
            found = {} if start is None else {"after" if after else "since": built(start)}
            return found if end is None else found | {"until" if until else "before": built(end)}
        case _:
            assert_never(window)


def _chain(steps: tuple[p.Step, ...], absent: bool, window: p.Window | None, zone: str | None) -> Any:
    found: Any = _events(steps[0].events)
    for index, step in enumerate(steps[1:], 1):
        then = found.then_not if absent and index == len(steps) - 1 else found.then
        found = then(_events(step.events), within=step.within)
    found = found if window is None else found.when(**_window(window))
    return _zoned(found, zone)


def _rank(node: p.Rank) -> Any:
    count = f"{node.count}%" if node.percent else node.count
    rank = build.top if node.direction == "top" else build.bottom
    per, of = (None if part is None else built(part) for part in (node.per, node.of))
    return _zoned(rank(count, by=_value(node.by), per=per, of=of, ties=node.ties), node.zone)
