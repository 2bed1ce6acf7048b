"""The states of the language's parser without the trees: cheap to copy, and to ask what may follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from segmentkit.dsl._parse import Language
from segmentkit.dsl._scan import Token, scan

__all__ = ["Machine"]

_END: Final = "$END"


class Machine:
    """A parser that has read some tokens; reading gives another one."""

    def __init__(self, language: Language) -> None:
        conf = language.begin().parser_state.parse_conf
        self._language = language
        self._table: Any = conf.parse_table.states
        self._end: Any = conf.end_state
        self._states: Sequence[Any] = [conf.start_state]
        self._words = {terminal: word for word, terminal in language.terminals.items()}

    def read(self, token: Token) -> tuple[Machine, str] | None:
        """Return the machine behind a token, and the terminal that it took it for; None if it cannot follow."""
        if token.kind == "bad":
            return None
        terminal = self._language.terminal(token, self._table[self._states[-1]])
        states = self._after(terminal)
        return None if states is None else (self._with(states), terminal)

    def terminals(self, text: str) -> list[str] | None:
        """Return what the tokens of a text are taken for, or None if one of them cannot follow."""
        machine, terminals = self, []
        for token in scan(text).tokens:
            found = machine.read(token)
            if found is None:
                return None
            machine, terminal = found
            terminals.append(terminal)
        return terminals

    def takes(self, kind: str) -> bool:
        """Return whether a terminal, such as "NAME" or "TEXT", can follow."""
        return self._after(kind) is not None

    def words(self) -> list[str]:
        """Return the keywords and symbols that can follow, as they are written, in their order."""
        found = {self._words[t] for t in self._table[self._states[-1]] if t in self._words and self.takes(t)}
        return sorted(found)

    def word(self, terminal: str) -> str:
        """Return how a keyword or symbol is written, "" for another terminal."""
        return self._words.get(terminal, "")

    def _with(self, states: Sequence[Any]) -> Machine:
        copy = object.__new__(Machine)
        copy.__dict__ = {**self.__dict__, "_states": states}
        return copy

    def _after(self, terminal: str) -> list[Any] | None:
        """Return the stack of states behind a terminal: reductions, then a shift."""
        from lark.parsers.lalr_analysis import Shift

        states = list(self._states)
        while True:
            step = self._table[states[-1]].get(terminal)
            if step is None:
                return None
            action, target = step
            if action is Shift:
                states.append(target)
                return states
            if target.expansion:
                del states[-len(target.expansion) :]
            states.append(self._table[states[-1]][target.origin.name][1])
            if terminal == _END and states[-1] == self._end:
                return states
