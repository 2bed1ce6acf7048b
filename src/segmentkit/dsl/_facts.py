"""What the evaluator reads: the facts of one object, and the way to those of others.

`Facts` is all that an evaluation may ask. Whoever has one object and nothing around it takes
the answers of `Alone`: no related objects, no segments, a population of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast

import attrs

__all__ = ["Alone", "DictFacts", "EventFact", "Facts", "Stay"]

Stay: TypeAlias = tuple[int, int | None]
"""When an object entered a segment and when it left, in microseconds; None while it is inside."""


@attrs.frozen
class EventFact:
    """One event of an object: when it happened, its id, and its known properties."""

    at: int
    id: str
    properties: Mapping[str, Any]


class Facts(Protocol):
    """What is known about one object, and how to reach the objects around it."""

    @property
    def object_type(self) -> str:
        """The name of the object's type."""

    @property
    def object_id(self) -> str:
        """The object's id, which is unique within its type."""

    def attribute(self, name: str) -> Any:
        """Return the plain value of an attribute, or None."""

    def events(self, name: str) -> Sequence[EventFact]:
        """Return the object's events of one name by (at, id), those of the future included."""

    def related_one(self, relation: str) -> Facts | None:
        """Return the object that a to-one relation leads to, or None: it leads nowhere, or to nobody who is there."""

    def related_many(self, relation: str) -> Iterable[Facts]:
        """Yield the objects that a to-many relation leads to, by id."""

    def in_segment(self, segment: str, now: int) -> bool:
        """Return whether the object is in a segment of its type at `now`."""

    def stays(self, segment: str) -> Sequence[Stay]:
        """Return the object's stays in a segment so far, in order of time."""

    def population(self) -> Iterable[Facts]:
        """Yield all objects of this one's type, itself included, by id."""


class Alone:
    """The answers of an object that has nothing around it; to inherit from."""

    __slots__ = ()

    def related_one(self, relation: str) -> Facts | None:
        """Return None: there is no other object."""
        return None

    def related_many(self, relation: str) -> Iterable[Facts]:
        """Yield nothing: there is no other object."""
        return ()

    def in_segment(self, segment: str, now: int) -> bool:
        """Return False: there are no segments."""
        return False

    def stays(self, segment: str) -> Sequence[Stay]:
        """Return nothing: there are no segments."""
        return ()

    def population(self) -> Iterable[Facts]:
        """Yield the object itself."""
        return (cast(Facts, self),)


@attrs.frozen
class DictFacts(Alone):
    """Facts of one object in two dictionaries. Events may be listed in any order."""

    attributes: Mapping[str, Any] = attrs.field(factory=dict)
    events_by_name: Mapping[str, Sequence[EventFact]] = attrs.field(factory=dict)
    object_type: str = attrs.field(default="", kw_only=True)
    object_id: str = attrs.field(default="", kw_only=True)

    def attribute(self, name: str) -> Any:
        """Return the plain value of an attribute, or None."""
        return self.attributes.get(name)

    def events(self, name: str) -> Sequence[EventFact]:
        """Return the object's events of one name by (at, id)."""
        return sorted(self.events_by_name.get(name, ()), key=lambda event: (event.at, event.id))
