"""Typed trees to canonical text: one line, the fewest parentheses, windows in words.

`parse(render(tree)) == tree` for every tree that `parse` can give. Each node becomes a `_Text`
with the level of its outermost operator; a node puts parentheses around a child that binds
less tightly than its place asks for. Nodes are visited children first, without recursion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, Never, NoReturn, assert_never

from segmentkit.dsl._literals import (
    quote_name,
    write_date,
    write_instant,
    write_number,
    write_text,
)
from segmentkit.dsl._render_relations import (
    steps_to,
    write_crossing,
    write_presence,
    write_quantified,
    write_rank,
    write_related,
)
from segmentkit.dsl._render_windows import write_calendar, write_days, write_length, write_relative
from segmentkit.dsl.predicates import (
    Absolute,
    Aggregate,
    And,
    Anniversary,
    AnyRelated,
    Arithmetic,
    AtLeast,
    Attribute,
    Between,
    Calendar,
    Call,
    Chain,
    Compare,
    Constant,
    Crossing,
    Duration,
    Events,
    In,
    InBox,
    InPolygon,
    InSegment,
    InWindow,
    IsEmpty,
    IsMissing,
    IsTrue,
    Literal,
    Matches,
    Negate,
    Node,
    Not,
    Now,
    OneRelated,
    Or,
    Path,
    Predicate,
    Property,
    Rank,
    Related,
    RelatedAggregate,
    Relative,
    Sample,
    SetTest,
    TextTest,
    Today,
    Value,
    Window,
    Within,
    children,
    goes_by_days,
)
from segmentkit.errors import FilterTypeError, Problem, repr_of

__all__ = ["render"]

OR, AND, NOT, CONDITION, SUM, PRODUCT, SIGN, ATOM = range(8)

_COUNTS: Final = {">=": "at least", "<=": "at most", "=": "exactly", ">": "more than", "<": "fewer than"}
_TIME_WORDS: Final = {"<": "before", ">": "after", ">=": "since", "<=": "until"}
_DAYS: Final = {-1: "yesterday", 0: "today", 1: "tomorrow"}


class _Text(NamedTuple):
    """How a node is written, and how tightly its outermost operator binds."""

    text: str
    level: int


def render(tree: Node) -> str:
    """Return the canonical text of a predicate, a value or a window.

    Raises:
        ValueError: the tree holds something that has no spelling, which `parse` never makes.
        FilterTypeError: something in it is no node.
    """
    texts: dict[tuple[int, bool], _Text] = {}
    for node, inside in _children_first(tree):
        texts[id(node), inside] = _Writer(texts, inside).write(node)
    return texts[id(tree), False].text


def _children_first(tree: Node) -> Iterator[tuple[Node, bool]]:
    """Yield each node after what is below it, and whether it stands in an event's brackets."""
    done: set[tuple[int, bool]] = set()
    stack: list[tuple[Node, bool, bool]] = [(tree, False, False)]
    while stack:
        node, inside, ready = stack.pop()
        if ready:
            yield node, inside
        elif (id(node), inside) not in done:
            done.add((id(node), inside))
            stack.append((node, inside, True))
            below = isinstance(node, Events)
            inside = inside and not isinstance(node, Path)  # what a path leads to has no event
            stack.extend((child, inside or (below and child is node.where), False) for child in children(node))  # type: ignore[union-attr]


def _no_node(found: Never) -> NoReturn:
    """Refuse what is no node; hosts hand trees in, and may hand in anything."""
    message = f"expected the text of a filter or its tree, got {repr_of(found)} ({type(found).__name__})"
    hint = "write text, or pass a tree that parse() gave; of a value of segmentkit.build take str()"
    raise FilterTypeError([Problem(message, hint=hint)], "")


