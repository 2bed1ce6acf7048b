"""Text to a lark tree: the grammar, its keywords, and the limits.

The grammar is read on the first parse and kept. Tokens go through lark's LALR tables one
by one (`_shift_reduce`), so that a word becomes a keyword only in a state that can take that keyword.
Nothing here recurses: the machine is a loop, and the tree is measured before anybody walks it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import attrs

from segmentkit.dsl._literals import RESERVED
from segmentkit.dsl._scan import Token, scan
from segmentkit.dsl._shift_reduce import Refused, Tables
from segmentkit.errors import FilterSyntaxError, LimitError

if TYPE_CHECKING:
    from lark import Lark, Token as LarkToken, Tree
    from lark.parsers.lalr_interactive_parser import InteractiveParser

__all__ = [
    "MAX_CONDITIONS",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_LISTED",
    "Language",
    "language",
    "parse_tokens",
    "parse_tree",
]

MAX_LENGTH: Final = 1_000_000
"""Most characters of a filter."""
MAX_DEPTH: Final = 200
"""How deep brackets, connectives, operators and functions may be nested, each counted."""
MAX_CONDITIONS: Final = 10_000
"""Most conditions of a filter, those inside event brackets included."""
MAX_LISTED: Final = 100_000
"""Most items behind commas, such as values in lists, all lists of a filter together."""


@attrs.frozen
class Language:
    """The compiled grammar, and the terminals of its keywords and symbols by how they are written."""

    lark: Lark
    terminals: Mapping[str, str]
    token_type: type[LarkToken]
    tables: Tables

    def begin(self) -> InteractiveParser:
        """Return a parser that has read nothing."""
        return self.lark.parse_interactive()

    def terminal(self, token: Token, actions: Mapping[str, Any]) -> str:
        """Return what a token is in a state with these actions: a keyword where one fits, otherwise a name."""
        if token.kind not in ("word", "symbol"):
            return token.kind.upper()
        word = token.lower
        keyword = self.terminals.get(word)
        if keyword is not None and (keyword in actions or word in RESERVED or token.kind == "symbol"):
            return keyword
        return "NAME"

    def feed(self, parser: InteractiveParser, token: Token) -> None:
        """Advance the parser by one token; raises lark's UnexpectedToken."""
        state = parser.parser_state
        actions = state.parse_conf.parse_table.states[state.position]
        kind = self.terminal(token, actions)
        state.feed_token(self.token_type(kind, token.text, start_pos=token.start, end_pos=token.end))


_lock = threading.Lock()
_language: Language | None = None


def language() -> Language:
    """Return the compiled grammar; the first call takes a few tenths of a second."""
    global _language  # noqa: PLW0603  # a cache of something immutable
    if _language is None:
        with _lock:
            if _language is None:
                _language = _compile()
    return _language


def _compile() -> Language:
    from lark import Lark, Token as LarkToken
    from lark.lexer import PatternStr

    grammar = resources.files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    lark = Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=False)
    terminals = {t.pattern.value: t.name for t in lark.terminals if isinstance(t.pattern, PatternStr)}
    return Language(lark, terminals, LarkToken, Tables(lark))


def parse_tree(source: str, start: int = 0, end: int | None = None, origin: str = "") -> Tree[Any]:
    """Return the lark tree of the filter in `source[start:end]`; positions count in `source`.

    Raises:
        FilterSyntaxError: the text is not in the language.
        LimitError: it is too long, too deep or has too many conditions.

    Cost:
        Linear in the length; about a second for 100,000 tokens.
    """
    end = len(source) if end is None else end
    if end - start > MAX_LENGTH:
        raise LimitError(
            f"the filter has {end - start:,} characters, over the limit of {MAX_LENGTH:,}; it would end at "
            + _place(source, start + MAX_LENGTH),
            what="length", limit=MAX_LENGTH, found=end - start,
        )  # fmt: skip
    tokens, problems = scan(source, start, end)
    if problems:
        raise FilterSyntaxError(problems, source, origin)
    return parse_tokens(tokens, source, end, origin)


def parse_tokens(tokens: list[Token], source: str, end: int, origin: str = "") -> Tree[Any]:
    """Return the lark tree of tokens that have no problem of their own; `end` is where they end."""
    _check_tokens(tokens, source)
    compiled = language()
    try:
        tree = compiled.tables.tree(tokens, compiled.terminal)
    except Refused as refused:
        from segmentkit.dsl._explain import explain

        raise FilterSyntaxError([explain(compiled, tokens, refused.position, source, end)], source, origin) from None
    _check_size(tree, source)
    return tree


def _place(source: str, position: int) -> str:
    line = source.count("\n", 0, position) + 1
    return f"line {line}, column {position - source.rfind(chr(10), 0, position)}"


def _too_deep(source: str, position: int) -> LimitError:
    return LimitError(
        f"the filter is nested more than {MAX_DEPTH} deep at {_place(source, position)}; "
        "use fewer parentheses, or split it into several segments",
        what="depth", limit=MAX_DEPTH, found=MAX_DEPTH + 1,
    )  # fmt: skip


