"""The machine that turns terminals into a lark tree: lark's tables and tree builders, and a loop of our own.

lark's loop hashes a rule at each reduction, and works positions out from the children of each tree, with all that
can be missing. Here steps are looked up ready to be taken, positions lie on a stack, and the steps of the ladder that
only hand their one child on do nothing else: a filter of four conditions is parsed in a third of the time
(`bench_language`). The trees, and where they stand, are lark's own (`tests/dsl/test_parse.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from sys import intern
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from segmentkit.dsl._scan import Token

if TYPE_CHECKING:
    from lark import Lark, Tree

__all__ = ["Refused", "Step", "Tables"]

_END: Final = "$END"
_STOP: Final = Token("bad", "", 0, 0)

Build: TypeAlias = Callable[[list[Any]], Any]
Step: TypeAlias = int | tuple[int, str, str, Build | None]
"""The state to go to; or how many symbols are reduced to which, the tree's name, and what makes it (None: one is all).

Names are plain strings: lark's are tokens, which compare in Python, and a quarter of the time went into that.
"""


class Refused(Exception):  # noqa: N818  # it is caught and told in other words
    """The token at a position cannot follow those before it."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Tables:
    """The steps of each state, by terminal, and where reductions go from there.

    Args:
        lark: the grammar, compiled for LALR without positions.
    """

    def __init__(self, lark: Lark) -> None:
        from lark import Token as LarkToken, Tree
        from lark.tree import Meta

        conf = lark.parse_interactive().parser_state.parse_conf
        reductions: dict[Any, Step] = {}
        rules: Iterable[Any] = conf.callbacks
        for rule in rules:
            hands_on = rule.options.expand1 and rule.alias is None
            hands_on = hands_on and len(rule.expansion) == 1 and not rule.expansion[0].is_term
            build = None if hands_on else conf.callbacks[rule]
            name = intern(str(rule.origin.name))
            reductions[rule] = len(rule.expansion), name, intern(str(rule.alias or name)), build
        self.steps: Mapping[int, Mapping[str, Step]] = {
            state: {intern(str(name)): reductions.get(target, target) for name, (_, target) in steps.items()}
            for state, steps in conf.states.items()
        }
        self._first: int = conf.start_state
        self._last: int = conf.end_state
        self._types: tuple[Any, Any, Any] = LarkToken, Tree, Meta

    def tree(self, tokens: Sequence[Token], terminal_of: Callable[[Token, Mapping[str, Step]], str]) -> Tree[Any]:
        """Return the tree of all tokens; `terminal_of` tells what a token is in a state with some steps.

        Raises:
            Refused: some token, or the end, cannot follow.
        """
        token_type, tree_type, meta_type = self._types
        all_steps, last = self.steps, self._last
        states, values = [self._first], list[Any]()
        starts, ends = list[int](), list[int]()
        steps = all_steps[self._first]
        for position, token in enumerate((*tokens, _STOP)):
            terminal = _END if token is _STOP else terminal_of(token, steps)
            while True:
                step: Any = steps.get(terminal)
                if step.__class__ is int:
                    break
                if step is None:
                    raise Refused(position)
                size, name, data, build = step
                if build is None:
                    states.pop()
                else:
                    value, end = build(values[-size:]), ends[-1]
                    del states[-size:], values[-size:], ends[-size:], starts[len(starts) - size + 1 :]
                    if value.__class__ is tree_type and value._meta is None:
                        value.data = data
                        meta = value._meta = meta_type()
                        meta.start_pos, meta.end_pos = starts[-1], end
                    values.append(value)
                    ends.append(end)
                state: Any = all_steps[states[-1]][name]
                if state == last and token is _STOP:
                    tree: Tree[Any] = values[-1]
                    return tree
                states.append(state)
                steps = all_steps[state]
            states.append(step)
            steps = all_steps[step]
            values.append(token_type(terminal, token.text, start_pos=token.start, end_pos=token.end))
            starts.append(token.start)
            ends.append(token.end)
        raise AssertionError("the end is reduced to the whole, or refused")
