"""The naive engine over several related types: objects that reach each other, segments and ranks.

`RelatedModel` is the `Model` whose objects know the others. A related object is found by looking
at all objects, being in a segment is asked by evaluating the segment's definition, a rank by ranking
everybody. Only stays are remembered, because nothing else can tell what was: after each batch,
and at each instant at which time alone may change something, every membership is worked out again
in an order in which a segment comes after those that it refers to.

A stay is an interval of time: one of no length has not been, and who leaves and comes back at one
instant was never away. So it does not matter in how many batches the changes of an instant come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

import segmentkit as sk
from segmentkit.dsl import predicates as p
from segmentkit.dsl._dependencies import evaluation_order, segments_read
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import EventFact, Stay, evaluate
from segmentkit.schema import Schema
from tests.model import Definition, Flip, Key, Model, Refused

__all__ = ["RelatedFacts", "RelatedModel", "ranks", "relations_of"]


@attrs.frozen
class RelatedFacts:
    """One object of a model as the evaluator reads it, with the way to all others."""

    model: RelatedModel = attrs.field(repr=False)
    object_type: str
    object_id: str

    def _of(self, object_type: str, object_ids: Iterable[str]) -> list[RelatedFacts]:
        known = self.model.objects
        return [RelatedFacts(self.model, object_type, i) for i in sorted(object_ids) if (object_type, i) in known]

    def attribute(self, name: str) -> Any:
        """Return the plain value of an attribute, None if missing; a missing set is empty."""
        return self.model.objects[self.object_type, self.object_id].attribute(name)

    def events(self, name: str) -> Sequence[EventFact]:
        """Return the events called `name` by (at, id)."""
        return self.model.objects[self.object_type, self.object_id].events(name)

    def related_one(self, relation: str) -> RelatedFacts | None:
        """Return the object that the relation names, if it is there."""
        target = self.model.schema.type(self.object_type).relations[relation].target
        named = self.model.objects[self.object_type, self.object_id].attributes.get(relation)
        return next(iter(self._of(target, () if named is None else (named,))), None)

    def related_many(self, relation: str) -> list[RelatedFacts]:
        """Return all objects whose relation back names this one, by id."""
        declared = self.model.schema.type(self.object_type).relations[relation]
        back = str(declared.via)
        objects = self.model.objects.items()
        mine = [i for (t, i), known in objects if t == declared.target and known.attributes.get(back) == self.object_id]
        return self._of(declared.target, mine)

    def in_segment(self, segment: str, now: int) -> bool:
        """Return what the segment's definition says."""
        return evaluate(self.model.definitions[segment].tree, self, now, self.model.schema.zone)

    def stays(self, segment: str) -> Sequence[Stay]:
        """Return the stays that were seen."""
        return self.model.stays.get((segment, self.object_id), [])

    def population(self) -> list[RelatedFacts]:
        """Return all objects of the type, by id."""
        return self._of(self.object_type, [i for t, i in self.model.objects if t == self.object_type])


