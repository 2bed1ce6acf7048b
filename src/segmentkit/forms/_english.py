"""Filters as English sentences, for people who never saw the language.

Phrases are made children first, in a loop. `_PHRASES` has one function for each class of
nodes. A connective inside of another one stands in parentheses, so that a sentence can be
read in one way only; where a negation has words of its own they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final

from segmentkit.dsl import predicates as p
from segmentkit.dsl._literals import write_number
from segmentkit.dsl.predicates import Node, Predicate, children
from segmentkit.forms._english_time import duration, instant, window_of_events, window_of_value

__all__ = ["PHRASES", "sentence"]

_MOST_LISTED: Final = 20


def sentence(tree: Predicate, on: str | None) -> str:
    """Return the sentence; see `segmentkit.to_english`."""
    writer = _Writer()
    stack: list[tuple[Node, bool]] = [(tree, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            writer.texts[id(node)] = PHRASES[type(node)](writer, node)
        elif id(node) not in writer.texts:
            stack.append((node, True))
            stack.extend((child, False) for child in children(node))
    text = writer.texts[id(tree)]
    if on is not None:
        text = f"every {name(on)} where {text}"
    return text[:1].upper() + text[1:] + "."


def name(words: str) -> str:
    """Return a name of the schema as words.

    >>> name("last_visit"), name("utm.source")
    ('last visit', 'utm source')
    """
    return " ".join(words.replace("_", " ").replace(".", " ").split()) or words


def quoted(text: str) -> str:
    """Return text in quotes, shortened, on one line."""
    visible = "".join(c if c.isprintable() else " " for c in text)
    return f'"{visible if len(visible) <= 80 else visible[:77] + "..."}"'


def listed(parts: Sequence[str], word: str) -> str:
    """Return parts joined by commas, and a word before the last one; a long list is cut short.

    >>> listed(["a", "b", "c"], "or")
    'a, b or c'
    """
    if len(parts) > _MOST_LISTED:
        return f"{', '.join(parts[:_MOST_LISTED])} {word} {len(parts) - _MOST_LISTED:,} more"
    return f" {word} ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)


class _Writer:
    """The phrases of the nodes so far."""

    def __init__(self) -> None:
        self.texts: dict[int, str] = {}

    def of(self, node: Node) -> str:
        """Return the phrase of a child."""
        return self.texts[id(node)]

    def inner(self, node: Node) -> str:
        """Return the phrase of a child, in parentheses if it joins conditions."""
        text = self.of(node)
        return f"({text})" if isinstance(node, p.And | p.Or) else text

    def value(self, node: Node) -> str:
        """Return the phrase of a value inside of a longer one, in parentheses if it computes."""
        text = self.of(node)
        return f"({text})" if isinstance(node, p.Arithmetic) else text


# -------------------------------------------------------------------------------- logic


def _joined(writer: _Writer, items: Sequence[Predicate], word: str) -> str:
    parts = [writer.inner(item) for item in items]
    if len(parts) == 2:
        return f"{parts[0]} {word} {parts[1]}"
    return f"{', '.join(parts[:-1])}, {word} {parts[-1]}"


def _and(writer: _Writer, node: p.And) -> str:
    match node.items:
        case (p.AtLeast(count, some), p.Not(p.AtLeast(more, same))) if count == more - 1 and some == same:
            return f"exactly {count} of these hold: ({'; '.join(writer.of(item) for item in some)})"
    return _joined(writer, node.items, "and")


def _or(writer: _Writer, node: p.Or) -> str:
    return "either " + _joined(writer, node.items, "or")


def _at_least(writer: _Writer, node: p.AtLeast) -> str:
    return f"at least {node.count} of these hold: ({'; '.join(writer.of(item) for item in node.items)})"


def _not(writer: _Writer, node: p.Not) -> str:
    match node.item:
        case p.Compare() | p.Between() | p.In() | p.IsMissing() | p.IsTrue() | p.IsEmpty() as item:
            return _comparing(writer, item, positive=False)
        case p.TextTest() | p.Matches() | p.SetTest() | p.Within() | p.InBox() | p.InPolygon() as item:
            return _testing(writer, item, positive=False)
        case p.InWindow(value, window):
            return f"it is not so that {writer.of(value)} {window_of_value(window)}"
        case p.AtLeast(count, items):
            return f"at most {count - 1} of these hold: ({'; '.join(writer.of(item) for item in items)})"
        case p.AnyRelated(p.Related(relation, p.Not(where))):
            return f"all {name(relation)} have ({writer.of(where)})"
        case p.AnyRelated(related):
            return f"there are no {writer.of(related)}"
        case p.InSegment(segment):
            return f"it is not in the segment {quoted(segment)}"
        case item:
            return f"it is not so that {writer.inner(item)}"


def _constant(_writer: _Writer, node: p.Constant) -> str:
    return "it is always so" if node.value else "it is never so"


# -------------------------------------------------------------------------- comparisons

_NUMBERS: Final = {"=": "is", ">": "is more than", ">=": "is at least", "<": "is less than", "<=": "is at most"}
_TIMES: Final = {"=": "is", ">": "is after", ">=": "is at or after", "<": "is before", "<=": "is at or before"}
_DAYS: Final = {"=": "is on", ">": "is after", ">=": "is on or after", "<": "is before", "<=": "is on or before"}
_TEXTS: Final = {
    "=": "is",
    ">": "comes after",
    ">=": "is or comes after",
    "<": "comes before",
    "<=": "is or comes before",
}
_COUNTS: Final = {">=": "at least", "<=": "at most", "=": "exactly", ">": "more than", "<": "fewer than"}


def _comparing(writer: _Writer, node: Predicate, positive: bool = True) -> str:
    not_ = "" if positive else "not "
    match node:
        case p.Compare():
            return _counted(writer, node, positive) or _compared(writer, node, positive)
        case p.Between(value, low, high):
            text = f"{writer.of(value)} is {not_}from {writer.of(low)} to {writer.of(high)}"
            return text + _zone(node.zone)
        case p.In(value, options, ignoring_case):
            one = listed([writer.of(option) for option in options], "or")
            return f"{writer.of(value)} is {not_}{'one of ' if len(options) > 1 else ''}{one}{_case(ignoring_case)}"
        case p.IsMissing(value):
            return f"{writer.of(value)} is {'unknown' if positive else 'known'}"
        case p.IsTrue(value):
            return f"{writer.of(value)} is {'' if positive else 'not '}true"
        case p.IsEmpty(value):
            return f"{writer.of(value)} {'has no' if positive else 'has at least one'} member"
        case _:
            raise AssertionError(node)


def _compared(writer: _Writer, node: p.Compare, positive: bool) -> str:
    kinds = (node.left.type.kind, node.right.type.kind)
    if "date" in kinds:
        words = _DAYS
    elif "instant" in kinds:
        words = _TIMES
    else:
        words = _TEXTS if node.left.type.is_text else _NUMBERS
    word = "is" if node.operator == "=" and isinstance(node.right, p.Today) else words[node.operator]
    if not positive:
        word = word.replace("is", "is not", 1) if word.startswith("is") and " or " not in word else f"(not {word})"
    return f"{writer.of(node.left)} {word} {writer.of(node.right)}{_case(node.ignoring_case)}{_zone(node.zone)}"


def _counted(writer: _Writer, node: p.Compare, positive: bool) -> str | None:
    """Return `there were at least 3 purchase events` for a count, or None for other comparisons."""
    match node:
        case p.Compare(operator, p.Aggregate("count" | "days" as what, things), p.Literal(int() as number)):
            verb = "was" if what == "count" and number == 1 else "were"
        case p.Compare(operator, p.RelatedAggregate("count" as what, things), p.Literal(int() as number)):
            verb = "is" if number == 1 else "are"
        case _:
            return None
    if operator == ">=" and number == 1 and not positive:
        return f"there {verb} no {_things(writer, things, number if what == 'count' else 2)}{_zone(node.zone)}"
    amount = f"{'' if positive else 'not '}{_COUNTS[operator]} {number:,}"
    if what == "days":
        return f"there were {_things(writer, things)} on {amount} day{'' if number == 1 else 's'}{_zone(node.zone)}"
    return f"there {verb} {amount} {_things(writer, things, number)}{_zone(node.zone)}"


def _things(writer: _Writer, node: p.Events | p.Related, number: int = 2) -> str:
    """Return events or related objects, as many as the number says, with their filter and window."""
    where = "" if node.where is None else f" (where {writer.of(node.where)})"
    if isinstance(node, p.Related):
        return f"{name(node.relation)}{where}"
    window = "" if node.window is None else " " + writer.of(node.window)
    return f"{name(node.name)} event{'' if number == 1 else 's'}{where}{window}"


def _case(ignoring_case: bool) -> str:
    return ", in capitals or not" if ignoring_case else ""


def _zone(zone: str | None) -> str:
    return "" if zone is None else f" (in the time zone {zone})"


# -------------------------------------------------------------------- tests of one value


def _testing(writer: _Writer, node: Predicate, positive: bool = True) -> str:
    match node:
        case p.TextTest(test, value, patterns, ignoring_case):
            word = {"contains": "contain", "starts with": "start with", "ends with": "end with"}[test]
            said = test if positive else f"does not {word}"
            texts = listed([quoted(pattern) for pattern in patterns], "or")
            return f"{writer.of(value)} {said} {texts}{_case(ignoring_case)}"
        case p.Matches(value, pattern, ignoring_case):
            said = "matches" if positive else "does not match"
            return f"{writer.of(value)} {said} the pattern {quoted(pattern)}{_case(ignoring_case)}"
        case p.SetTest(quantifier, value, members, ignoring_case):
            texts = listed([quoted(member) for member in members], "or" if quantifier == "any" else "and")
            said = "includes" if positive else "does not include"
            both = " all of" if quantifier == "all" and len(members) > 1 else ""
            return f"{writer.of(value)} {said}{both} {texts}{_case(ignoring_case)}"
        case p.Within(value, distance, unit, (latitude, longitude)):
            far = f"{_plain(distance)} {unit} of latitude {_plain(latitude)}, longitude {_plain(longitude)}"
            return f"{writer.of(value)} is {'' if positive else 'not '}within {far}"
        case p.InBox(value, south, west, north, east):
            sides = f"latitudes {_plain(south)} to {_plain(north)} and longitudes {_plain(west)} to {_plain(east)}"
            return f"{writer.of(value)} is {'' if positive else 'not '}in the box of {sides}"
        case p.InPolygon(value, corners):
            places = listed([f"{_plain(latitude)}/{_plain(longitude)}" for latitude, longitude in corners], "and")
            return f"{writer.of(value)} is {'' if positive else 'not '}in the polygon of {places}"
        case _:
            raise AssertionError(node)


def _plain(number: Any) -> str:
    return write_number(number).removesuffix(".0")


def _in_window(writer: _Writer, node: p.InWindow) -> str:
    return f"{writer.of(node.value)} {window_of_value(node.window)}"


def _anniversary(writer: _Writer, node: p.Anniversary) -> str:
    return f"an anniversary of {writer.of(node.value)} {window_of_value(node.window)}"


def _chain(writer: _Writer, node: p.Chain) -> str:
    """Return `there was a visit event, then a purchase event within 7 days`."""
    steps: list[str] = []
    for step in node.steps:
        absent = node.absent and step is node.steps[-1]
        gap = "" if step.within is None else f" within {duration(step.within)}"
        steps.append(f"{'no ' if absent else 'at least 1 '}{_things(writer, step.events, 1)}{gap}")
    window = "" if node.window is None else f", all {writer.of(node.window)}"
    return f"there was {', then '.join(steps)}{window}{_zone(node.zone)}"


# ------------------------------------------------------------------------------- values


def _literal(_writer: _Writer, node: p.Literal) -> str:
    value: Any = node.value
    match node.type.kind:
        case "integer":
            return f"{value:,}" if 10_000 <= abs(value) < 10**30 else write_number(value)  # years have no comma
        case "number" | "decimal":
            return _plain(value)
        case "boolean":
            return "true" if value else "false"
        case "instant":
            return instant(value)
        case "date":
            day = date.fromordinal(value)
            return f"{day.day} {day:%B} {day.year}"
        case "duration":
            return duration(value)
        case _:
            return quoted(str(value))


def _now(_writer: _Writer, _node: p.Now) -> str:
    return "now"


def _today(_writer: _Writer, node: p.Today) -> str:
    return {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(node.days, f"today and {node.days} days")


def _name(_writer: _Writer, node: p.Attribute | p.Property) -> str:
    return name(node.name)


def _sample(_writer: _Writer, node: p.Sample) -> str:
    return f"the random number {quoted(node.salt)}"


_OPERATORS: Final = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}


def _arithmetic(writer: _Writer, node: p.Arithmetic) -> str:
    return f"{writer.value(node.left)} {_OPERATORS[node.operator]} {writer.value(node.right)}"


def _negate(writer: _Writer, node: p.Negate) -> str:
    return f"minus {writer.value(node.operand)}"


_CALLS: Final = {
    "length": "the length of {}",
    "lower": "{} in small letters",
    "abs": "the size of {} without its sign",
    "round": "{} rounded",
    "size": "the number of members of {}",
    "year": "the year of {}",
    "month": "the month of {}",
    "day": "the day of the month of {}",
    "weekday": "the day of the week (Monday is 1) of {}",
    "hour": "the hour of {}",
}


def _call(writer: _Writer, node: p.Call) -> str:
    values = [writer.value(argument) for argument in node.arguments]
    if node.function == "coalesce":
        return "the first known of " + listed(values, "and")
    return _CALLS.get(node.function, node.function + " of {}").format(listed(values, "and"))


_FUNCTIONS: Final = {
    "sum": "the total {}",
    "avg": "the average {}",
    "min": "the smallest {}",
    "max": "the largest {}",
    "median": "the median {}",
    "distinct": "the number of different values of {}",
    "first": "the first {}",
    "last": "the last {}",
}


def _aggregate(writer: _Writer, node: p.Aggregate) -> str:
    events = writer.of(node.events)
    if node.function == "count":
        return f"the number of {events}"
    if node.function == "days":
        return f"the number of days with {events}"
    if node.property is None:
        return f"the {node.function} of the {events}"
    return f"{_FUNCTIONS[node.function].format(name(node.property.name))} of {events}"


def _window(writer: _Writer, node: p.Relative | p.Calendar | p.Absolute) -> str:
    bounds = {id(bound): writer.of(bound) for bound in children(node)}
    return window_of_events(node, bounds)


# --------------------------------------------------------- related objects and segments


def _path(writer: _Writer, node: p.Path) -> str:
    return f"{name(node.relation)}'s {writer.of(node.value)}"


def _related_aggregate(writer: _Writer, node: p.RelatedAggregate) -> str:
    things = writer.of(node.related)
    if node.value is None:
        return f"the number of {things}"
    return f"{_FUNCTIONS[node.function].format(writer.of(node.value))} of {things}"


def _one_related(writer: _Writer, node: p.OneRelated) -> str:
    if node.where == p.Constant(True):
        return f"{name(node.relation)} is known"
    return f"there is a {name(node.relation)} where ({writer.of(node.where)})"


def _any_related(writer: _Writer, node: p.AnyRelated) -> str:
    return f"there is at least 1 of {writer.of(node.related)}"


def _in_segment(_writer: _Writer, node: p.InSegment) -> str:
    return f"it is in the segment {quoted(node.segment)}"


def _crossing(writer: _Writer, node: p.Crossing) -> str:
    if node.window is None:
        return f"it has {node.direction} the segment {quoted(node.segment)} at some time"
    return f"it {node.direction} the segment {quoted(node.segment)} {writer.of(node.window)}"


def _rank(writer: _Writer, node: p.Rank) -> str:
    share = f"{_plain(node.count)} percent" if node.percent else f"{_plain(node.count)}"
    of = "" if node.of is None else f" among those where ({writer.of(node.of)})"
    per = "" if node.per is None else f" for each {writer.of(node.per)}"
    ties = ", ties included" if node.ties else ""
    return f"it is in the {node.direction} {share} by {writer.of(node.by)}{per}{of}{ties}{_zone(node.zone)}"


PHRASES: Final[dict[type, Callable[[_Writer, Any], str]]] = {
    p.And: _and,
    p.Or: _or,
    p.Not: _not,
    p.AtLeast: _at_least,
    p.Constant: _constant,
    p.Compare: _comparing,
    p.Between: _comparing,
    p.In: _comparing,
    p.IsMissing: _comparing,
    p.IsTrue: _comparing,
    p.IsEmpty: _comparing,
    p.TextTest: _testing,
    p.SetTest: _testing,
    p.Within: _testing,
    p.InBox: _testing,
    p.InWindow: _in_window,
    p.Matches: _testing,
    p.InPolygon: _testing,
    p.Anniversary: _anniversary,
    p.Chain: _chain,
    p.Sample: _sample,
    p.Literal: _literal,
    p.Now: _now,
    p.Today: _today,
    p.Attribute: _name,
    p.Property: _name,
    p.Arithmetic: _arithmetic,
    p.Negate: _negate,
    p.Call: _call,
    p.Aggregate: _aggregate,
    p.Events: _things,
    p.Relative: _window,
    p.Calendar: _window,
    p.Absolute: _window,
    p.Path: _path,
    p.Related: _things,
    p.RelatedAggregate: _related_aggregate,
    p.OneRelated: _one_related,
    p.AnyRelated: _any_related,
    p.InSegment: _in_segment,
    p.Crossing: _crossing,
    p.Rank: _rank,
}
