"""The normal form: what all spellings of one filter have in common.

Nodes are rebuilt children first, in a loop; `RULES` has for each class what becomes of a node
whose children are normal already. What a rule returns is normal, so that once is enough.
Every step keeps the meaning for all facts, missing values included (a comparison of something
missing is false, so `not x < 5` is not `x >= 5`); laws in `tests/properties` say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from segmentkit.dsl.predicates import (
    Aggregate,
    And,
    Arithmetic,
    AtLeast,
    Between,
    Compare,
    Constant,
    Events,
    In,
    InWindow,
    Literal,
    Negate,
    Not,
    Or,
    Predicate,
    Rank,
    Related,
    Relative,
    SetTest,
    Step,
    TextTest,
)
from segmentkit.forms._normal_compare import normal_between, normal_compare, normal_in, normal_in_window
from segmentkit.forms._normal_order import key_of
from segmentkit.forms._normal_values import (
    is_clockwork,
    largest_unit,
    normal_arithmetic,
    normal_literal,
    normal_negate,
)
from segmentkit.forms._shapes import Field, shapes

__all__ = ["RULES", "join", "negated", "normal"]


def normal(tree: Predicate) -> Predicate:
    """Return the normal form; see `segmentkit.normalize`."""
    done: dict[int, Any] = {}
    stack: list[tuple[Any, bool]] = [(tree, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            done[id(node)] = RULES[type(node)](_rebuilt(node, done))
        elif id(node) not in done:
            stack.append((node, True))
            stack.extend((below, False) for below in _below(node))
    result: Predicate = done[id(tree)]
    return result


def _below(node: Any) -> Iterator[Any]:
    """Yield the nodes, and parts of nodes, right below one."""
    for field in _NODES_OF[type(node)]:
        value = getattr(node, field.name)
        if value is not None:
            yield from value if field.many else (value,)


def _rebuilt(node: Any, done: Mapping[int, Any]) -> Any:
    """Return a node with what became of the nodes below it, and without its place in the text."""
    changes: dict[str, Any] = {"span": None} if hasattr(node, "span") else {}
    for field in _NODES_OF[type(node)]:
        value = getattr(node, field.name)
        if value is not None:
            changes[field.name] = tuple(done[id(item)] for item in value) if field.many else done[id(value)]
    return evolve(node, **changes)


_NODES_OF: Final[Mapping[type, tuple[Field, ...]]] = {
    node: tuple(field for field in fields if field.nodes) for node, fields in shapes().items()
}


# ------------------------------------------------------------------------- connectives


def join(kind: type[And | Or], items: Iterable[Predicate]) -> Predicate:
    """Return the conjunction or disjunction of normal conditions: flat, sorted, each of them once."""
    flat: list[Predicate] = []
    for item in items:
        flat += item.items if isinstance(item, kind) else [item]
    absorbing = kind is Or  # `true` decides a disjunction, `false` a conjunction
    if Constant(absorbing) in flat:
        return Constant(absorbing)
    kept = _fused(kind, (item for item in flat if not isinstance(item, Constant)))
    if not kept:
        return Constant(not absorbing)
    return kept[0] if len(kept) == 1 else kind(tuple(kept))


def negated(item: Predicate) -> Predicate:
    """Return the complement of a normal condition, which is normal too."""
    match item:
        case Not(inner):
            return inner
        case Constant(value):
            return Constant(not value)
        case And(items):
            return join(Or, map(negated, items))
        case Or(items):
            return join(And, map(negated, items))
        case AtLeast(count, items):
            return _at_least(AtLeast(len(items) - count + 1, tuple(map(negated, items))))
        case _:
            return Not(item)


def _not(node: Not) -> Predicate:
    return negated(node.item)


def _at_least(node: AtLeast) -> Predicate:
    count = node.count - node.items.count(Constant(True))
    items = sorted((item for item in node.items if not isinstance(item, Constant)), key=key_of)
    if count <= 0 or count > len(items):
        return Constant(count <= 0)
    if count == 1:
        return join(Or, items)
    if count == len(items):
        return join(And, items)
    return AtLeast(count, tuple(items))


# --------------------------------------------------- conditions on one value, side by side


def _fused(kind: type[And | Or], items: Iterable[Predicate]) -> list[Predicate]:
    """Return the items sorted, each once; lists of constants asked of one value become one list.

    `a = 1 or a = 2` is `a in (1, 2)`, and so with text tests and sets. Under `not` the other
    connective does the same: `a != 1 and a != 2` is `a not in (1, 2)`.
    """
    dual: type[And | Or] = And if kind is Or else Or
    groups: dict[Any, list[tuple[Predicate, Any]]] = {}
    for item in dict.fromkeys(items):
        inner = item.item if isinstance(item, Not) else item
        group = _list_of(inner, dual if isinstance(item, Not) else kind)
        key: Any = item if group is None else (isinstance(item, Not), *group[:-1])
        groups.setdefault(key, []).append((item, group))
    return sorted((_joined(alike) for alike in groups.values()), key=key_of)


def _joined(alike: Sequence[tuple[Predicate, Any]]) -> Predicate:
    """Return items that ask the same of one value as one item with all their constants."""
    first, group = alike[0]
    if len(alike) == 1:
        return first
    made = _made_of(group, tuple(constant for _, asked in alike for constant in asked[-1]))
    return Not(made) if isinstance(first, Not) else made


def _list_of(item: Predicate, kind: type[And | Or]) -> tuple[Any, ...] | None:
    """Return what an item asks of which value, its constants last, if the connective can join their lists."""
    match item:
        case Compare("=", value, Literal() as option, ignoring_case, None) if kind is Or and _is_plain(option):
            return In, value, ignoring_case, (option,)
        case In(value, options, ignoring_case) if kind is Or and all(map(_is_plain, options)):
            return In, value, ignoring_case, options
        case TextTest(test, value, patterns, ignoring_case) if kind is Or:
            return TextTest, test, value, ignoring_case, patterns
        case SetTest(quantifier, value, members, ignoring_case) if len(members) == 1 or (quantifier == "any") == (
            kind is Or
        ):
            return SetTest, "any" if kind is Or else "all", value, ignoring_case, members
    return None


def _is_plain(option: Literal) -> bool:
    """Return whether equality with a constant does not depend on any zone."""
    return option.type.is_numeric or option.type.is_text


def _made_of(group: tuple[Any, ...], constants: tuple[Any, ...]) -> Predicate:
    match group:
        case (kind, value, ignoring_case, _):
            return normal_in(kind(value, constants, ignoring_case))
        case (kind, how, value, ignoring_case, _):
            made = kind(how, value, constants, ignoring_case)
            return _text_test(made) if kind is TextTest else _set_test(made)
    raise AssertionError(group)


def _texts(texts: tuple[str, ...], ignoring_case: bool) -> tuple[str, ...]:
    return tuple(sorted({text.casefold() if ignoring_case else text for text in texts}))


def _text_test(node: TextTest) -> Predicate:
    return evolve(node, patterns=_texts(node.patterns, node.ignoring_case))


def _set_test(node: SetTest) -> Predicate:
    members = _texts(node.members, node.ignoring_case)
    return evolve(node, members=members, quantifier="any" if len(members) == 1 else node.quantifier)


def _between(node: Between) -> Predicate:
    return join(And, normal_between(node))


# ------------------------------------------------------------------- events and windows


def _everything(node: Any) -> Any:
    """Leave a filter out that lets everything through."""
    return evolve(node, where=None) if node.where == Constant(True) else node


def _rank(node: Rank) -> Rank:
    return evolve(node, of=None) if node.of == Constant(True) else node


def _relative(node: Relative) -> Relative:
    second = None if node.second is None else largest_unit(node.second)
    return evolve(node, duration=largest_unit(node.duration), second=second)


def _step(node: Step) -> Step:
    return node if node.within is None else evolve(node, within=largest_unit(node.within))


def _aggregate(node: Aggregate) -> Aggregate:
    """Leave out the zone of a window that no zone moves; days are counted in the zone."""
    window = node.events.window
    if node.function == "days" or window is None or not is_clockwork(window):
        return node
    return evolve(node, events=evolve(node.events, window=evolve(window, zone=None)))


def _same(node: Any) -> Any:
    return node


RULES: Final[dict[type, Callable[[Any], Any]]] = dict.fromkeys(shapes(), _same) | {
    And: lambda node: join(And, node.items),
    Or: lambda node: join(Or, node.items),
    Not: _not,
    AtLeast: _at_least,
    Compare: normal_compare,
    Between: _between,
    In: normal_in,
    InWindow: normal_in_window,
    TextTest: _text_test,
    SetTest: _set_test,
    Events: _everything,
    Related: _everything,
    Rank: _rank,
    Relative: _relative,
    Step: _step,
    Aggregate: _aggregate,
    Arithmetic: normal_arithmetic,
    Literal: normal_literal,
    Negate: normal_negate,
}
