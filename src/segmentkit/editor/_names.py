"""Which names, values and functions may come next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from segmentkit.dsl._check_types import AGGREGATES, FUNCTIONS
from segmentkit.dsl._literals import quote_name, write_text
from segmentkit.editor._completion import Kind
from segmentkit.editor._place import Meaning, Place, names_before
from segmentkit.editor._types import Left
from segmentkit.values import ValueType, instant

__all__ = ["Offer", "offered_names", "offered_texts"]

_NUMBERS: Final = ("integer", "number", "decimal")
_COMPARABLE: Final = dict.fromkeys(_NUMBERS, _NUMBERS) | {
    "text": ("text", "choice"),
    "choice": ("text", "choice"),
    "instant": ("instant", "date"),
    "date": ("instant", "date"),
    "event": ("instant", "date"),
    "boolean": ("boolean",),
    "duration": ("instant",),
}
_TAKES: Final = {
    "length": ("text", "choice"),
    "lower": ("text", "choice"),
    "abs": _NUMBERS,
    "round": _NUMBERS,
    "size": ("text_set",),
    "hour": ("instant",),
    "year": ("instant", "date"),
    "month": ("instant", "date"),
    "day": ("instant", "date"),
    "weekday": ("instant", "date"),
}
_GIVES: Final = {"lower": "text", "coalesce": "", "abs": "number", "first": "instant", "last": "instant"}


@attrs.frozen
class Offer:
    """A name, a value or a function that may come next."""

    text: str
    kind: Kind
    type: str = ""
    detail: str = ""


def offered_names(place: Place, left: Left, segments: Mapping[str, str]) -> Iterator[Offer]:
    """Yield what may stand where the grammar takes a name or a value."""
    meaning, last = place.meaning, place.last
    words = [read.word for read in place.condition]
    if last == ".":
        yield from _behind_dot(place)
    elif last in ("did", "then") or (last == "not" and words[-2:-1] and words[-2] in ("did", "then")):
        yield from _events(meaning)
    elif last in ("any", "all", "no") and len(words) == 1:
        yield from _relations(meaning, ("many",))
    elif place.function in AGGREGATES and last == "(":
        yield from _events(meaning)
        yield from _relations(meaning, ("one", "many"))
    elif last == "segment":
        yield from _segments(meaning, segments)
    else:
        yield from _values(place, left)


def _behind_dot(place: Place) -> Iterator[Offer]:
    names = names_before(place.condition[:-1])
    before = place.meaning
    for name in names[:-1]:
        before = before.over([name])
    owner = before.object_type
    behind = before.over(names[-1:])
    if owner is not None and before.event is None and names and names[-1] in owner.events:
        yield from _fields(attrs.evolve(before, event=owner.events[names[-1]]), ())
        return
    yield from _fields(behind, ())
    if behind.event is None:
        yield from _relations(behind, ("one", "many"))
        yield from _aggregates(behind, ())


def _fields(meaning: Meaning, kinds: tuple[str, ...]) -> Iterator[Offer]:
    kind: Kind = "attribute" if meaning.event is None else "property"
    owner = meaning.event or meaning.object_type
    for name, value_type in meaning.fields.items():
        if not kinds or value_type.kind in kinds:
            yield Offer(quote_name(name), kind, value_type.kind, _described(value_type, owner.name if owner else ""))


def _described(value_type: ValueType, owner: str) -> str:
    choices = f": {', '.join(value_type.choices[:5])}" if value_type.choices else ""
    return f"{value_type.kind} of {owner}{choices}"


def _events(meaning: Meaning) -> Iterator[Offer]:
    if meaning.object_type is None or meaning.event is not None:
        return
    for name, event in meaning.object_type.events.items():
        detail = ", ".join(event.properties) or "no properties"
        yield Offer(quote_name(name), "event", "", f"event of {meaning.object_type.name}: {detail}")


def _relations(meaning: Meaning, cardinalities: tuple[str, ...]) -> Iterator[Offer]:
    if meaning.object_type is None or meaning.event is not None:
        return
    for name, relation in meaning.object_type.relations.items():
        if relation.cardinality in cardinalities:
            yield Offer(quote_name(name), "relation", relation.target, f"to {relation.cardinality} {relation.target}")


def _segments(meaning: Meaning, segments: Mapping[str, str]) -> Iterator[Offer]:
    for name, on in segments.items():
        if meaning.object_type is None or on in ("", meaning.object_type.name):
            yield Offer(write_text(name), "segment", on, f"segment on {on}" if on else "segment")


def _values(place: Place, left: Left) -> Iterator[Offer]:
    """Yield values: all of them at the beginning of a condition, behind an operator those that compare."""
    meaning = place.meaning
    kinds = _TAKES.get(place.function, ()) if place.function else _COMPARABLE.get(left.kind, ())
    if left.type is not None and left.operator:
        yield from _constants(left.type)
    elif place.function and "instant" in kinds:
        yield from _constants(instant)
    yield from _fields(meaning, kinds)
    if meaning.event is not None:
        yield Offer("object", "relation", "", "the object of the event")
        yield from _functions(meaning, kinds)
        return
    if not left.operator:
        yield from _relations(meaning, ("one",))
        if meaning.object_type is not None:
            for name, relation in meaning.object_type.relations.items():
                if relation.cardinality == "many":
                    for quantity in ("any", "all", "no"):
                        yield Offer(
                            f"{quantity} {quote_name(name)}",
                            "relation",
                            relation.target,
                            f"{quantity} {relation.target}",
                        )
    yield from _functions(meaning, kinds)


def _constants(value_type: ValueType) -> Iterator[Offer]:
    match value_type.kind:
        case "choice":
            yield from (Offer(write_text(choice), "value", "choice") for choice in value_type.choices)
        case "boolean":
            yield from (Offer(word, "value", "boolean") for word in ("true", "false"))
        case "instant" | "date":
            yield Offer("now", "value", "instant", "the current instant")
            yield from (Offer(word, "value", "date") for word in ("today", "yesterday", "tomorrow"))


def _functions(meaning: Meaning, kinds: tuple[str, ...]) -> Iterator[Offer]:
    for name in FUNCTIONS:
        gives = _GIVES.get(name, "integer")
        if not kinds or not gives or gives in kinds or (gives in _NUMBERS and "integer" in kinds):
            yield Offer(f"{name}(", "function", gives, "function")
    if not kinds or "number" in kinds:
        yield Offer("sample(", "function", "number", "a stable random number from 0 to 1 for each object")
    yield from _aggregates(meaning, kinds)


def _aggregates(meaning: Meaning, kinds: tuple[str, ...]) -> Iterator[Offer]:
    owner = meaning.object_type
    if owner is None or meaning.event is not None or not (owner.events or owner.relations):
        return
    for name in sorted(AGGREGATES):
        gives = _GIVES.get(name, "integer" if name in ("count", "days", "distinct") else "number")
        if not kinds or gives in kinds or name in ("first", "last", "min", "max"):
            yield Offer(f"{name}(", "function", gives, "over events")


def offered_texts(place: Place, left: Left, segments: Mapping[str, str]) -> Iterator[Offer]:
    """Yield what may stand in the quotes of a text."""
    if place.last == "segment":
        yield from _segments(place.meaning, segments)
    elif place.last == "zone":
        from zoneinfo import available_timezones

        yield from (Offer(write_text(zone), "value", "", "time zone") for zone in sorted(available_timezones()))
    elif left.type is not None and left.type.kind == "choice":
        yield from _constants(left.type)
