"""Event histories: for each event name, the events of every object in order of (at, id).

One object's events of one name are one flat array of machine words, `stride` words an event:

    at, tag, property, property, ...

`at` is the instant in microseconds. `tag` numbers events in order of arrival; it is negative when
the host gave an id (the id's text is kept per object), and an event without one is called `~` and
its tag in sixteen digits. Properties are integers: scaled decimals, dictionary codes for text, sets
and points, the bits of a double. A row turns into a list once a value does not fit a word.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import repeat
from operator import call
from struct import Struct
from typing import Any, Final

from segmentkit.dsl.evaluate import EventFact
from segmentkit.index._columns import Dictionary, Scale
from segmentkit.index._event_rows import EventRows
from segmentkit.schema import EventType
from segmentkit.values import ValueType

MISSING_WORD: Final = -(2**63)
"""Stands for a missing value; among doubles, these are the bits of minus zero, which no value has."""


def word_of(value: int) -> int:
    """Return the word for an integer: itself, but for those that would collide with the one for missing."""
    return value if value > MISSING_WORD else value - 1


def integer_of(word: int) -> int:
    """Return the integer of a word that is not missing."""
    return word if word > MISSING_WORD else word + 1


class IntegerCodec:
    """Integers, instants and dates are themselves; booleans are 0 and 1."""

    __slots__ = ("_is_boolean",)

    def __init__(self, value_type: ValueType) -> None:
        self._is_boolean = value_type.kind == "boolean"

    def encode(self, value: Any) -> int:
        return MISSING_WORD if value is None else word_of(int(value))

    def decode(self, word: int) -> Any:
        return None if word == MISSING_WORD else bool(word) if self._is_boolean else integer_of(word)

    def release(self, word: int) -> None:
        """Nothing is held."""


class DecimalCodec:
    """Decimals are integers at the scale of the property."""

    __slots__ = ("scale",)

    def __init__(self, grown: Callable[[int], None]) -> None:
        self.scale = Scale(grown)

    def encode(self, value: Decimal | None) -> int:
        return MISSING_WORD if value is None else word_of(self.scale.encode(value))

    def decode(self, word: int) -> Any:
        return None if word == MISSING_WORD else self.scale.decode(integer_of(word))

    def release(self, word: int) -> None:
        """Nothing is held."""


_to_bits, _from_bits = (struct := Struct("=d")).pack, struct.unpack
_to_word, _from_word = (struct := Struct("=q")).unpack, struct.pack


class NumberCodec:
    """Doubles are their bits, zero being plus zero."""

    __slots__ = ()

    def encode(self, value: float | None) -> int:
        return MISSING_WORD if value is None else _to_word(_to_bits(value + 0.0))[0]

    def decode(self, word: int) -> Any:
        return None if word == MISSING_WORD else _from_bits(_from_word(word))[0]

    def release(self, word: int) -> None:
        """Nothing is held."""


class DictionaryCodec:
    """Text, choices, sets and points are codes of a dictionary; a set is never missing."""

    __slots__ = ("_missing", "dictionary")

    def __init__(self, value_type: ValueType) -> None:
        self.dictionary = Dictionary()
        self._missing: Any = frozenset() if value_type.kind == "text_set" else None

    def encode(self, value: Any) -> int:
        dictionary = self.dictionary
        code = dictionary.code_by_value.get(value)
        if code is None:
            return MISSING_WORD if value is None or value == self._missing else dictionary.hold(value)
        dictionary.holders[code] += 1  # as `hold` does: one call less for every event
        return code

    def decode(self, word: int) -> Any:
        return self._missing if word == MISSING_WORD else self.dictionary.values[word]

    def release(self, word: int) -> None:
        if word != MISSING_WORD:
            self.dictionary.release(word)


Codec = IntegerCodec | DecimalCodec | NumberCodec | DictionaryCodec


def id_of_tag(tag: int) -> str:
    """Return the id of an event that came without one."""
    return f"~{tag:016d}"


def tag_of_id(event_id: str) -> int | None:
    """Return the tag in the id of an event that came without one, or None for any other id.

    >>> tag_of_id("~0000000000000017"), tag_of_id("~17")
    (17, None)
    """
    if len(event_id) == 17 and event_id[0] == "~" and event_id[1:].isascii() and event_id[1:].isdigit():
        tag = int(event_id[1:])
        return tag if 0 < tag < _MOST_TAGS else None
    return None


_MOST_TAGS = 10**15  # a host's id above it is an id like any other: it must not use up the engine's own


class EventTable:
    """All events of one name, by object number.

    `rescaled` is called after a decimal property has more places than before.
    """

    def __init__(self, event_type: EventType, rescaled: Callable[[], None]) -> None:
        self.type = event_type
        self.rows = EventRows()
        self.names = tuple(event_type.properties)
        self.position = {name: 2 + i for i, name in enumerate(self.names)}
        self.stride = 2 + len(self.names)
        self.n_events = 0
        self._rescaled = rescaled
        self.codecs: tuple[Codec, ...] = tuple(self._codec(name) for name in self.names)
        self._encoders: list[Callable[[Any], int]] = [codec.encode for codec in self.codecs]
        types = event_type.properties
        self._types: list[tuple[str, Callable[[Any, ValueType], Any], ValueType, Any]] = [
            (name, kind.converter, kind, frozenset() if kind.kind == "text_set" else None)
            for name, kind in types.items()
        ]
        self._known = frozenset(self.names)

    def _codec(self, name: str) -> Codec:
        value_type = self.type.properties[name]
        match value_type.kind:
            case "integer" | "instant" | "date" | "boolean":
                return IntegerCodec(value_type)
            case "decimal":
                return DecimalCodec(lambda factor: self._rescale(name, factor))
            case "number":
                return NumberCodec()
            case _:
                return DictionaryCodec(value_type)

    def _rescale(self, name: str, factor: int) -> None:
        offset = self.position[name]
        rows = self.rows
        for number in rows.iter_numbers():
            row = rows[number]
            if row:
                words = list(row)
                words[offset :: self.stride] = [
                    w if w == MISSING_WORD else word_of(integer_of(w) * factor) for w in row[offset :: self.stride]
                ]
                rows[number] = _packed(words)
        self._rescaled()

    def accept(self, properties: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return plain values in the order of `names`; ValueError or KeyError if one does not fit."""
        values = []
        for name, convert, kind, missing in self._types:
            value = properties.get(name)
            values.append(missing if value is None else convert(value, kind))
        if not self._known.issuperset(properties):
            raise KeyError(next(name for name in properties if name not in self._known))
        return tuple(values)

    def insert(self, number: int, at: int, tag: int, values: tuple[Any, ...], id_of: Callable[[int, int], str]) -> int:
        """Add an event in its place and return its index.

        `id_of` tells the id of an object's tag, for ties at one instant.
        """
        words = [at, tag, *map(call, self._encoders, values)]
        row = self.rows.take(number)
        self.n_events += 1
        if row is None:
            self.rows[number] = _packed(words)
            return 0
        stride = self.stride
        try:
            if row[-stride] < at and type(row) is array:  # most events come last
                row.fromlist(words)
                return len(row) // stride - 1
            place = self._place(number, row, at, tag, id_of)
            row[place:place] = array("q", words) if type(row) is array else words
        except OverflowError:
            place = self._place(number, row, at, tag, id_of)
            row = list(row)
            row[place:place] = words
            self.rows[number] = row
        return place // stride

    def _place(self, number: int, row: Any, at: int, tag: int, id_of: Callable[[int, int], str]) -> int:
        """Return where in the row of an object the words of an event belong."""
        stride = self.stride
        ats = row[::stride]
        index = bisect_right(ats, at)
        while index and ats[index - 1] == at and id_of(number, row[(index - 1) * stride + 1]) > id_of(number, tag):
            index -= 1
        return index * stride

    def insert_words(self, number: int, words: list[int], id_of: Callable[[int, int], str]) -> None:
        """Put the words of an event in their place in a row that is there; nothing else is seen to."""
        row = self.rows.take(number)
        place = self._place(number, row, words[0], words[1], id_of)
        row[place:place] = array("q", words) if type(row) is array else words

    def find(self, number: int, tag: int) -> int | None:
        """Return the index of the event with the tag among the object's, or None."""
        row = self.rows[number]
        if row is None:
            return None
        try:
            index: int = row[1 :: self.stride].index(tag)
        except ValueError:
            return None
        return index

    def at(self, number: int, index: int) -> int:
        """Return the instant of the object's event at `index`."""
        instant: int = self.rows[number][index * self.stride]
        return instant

    def values(self, number: int, index: int) -> tuple[Any, ...]:
        """Return the plain property values of the object's event at `index`, in the order of `names`."""
        start = index * self.stride + 2
        words = self.rows[number][start : start + len(self.names)]
        return tuple(codec.decode(word) for codec, word in zip(self.codecs, words, strict=True))

    def remove(self, number: int, index: int) -> None:
        """Take the object's event at `index` out."""
        row = self.rows.take(number)
        start = index * self.stride
        for codec, word in zip(self.codecs, row[start + 2 : start + self.stride], strict=True):
            codec.release(word)
        del row[start : start + self.stride]
        self.n_events -= 1
        if not row:
            self.rows[number] = None

    def clear(self, number: int) -> None:
        """Take all events of the object out."""
        row = self.rows[number]
        if row is None:
            return
        for offset, codec in enumerate(self.codecs, start=2):
            for word in row[offset :: self.stride]:
                codec.release(word)
        self.n_events -= len(row) // self.stride
        self.rows[number] = None

    def facts(self, number: int, id_of: Callable[[int], str]) -> list[EventFact]:
        """Return the object's events in order, in plain form."""
        row = self.rows[number]
        if row is None:
            return []
        stride = self.stride
        columns = [map(codec.decode, row[offset::stride]) for offset, codec in enumerate(self.codecs, start=2)]
        properties: Iterator[tuple[Any, ...]] = zip(*columns, strict=True) if columns else repeat(())
        return [
            EventFact(at, id_of(tag), {n: v for n, v in zip(self.names, values, strict=True) if v is not None})
            for at, tag, values in zip(row[::stride], row[1::stride], properties, strict=False)
        ]

    @property
    def nbytes(self) -> int:
        """Bytes of the rows."""
        return self.rows.nbytes


def _packed(words: list[int]) -> Any:
    try:
        return array("q", words)
    except OverflowError:
        return words


def doubles_in(words: Any) -> array[float]:
    """Return the doubles whose bits are in `words`, without the missing ones."""
    return array("d", array("q", [word for word in words if word != MISSING_WORD]).tobytes())
