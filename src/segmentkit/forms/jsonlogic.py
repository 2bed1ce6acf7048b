"""Import and export of JsonLogic: `{"and": [{">": [{"var": "orders"}, 4]}, ...]}`.

Both sides can say: `and`, `or`, `!`; comparisons of attributes, constants and arithmetic on
numbers, also with three operands; `in` for lists, parts of texts and members of sets; `null`
for what is missing; `true` and `false`; and `startsWith`, `endsWith`, which are no part of
JsonLogic but what react-querybuilder writes. An attribute over to-one relations is a `var` with dots.

The meaning is that of segmentkit, and differs where a value is missing: JavaScript takes
`null < 5` for true, segmentkit does not. Join `is known` where that matters elsewhere.

>>> from segmentkit.dsl import format
>>> from segmentkit.schema import ObjectType, Schema
>>> from segmentkit.values import integer, text
>>> schema = Schema(ObjectType("contact", {"orders": integer, "country": text}))
>>> logic = {"and": [{"<": [4, {"var": "orders"}]}, {"in": [{"var": "country"}, ["PL", "DE"]]}]}
>>> tree = from_jsonlogic(logic, schema, on="contact")
>>> format(tree)
'4 < orders and country in ("PL", "DE")'
>>> to_jsonlogic(tree) == logic
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from segmentkit.dsl import parse
from segmentkit.dsl.predicates import (
    And,
    Arithmetic,
    Between,
    Compare,
    Constant,
    In,
    IsEmpty,
    IsMissing,
    IsTrue,
    Literal,
    Negate,
    Not,
    Or,
    Predicate,
    SetTest,
    TextTest,
    Value as TreeValue,
)
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
    write,
)
from segmentkit.forms._foreign import Vocabulary, cannot, check_size, constant, constant_to_json, path_of
from segmentkit.forms._json import Complaints, pointer
from segmentkit.forms._scalars import did_you_mean, shown
from segmentkit.schema import Schema
from segmentkit.values import ValueType, boolean, decimal, text as text_type

__all__ = ["from_jsonlogic", "to_jsonlogic"]

_FORM: Final = "JsonLogic"
_TRUE: Final = Written("true", "true", ATOM)
_FALSE: Final = Written("false", "false", ATOM)

# ------------------------------------------------------------------------------- import


def from_jsonlogic(document: Any, schema: Schema, on: str) -> Predicate:
    """Return the tree of a rule of JsonLogic.

    Args:
        document: what `json.loads` gives.
        schema: what its variables mean.
        on: the object type that it is about.

    Raises:
        FormError: with every problem of the document and its JSON pointer.
        UnknownNameError, FilterTypeError, LimitError: as `segmentkit.parse`.
    """
    vocabulary = Vocabulary.of(schema, on)
    check_size(document, "rule")
    complaints = Complaints()
    try:
        found = _Importer(vocabulary, complaints).condition(document, "")
    except _Stop:
        found = None
    complaints.raise_if_any(_FORM)
    assert found is not None  # whoever stops complains
    return parse(found.text, schema, on)


class _Stop(Exception):  # noqa: N818  # it carries no error: the complaint is noted
    """This part cannot be read; its complaint is noted."""


class _Importer:
    """Reads conditions and values; the depth of the document is limited before."""

    def __init__(self, vocabulary: Vocabulary, complaints: Complaints) -> None:
        self._vocabulary = vocabulary
        self._complaints = complaints

    def stop(self, where: str, message: str, hint: str = "") -> _Stop:
        """Return what to raise, after a complaint."""
        self._complaints.add(where, message, hint)
        return _Stop()

    def _operation(self, found: dict[Any, Any], where: str) -> tuple[str, list[Any], str]:
        """Return operator, operands, and where these are."""
        if len(found) != 1 or not isinstance(next(iter(found)), str):
            raise self.stop(where, f"expected an object with one operator, found one with {len(found)} keys")
        operator, operands = next(iter(found.items()))
        return operator, operands if isinstance(operands, list) else [operands], where + pointer(operator)

    def condition(self, found: Any, where: str) -> Written:
        """Return a condition; _Stop after a complaint."""
        if isinstance(found, bool):
            return _TRUE if found else _FALSE
        if not isinstance(found, dict):
            raise self.stop(where, f"expected a condition, found {shown(found)}")
        operator, operands, at = self._operation(found, where)
        if operator in ("and", "or"):
            return self._joined(operator, operands, at)
        if operator in ("!", "!!"):
            self._count(operator, operands, at, 1)
            inner = self.condition(operands[0], f"{at}/0")
            return write(NOT, "not ", (inner, NOT)) if operator == "!" else inner
        if operator == "var":
            written, value_type = self.variable(operands, at)
            if value_type != boolean:
                raise self.stop(
                    at, f"a variable that stands alone is true or false, and this is {value_type.described}"
                )
            return written
        test = _TESTS.get(operator)
        if test is None:
            known = [*_TESTS, "and", "or", "!", "!!", "var"]
            raise self.stop(at, f"there is no way to say the operator {shown(operator)}", did_you_mean(operator, known))
        return test(self, operands, at)

    def _joined(self, word: str, operands: list[Any], at: str) -> Written:
        parts: list[Written] = []
        for index, operand in enumerate(operands):
            try:
                parts.append(self.condition(operand, f"{at}/{index}"))
            except _Stop:  # go on, to complain of everything
                continue
        if len(parts) < len(operands):
            raise _Stop
        if not parts:
            raise self.stop(at, f"'{word}' joins one condition or more")
        pieces: list[Piece] = []
        for part in parts:
            pieces += [f" {word} "] if pieces else []
            pieces.append((part, AND if word == "and" else OR))
        return write(AND if word == "and" else OR, *pieces) if len(parts) > 1 else parts[0]

    def _count(self, operator: str, operands: list[Any], at: str, *counts: int) -> None:
        if len(operands) not in counts:
            expected = " or ".join(map(str, counts))
            raise self.stop(at, f"'{operator}' takes {expected} operand{'s' * (counts != (1,))}, found {len(operands)}")

    # ------------------------------------------------------------------------ values

    def variable(self, operands: list[Any], at: str) -> tuple[Written, ValueType]:
        """Return a variable and its type."""
        if len(operands) == 2 and operands[1] is None:
            operands = operands[:1]
        if len(operands) != 1:
            raise self.stop(at, "a variable has a name and no default", "write the default as an 'or'")
        named = self._vocabulary.find(operands[0], at, self._complaints)
        if named is None:
            raise _Stop
        return named.value.written, named.type

    def value(self, found: Any, where: str) -> tuple[Written, ValueType] | None:
        """Return a value with its type, or None for a constant, which takes the type of what it meets."""
        if not isinstance(found, dict):
            if isinstance(found, list):
                raise self.stop(where, "a list stands behind 'in' only")
            return None
        operator, operands, at = self._operation(found, where)
        if operator == "var":
            return self.variable(operands, at)
        if operator in ("+", "-", "*", "/"):
            return self._arithmetic(operator, operands, at)
        raise self.stop(
            at, f"there is no way to say the value {shown(operator)}", did_you_mean(operator, ["var", *"+-*/"])
        )

    def _arithmetic(self, operator: str, operands: list[Any], at: str) -> tuple[Written, ValueType]:
        found = [self.value(operand, f"{at}/{index}") for index, operand in enumerate(operands)]
        value_type = next((part[1] for part in found if part is not None), decimal)
        if not all(part is None or part[1].is_numeric for part in found):
            raise self.stop(at, f"'{operator}' takes numbers")
        written = [
            self.constant(operand, f"{at}/{index}", value_type) if part is None else part[0]
            for index, (operand, part) in enumerate(zip(operands, found, strict=True))
        ]
        if len(written) == 1 and operator == "-":
            return write(SIGN, "-", (written[0], ATOM)), value_type
        if len(written) != 2 and not (operator in "+*" and len(written) > 2):
            raise self.stop(at, f"'{operator}' takes two numbers, found {len(written)}")
        level = SUM if operator in "+-" else PRODUCT
        total = written[0]
        for further in written[1:]:
            total = write(level, (total, level), f" {operator} ", (further, level + 1))
        return total, value_type

    def constant(self, found: Any, where: str, value_type: ValueType) -> Written:
        """Return a constant that meets a value of some type."""
        try:
            return constant(found, value_type).written
        except ValueError as error:
            raise self.stop(where, str(error)) from None

    def values(self, operands: list[Any], at: str) -> tuple[list[Written], ValueType]:
        """Return values that meet each other, and the type that the constants among them took."""
        found = [self.value(operand, f"{at}/{index}") for index, operand in enumerate(operands)]
        value_type = next((part[1] for part in found if part is not None), None)
        if value_type is None:
            raise self.stop(at, "a comparison of constants only", "compare a variable")
        parts = zip(operands, found, strict=True)
        return [
            self.constant(operand, f"{at}/{index}", value_type) if part is None else part[0]
            for index, (operand, part) in enumerate(parts)
        ], value_type

    # ------------------------------------------------------------------------- tests

    def compared(self, operator: str, word: str, operands: list[Any], at: str) -> Written:
        """Return a comparison, of three operands where JsonLogic has them."""
        self._count(operator, operands, at, *((2, 3) if word in ("<", "<=") else (2,)))
        if None in operands:
            return self._missing(operator, operands, at)
        found, _ = self.values(operands, at)
        if len(found) == 3:
            low, value, high = found
            if word == "<=":
                return write(CONDITION, (value, SUM), " between ", (low, SUM), " and ", (high, SUM))
            both = [write(CONDITION, (a, SUM), " < ", (b, SUM)) for a, b in ((low, value), (value, high))]
            return write(AND, (both[0], AND), " and ", (both[1], AND))
        return write(CONDITION, (found[0], SUM), f" {word} ", (found[1], SUM))

    def _missing(self, operator: str, operands: list[Any], at: str) -> Written:
        if operator not in ("==", "===", "!=", "!=="):
            raise self.stop(at, f"null is compared with '==' or '!=', not with '{operator}'")
        index = 1 if operands[0] is None else 0
        found = self.value(operands[index], f"{at}/{index}")
        if found is None:
            raise self.stop(at, "a comparison of constants only", "compare a variable")
        state = "empty" if found[1].kind == "text_set" else "missing"
        missing = write(CONDITION, (found[0], SUM), f" is {state}")
        return missing if operator in ("==", "===") else write(NOT, "not ", (missing, NOT))

    def within(self, operands: list[Any], at: str) -> Written:
        """Return `in`: an option of a list, a part of a text, or a member of a set."""
        self._count("in", operands, at, 2)
        needle, hay = operands
        if isinstance(hay, list):
            found = self.value(needle, f"{at}/0")
            if found is None or not hay:
                raise self.stop(at, "expected a variable and a list that is not empty")
            options = [self.constant(option, f"{at}/1/{index}", found[1]).text for index, option in enumerate(hay)]
            return write(CONDITION, (found[0], SUM), f" in ({', '.join(options)})")
        found = self.value(hay, f"{at}/1")
        if found is None or isinstance(needle, dict):
            raise self.stop(at, "expected a text and a variable, or a variable and a list")
        return self._part("has" if found[1].kind == "text_set" else "contains", found, needle, f"{at}/0")

    def part(self, word: str, operands: list[Any], at: str) -> Written:
        """Return `startsWith` or `endsWith`."""
        self._count(word, operands, at, 2)
        found = self.value(operands[0], f"{at}/0")
        if found is None:
            raise self.stop(at, "expected a variable and a text")
        return self._part("starts with" if word == "startsWith" else "ends with", found, operands[1], f"{at}/1")

    def _part(self, words: str, found: tuple[Written, ValueType], pattern: Any, where: str) -> Written:
        if words != "has" and not found[1].is_text:
            raise self.stop(where, f"parts are those of text, not of {found[1].described}")
        return write(CONDITION, (found[0], SUM), f" {words} ", (self.constant(pattern, where, text_type), ATOM))


Test = Callable[[_Importer, list[Any], str], Written]


def _comparison(operator: str, word: str) -> Test:
    return lambda importer, operands, at: importer.compared(operator, word, operands, at)


_TESTS: Final[Mapping[str, Test]] = {
    **{
        operator: _comparison(operator, word)
        for operator, word in {
            "==": "=", "===": "=", "!=": "!=", "!==": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
        }.items()
    },
    "in": _Importer.within,
    "startsWith": lambda importer, operands, at: importer.part("startsWith", operands, at),
    "endsWith": lambda importer, operands, at: importer.part("endsWith", operands, at),
}  # fmt: skip

# ------------------------------------------------------------------------------- export


def to_jsonlogic(tree: Predicate) -> Any:
    """Return the rule of JsonLogic that says a filter: an object, or true or false.

    Raises:
        FormError: with everything that cannot be said, each with its pointer in `to_json(tree)`.

    A list of texts or members to look for becomes an `or`, so that the way back gives a tree
    with the same normal form, if not the same tree.
    """
    complaints = Complaints()
    found = _exported(tree, "/filter", complaints)
    complaints.raise_if_any(_FORM)
    return found


def _exported(node: Predicate, where: str, complaints: Complaints) -> Any:
    """Return a rule, or None after a complaint; one call for each level, of which there are few."""
    match node:
        case Constant(value):
            return value
        case And(items) | Or(items):
            rules = [_exported(item, f"{where}/items/{index}", complaints) for index, item in enumerate(items)]
            return {"and" if isinstance(node, And) else "or": rules}
        case Not(item):
            return _negated(_exported(item, f"{where}/item", complaints))
        case _:
            rule = _rule_of(node)
            if rule is None:
                cannot(node, where, _FORM, complaints)
            return rule


def _negated(rule: Any) -> Any:
    """Return the negation of a rule: by `!=` where it is `==`."""
    if isinstance(rule, dict) and "==" in rule:
        return {"!=": rule["=="]}
    return {"!": [rule]}


def _rule_of(node: Predicate) -> Any:
    """Return the rule that a condition is, or None if there is none."""
    if getattr(node, "ignoring_case", False) or getattr(node, "zone", None) is not None:
        return None
    match node:
        case Compare(operator, left, right):
            return _operation("==" if operator == "=" else operator, left, right)
        case Between(value, low, high):
            return _operation("<=", low, value, high)
        case In(value, options):
            said = _value(value)
            return None if said is None else {"in": [said, [constant_to_json(option) for option in options]]}
        case IsMissing(value) | IsEmpty(value):
            said = _value(value)
            return None if said is None else {"==": [said, None]}
        case IsTrue(value):
            return _value(value)
        case TextTest(test, value, patterns):
            said = _value(value)
            return None if said is None else _any_of("or", [_part(test, said, pattern) for pattern in patterns])
        case SetTest(quantifier, value, members):
            said = _value(value)
            word = "or" if quantifier == "any" else "and"
            return None if said is None else _any_of(word, [{"in": [member, said]} for member in members])
        case _:
            return None


def _operation(operator: str, *values: TreeValue) -> Any:
    said = [_value(value) for value in values]
    return None if any(part is None for part in said) else {operator: said}


def _part(test: str, said: Any, pattern: str) -> Any:
    if test == "contains":
        return {"in": [pattern, said]}
    return {"startsWith" if test == "starts with" else "endsWith": [said, pattern]}


def _any_of(word: str, rules: list[Any]) -> Any:
    return rules[0] if len(rules) == 1 else {word: rules}


def _value(node: TreeValue) -> Any:
    """Return a value, or None if it cannot be said."""
    match node:
        case Literal():
            return None if node.type.kind == "duration" else constant_to_json(node)
        case Arithmetic(operator, left, right) if left.type.is_numeric and right.type.is_numeric:
            return _operation(operator, left, right)
        case Negate(operand):
            return _operation("-", operand)
        case _:
            path = path_of(node)
            return None if path is None else {"var": path}
