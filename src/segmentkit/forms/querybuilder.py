"""Import and export of rules of react-querybuilder: `{"combinator": "and", "rules": [...]}`.

Both sides can say: `and`, `or`, `not`; comparisons, `between` and lists of attributes with
constants or each other; parts of texts; members of sets; and whether something is missing.
An attribute over to-one relations is a field with dots, such as `company.industry`.

The meaning is that of segmentkit: `!=`, `notIn`, `doesNotContain` are the exact complement,
so they hold for missing values too, which SQL made from the same rules may not.
Lists may be JSON lists or texts with commas, and numbers may be texts, because the
builder's editors give both.

>>> from segmentkit.dsl import format
>>> from segmentkit.schema import ObjectType, Schema
>>> from segmentkit.values import integer, text
>>> schema = Schema(ObjectType("contact", {"orders": integer, "country": text}))
>>> rules = {"combinator": "and", "rules": [
...     {"field": "orders", "operator": ">", "value": "4"},
...     {"field": "country", "operator": "in", "value": "PL,DE"}]}
>>> tree = from_querybuilder(rules, schema, on="contact")
>>> format(tree)
'orders > 4 and country in ("PL", "DE")'
>>> from_querybuilder(to_querybuilder(tree), schema, on="contact") == tree
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from segmentkit.dsl import parse
from segmentkit.dsl.predicates import (
    And,
    Between,
    Compare,
    Constant,
    In,
    IsEmpty,
    IsMissing,
    IsTrue,
    Literal,
    Not,
    Or,
    Predicate,
    SetTest,
    TextTest,
    Value as TreeValue,
)
from segmentkit.forms._build_expressions import Value
from segmentkit.forms._build_written import AND, ATOM, CONDITION, NOT, OR, SUM, Piece, Written, write
from segmentkit.forms._foreign import Named, Vocabulary, cannot, check_size, constant, constant_to_json, path_of
from segmentkit.forms._json import Complaints
from segmentkit.forms._scalars import did_you_mean, shown
from segmentkit.schema import Schema
from segmentkit.values import text as text_type

__all__ = ["from_querybuilder", "to_querybuilder"]

_FORM: Final = "react-querybuilder"

# ------------------------------------------------------------------------------- import


def from_querybuilder(document: Any, schema: Schema, on: str) -> Predicate:
    """Return the tree of rules of react-querybuilder.

    Args:
        document: what `json.loads` gives; both forms of groups are read, `combinator` beside
            `rules` or between them. Rules and groups that are `muted` are left out.
        schema: what its fields mean.
        on: the object type that it is about.

    Raises:
        FormError: with every problem of the document and its JSON pointer.
        UnknownNameError, FilterTypeError, LimitError: as `segmentkit.parse`.
    """
    vocabulary = Vocabulary.of(schema, on)
    check_size(document, "query")
    complaints = Complaints()
    found = _Importer(vocabulary, complaints).node(document, "", is_group=True)
    complaints.raise_if_any(_FORM)
    assert found is not None  # whoever returns None complains
    return parse(found.text, schema, on)


_IGNORED: Final = frozenset({"id", "path", "disabled", "muted"})
_GROUP: Final = frozenset({"combinator", "rules", "not"}) | _IGNORED
_RULE: Final = frozenset({"field", "operator", "value", "valueSource"}) | _IGNORED


class _Importer:
    def __init__(self, vocabulary: Vocabulary, complaints: Complaints) -> None:
        self._vocabulary = vocabulary
        self._complaints = complaints

    def node(self, found: Any, where: str, is_group: bool = False) -> Written | None:
        """Return a group or a rule, or None after a complaint."""
        if not isinstance(found, dict):
            what = 'a group such as {"combinator": "and", "rules": [...]}' if is_group else "a rule or a group"
            self._complaints.add(where, f"expected {what}, found {shown(found)}")
            return None
        is_group = is_group or "rules" in found
        known = _GROUP if is_group else _RULE
        for key in found:
            if key not in known:
                hint = did_you_mean(key, sorted(known)) if isinstance(key, str) else ""
                self._complaints.add(where, f"unknown key {shown(key)} of a {'group' if is_group else 'rule'}", hint)
        if is_group:
            return self._group(found, where)
        return self._rule(found, where)

    def _group(self, group: dict[Any, Any], where: str) -> Written | None:
        rules = group.get("rules")
        if not isinstance(rules, list):
            self._complaints.add(f"{where}/rules", f"expected a list of rules, found {shown(rules)}")
            return None
        joined = self._between_rules(rules, where) if "combinator" not in group else self._beside_rules(group, where)
        negative = group.get("not", False)
        if not isinstance(negative, bool):
            self._complaints.add(f"{where}/not", f"expected true or false, found {shown(negative)}")
        return write(NOT, "not ", (joined, NOT)) if joined is not None and negative is True else joined

    def _beside_rules(self, group: dict[Any, Any], where: str) -> Written | None:
        """Return the rules of a group, all joined by its combinator."""
        combinator = group["combinator"]
        word = combinator.lower() if isinstance(combinator, str) else ""
        if word not in ("and", "or"):
            self._complaints.add(f"{where}/combinator", f"expected 'and' or 'or', found {shown(combinator)}")
        parts = [
            self.node(rule, f"{where}/rules/{index}")
            for index, rule in enumerate(group["rules"])
            if not _is_muted(rule)
        ]
        known = [part for part in parts if part is not None]
        return _joined(word or "and", known) if len(known) == len(parts) else None

    def _between_rules(self, rules: list[Any], where: str) -> Written | None:
        """Return rules with combinators between them; `and` binds more tightly than `or`."""
        choices: list[list[Written]] = [[]]
        failed = False
        for index, rule in enumerate(rules):
            at = f"{where}/rules/{index}"
            if index % 2:
                if rule not in ("and", "or"):
                    self._complaints.add(at, f"expected 'and' or 'or' between rules, found {shown(rule)}")
                    failed = True
                choices += [[]] if rule == "or" else []
            elif not _is_muted(rule):
                part = self.node(rule, at)
                failed = failed or part is None
                choices[-1] += [] if part is None else [part]
        if rules and len(rules) % 2 == 0:
            self._complaints.add(f"{where}/rules", "a rule is missing behind the last combinator")
        return None if failed else _joined("or", [_joined("and", some) for some in choices if some])

    def _rule(self, rule: dict[Any, Any], where: str) -> Written | None:
        named = self._vocabulary.find(rule.get("field"), f"{where}/field", self._complaints)
        operator = rule.get("operator")
        test = _OPERATORS.get(operator) if isinstance(operator, str) else None
        if test is None:
            hint = did_you_mean(operator, _OPERATORS) if isinstance(operator, str) else ""
            self._complaints.add(f"{where}/operator", f"unknown operator {shown(operator)}", hint)
        if named is None or test is None:
            return None
        source = rule.get("valueSource") or "value"
        if source not in ("value", "field"):
            self._complaints.add(f"{where}/valueSource", f"expected 'value' or 'field', found {shown(source)}")
            return None
        operands = _Operands(self, named, source == "field", f"{where}/value")
        try:
            return test(operands, rule.get("value"))
        except ValueError as error:
            self._complaints.add(operands.where, str(error))
        except LookupError:  # the name of another field, which has its complaint
            pass
        return None

    def field(self, name: Any, where: str) -> Value:
        """Return another attribute; LookupError after a complaint."""
        named = self._vocabulary.find(name, where, self._complaints)
        if named is None:
            raise LookupError
        return named.value


def _is_muted(rule: Any) -> bool:
    return isinstance(rule, dict) and rule.get("muted") is True


def _joined(word: str, parts: Sequence[Written]) -> Written:
    if not parts:
        return Written("true", "true", ATOM)
    if len(parts) == 1:
        return parts[0]
    level = AND if word == "and" else OR
    pieces: list[Any] = []
    for part in parts:
        pieces += [f" {word} "] if pieces else []
        pieces.append((part, level))
    return write(level, *pieces)


class _Operands:
    """What a rule compares with: constants of the field's type, or other fields."""

    def __init__(self, importer: _Importer, named: Named, of_fields: bool, where: str) -> None:
        self._importer = importer
        self.of_fields = of_fields
        self.where = where
        self.value = named.value
        self.type = named.type

    def one(self, found: Any) -> Value:
        """Return a single operand; ValueError if it does not fit."""
        if self.of_fields:
            return self._importer.field(found, self.where)
        return constant(found, self.type)

    def text(self, found: Any) -> Value:
        """Return an operand that is text."""
        if self.of_fields:
            raise ValueError("parts of texts and members of sets are constants, not other fields")
        return constant(found, text_type)

    def listed(self, found: Any, count: int | None = None) -> list[Value]:
        """Return the operands of a list, or of a text with commas."""
        if isinstance(found, str):
            found = [part.strip() for part in found.split(",")] if found.strip() else []
        if not isinstance(found, list) or not found or (count is not None and len(found) != count):
            raise ValueError(f"expected {'a list' if count is None else f'{count} values'}, found {shown(found)}")
        return [self.one(item) for item in found]

    def said(self, words: str, *pieces: Piece) -> Written:
        """Return the field, words, and what follows them, as a condition."""
        return write(CONDITION, (self.value.written, SUM), f" {words}", *pieces)


