"""What the parser and the schema make of the tokens before the cursor.

The tokens are fed to the parser of the language, which then knows what may follow. Beside it
a stack of open brackets keeps what names mean inside each. A condition that is broken is
skipped: behind the next `and` or `or` the parser goes on where the condition began.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal as OneOf

import attrs

from segmentkit.dsl._parse import MAX_DEPTH
from segmentkit.dsl._scan import Token
from segmentkit.editor._machine import Machine
from segmentkit.schema import EventType, ObjectType, Schema
from segmentkit.values import ValueType

__all__ = ["Meaning", "Place", "Read", "names_before", "read_place"]


@attrs.frozen
class Meaning:
    """What names mean somewhere: of an object type, or of an event of one; None where that is not known."""

    schema: Schema
    object_type: ObjectType | None
    event: EventType | None = None

    def over(self, names: Sequence[str]) -> Meaning:
        """Return what names mean behind a path, or inside the brackets behind it."""
        meaning = self
        for name in names:
            meaning = meaning._step(name)
        return meaning

    def _step(self, name: str) -> Meaning:
        owner = self.object_type
        if owner is None:
            return self
        if self.event is not None:
            return attrs.evolve(self, event=None, object_type=owner if name == "object" else None)
        if name in owner.relations:
            return attrs.evolve(self, object_type=self.schema.types[owner.relations[name].target])
        if name in owner.events:
            return attrs.evolve(self, event=owner.events[name])
        return attrs.evolve(self, object_type=None)

    @property
    def fields(self) -> dict[str, ValueType]:
        """The attributes, or inside an event's brackets its properties."""
        if self.event is not None:
            return dict(self.event.properties)
        return {} if self.object_type is None else dict(self.object_type.attributes)


@attrs.frozen
class Read:
    """A token as the parser took it: `word` is a keyword or symbol in lower case, or "" for names and constants."""

    token: Token
    word: str


@attrs.define
class _Frame:
    """An open bracket: what it is, what names mean inside, and the condition being read there."""

    kind: OneOf["group", "list", "call", "brackets"]
    meaning: Meaning
    start: Machine
    """The parser before the condition."""
    condition: list[Read] = attrs.field(factory=list)
    function: str = ""


@attrs.frozen
class Place:
    """Where the cursor is, for the parser and for names.

    `condition` is what has been read of the condition at hand, from outside inwards: brackets of a
    list or a call do not begin a new one. `function` is the one whose argument is being read, or "".
    """

    machine: Machine
    meaning: Meaning
    condition: Sequence[Read]
    function: str

    @property
    def last(self) -> str:
        """The word that was read last of the condition, "" for a name, a constant or nothing."""
        return self.condition[-1].word if self.condition else ""


def read_place(machine: Machine, tokens: Sequence[Token], meaning: Meaning) -> Place | None:
    """Return where the tokens lead; None within a condition that cannot be read, or too deep. It never fails."""
    reader = _Reader(machine, meaning)
    for token in tokens:
        if reader.depth > MAX_DEPTH:
            return None
        reader.take(token)
    return reader.place()