class _Writer:
    """Writes one node, given the texts of its children."""

    def __init__(self, texts: dict[tuple[int, bool], _Text], inside: bool) -> None:
        self._texts = texts
        self._inside = inside

    def at(self, level: int, node: Node, inside: bool | None = None) -> str:
        """Return a child's text for a place that asks for `level`, in parentheses if it binds less."""
        text = self._texts[id(node), self._inside if inside is None else inside]
        return text.text if text.level >= level else f"({text.text})"

    def write(self, node: Node) -> _Text:
        """Return a node's text from those of its children."""
        match node:
            case Literal() | Now() | Today() | Attribute() | Property() | Sample():
                return self._value(node)
            case Arithmetic() | Negate() | Call() | Aggregate() | Path() | RelatedAggregate():
                return self._value(node)
            case Relative() | Calendar() | Absolute():
                return _Text(self._window(node, of_events=False), ATOM)
            case Events():
                return _Text(self._events(node, ""), ATOM)
            case Related(relation, where):
                return _Text(write_related([relation], self._where(where)), ATOM)
            case _:
                return self._predicate(node)

    # ------------------------------------------------------------------- predicates

    def _predicate(self, node: Predicate) -> _Text:  # noqa: C901  # one arm for each node
        match node:
            case Constant(value):
                return _Text("true" if value else "false", ATOM)
            case And(items):
                return _joined(list(self._conjuncts(items)), "and", AND)
            case Or(items):
                return _joined([self.at(AND, item) for item in items], "or", OR)
            case Not(item):
                return self._negation(item)
            case AtLeast(count, items):
                return _Text(f"at least {count} of ({self._listed(items)})", CONDITION)
            case Compare() | Between():
                return _Text(self._counted(node, "did") or self._comparison(node), CONDITION)
            case In(value, options, ignoring_case):
                return _Text(self._membership(value, "in", options, ignoring_case), CONDITION)
            case IsMissing(value):
                return _Text(f"{self.at(SUM, value)} is missing", CONDITION)
            case IsTrue(Literal() as value):
                return _Text(f"{self.at(SUM, value)} = true", CONDITION)
            case IsTrue(value):
                return self._texts[id(value), self._inside]
            case TextTest(test, value, patterns, ignoring_case):
                which = _texts(patterns) if len(patterns) != 1 else write_text(patterns[0])
                many = "any of " if len(patterns) != 1 else ""
                return _Text(f"{self.at(SUM, value)} {test} {many}{which}{_case(ignoring_case)}", CONDITION)
            case Matches(value, pattern, ignoring_case):
                text = f"{self.at(SUM, value)} matches {write_text(pattern)}{_case(ignoring_case)}"
                return _Text(text, CONDITION)
            case SetTest("any", value, (member,), ignoring_case):
                return _Text(f"{self.at(SUM, value)} has {write_text(member)}{_case(ignoring_case)}", CONDITION)
            case SetTest(quantifier, value, members, ignoring_case):
                text = f"{self.at(SUM, value)} has {quantifier} of {_texts(members)}{_case(ignoring_case)}"
                return _Text(text, CONDITION)
            case IsEmpty(value):
                return _Text(f"{self.at(SUM, value)} is empty", CONDITION)
            case Within(value, distance, unit, (latitude, longitude)):
                place = _place(latitude, longitude)
                return _Text(f"{self.at(SUM, value)} within {_plain(distance)} {unit} of {place}", CONDITION)
            case InBox(value, south, west, north, east):
                sides = ", ".join(_plain(side) for side in (south, west, north, east))
                return _Text(f"{self.at(SUM, value)} in box ({sides})", CONDITION)
            case InPolygon(value, corners):
                listed = ", ".join(_place(latitude, longitude) for latitude, longitude in corners)
                return _Text(f"{self.at(SUM, value)} in polygon ({listed})", CONDITION)
            case Chain():
                return _Text(self._chain(node, "did"), CONDITION)
            case Anniversary(value, window):
                return _Text(f"{self.at(SUM, value)} anniversary {write_days(window)}{_zone(window.zone)}", CONDITION)
            case InWindow(value, window):
                return _Text(f"{self.at(SUM, value)} {self._window(window, of_events=False)}", CONDITION)
            case OneRelated() | AnyRelated():
                return _Text(self._related(node), CONDITION)
            case InSegment(segment):
                return _Text(f"in segment {write_text(segment)}", CONDITION)
            case Crossing(direction, segment, window):
                when = None if window is None else self._window(window, of_events=True)
                return _Text(write_crossing(direction, segment, when), CONDITION)
            case Rank(_, _, _, by, per, of):
                texts = [
                    None if part is None else self.at(level, part) for level, part in ((SUM, by), (SUM, per), (OR, of))
                ]
                return _Text(write_rank(node, *texts) + _zone(node.zone), CONDITION)
            case _:
                _no_node(node)

    def _conjuncts(self, items: Sequence[Predicate]) -> Iterator[str]:
        """Yield the items of a conjunction; `at least k` and `at most k` of the same are `exactly k`."""
        position = 0
        while position < len(items):
            pair = items[position : position + 2]
            match pair:
                case (AtLeast(count, some), Not(AtLeast(more, same))) if 0 < count == more - 1 and some == same:
                    if count < len(some):
                        yield f"exactly {count} of ({self._listed(some)})"
                        position += 2
                        continue
            yield self.at(NOT, items[position])
            position += 1

    def _listed(self, items: Sequence[Node]) -> str:
        return ", ".join(self.at(OR, item) for item in items)

    def _negation(self, item: Predicate) -> _Text:
        """Return `not` of an item, by its own word where there is one."""
        text = None
        match item:
            case Compare() | Between():
                text = self._counted(item, "did not")
                if text is None and isinstance(item, Compare) and item.operator == "=":
                    text = self._comparison(item, "!=")
            case Chain():
                text = self._chain(item, "did not")
            case In(value, options, ignoring_case):
                text = self._membership(value, "not in", options, ignoring_case)
            case IsMissing(value):
                text = f"{self.at(SUM, value)} is known"
            case SetTest("any", value, members, ignoring_case):
                text = f"{self.at(SUM, value)} has none of {_texts(members)}{_case(ignoring_case)}"
            case OneRelated() | AnyRelated():
                text = self._not_related(item)
            case AtLeast(count, items) if 0 < count <= len(items):
                text = f"at most {count - 1} of ({self._listed(items)})"
        return _Text(f"not {self.at(NOT, item)}", NOT) if text is None else _Text(text, CONDITION)

    def _related(self, node: OneRelated | AnyRelated) -> str:
        """Return a condition on related objects, conditions within conditions as one path."""
        steps, end = steps_to(node)
        match end:
            case Constant(True):
                return write_presence(steps, "known")
            case AnyRelated(related):
                return write_quantified("any", [*steps, related.relation], self._where(related.where))
            case _:
                return write_related(steps, self.at(OR, end))

    def _not_related(self, node: OneRelated | AnyRelated) -> str | None:
        """Return the negation of a condition on related objects by its own word, or None if there is none."""
        steps, end = steps_to(node)
        match end:
            case Constant(True):
                return write_presence(steps, "missing")
            case AnyRelated(Related(relation, Not(where))):
                return write_quantified("all", [*steps, relation], self._where(where))
            case AnyRelated(related):
                return write_quantified("no", [*steps, related.relation], self._where(related.where))
            case _:
                return None

    def _where(self, where: Predicate | None) -> str | None:
        return None if where is None else self.at(OR, where)

    def _membership(self, value: Value, word: str, options: Sequence[Literal], ignoring_case: bool) -> str:
        listed = ", ".join(self.at(SIGN, option) for option in options)
        return f"{self.at(SUM, value)} {word} ({listed}){_case(ignoring_case)}"

    def _comparison(self, node: Compare | Between, word: str = "") -> str:
        match node:
            case Between(value, low, high):
                text = f"{self.at(SUM, value)} between {self.at(SUM, low)} and {self.at(SUM, high)}"
            case Compare(_, left, right, ignoring_case):
                word = word or self._comparator(node)
                text = f"{self.at(SUM, left)} {word} {self.at(SUM, right)}{_case(ignoring_case)}"
            case _:
                _no_node(node)
        return text + _zone(node.zone)

    def _comparator(self, node: Compare) -> str:
        left, right = node.left.type.kind, node.right.type.kind
        if left not in ("instant", "date") or right not in ("instant", "date"):
            return node.operator
        if node.operator == "=" and right == "date" and left == "instant":
            return "on"
        return _TIME_WORDS.get(node.operator, node.operator)

    def _counted(self, node: Compare | Between, did: str) -> str | None:
        """Return `did ...` for a count that is compared with whole numbers, or None for other comparisons."""
        match node:
            case Compare(operator, Aggregate("count" | "days" as function, events) as count, right, False):
                bounds, written = [right], _COUNTS[operator]
            case Between(Aggregate("count" | "days" as function, events) as count, low, high):
                bounds, written = [low, high], "between"
            case _:
                return None
        numbers = [b.value for b in bounds if isinstance(b, Literal) and b.type.kind == "integer" and b.value >= 0]
        if len(numbers) < len(bounds) or not _says_zone(count, node.zone):
            return None
        amount = " and ".join(str(number) for number in numbers)
        zone = node.zone if events.window is None else None
        if function == "count" and written == "at least" and numbers == [1]:
            phrase = ""
        else:
            phrase = f" on {written} {amount} days" if function == "days" else f" {written} {amount} times"
            if numbers == [1]:
                phrase = phrase.removesuffix("s")
        return f"{did} {self._events(events, '', phrase)}{_zone(zone)}"

    # ------------------------------------------------------------------------ events

    def _events(self, node: Events, of: str, phrase: str = "") -> str:
        """Return an event with its filter, a property behind it, a count, and the window."""
        where = "" if node.where is None else f"[{self.at(OR, node.where, inside=True)}]"
        window = "" if node.window is None else " " + self._window(node.window, of_events=True)
        return f"{quote_name(node.name)}{where}{of}{phrase}{window}"

    def _chain(self, node: Chain, did: str) -> str:
        """Return the steps with their gaps, and the window of them all."""
        last = len(node.steps) - 1
        steps = []
        for position, step in enumerate(node.steps):
            word = "not " if node.absent and position == last else ""
            gap = "" if step.within is None else f" within {write_length(step.within)}"
            steps.append(f"{word}{self._events(step.events, '')}{gap}")
        # right behind a step without a gap, `within` would be its gap
        window = "" if node.window is None else " " + self._window(node.window, of_events=True, anchored=bool(gap))
        return f"{did} {' then '.join(steps)}{window}{_zone(node.zone)}"

    def _window(self, window: Window, *, of_events: bool, anchored: bool = True) -> str:
        match window:
            case Relative():
                text = write_relative(window)
            case Calendar():
                text = write_calendar(window, of_events)
            case Absolute():
                text = (self._anchored(window) if anchored else "") or self._absolute(window)
            case _:
                assert_never(window)
        return text + _zone(window.zone)

    def _anchored(self, window: Absolute) -> str:
        """Return `within d after T` for `since T before T + d`, its like for before, or nothing."""
        if window.after or window.until:
            return ""
        match window.start, window.end:
            case anchor, Arithmetic("+", base, Literal(Duration() as length)) if anchor is not None and base == anchor:
                return f"within {write_length(length)} after {self.at(SUM, anchor)}"
            case Arithmetic("-", base, Literal(Duration() as length)), anchor if anchor is not None and base == anchor:
                return f"within {write_length(length)} before {self.at(SUM, anchor)}"
        return ""

    def _absolute(self, window: Absolute) -> str:
        start, end = (None if b is None else self.at(SUM, b) for b in (window.start, window.end))
        if window.until and not window.after and start is not None and end is not None:
            if window.start == window.end and window.start is not None and window.start.type.kind == "date":
                return f"on {start}"
            return f"between {start} and {end}"
        first = "" if start is None else f"{'after' if window.after else 'since'} {start}"
        last = "" if end is None else f"{'until' if window.until else 'before'} {end}"
        if not first and not last:
            raise ValueError(f"{window!r} has no bound, which has no spelling; leave the window out")
        return f"{first} {last}".strip()

    # ------------------------------------------------------------------------ values

    def _value(self, node: Value) -> _Text:
        match node:
            case Literal():
                return _literal(node)
            case Now():
                return _Text("now", ATOM)
            case Today(days):
                if days not in _DAYS:
                    raise ValueError(f"{node!r} has no spelling; write it as today and a duration")
                return _Text(_DAYS[days], ATOM)
            case Attribute(name):
                return _Text(f"object.{quote_name(name)}" if self._inside else quote_name(name), ATOM)
            case Property(name):
                return _Text(quote_name(name), ATOM)
            case Sample(salt):
                return _Text(f"sample({write_text(salt)})", ATOM)
            case Arithmetic(operator, left, right):
                level = SUM if operator in "+-" else PRODUCT
                return _Text(f"{self.at(level, left)} {operator} {self.at(level + 1, right)}", level)
            case Negate(operand):
                # a sign right before a number would be part of it, and two signs are hard to read
                text = self.at(ATOM, operand)
                return _Text(f"-({text})" if isinstance(operand, Literal) and text[0] != "(" else f"-{text}", SIGN)
            case Call(function, arguments):
                return _Text(f"{function}({', '.join(self.at(SUM, argument) for argument in arguments)})", ATOM)
            case Aggregate(function, events, taken):
                of = "" if taken is None else f".{quote_name(taken.name)}"
                return _Text(f"{function}({self._events(events, of)})", ATOM)
            case Path(relation, further):
                start = "object." if self._inside else ""
                return _Text(f"{start}{quote_name(relation)}.{self.at(ATOM, further, inside=False)}", ATOM)
            case RelatedAggregate(function, related, further):
                of = "" if further is None else f".{self.at(ATOM, further)}"
                return _Text(f"{function}({self.at(ATOM, related)}{of})", ATOM)
            case _:
                _no_node(node)


