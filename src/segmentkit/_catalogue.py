"""The segments of an engine by name: from definition to plan and back.

A definition is checked as a whole before anything changes. Segments that it refers to are kept up
to the moment from then on, and the history of those that it asks for by `entered` or `left` is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import attrs

from segmentkit.dsl.predicates import Crossing, Predicate, iter_nodes
from segmentkit.errors import (
    ArgumentError,
    DefinitionError,
    Problem,
    SegmentKitError,
    StoreError,
    UnknownNameError,
    closest,
    repr_of,
)
from segmentkit.index._hidden import PREFIX, HiddenSegments
from segmentkit.index._matcher import Matcher
from segmentkit.index._ripple import Ripple
from segmentkit.index._segments import Segment
from segmentkit.index._stay_log import StayLog
from segmentkit.index._table import World
from segmentkit.index.deltas import Delta
from segmentkit.schema import Schema, names
from segmentkit.stores.protocol import Definition
from segmentkit.values import MAX_TEXT, is_text, to_micros

_NOBODY: Mapping[str, Segment] = {}


def _read(path: str | Path) -> str:
    """Return the text of a definition file.

    Raises:
        ArgumentError: there is no such path on any machine.
        DefinitionError: it is no text in UTF-8.
    """
    if not isinstance(path, str | Path):
        raise ArgumentError.of("path", "the path of a file", path)
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        why = f"the file {repr_of(str(path))} is not text in UTF-8 ({error.reason} at byte {error.start:,})"
        raise DefinitionError([Problem(why, hint="save it as UTF-8")], "", str(path)) from None
    except ValueError:  # a NUL, or half of a surrogate pair
        raise ArgumentError.of("path", "the path of a file", path) from None


class Catalogue:
    """All segments, and what they refer to.

    Args:
        schema: the object types.
        matchers: by object type.
        world: where filters find members and stays of other segments.
        ripple: whom flips are told.
        past: returns the deltas that are still kept, for the stays of a segment before its history was asked for.
    """

    def __init__(
        self,
        schema: Schema,
        matchers: Mapping[str, Matcher],
        world: World,
        ripple: Ripple,
        past: Callable[[], Iterable[Delta]],
    ) -> None:
        self.segments: dict[str, Segment] = {}
        """By name, in the order of their definition; hidden ones aside."""
        self._schema = schema
        self._matchers = matchers
        self._world = world
        self._ripple = ripple
        self._past = past
        self._hidden = HiddenSegments(schema)
        self._held: dict[str, tuple[str, ...]] = {}

    # ------------------------------------------------------------------- reading

    def get(self, name: str) -> Segment:
        """Return a segment.

        Raises:
            UnknownNameError: there is no such segment.
        """
        segment = self.segments.get(name) if isinstance(name, str) else None
        if segment is None:
            close = closest(name, self.segments)
            hint = "" if close is None else f"did you mean {close!r}?"
            raise UnknownNameError([Problem(f"there is no segment {repr_of(name)}", hint=hint)], *_named(name))
        return segment

    def stored(self, definitions: Iterable[Definition]) -> Iterator[Segment]:
        """Yield the segments of a store's definitions, each after those it refers to; they are to be swapped in.

        Raises:
            StoreError: one of them does not fit the schema, or they do not fit together.
        """
        listed = list(definitions)
        for definition in listed:
            if not isinstance(definition, Definition) or not isinstance(definition.where, str):
                raise StoreError(f"the store gave {repr_of(definition)} for the definition of a segment")
        name = None
        try:
            for definition in self._ordered(listed):
                name = definition.name
                yield self.compile(definition)
        except SegmentKitError as error:
            which = "segments do" if name is None else f"segment {repr_of(name)} does"
            raise StoreError(f"the store's {which} not fit the schema: {error}") from error

    def _ordered(self, definitions: Iterable[Definition]) -> list[Definition]:
        """Return definitions that fit together, each after those it refers to.

        Raises:
            DefinitionError: one of them cannot be read.
        """
        from segmentkit import dsl
        from segmentkit.dsl._dependencies import evaluation_order

        by_name = {definition.name: definition for definition in definitions}
        references = {
            name: _segments_in(dsl.parsed(d.where, self._schema, d.on)) if "segment" in d.where.lower() else ()
            for name, d in by_name.items()
        }
        return [by_name[name] for name in evaluation_order(references)]

    def _types(self) -> dict[str, str]:
        return {name: segment.object_type for name, segment in self.segments.items()}

    # ------------------------------------------------------------------ checking

    def check_free(self, name: str) -> None:
        """Raise DefinitionError if the name is taken."""
        if isinstance(name, str) and name in self.segments:
            raise bad_name(name, "is defined already; use redefine() to change it")

    def compile(
        self, definition: Definition, params: Mapping[str, Any] | None = None, where: str | Predicate | None = None
    ) -> Segment:
        """Return the segment of a definition, planned nowhere yet.

        Args:
            definition: its text says what is not given as `where`.
            params: values for `$name` in the text.
            where: the tree, if the host gave one.

        Raises:
            DefinitionError: name, type or filter are wrong, or segments would refer to each other in a circle.
        """
        from segmentkit import dsl

        self._check(definition)
        origin = f"segment {definition.name!r}"
        segments = self._types() | {definition.name: definition.on}
        tree = dsl.parsed(
            definition.where, self._schema, definition.on, params=params, origin=origin, segments=segments
        )
        if params or not (where is None or isinstance(where, str)):
            definition = attrs.evolve(definition, where=dsl.format(tree))
            if params:  # with their values in it, the text has to be one that a store's next engine can read
                dsl.parsed(definition.where, self._schema, definition.on, origin=origin, segments=segments)
        segment = _segment_of(definition, tree)
        self._check_order([segment])
        return segment

    def compile_file(self, path: str | Path) -> list[Segment]:
        """Return the segments of a `.seg` file, in its order.

        Raises:
            DefinitionError: with line and column in the file.
        """
        from segmentkit.dsl.definitions import parse_definitions

        items = parse_definitions(_read(path), origin=str(path))
        types = self._types() | {item.name: item.on for item in items}
        compiled = []
        for item in items:
            self.check_free(item.name)
            every = f"{item.refresh.count} {item.refresh.unit}s" if item.refresh else ""
            definition = Definition(
                item.name, item.on, item.where, item.description, item.hidden_from, every, item.tags
            )
            self._check(definition)
            compiled.append(_segment_of(definition, item.parse(self._schema, segments=types)))
        self._check_order(compiled)
        return compiled

    def _check(self, definition: Definition) -> None:
        name, on = definition.name, definition.on
        if not is_text(name) or not 0 < len(name) <= MAX_NAME or PREFIX in name:
            raise bad_name(name, f"has to be text of 1 to {MAX_NAME} characters, none of them NUL")
        if not isinstance(on, str) or on not in self._schema.types:
            message = f"segment {name!r} is on the unknown object type {repr_of(on)}"
            hint = f"declared: {names(self._schema.types)}"
            raise UnknownNameError([Problem(message, hint=hint)], *_named(on))
        if not is_text(definition.description) or len(definition.description) > MAX_TEXT:
            what = f"text of up to {MAX_TEXT:,} characters"
            raise bad_name(name, f"has description={repr_of(definition.description)}; expected {what}")

    def _check_order(self, new: Sequence[Segment]) -> list[Segment]:
        """Return new segments, each after those it refers to; CycleError if that cannot be."""
        from segmentkit.dsl._dependencies import evaluation_order

        if not any(segment.refers_to for segment in new):
            return list(new)
        by_name = {segment.name: segment for segment in new}
        references = {name: segment.refers_to for name, segment in (self.segments | by_name).items()}
        return [by_name[name] for name in evaluation_order(references) if name in by_name]

    def check_unread(self, name: str) -> None:
        """Raise DefinitionError if another segment refers to the one of that name."""
        readers = [segment.name for segment in self.segments.values() if name in segment.refers_to]
        if readers:
            raise bad_name(name, f"cannot be dropped while others refer to it: {names(readers)}; drop those first")

    # ------------------------------------------------------------------ planning

    def swap(self, old: Sequence[Segment], new: Sequence[Segment], now: int) -> None:
        """Take segments out of the plans and others in; one that replaces another takes its place in the order."""
        replaced = {segment.name: segment for segment in new}
        for segment in reversed(old):
            self._take_out(segment)
        gone = {segment.name for segment in old} - set(replaced)
        for segment in old:
            if segment.name in replaced:
                replaced[segment.name].is_read = segment.is_read
                replaced[segment.name].since = segment.since
        for segment in new:
            for name in segment.refers_to & replaced.keys():
                replaced[name].is_read = True
        if any(segment.refers_to for segment in new):
            newcomers = {segment.name: segment for segment in new if segment.name not in self.segments}
            for segment in self._check_order(new):
                self._prepare(segment, now, newcomers)
                self._matchers[segment.object_type].add(segment, now)
        else:
            by_type: dict[str, list[Segment]] = {}
            for segment in new:
                self._prepare(segment, now)
                by_type.setdefault(segment.object_type, []).append(segment)
            for object_type, segments in by_type.items():
                self._matchers[object_type].add_all(segments, now)
        kept = self.segments | replaced  # copied whole: 10,000 names one by one take milliseconds (`bench_define`)
        for name in gone:
            del kept[name]
        self.segments = kept
        if old:
            self._forget_stays()

    def _prepare(self, segment: Segment, now: int, newcomers: Mapping[str, Segment] = _NOBODY) -> None:
        """Plan what a segment needs from others, and note what it reads."""
        lowered = self._hidden.lower(segment.tree, segment.object_type)
        self._hidden.hold(lowered.names)
        self._held[segment.name] = lowered.names
        self._open(segment, now, newcomers)
        for hidden in lowered.new:  # they read other segments and their past, too
            self._plan_hidden(hidden, now)
        segment.lowered = lowered.tree
        self._note(segment)

    def _note(self, segment: Segment) -> None:
        self._ripple.strata.put(segment.name, sorted(_segments_in(segment.lowered or segment.tree)))
        self._world.members[segment.name] = segment.numbers

    def _plan_hidden(self, segment: Segment, now: int) -> None:
        self._note(segment)
        self._matchers[segment.object_type].add(segment, now)
        self._ripple.count_hidden(1)

    def _open(self, segment: Segment, now: int, newcomers: Mapping[str, Segment] = _NOBODY) -> None:
        """Let a filter read the segments that it refers to, and their past where it asks for it.

        Args:
            segment: the one with the filter.
            now: the time.
            newcomers: segments that are defined together with it; their members enter now.
        """
        for name in segment.refers_to:
            self._let_read(name)
        stays = self._world.stays
        for crossing in _crossings_in(segment):
            name = crossing.segment
            if name in stays:
                continue
            if name in newcomers:
                stays[name] = StayLog()
                stays[name].enter_many(newcomers[name].members, now)
            else:
                stays[name] = self._stays_so_far(name)

    def _forget_stays(self) -> None:
        """Drop the stays that no filter asks for any more, and which nobody would keep up to date."""
        asked = {crossing.segment for segment in self.segments.values() for crossing in _crossings_in(segment)}
        for name in self._world.stays.keys() - asked:
            del self._world.stays[name]

    def _let_read(self, name: str) -> None:
        segment = self.segments.get(name)
        if segment is not None and not segment.is_read:
            self._matchers[segment.object_type].let_read(segment)

    def _take_out(self, segment: Segment) -> None:
        self._matchers[segment.object_type].remove(segment.name)
        self._ripple.strata.remove(segment.name)
        for name in self._hidden.release(self._held.pop(segment.name)):
            self._remove_hidden(name)

    def _remove_hidden(self, name: str) -> None:
        matcher = next(matcher for matcher in self._matchers.values() if name in matcher.segments)
        matcher.remove(name)
        self._ripple.strata.remove(name)
        self._ripple.count_hidden(-1)
        del self._world.members[name]

    @contextmanager
    def lowered(self, segment: Segment, now: int) -> Iterator[Predicate]:
        """Give the filter of a segment that is not defined, said with hidden segments, which go afterwards."""
        lowered = self._hidden.lower(segment.tree, segment.object_type)
        self._hidden.hold(lowered.names)
        self._open(segment, now)
        for hidden in lowered.new:
            self._plan_hidden(hidden, now)
        try:
            yield lowered.tree
        finally:
            for name in self._hidden.release(lowered.names):
                self._remove_hidden(name)
            self._forget_stays()

    # ------------------------------------------------------------------- history

    def _stays_so_far(self, name: str) -> StayLog:
        """Return the stays in a segment as far as kept deltas tell; other members have been inside for ever."""
        log, segment = StayLog(), self.segments.get(name)
        if segment is None:
            return log
        table = self._matchers[segment.object_type].table
        flips: dict[int, list[tuple[int, bool]]] = {}
        for delta in self._past():
            if delta.object_type != segment.object_type:
                continue
            number = table.number_by_id.get(delta.object, -1)
            if delta.cause == "delete":
                flips.pop(number, None)
            elif delta.segment == name and number >= 0 and delta.seq > segment.since:
                at = to_micros(delta.at)
                if at >= table.born[number]:  # what is earlier was another object of the same id
                    flips.setdefault(number, []).append((at, delta.entered))
        for number, mine in flips.items():
            if not mine[0][1]:
                if mine[0][0] == table.born[number]:
                    del mine[0]
                else:
                    log.enter(number, _LONG_AGO)
            for at, entered in mine:
                (log.enter if entered else log.leave)(number, at)
        for number in segment.members:
            if not log.is_inside(number):
                log.enter(number, _LONG_AGO)
        log.commit()
        return log


_LONG_AGO = to_micros(datetime.min.replace(tzinfo=UTC))


def _crossings_in(segment: Segment) -> Iterator[Crossing]:
    """Yield the conditions of a filter on the past of other segments."""
    if segment.refers_to:
        yield from (node for node in iter_nodes(segment.tree) if isinstance(node, Crossing))


def _segments_in(tree: Predicate) -> frozenset[str]:
    from segmentkit.dsl._dependencies import segments_read

    return segments_read(tree)


def text_of(where: str | Predicate) -> str:
    """Return a filter as text."""
    if isinstance(where, str):
        return where
    from segmentkit import dsl

    return dsl.format(where)


def agents(name: str, hidden_from: Iterable[str]) -> frozenset[str]:
    """Return agents as a set; one may be given alone."""
    return frozenset(_texts(name, "hidden_from", hidden_from))


def labels(name: str, tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags, each once; one may be given alone."""
    return tuple(dict.fromkeys(_texts(name, "tags", tags)))