Test = Callable[[_Operands, Any], Written]


def _comparison(operator: str) -> Test:
    def test(operands: _Operands, found: Any) -> Written:
        if operands.type.kind in ("text_set", "point"):
            raise ValueError(f"'{operator}' does not compare {operands.type.described}")
        return operands.said(operator, " ", (operands.one(found).written, SUM))

    return test


def _part(words: str) -> Test:
    def test(operands: _Operands, found: Any) -> Written:
        operand = operands.text(found).written
        if operands.type.kind == "text_set" and words == "contains":
            return operands.said("has", " ", (operand, ATOM))
        if not operands.type.is_text:
            raise ValueError(f"'{words}' tests text, not {operands.type.described}")
        return operands.said(words, " ", (operand, ATOM))

    return test


def _missing(operands: _Operands, _found: Any) -> Written:
    return operands.said("is empty" if operands.type.kind == "text_set" else "is missing")


def _among(operands: _Operands, found: Any) -> Written:
    if operands.of_fields:
        raise ValueError("a list holds constants, not other fields")
    if operands.type.kind in ("text_set", "point"):
        raise ValueError(f"'in' does not compare {operands.type.described}")
    return operands.said("in", f" ({', '.join(option.written.text for option in operands.listed(found))})")


def _between(operands: _Operands, found: Any) -> Written:
    low, high = operands.listed(found, 2)
    return operands.said("between", " ", (low.written, SUM), " and ", (high.written, SUM))