class RelatedModel(Model):
    """A `Model` in which conditions on related objects, on segments and ranks mean something."""

    def __init__(self, schema: Schema, now: int, unknown: Any = "error") -> None:
        super().__init__(schema, now, unknown)
        self.stays: dict[tuple[str, str], list[Stay]] = {}
        """By segment and object; the last stay of a member is open."""
        self._deleted: set[Key] = set()

    # ------------------------------------------------------------------- reading

    def facts(self, on: str, object_id: str) -> RelatedFacts:
        """Return the facts of an object that is there."""
        return RelatedFacts(self, on, object_id)

    def evaluate(self, tree: p.Predicate, on: str, now: int | None = None) -> frozenset[str]:
        """Return the ids of the objects of type `on` for which `tree` holds."""
        instant = self.now if now is None else now
        ids = [object_id for type_name, object_id in self.objects if type_name == on]
        return frozenset(i for i in ids if evaluate(tree, self.facts(on, i), instant, self.schema.zone))

    def members(self, segment: str) -> frozenset[str]:
        """Return who is inside, as it was worked out last."""
        return frozenset(
            i for (name, i), stays in self.stays.items() if name == segment and stays and stays[-1][1] is None
        )

    def next_change(self, tree: p.Predicate, on: str, now: int) -> int | None:
        """Return an instant up to which time alone changes the answer for nobody, or None for ever.

        Other than the horizon of a single object it knows the segments that the tree refers to
        and everybody whom its ranks compare.
        """
        upcoming = list(self._changes(tree, on, now))
        upcoming += [
            change
            for name in segments_read(tree)
            if (change := self.next_change(self.definitions[name].tree, self.definitions[name].on, now)) is not None
        ]
        return min(upcoming, default=None)

    def _changes(self, tree: p.Predicate, on: str, now: int) -> Iterator[int]:
        wanted: list[tuple[str, p.Predicate | p.Value]] = [(on, tree)]
        for type_name, rank in ranks(tree, on, self.schema):
            wanted += [(type_name, part) for part in (rank.by, rank.per, rank.of) if part is not None]
        for type_name, part in wanted:
            for owner, object_id in self.objects:
                if owner == type_name:
                    change = next_change(part, self.facts(owner, object_id), now, self.schema.zone)
                    if change is not None:
                        yield change

    # --------------------------------------------------------------- definitions

    def define(self, name: str, on: str, tree: p.Predicate) -> list[Flip]:
        """Add a segment; return its flips."""
        self.definitions[name] = Definition(on, tree)
        return self._settle()

    def drop(self, name: str) -> list[Flip]:
        """Forget a segment that no other refers to, with all stays in it."""
        flips = [Flip(self.now, name, object_id, False) for object_id in sorted(self.members(name))]
        del self.definitions[name]
        self.stays = {key: stays for key, stays in self.stays.items() if key[0] != name}
        return flips

    def _settle(self) -> list[Flip]:
        """Work out all memberships at this instant and note who came and who went; return that by object."""
        references = {name: segments_read(definition.tree) for name, definition in self.definitions.items()}
        flips = []
        for name in evaluation_order(references):
            definition = self.definitions[name]
            before = self.members(name)
            for on, object_id in self._deleted:  # what was deleted has no history, also if it is there again
                if on == definition.on:
                    self.stays.pop((name, object_id), None)
            inside, after = self.members(name), self.evaluate(definition.tree, definition.on)
            for object_id in inside ^ after:
                stays = self.stays.get((name, object_id), [])
                self.stays[name, object_id] = (
                    _entered(stays, self.now) if object_id in after else _left(stays, self.now)
                )
            flips += [Flip(self.now, name, object_id, object_id in after) for object_id in before ^ after]
        self._deleted.clear()
        return sorted(flips, key=lambda flip: (flip.object, flip.segment))

    def _take(self, change: Any, touched: set[Key]) -> None:
        super()._take(change, touched)
        if isinstance(change, sk.Delete):
            self._deleted.add((change.object_type, change.id))

    # --------------------------------------------------------------------- facts

    def apply(self, changes: Iterable[Any], now: int | None = None) -> list[Flip]:
        """Let time pass until `now`, then take in all changes or none; return the flips in order.

        Raises:
            Refused: a change does not fit; nothing changed, time has not passed either.
        """
        instant, objects, stays = self.now, dict(self.objects), {key: list(s) for key, s in self.stays.items()}
        try:
            passed = self.advance(self.now if now is None else now)
            touched: set[Key] = set()
            for change in changes:
                self._take(change, touched)
        except Refused:
            self.now, self.objects, self.stays = instant, objects, stays
            self._deleted.clear()
            raise
        return passed + self._settle()

    def advance(self, to: int) -> list[Flip]:
        """Let time pass until `to`; return every flip on the way in time order."""
        if to < self.now:
            raise Refused(sk.ClockError, "time would go back")
        flips: list[Flip] = []
        while True:
            horizons = [self.next_change(d.tree, d.on, self.now) for d in self.definitions.values()]
            upcoming = min((change for change in horizons if change is not None), default=None)
            if upcoming is None or upcoming > to:
                break
            self.now = upcoming
            flips += self._settle()
        self.now = to
        return flips


def _entered(stays: Sequence[Stay], at: int) -> list[Stay]:
    """Return stays after an entry at an instant."""
    if stays and stays[-1][1] == at:
        return [*stays[:-1], (stays[-1][0], None)]
    return [*stays, (at, None)]


def _left(stays: Sequence[Stay], at: int) -> list[Stay]:
    """Return stays after the last one, which is open, ended at an instant."""
    return [*stays[:-1], *([] if stays[-1][0] == at else [(stays[-1][0], at)])]


def ranks(tree: p.Node, on: str, schema: Schema) -> Iterator[tuple[str, p.Rank]]:
    """Yield every rank of a tree with the type of the objects that it compares."""
    stack: list[tuple[str, p.Node]] = [(on, tree)]
    while stack:
        type_name, node = stack.pop()
        if isinstance(node, p.Rank):
            yield type_name, node
        if isinstance(node, p.Path | p.OneRelated | p.Related):
            below = schema.type(type_name).relations[node.relation].target
        else:
            below = type_name
        if isinstance(node, p.RelatedAggregate):
            target = schema.type(type_name).relations[node.related.relation].target
            stack += [(type_name, node.related), *([] if node.value is None else [(target, node.value)])]
        else:
            stack += [(below, child) for child in p.children(node)]


def relations_of(schema: Schema, on: str, cardinality: str) -> Mapping[str, str]:
    """Return the target of each relation of a type that leads to one object, or to many."""
    declared = schema.type(on).relations
    return {name: relation.target for name, relation in declared.items() if relation.cardinality == cardinality}