def _says_zone(count: Aggregate, zone: str | None) -> bool:
    """Return whether `did ...` says this zone of a comparison of the count: days belong to the zone of the rule."""
    window = count.events.window
    by_days = count.function == "days" or goes_by_days(count.events.where)
    return window is None or zone == (window.zone if by_days else None)


def _joined(parts: Sequence[str], word: str, level: int) -> _Text:
    return _Text(f" {word} ".join(parts), level if len(parts) > 1 else CONDITION)


def _case(ignoring_case: bool) -> str:
    return " ignoring case" if ignoring_case else ""


def _zone(zone: str | None) -> str:
    return "" if zone is None else f" in zone {write_text(zone)}"


def _texts(texts: Sequence[str]) -> str:
    return f"({', '.join(write_text(text) for text in texts)})"


def _place(latitude: float, longitude: float) -> str:
    return f"({_plain(latitude)}, {_plain(longitude)})"


def _plain(number: Any) -> str:
    """Return a number without the point that makes a whole Decimal a decimal."""
    return write_number(number).removesuffix(".0")


def _literal(node: Literal) -> _Text:
    value: Any = node.value
    match node.type.kind:
        case "text" | "choice":
            return _Text(write_text(value), ATOM)
        case "integer" | "number" | "decimal":
            text = write_number(value)
            return _Text(text, SIGN if text[0] == "-" else ATOM)
        case "boolean":
            return _Text("true" if value else "false", ATOM)
        case "instant":
            return _Text(write_instant(value), ATOM)
        case "date":
            return _Text(write_date(value), ATOM)
        case "duration":
            return _Text(write_length(value), ATOM)
        case _:
            raise ValueError(f"a literal of type {node.type!r} has no spelling: {value!r}")