def _texts(name: str, what: str, given: Iterable[str]) -> list[str]:
    """Return names that the host gives a segment; one may be given alone."""
    found = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else [given]
    for text in found:
        if not is_text(text) or not 0 < len(text) <= MAX_NAME:
            raise bad_name(name, f"has {what} with {repr_of(text)}; expected text of 1 to {MAX_NAME} characters")
    return found


MAX_NAME: Final = 200
"""Longest name of a segment, an agent or a tag, in characters."""


def _named(name: object) -> tuple[str, str, tuple[str, ...]]:
    """Return source, origin and names of the error about a name that nobody declared."""
    text = name if isinstance(name, str) else repr_of(name)
    return text, "", (text,)


def period(name: str, refresh: timedelta | str | None) -> str:
    """Return a period as text, such as "4 hours"; "" for None."""
    if refresh is None:
        return ""
    if isinstance(refresh, timedelta):
        seconds, rest = divmod(refresh, timedelta(seconds=1))
        if not rest and 0 < seconds < 10**9:
            return f"{seconds} seconds"
    if isinstance(refresh, str) and _PERIOD.fullmatch(refresh):
        return refresh
    expected = "a positive timedelta or text such as '4 hours'; a timedelta of whole seconds, below a billion"
    raise bad_name(name, f"has refresh={repr_of(refresh)}; expected {expected}")


_PERIOD = re.compile(r"[1-9][0-9]{0,8} (second|minute|hour|day|week|month|year)s?")


def _segment_of(definition: Definition, tree: Predicate) -> Segment:
    d = definition
    return Segment(
        d.name, d.on, d.where, tree, d.description, d.hidden_from, d.refresh, d.tags, refers_to=_segments_in(tree)
    )


def bad_name(name: object, why: str) -> DefinitionError:
    """Return the error for a segment that is wrong in itself."""
    text = name if isinstance(name, str) else repr_of(name)
    return DefinitionError([Problem(f"segment {repr_of(name, 250)} {why}", 0, len(text))], text)