def _not(test: Test) -> Test:
    return lambda operands, found: write(NOT, "not ", (test(operands, found), NOT))


_OPERATORS: Final[Mapping[str, Test]] = {
    "=": _comparison("="),
    "!=": _not(_comparison("=")),
    "<": _comparison("<"),
    "<=": _comparison("<="),
    ">": _comparison(">"),
    ">=": _comparison(">="),
    "contains": _part("contains"),
    "beginsWith": _part("starts with"),
    "endsWith": _part("ends with"),
    "doesNotContain": _not(_part("contains")),
    "doesNotBeginWith": _not(_part("starts with")),
    "doesNotEndWith": _not(_part("ends with")),
    "null": _missing,
    "notNull": _not(_missing),
    "in": _among,
    "notIn": _not(_among),
    "between": _between,
    "notBetween": _not(_between),
}

# ------------------------------------------------------------------------------- export


def to_querybuilder(tree: Predicate) -> dict[str, Any]:
    """Return the rules of react-querybuilder that say a filter, as a group.

    Raises:
        FormError: with everything that cannot be said, each with its pointer in `to_json(tree)`.

    A list of texts or members to look for becomes a group of rules, so that the way back gives
    a tree with the same normal form, if not the same tree.
    """
    complaints = Complaints()
    found = _exported(tree, "/filter", complaints)
    complaints.raise_if_any(_FORM)
    assert found is not None  # whoever returns None complains
    return found if "rules" in found else {"combinator": "and", "rules": [found]}


