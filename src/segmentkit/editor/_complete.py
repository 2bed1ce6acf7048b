"""Completion: the phrases, units, names and values that may come next, each checked by the parser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from segmentkit.dsl._parse import language
from segmentkit.editor._completion import Completion
from segmentkit.editor._cursor import Cursor, find_cursor
from segmentkit.editor._machine import Machine
from segmentkit.editor._names import Offer, offered_names, offered_texts
from segmentkit.editor._phrases import PHRASES, TYPED_WORDS, UNITS, Phrase
from segmentkit.editor._place import Meaning, Place, read_place
from segmentkit.editor._types import Left, left_of
from segmentkit.schema import Schema

__all__ = ["completions"]

MAX_COMPLETIONS: Final = 1_000
_OF_OBJECTS: Final = ("did", "in segment", "entered", "left", "was", "top", "bottom")
_TIMED: Final = ("instant", "date", "duration", "event", "")


def completions(text: str, position: int, schema: Schema, on: str, segments: Mapping[str, str]) -> list[Completion]:
    """Return what may come next; see `segmentkit.complete`."""
    cursor = find_cursor(text, position)
    if cursor is None:
        return []
    machine = Machine(language())
    place = read_place(machine, cursor.tokens, Meaning(schema, schema.types.get(on)))
    if place is None:
        return []
    left = left_of(place, text)
    offers = offered_texts if cursor.inside == "text" else _offers
    found: dict[str, Completion] = {}
    for offer in offers(place, left, segments):
        if offer.text not in found and _begins(offer, cursor) and _can_follow(place.machine, offer):
            found[offer.text] = Completion(offer.text, offer.kind, offer.type, offer.detail, cursor.replaces)
            if len(found) == MAX_COMPLETIONS:
                break
    return list(found.values())


def _can_follow(machine: Machine, offer: Offer) -> bool:
    """Return whether the parser reads the offer, and its words as keywords if they are meant so."""
    terminals = machine.terminals(offer.text)
    if terminals is None:
        return False
    return "NAME" not in terminals or offer.kind not in ("keyword", "operator", "unit")


def _begins(offer: Offer, cursor: Cursor) -> bool:
    """Return whether what is written already is the beginning of an offer."""
    bare = offer.text.lstrip("\"'`")
    if cursor.inside == "name" and offer.kind not in ("attribute", "property", "event", "relation"):
        return False
    return bare.casefold().startswith(cursor.started.casefold())


def _offers(place: Place, left: Left, segments: Mapping[str, str]) -> Iterator[Offer]:
    machine = place.machine
    if (
        machine.takes("NAME")
        or (machine.takes("TEXT") and (left.kind in ("choice", "") or place.last == "segment"))
        or machine.takes("TRUE")
    ):
        yield from _names(place, left, segments)
    yield from _units(place, left)
    for phrase in PHRASES:
        if _goes_with(phrase, place, left):
            is_keyword = not phrase.kinds or phrase.kinds == ("start",)
            yield Offer(phrase.text, "keyword" if is_keyword else "operator", "", phrase.detail)
    for word in [] if _wants_name(place) else machine.words():
        if word not in TYPED_WORDS and word not in UNITS and not (word == ")" and place.last == "("):
            yield Offer(word, "keyword")


def _goes_with(phrase: Phrase, place: Place, left: Left) -> bool:
    """Return whether a phrase goes with what stands to the left of it."""
    if place.meaning.event is not None and phrase.text.startswith(_OF_OBJECTS):
        return False
    if _wants_name(place):
        return phrase.text == "not" and place.last in ("did", "then")
    if phrase.text == "(" and place.condition and place.last not in ("in", "of", "polygon", "box"):
        return False
    if phrase.text in ("and", "or") and left.type is not None and not left.operator:
        return left.type.kind == "boolean"
    if not phrase.kinds:
        return left.kind != "start"
    return left.kind in phrase.kinds or (not left.kind and phrase.kinds != ("start",))


def _wants_name(place: Place) -> bool:
    """Return whether only a name can follow: of an event, a relation, or what a dot or a function takes."""
    words = [read.word for read in place.condition[-2:]]
    of_event = words in (["did", "not"], ["then", "not"])
    of_relation = len(place.condition) == 1 and place.last in ("any", "all", "no")
    of_function = bool(place.function) and place.last in ("(", ",")
    return of_event or of_relation or of_function or place.last in ("did", "then", ".")


def _names(place: Place, left: Left, segments: Mapping[str, str]) -> Iterator[Offer]:
    """Yield the names, in backticks where the parser would take them for a keyword."""
    machine = place.machine
    for offer in offered_names(place, left, segments):
        if offer.kind in ("attribute", "property", "event") and not _is_name(machine, offer.text):
            quoted = f"`{offer.text}`"
            yield Offer(quoted, offer.kind, offer.type, offer.detail)
        else:
            yield offer


def _is_name(machine: Machine, name: str) -> bool:
    from segmentkit.dsl._scan import scan

    (token,) = scan(name).tokens
    read = machine.read(token)
    return token.kind == "backticked" or (read is not None and read[1] == "NAME")


def _units(place: Place, left: Left) -> Iterator[Offer]:
    """Yield the units that go with a number: of one thing the singular, of others the plural."""
    before = place.condition[-1].token if place.condition else None
    words = [word for word in place.machine.words() if word in UNITS]
    if place.last == "calendar":
        yield from (Offer(word, "unit", "", "calendar unit") for word in words if word.endswith("s"))
        return
    if before is None or before.kind not in ("number", "parameter"):
        yield from (Offer(word, "unit", "", "calendar unit") for word in words if not word.endswith("s"))
        return
    singular = before.text == "1"
    for word in words:
        if word in ("m", "km", "mi"):
            yield Offer(word, "unit", "", "distance")
        elif word.endswith("s") is not singular and (left.kind in _TIMED or word in ("time", "times")):
            yield Offer(word, "unit", "", "number of times" if word.startswith("time") else "length of time")