class _Reader:
    def __init__(self, machine: Machine, meaning: Meaning) -> None:
        self._machine = machine
        self._frames = [_Frame("group", meaning, machine)]
        self._skipped: list[str] | None = None
        """Brackets opened since a condition broke; None while it is whole."""

    @property
    def depth(self) -> int:
        """How many brackets are open."""
        return len(self._frames)

    def take(self, token: Token) -> None:
        """Take one token in."""
        if self._skipped is None:
            read = self._feed(token)
            if read is not None:
                self._follow(read)
                return
            self._skipped = []
        self._skip(token, self._skipped)

    def place(self) -> Place | None:
        if self._skipped is not None:
            return None
        frame = self._frames[-1]
        condition = [read for open_frame in self._condition_frames() for read in open_frame.condition]
        return Place(self._machine, frame.meaning, condition, frame.function)

    def _condition_frames(self) -> list[_Frame]:
        """Return the frames of the condition at hand: lists and calls, and the group they stand in."""
        first = len(self._frames) - 1
        while self._frames[first].kind in ("list", "call"):
            first -= 1
        return self._frames[first:]

    def _feed(self, token: Token) -> Read | None:
        found = self._machine.read(token)
        if found is None:
            return None
        self._machine, terminal = found
        return Read(token, self._machine.word(terminal))

    def _follow(self, read: Read) -> None:
        """Keep the frames in step with a token that was read."""
        frame = self._frames[-1]
        match read.word:
            case "(" | "[":
                self._open(read, frame)
            case ")" | "]" if len(self._frames) > 1:
                closed = self._frames.pop()
                around = self._frames[-1].condition
                around += [*closed.condition, read]
            case "and" if _is_between(frame.condition):
                frame.condition.append(read)
            case "and" | "or":
                self._begin(frame)
            case "not" if not frame.condition:
                self._begin(frame)
            case "," if frame.kind == "group":
                self._begin(frame)
            case _:
                frame.condition.append(read)

    def _begin(self, frame: _Frame) -> None:
        frame.condition = []
        frame.start = self._machine

    def _open(self, read: Read, frame: _Frame) -> None:
        before = frame.condition
        frame.condition.append(read)
        if read.word == "[":
            meaning = frame.meaning.over(names_before(before[:-1]))
            self._frames.append(_Frame("brackets", meaning, self._machine))
            return
        previous = before[-2] if len(before) > 1 else None
        kind: OneOf["group", "list", "call"] = "group"
        function = ""
        if previous is not None and previous.word == "" and previous.token.kind == "word":
            kind, function = "call", previous.token.lower
        elif previous is not None and not _opens_conditions(before[:-1]):
            kind = "list"
        meaning = frame.meaning.over(names_before(before[:-3])) if function and _is_dot(before) else frame.meaning
        self._frames.append(_Frame(kind, meaning, self._machine, [], function))

    # ----------------------------------------------------------------------- recovery

    def _skip(self, token: Token, opened: list[str]) -> None:
        """Skip a broken condition up to the word behind which the next one begins."""
        word = token.lower if token.kind in ("word", "symbol") else ""
        if word in ("(", "["):
            opened.append(word)
        elif word in (")", "]"):
            if opened:
                opened.pop()
            elif len(self._frames) > 1:
                self._close(token)
        elif word in ("and", "or") and not opened:
            while self._frames[-1].kind in ("list", "call"):
                self._frames.pop()
            frame = self._frames[-1]
            self._machine = frame.start
            frame.condition = []
            self._skipped = None

    def _close(self, token: Token) -> None:
        """Close the brackets around a broken condition, as if something true stood in them."""
        frame = self._frames[-1]
        if frame.kind in ("list", "call"):
            self._frames.pop()
            return
        self._machine = frame.start
        self._skipped = None
        if self._feed(Token("word", "true", token.start, token.start)) is None or self._feed(token) is None:
            self._skipped = []
            return
        self._frames.pop()
        self._frames[-1].condition.append(Read(token, token.text))


def names_before(reads: Sequence[Read]) -> list[str]:
    """Return the names of the path that the tokens end with, brackets behind a name left out."""
    names: list[str] = []
    position = len(reads) - 1
    while position >= 0:
        if reads[position].word == "]":
            position = _opening(reads, position) - 1
            continue
        token = reads[position].token
        if token.kind not in ("word", "backticked"):
            break
        names.append(token.text.strip("`"))
        if position == 0 or reads[position - 1].word != ".":
            break
        position -= 2
    return names[::-1]


def _opening(reads: Sequence[Read], position: int) -> int:
    depth = 0
    while position >= 0:
        depth += (reads[position].word == "]") - (reads[position].word == "[")
        if depth == 0:
            return position
        position -= 1
    return position


def _is_between(condition: Sequence[Read]) -> bool:
    """Return whether an `and` belongs to a `between` of the condition."""
    open_ones = 0
    for read in condition:
        open_ones += (read.word == "between") - (read.word == "and")
    return open_ones > 0


def _is_dot(reads: Sequence[Read]) -> bool:
    return len(reads) > 2 and reads[-3].word == "."


def _opens_conditions(before: Sequence[Read]) -> bool:
    """Return whether a parenthesis behind these tokens holds conditions or values, and not a list or a place."""
    words = [read.word for read in before[-3:]]
    if words[-1] in ("in", "polygon", "box"):
        return False
    if words[-1] != "of":
        return True
    return len(words) > 1 and words[-2] not in ("any", "all", "none", "m", "km", "mi")
