"""Values: the checker's half that gives every value its type.

`check_value` takes a hint, the type of the other side, because a numeric literal, a text
against a choice, and a parameter take the type of what they meet. `check_pair` finds out
which side gives the hint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from segmentkit import values as types
from segmentkit.dsl import _literals
from segmentkit.dsl._check_constants import CONSTANTS, check_constant, check_literal, is_constant
from segmentkit.dsl._check_hops import along, follow, no_value, refuse_inside, relation_of, unknown_relation, written
from segmentkit.dsl._check_types import AGGREGATES, FUNCTIONS, arithmetic_type, described, function_type
from segmentkit.dsl._scope import Scope, bare, either, name_of, span
from segmentkit.dsl.predicates import (
    Aggregate,
    Arithmetic,
    ArithmeticOperator,
    Attribute,
    Call,
    Literal,
    Negate,
    Now,
    Path,
    Property,
    RelatedAggregate,
    Sample,
    Today,
    Value,
)
from segmentkit.schema import ObjectType
from segmentkit.values import ValueType

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["check_pair", "check_value", "check_values"]

_OPERATORS: dict[str, ArithmeticOperator] = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def check_value(tree: Tree[Token], scope: Scope, hint: ValueType | None = None) -> Value | None:
    """Return the value of a tree, or None after a report.

    Inner values come first, in a loop: however deep arithmetic is, the stack is not.
    """
    tree = bare(tree)
    checked = scope.findings.checked
    if _is_composite(tree):
        if id(tree) not in checked:
            for node in _inner_first(tree):
                checked[id(node)] = _check(node, scope, None)
        return checked[id(tree)]
    return _check(tree, scope, hint)


def _is_composite(tree: Tree[Token]) -> bool:
    """Return whether a value is made of values: arithmetic, or a function."""
    if tree.data == "call":
        return str(tree.children[0]).lower() not in AGGREGATES
    return tree.data in _OPERATORS or (tree.data == "negative" and not is_constant(tree))


def _inner_first(tree: Tree[Token]) -> list[Tree[Token]]:
    """Return the composite values of a value, each behind those inside it."""
    found: list[Tree[Token]] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        if _is_composite(node):
            found.append(node)
        elif node.data not in ("argument", "parenthesis"):
            continue
        stack.extend(child for child in node.children if not isinstance(child, str))
    found.reverse()
    return found


def _check(tree: Tree[Token], scope: Scope, hint: ValueType | None) -> Value | None:
    where = span(tree)
    match tree.data:
        case "path":
            return _path(tree, scope)
        case "add" | "subtract" | "multiply" | "divide":
            return _arithmetic(tree, scope)
        case "negative":
            return _negative(tree, scope, hint)
        case "call":
            if str(tree.children[0]).lower() in AGGREGATES:
                return scope.aggregate(tree, scope)
            return _call(tree, scope)
        case "reached":
            return _reached(tree, scope)
        case "now":
            return Now(span=where)
        case "today" | "yesterday" | "tomorrow":
            return Today(_DAYS[tree.data], span=where)
        case "filtered":
            _filtered(tree, scope)
            return None
        case data if data in CONSTANTS:
            return check_literal(tree, scope, hint)
        case _:
            scope.report(tree, "a condition stands where a value is expected", "compare values, and join conditions")
            return None


def check_values(trees: Sequence[Tree[Token]], scope: Scope) -> list[Value | None]:
    """Return values that meet each other: what is no constant gives constants their type."""
    found = [None if is_constant(tree) else check_value(tree, scope) for tree in trees]
    hint = next((value.type for value in found if value is not None), None)
    pairs = zip(trees, found, strict=True)
    return [check_value(tree, scope, hint) if is_constant(tree) else value for tree, value in pairs]


def check_pair(left: Tree[Token], right: Tree[Token], scope: Scope) -> tuple[Value, Value] | None:
    """Return both sides of an operator, or None after a report."""
    a, b = check_values((left, right), scope)
    return None if a is None or b is None else (a, b)


# ------------------------------------------------------------------------------ names


def _path(tree: Tree[Token], scope: Scope) -> Value | None:
    names = [name_of(child) for child in tree.children]
    if scope.event is not None and names[0] == "object" and len(names) > 1:
        return _reach(tree, tree.children[1:], scope.outside())  # type: ignore[arg-type]
    if len(names) == 1:
        return _name(tree, names[0], scope)
    if scope.event is None and names[0] in scope.object_type.relations:
        return _reach(tree, tree.children, scope)  # type: ignore[arg-type]
    _explain_path(tree, names, scope)
    return None


def _reach(tree: Tree[Token], names: Sequence[Tree[Token]], scope: Scope) -> Value | None:
    """Return the attribute that the last name is, of the object that the others lead to."""
    found = follow(names[:-1], scope)
    if found is None:
        return None
    steps, there = found
    attribute = _attribute(names[-1] if steps else tree, name_of(names[-1]), there)
    return attribute and along(steps, attribute, span(tree))


def _reached(tree: Tree[Token], scope: Scope) -> Value | None:
    """Return an aggregate of the object that the names lead to: `company.count(deals)`."""
    *names, call = tree.children
    if refuse_inside(tree, scope, "conditions on related objects"):
        return None
    found = follow(names, scope)  # type: ignore[arg-type]
    if found is None:
        return None
    steps, there = found
    value = _check(call, there, None)  # type: ignore[arg-type]
    if value is None or isinstance(value, Aggregate | RelatedAggregate | Path):
        return value and along(steps, value, span(tree))
    function = str(call.children[0])  # type: ignore[union-attr]
    scope.report(tree, f"'{function}' is a function of a value", f"write '{function}({written(names)}. ...)'")  # type: ignore[arg-type]
    return None


def _name(tree: Tree[Token], name: str, scope: Scope) -> Value | None:
    if scope.event is None:
        return _attribute(tree, name, scope)
    value_type = scope.event.properties.get(name)
    if value_type is not None:
        return Property(name, value_type, span=span(tree))
    hint = ""
    if name in scope.object_type.attributes:
        hint = f"names in brackets are properties of the event; write 'object.{_literals.quote_name(name)}'"
    scope.unknown(tree, "property", name, f"event '{scope.event.name}'", scope.event.properties, hint)
    return None


def _attribute(tree: Tree[Token], name: str, scope: Scope) -> Attribute | None:
    owner = scope.object_type
    value_type = owner.attributes.get(name)
    if value_type is not None:
        return Attribute(name, value_type, span=span(tree))
    hint, written = "", _literals.quote_name(name)
    if name in owner.events:
        hint = f"'{name}' is an event; write 'did {written}' or 'count({written})'"
    elif name in owner.relations:
        no_value(tree, name, scope)
        return None
    scope.unknown(tree, "attribute", name, f"'{owner.name}'", owner.attributes, hint or _or_text(name, owner))
    return None


def _or_text(name: str, owner: ObjectType) -> str:
    """Return a hint if a name is more likely a text without quotes: a declared choice, or a code such as PL."""
    is_choice = any(name in value_type.choices for value_type in owner.attributes.values())
    return f'text stands in quotes: "{name}"' if is_choice or name.isupper() else ""


def _explain_path(tree: Tree[Token], names: list[str], scope: Scope) -> None:
    owner, dotted = scope.object_type, ".".join(names)
    if dotted in owner.attributes or (scope.event is not None and dotted in scope.event.properties):
        scope.report(tree, f"'{dotted}' has a dot in its name", f"put it in backticks: `{dotted}`")
    elif names[0] in owner.events and scope.event is None:
        hint = f"say which one: 'last({dotted})', 'sum({dotted})', 'distinct({dotted})'"
        scope.report(tree, f"'{dotted}' is a property of many events", hint)
    elif names[0] == "object" and scope.event is None:
        hint = f"write '{names[-1]}'" if names[-1] in owner.attributes else ""
        scope.report(tree, "'object.' belongs into the brackets of an event", hint)
    elif names[0] in owner.relations:
        hint = f"names in brackets are properties of the event; write 'object.{dotted}'"
        scope.report(tree, f"'{dotted}' is no property of event '{scope.event and scope.event.name}'", hint)
    elif names[0] in owner.attributes:
        unknown_relation(tree.children[0], scope)  # type: ignore[arg-type]
    else:
        scope.unknown(tree.children[0], "relation", names[0], f"'{owner.name}'", owner.relations)


def _filtered(tree: Tree[Token], scope: Scope) -> None:
    names: list[Any] = tree.children[0].children  # type: ignore[union-attr]
    name, path = name_of(names[0]), written(names)
    relation = relation_of(names[0], scope)
    if name in scope.object_type.events:
        scope.report(tree, f"events '{name}' are no value", f"write 'did {path}[...]' or 'count({path}[...])'")
    elif relation is None:
        known = [*scope.object_type.events, *scope.object_type.relations]
        scope.unknown(names[0], "event or relation", name, f"'{scope.object_type.name}'", known)
    elif relation.cardinality == "one":
        hint = f"ask for more inside the brackets, or write the path, such as '{path}. ...'"
        scope.report(tree, f"'{path}[...]' is a condition and no value", hint)
    else:
        hint = f"write 'any {path}[...]', 'count({path}[...])' or 'sum({path}[...]. ...)'"
        scope.report(tree, f"'{path}[...]' are many objects and no value", hint)


# --------------------------------------------------------- arithmetic and functions


def _call(tree: Tree[Token], scope: Scope) -> Value | None:
    name, *arguments = tree.children
    trees: list[Tree[Token]] = []
    for argument in arguments:
        value, *window = argument.children  # type: ignore[union-attr]
        trees.append(value)  # type: ignore[arg-type]
        if window:
            scope.report(window[0], "a window stands behind an event", f"only {either(sorted(AGGREGATES))} take one")
    function = str(name).lower()
    if function == "sample":
        return _sample(tree, trees, scope)
    if function not in FUNCTIONS:
        scope.unknown(name, "function", str(name), "", [*FUNCTIONS, *AGGREGATES, "sample"])
        return None
    values = check_values(trees, scope)
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    result, why = function_type(function, known)
    if result is None:
        scope.report(tree, *why)
        return None
    return Call(function, tuple(known), result, span=span(tree))  # type: ignore[arg-type]  # FUNCTIONS has them


def _sample(tree: Tree[Token], arguments: Sequence[Tree[Token]], scope: Scope) -> Value | None:
    if scope.event is not None:
        hint = "ask it outside of the brackets"
        scope.report(tree, "'sample' is a number of the object, and not of its events", hint)
        return None
    salts = [bare(argument) for argument in arguments]
    if len(salts) != 1 or salts[0].data not in ("text", "parameter"):
        scope.report(tree, "'sample' takes one text, its salt", "write 'sample(\"spring\") < 0.10'")
        return None
    salt = check_literal(salts[0], scope, types.text)
    if salt is None:
        return None
    if salt.type.kind != "text":
        scope.report(salts[0], f"the salt of 'sample' is a text, not {described(salt)}")
        return None
    return Sample(salt.value, span=span(tree))


def _negative(tree: Tree[Token], scope: Scope, hint: ValueType | None) -> Value | None:
    operand: Tree[Token] = tree.children[0]  # type: ignore[assignment]
    if operand.data == "number":
        token: Any = operand.children[0]
        literal = check_constant(token, scope, hint, negative=True)
        return literal and Literal(literal.value, literal.type, span=span(tree))
    value = check_value(operand, scope)
    if value is None:
        return None
    if not value.type.is_numeric:
        hint_text = "write 'now - 3 days' for an instant before" if value.type.kind == "duration" else ""
        scope.report(tree, f"only numbers have a sign, and this is {described(value)}", hint_text)
        return None
    return Negate(value, span=span(tree))


def _arithmetic(tree: Tree[Token], scope: Scope) -> Value | None:
    left, right = tree.children
    pair = check_pair(left, right, scope)  # type: ignore[arg-type]
    if pair is None:
        return None
    operator = _OPERATORS[tree.data]
    a, b = pair
    result, why = arithmetic_type(operator, a, b)
    if result is None:
        message = f"cannot compute {described(a)} {operator} {described(b)}"
        scope.report(tree, message, why)
        return None
    return Arithmetic(operator, a, b, result, span=span(tree))