def _too_many(source: str, position: int, found: int) -> LimitError:
    return LimitError(
        f"the filter has more than {MAX_CONDITIONS:,} conditions at {_place(source, position)}; "
        "list values with 'in (...)', or split it into several segments",
        what="conditions", limit=MAX_CONDITIONS, found=found,
    )  # fmt: skip


_ENDS_OPERAND: Final = (
    RESERVED | {",", "(", ")", "[", "]", "=", "!=", "<", "<=", ">", ">="} | {"before", "after", "since", "until", "on"}
)
_BEFORE_SIGN: Final = (_ENDS_OPERAND - {")", "]"}) | {"+", "-", "*", "/"}


def _check_tokens(tokens: list[Token], source: str) -> None:
    """Refuse what is certainly too deep or too long before the parser sees it, which takes a hundred times as long.

    Counted are brackets, prefixes in a row, names of a path, sums and products within an operand, and words
    that join conditions or steps (every `between` has an `and` of its own). `_check_size` is exact.
    """
    depth = prefixes = sums = products = joins = listed = dots = 0
    previous = "("
    for token in tokens:
        symbol = token.lower
        if symbol in ("and", "or", "between", "then"):
            joins += -1 if symbol == "between" else 1
        if symbol in _ENDS_OPERAND:
            depth += (symbol in ("(", "[")) - (symbol in (")", "]"))
            sums = products = 0
        elif symbol in ("*", "/"):
            products += 1
        elif symbol in ("+", "-") and previous not in _BEFORE_SIGN:
            sums, products = sums + 1, 0
        prefixes = prefixes + 1 if symbol in ("not", "-", "(") else 0
        dots = 0 if token.kind == "symbol" and symbol != "." else dots + (symbol == ".")
        if max(depth, sums, products, dots) > MAX_DEPTH or prefixes > 2 * MAX_DEPTH:
            raise _too_deep(source, token.start)
        if joins > MAX_CONDITIONS:
            raise _too_many(source, token.start, joins)
        listed += symbol == ","
        if listed > MAX_LISTED:
            raise LimitError(
                f"the filter lists more than {MAX_LISTED:,} values at {_place(source, token.start)}; "
                "keep such a set as an attribute of its objects, or split the filter into several segments",
                what="listed values", limit=MAX_LISTED, found=listed,
            )  # fmt: skip
        previous = symbol


_CONNECTIVES: Final = frozenset({"disjunction", "conjunction", "negated", "counted", "parenthesis"})
_BRACKETS: Final = frozenset({"filtered", "related", "reached"})
_LEVELS: Final = frozenset(
    {"disjunction", "conjunction", "negated", "counted", "event", "rank", "call"}
    | {"add", "subtract", "multiply", "divide", "negative"}
)


def _check_size(tree: Tree[Any], source: str) -> None:
    """Refuse a tree that is too deep or has too many conditions.

    `exactly` counts as what it becomes: its conditions twice, two levels more. A step of a sequence
    counts as a condition. Brackets behind a value count three levels, because checking and evaluating
    what is inside takes as many steps down, and each name of the path before them counts one.
    """
    from lark import Tree

    found = 0
    stack: list[tuple[Tree[Any], int, int, bool]] = [(tree.children[0], 0, 1, True)]
    while stack:
        node, depth, copies, is_condition = stack.pop()
        depth += node.data in _LEVELS
        if node.data in _BRACKETS:
            depth += 2 + len(_path_of(node))
        elif node.data == "path":
            depth += len(node.children) - 1
        if node.data == "counted" and _is_exactly(node):
            depth, copies = depth + 2, copies * 2
        if depth > MAX_DEPTH:
            raise _too_deep(source, node.meta.start_pos)
        joins = node.data in _CONNECTIVES
        if (is_condition and not joins) or node.data == "step":
            found += copies
            if found > MAX_CONDITIONS:
                raise _too_many(source, node.meta.start_pos, found)
        inner = _CONDITION_AT.get(node.data, -1)
        for index in range(len(node.children) - 1, -1, -1):
            child = node.children[index]
            if isinstance(child, Tree):
                inside = (joins and is_condition) or index == inner
                stack.append((child, depth, copies, inside))


_CONDITION_AT: Final = {"event": 1, "filtered": 1, "related": 2, "among_those": 0}
"""Which child of a tree is a condition."""


def _path_of(node: Tree[Any]) -> list[Any]:
    """Return the names before the brackets of a value, or before a function of what the names lead to."""
    if node.data == "reached":
        return list(node.children[:-1])
    path: Any = node.children[1 if node.data == "related" else 0]
    return list(path.children)


def _is_exactly(node: Tree[Any]) -> bool:
    words: Any = node.children[0]
    return bool(words.children[0].type == "EXACTLY")
