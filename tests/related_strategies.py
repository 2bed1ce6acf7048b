"""Hypothesis strategies for worlds of several related types, and filters over them.

Beside `tests.strategies` and `tests.trees`, whose worlds have single types. Types are
related in a few fixed ways, some of which a world has: to another type and back, to the same
type, two to-one relations between the same types. The ids of objects are few, so that links often hit,
and sometimes lead to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs
from hypothesis import strategies as st

import segmentkit as sk
from segmentkit.dsl import predicates as p
from segmentkit.dsl._check_compare import moves_with_now
from segmentkit.schema import ObjectType, Relation, Schema
from segmentkit.values import ValueType, to_micros
from tests.model import StoredEvent
from tests.related_model import RelatedModel, relations_of
from tests.strategies import (
    ATTRIBUTES,
    BASES,
    EVENT_IDS,
    EVENTS,
    OBJECTS,
    PROPERTIES,
    ZONES,
    Source,
    World,
    event,
    plain_values,
    values_for,
)
from tests.trees import NUMERIC, _Scope

__all__ = ["populations", "related_batches", "related_predicates", "related_worlds"]

LINKS: dict[str, dict[str, Relation]] = {
    "contact": {
        "company": sk.one("company"),
        "deals": sk.many("deal", via="contact"),
        "sold": sk.many("deal", via="seller"),
    },
    "company": {
        "parent": sk.one("company"),
        "children": sk.many("company", via="parent"),
        "contacts": sk.many("contact", via="company"),
    },
    "deal": {"contact": sk.one("contact"), "seller": sk.one("contact")},
}
NOBODY = "nobody"
"""An id that no object ever has."""


# -------------------------------------------------------------------------------- worlds


@st.composite
def related_worlds(draw: st.DrawFn) -> World:
    """Worlds of two or three related types, in one of four zones."""
    source = Source(draw)
    names = source.pick((("contact", "company"), ("contact", "company", "deal"), ("contact", "deal")))
    types = [_object_type(source, name, names) for name in names]
    return World(Schema(*types, zone=source.pick(ZONES)), source.pick(BASES))


def _object_type(source: Source, name: str, names: tuple[str, ...]) -> ObjectType:
    attributes = source.some(list(ATTRIBUTES))[:6] or ["orders"]
    events = {event_name: source.some(list(PROPERTIES))[:3] for event_name in EVENTS[: 1 + source.below(2)]}
    return ObjectType(
        name,
        {field: ATTRIBUTES[field] for field in attributes},
        {event_name: {field: PROPERTIES[field] for field in of} for event_name, of in events.items()},
        {link: relation for link, relation in LINKS[name].items() if relation.target in names},
    )


# --------------------------------------------------------------------------------- facts


def _links(source: Source, world: World, on: str) -> dict[str, str | None]:
    """Return ids for some of the to-one relations."""
    links = {}
    for name in relations_of(world.schema, on, "one"):
        if not source.chance(3):
            links[name] = source.pick((*OBJECTS, None, NOBODY))
    return links


@st.composite
def populations(draw: st.DrawFn, world: World) -> RelatedModel:
    """A model with a few objects of each type and a few events of some of them."""
    source, model = Source(draw), RelatedModel(world.schema, world.start)
    for on in world.schema.types:
        for object_id in OBJECTS[: 1 + source.below(len(OBJECTS))]:
            values = values_for(source, world, world.schema.type(on).attributes)
            model.apply([sk.Put(on, object_id, {**values, **_links(source, world, on)})])
            stored = model.objects[on, object_id].stored
            stored += [_stored(source, world, on, f"e{arrival}") for arrival in range(source.below(3))]
    return model


def _stored(source: Source, world: World, on: str, event_id: str) -> StoredEvent:
    declared = world.schema.type(on).events
    event_type = declared[source.pick(list(declared))]
    properties = plain_values(values_for(source, world, event_type.properties), event_type.properties)
    return StoredEvent(to_micros(source.pick(world.values(sk.instant))), event_id, event_type.name, properties)


@st.composite
def related_batches(draw: st.DrawFn, world: World, max_size: int = 3) -> list[Any]:
    """Batches of a few changes, links among them, most of them fit to be applied."""
    source = Source(draw)
    return [_change(source, world) for _ in range(1 + source.below(max_size))]


def _change(source: Source, world: World) -> Any:
    declared = world.schema.type(source.pick(list(world.schema.types)))
    on, object_id = declared.name, source.pick(OBJECTS)
    match source.pick(("put", "put", "link", "link", "update", "event", "event", "retract", "delete")):
        case "put":
            values = values_for(source, world, declared.attributes)
            return sk.Put(on, object_id, {**values, **_links(source, world, on)})
        case "link":
            return sk.Update(on, object_id, _links(source, world, on))
        case "update":
            name = source.pick(list(declared.attributes))
            return sk.Update(on, object_id, values_for(source, world, {name: declared.attributes[name]}))
        case "event":
            return event(source, world, declared, object_id)
        case "retract":
            return sk.Retract(on, object_id, source.pick(EVENT_IDS[1:]))
        case _:
            return sk.Delete(on, object_id)


# ------------------------------------------------------------------------------- filters


@st.composite
def related_predicates(
    draw: st.DrawFn,
    world: World,
    on: str,
    segments: Mapping[str, str] | None = None,
    depth: int = 1,
    ranks: bool = True,
) -> p.Predicate:
    """Filters over objects of type `on` that reach other objects, the `segments` given by type, and ranks."""
    return _RelatedScope(Source(draw), world, on, segments=segments or {}, ranks=ranks).predicate(depth)


@attrs.frozen
class _RelatedScope(_Scope):
    """A scope from which others can be reached, as many steps away as there is `fuel`."""

    segments: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    ranks: bool = attrs.field(default=True, kw_only=True)
    fuel: int = attrs.field(default=2, kw_only=True)

    def there(self, target: str) -> _RelatedScope:
        """The scope of a related object."""
        return attrs.evolve(self, on=target, properties=None, fuel=self.fuel - 1)

    def links(self, cardinality: str) -> list[tuple[str, str]]:
        """The relations of the type with their targets."""
        return list(relations_of(self.world.schema, self.on, cardinality).items()) if self.fuel > 0 else []

    # --------------------------------------------------------------------- values

    def names(self, *kinds: str) -> list[p.Value]:
        """All attributes of the kinds, and those of objects that to-one relations lead to."""
        found = super().names(*kinds)
        for relation, target in self.links("one"):
            found += [p.Path(relation, value) for value in self.there(target).names(*kinds)]  # type: ignore[arg-type]
        return found

    def number(self, depth: int) -> p.Value:
        if self.properties is None and (self.links("many") or self.links("one")) and self.pick(True, False):
            return self.rolled_up()
        return super().number(depth)

    def rolled_up(self) -> Any:
        """A number over related objects, or one that a related object has."""
        steps = [("many", link) for link in self.links("many")] * 2 + [("one", link) for link in self.links("one")]
        cardinality, (relation, target) = self.pick(*steps)
        there = self.there(target)
        if cardinality == "one":
            inner = there.rolled_up() if there.links("many") and self.pick(True, False) else there.count()
            return p.Path(relation, inner)
        related = self.related(relation, target)
        taken: list[Any] = there.names(*NUMERIC)
        if not taken or self.rarely():
            taken = [there.count()]
        value = self.pick(*taken)
        function = self.pick("count", "sum", "avg", "min", "max", "distinct")
        if function == "count":
            return p.RelatedAggregate("count", related, None, sk.integer)
        return p.RelatedAggregate(function, related, value, _type_of(function, value.type))

    def related(self, relation: str, target: str) -> p.Related:
        where = None if self.rarely() else self.there(target).predicate(self.pick(0, 0, 1))
        return p.Related(relation, where)

    # ----------------------------------------------------------------- conditions

    def condition(self) -> p.Predicate:
        forms: list[Callable[[], p.Predicate]] = []
        if self.properties is None:
            forms += [self.one_related] * bool(self.links("one"))
            forms += [self.any_related, self.all_related] * bool(self.links("many"))
            forms += [self.in_segment, self.crossing] * (self.on in self.segments.values())
            forms += [self.rank] * self.ranks
        if forms and self.pick(True, False):
            return self.pick(*forms)()
        return super().condition()

    def one_related(self) -> p.Predicate:
        relation, target = self.pick(*self.links("one"))
        return p.OneRelated(relation, p.Constant(True) if self.rarely() else self.there(target).predicate(1))

    def any_related(self) -> p.Predicate:
        return p.AnyRelated(self.related(*self.pick(*self.links("many"))))

    def all_related(self) -> p.Predicate:
        relation, target = self.pick(*self.links("many"))
        return p.Not(p.AnyRelated(p.Related(relation, p.Not(self.there(target).predicate(1)))))

    def segment(self) -> str:
        return self.pick(*(name for name, on in self.segments.items() if on == self.on))

    def in_segment(self) -> p.Predicate:
        return p.InSegment(self.segment())

    def crossing(self) -> p.Predicate:
        window: p.Window | None = self.pick(lambda: None, self.relative, self.calendar, self.absolute)()
        return p.Crossing(self.pick("entered", "left"), self.segment(), window)

    def rank(self) -> p.Predicate:
        within = attrs.evolve(self, ranks=False, fuel=min(self.fuel, 1))
        options = [value for value in (within.number(1), within.count()) if not moves_with_now(value)]
        groups = within.names("text", "choice", "boolean", *NUMERIC)
        count, percent = self.pick((1, False), (2, False), (50, True), (Decimal("33.3"), True), (100, True))
        return p.Rank(
            self.pick("top", "bottom"),
            count,
            percent,
            options[0],
            self.pick(*groups) if groups and self.rarely() else None,
            within.condition() if self.rarely() else None,
            self.pick(True, False),
            self.zone(),
        )


def _type_of(function: str, taken: ValueType) -> ValueType:
    if function == "distinct":
        return sk.integer
    if function == "avg":
        return sk.number if taken.kind == "number" else sk.decimal
    return taken