_PARTS: Final = {"contains": "contains", "starts with": "beginsWith", "ends with": "endsWith"}
_NEGATIVE: Final = {
    "=": "!=",
    "contains": "doesNotContain",
    "beginsWith": "doesNotBeginWith",
    "endsWith": "doesNotEndWith",
    "null": "notNull",
    "in": "notIn",
    "between": "notBetween",
}


def _exported(node: Predicate, where: str, complaints: Complaints) -> dict[str, Any] | None:
    """Return a rule or group, or None after a complaint; one call for each level, of which there are few."""
    match node:
        case Constant(value):
            return {"combinator": "and", "rules": [], **({} if value else {"not": True})}
        case And(items) | Or(items):
            rules = [_exported(item, f"{where}/items/{index}", complaints) for index, item in enumerate(items)]
            known = [rule for rule in rules if rule is not None]
            word = "and" if isinstance(node, And) else "or"
            return {"combinator": word, "rules": known} if len(known) == len(rules) else None
        case Not(item):
            rule = _exported(item, f"{where}/item", complaints)
            return rule and _negated(rule)
        case _:
            rule = _rule_of(node)
            if rule is None:
                cannot(node, where, _FORM, complaints)
            return rule


def _negated(rule: dict[str, Any]) -> dict[str, Any]:
    if "rules" in rule:
        return {**rule, "not": True} if "not" not in rule else {"combinator": "and", "rules": [rule], "not": True}
    operator = _NEGATIVE.get(rule["operator"])
    if operator is None:
        return {"combinator": "and", "rules": [rule], "not": True}
    return {**rule, "operator": operator}


def _rule_of(node: Predicate) -> dict[str, Any] | None:
    """Return the rule, or the group of a list, that a condition is; None if there is none."""
    if getattr(node, "ignoring_case", False) or getattr(node, "zone", None) is not None:
        return None
    match node:
        case Compare(operator, left, right):
            return _compared(str(operator), left, right)
        case Between(value, Literal() as low, Literal() as high):
            return _said(value, "between", [constant_to_json(low), constant_to_json(high)])
        case In(value, options):
            listed = [constant_to_json(option) for option in options]
            return _said(value, "in", listed)
        case IsMissing(value) | IsEmpty(value):
            return _said(value, "null", None)
        case IsTrue(value):
            return _said(value, "=", True)
        case TextTest(test, value, patterns):
            return _each("or", value, _PARTS[test], patterns)
        case SetTest(quantifier, value, members):
            return _each("or" if quantifier == "any" else "and", value, "contains", members)
        case _:
            return None


_MIRRORED: Final[dict[str, str]] = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _compared(operator: str, left: TreeValue, right: TreeValue) -> dict[str, Any] | None:
    if isinstance(left, Literal):
        return None if isinstance(right, Literal) else _compared(_MIRRORED[operator], right, left)
    if isinstance(right, Literal):
        return _said(left, operator, constant_to_json(right))
    rule = _said(left, operator, path_of(right))
    return None if rule is None or rule["value"] is None else {**rule, "valueSource": "field"}


def _said(value: TreeValue, operator: str, operand: Any) -> dict[str, Any] | None:
    field = path_of(value)
    return None if field is None else {"field": field, "operator": operator, "value": operand}


def _each(word: str, value: TreeValue, operator: str, operands: Sequence[str]) -> dict[str, Any] | None:
    """Return one rule for each operand, joined by a word; a single one stands alone."""
    rules = [_said(value, operator, operand) for operand in operands]
    known = [rule for rule in rules if rule is not None]
    if len(known) < len(rules):
        return None
    return known[0] if len(known) == 1 else {"combinator": word, "rules": known}
