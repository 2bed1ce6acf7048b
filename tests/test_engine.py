"""The engine by example: telling, defining, looking, checking, and what batches come to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Signal, Thread
from typing import Any

import pytest

import segmentkit as sk

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
SCHEMA = sk.Schema(
    sk.ObjectType("contact", {"orders": sk.integer, "country": sk.text}, {"visit": {"pages": sk.integer}}),
    sk.ObjectType("company", {"size": sk.integer}),
)


def engine_with(*, unknown: Any = "error", **segments: str) -> sk.Engine:
    """Return an engine over contacts with the segments."""
    engine = sk.Engine(SCHEMA, clock=sk.ManualClock(NOW), unknown=unknown)
    for name, where in segments.items():
        engine.define(name, on="contact", where=where)
    return engine


def short(deltas: Any) -> list[tuple[str, str, str]]:
    """Return deltas as (segment, object, + or -)."""
    return [(d.segment, d.object, "+" if d.entered else "-") for d in deltas]


# --------------------------------------------------------------------------- telling


def test_a_subscriber_is_told_every_delta_in_order() -> None:
    """Those of changes, of time and of definitions, from its subscription on."""
    engine, told = engine_with(s="orders > 0", v="did visit in the last 1 day"), []
    engine.put("contact", "before", orders=1)
    engine.subscribe(told.append)
    expected = [*engine.put("contact", "c1", orders=1), *engine.track("contact", "c1", "visit")]
    expected += engine.advance(to=NOW + 2 * DAY)
    engine.redefine("s", where="orders > 1")
    engine.drop("s")
    assert told[:3] == expected
    assert short(told[3:]) == [("s", "before", "-"), ("s", "c1", "-")]
    assert [d.seq for d in told] == [2, 3, 4, 5, 6]


def test_a_subscriber_is_told_after_the_batch_is_stored() -> None:
    """What it is told, it can read: the delta, the member and the number."""
    engine, seen = engine_with(s="orders > 0"), []
    engine.subscribe(lambda d: seen.append((d in list(engine.deltas(after=0)), d.object in engine.members("s"))))
    engine.apply([sk.Put("contact", "c1", {"orders": 1}), sk.Put("contact", "c2", {"orders": 1})])
    assert seen == [(True, True), (True, True)]


def test_a_subscriber_may_ask_for_one_segment() -> None:
    """An unknown one is refused at once."""
    engine, told = engine_with(s="orders > 0", t="orders > 1"), []
    engine.subscribe(told.append, segment="t")
    engine.put("contact", "c1", orders=1)
    engine.put("contact", "c1", orders=2)
    assert short(told) == [("t", "c1", "+")]
    with pytest.raises(sk.UnknownNameError, match="no segment 'S'"):
        engine.subscribe(told.append, segment="S")


def test_a_subscriber_that_fails_gets_the_same_delta_again(caplog: pytest.LogCaptureFixture) -> None:
    """With the next batch, before what is new; it loses nothing, holds nobody up, and the failure is logged."""
    engine, told, others = engine_with(s="orders > 0"), [], []
    failures = [1, 1, 2]

    def callback(delta: sk.Delta) -> None:
        if failures and failures[0] == delta.seq:
            failures.pop(0)
            raise RuntimeError("the mailbox is full")
        told.append(delta.seq)

    engine.subscribe(callback)
    engine.subscribe(lambda delta: others.append(delta.seq))
    for number in range(1, 6):
        engine.put("contact", f"c{number}", orders=1)
        assert others == list(range(1, number + 1))
    assert told == [1, 2, 3, 4, 5]
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        f"a subscriber failed on delta {seq}" for seq in (1, 1, 2)
    ]


def test_a_subscriber_that_changes_the_engine_keeps_the_order_for_all() -> None:
    """What its change flips is told after what it was called for, to itself and to the others."""
    engine, first, second = engine_with(s="orders > 0", t="orders > 1"), [], []

    def promote(delta: sk.Delta) -> None:
        first.append(delta.seq)
        if delta.segment == "s" and delta.entered:
            engine.update("contact", delta.object, orders=2)

    engine.subscribe(promote)
    engine.subscribe(lambda delta: second.append(delta.seq))
    engine.apply([sk.Put("contact", "c1", {"orders": 1}), sk.Put("contact", "c2", {"orders": 1})])
    assert (first, second) == ([1, 2, 3, 4], [1, 2, 3, 4])
    assert short(engine.deltas(after=0)) == [("s", "c1", "+"), ("s", "c2", "+"), ("t", "c1", "+"), ("t", "c2", "+")]


def test_a_subscription_ends_when_it_is_asked_to() -> None:
    """Once or twice; another subscription of the same function goes on."""
    engine, told = engine_with(s="orders > 0"), []
    unsubscribe = engine.subscribe(told.append)
    engine.subscribe(told.append)
    unsubscribe()
    unsubscribe()
    engine.put("contact", "c1", orders=1)
    assert len(told) == 1


def test_a_subscriber_that_ends_itself_is_called_no_more() -> None:
    """Not for the rest of the batch either."""
    engine, told = engine_with(s="orders > 0"), []

    def once(delta: sk.Delta) -> None:
        told.append(delta.object)
        unsubscribe()

    unsubscribe = engine.subscribe(once)
    engine.apply([sk.Put("contact", f"c{i}", {"orders": 1}) for i in range(3)])
    assert told == ["c0"]


def test_a_subscriber_ended_by_another_is_called_no_more() -> None:
    """Even if the batch had something for it."""
    engine, told = engine_with(s="orders > 0"), []
    engine.subscribe(lambda delta: unsubscribe())
    unsubscribe = engine.subscribe(told.append)
    engine.put("contact", "c1", orders=1)
    assert told == []


def test_reading_deltas_goes_on_after_any_number() -> None:
    """From nothing, from the middle, from the end; a negative number is a mistake."""
    engine = engine_with(s="orders > 0")
    for number in range(4):
        engine.put("contact", f"c{number}", orders=1)
    assert [[d.seq for d in engine.deltas(after=after)] for after in (0, 2, 4, 9)] == [[1, 2, 3, 4], [3, 4], [], []]
    with pytest.raises(ValueError, match="got -1"):
        engine.deltas(after=-1)


# -------------------------------------------------------------------------- definitions


def test_a_definition_lets_its_members_enter_marked_as_backfill() -> None:
    """At now, because of the definition."""
    engine = engine_with()
    engine.put("contact", "c1", orders=1)
    engine.put("contact", "c2", orders=5)
    engine.define("s", on="contact", where="orders > 4")
    assert list(engine.deltas(after=0)) == [sk.Delta("s", "c2", True, NOW, 1, "define", True, "contact")]


def test_a_redefinition_emits_the_net_difference() -> None:
    """Who stays is not mentioned; the segment keeps its place, its description and whom it is hidden from."""
    engine = engine_with()
    engine.define("s", on="contact", where="orders < 4", description="few", hidden_from={"agent-7"})
    engine.define("t", on="contact", where="false")
    engine.apply([sk.Put("contact", f"c{n}", {"orders": n}) for n in range(2, 6)])
    last = engine.stats().seq
    segment = engine.redefine("s", where="orders > 2")
    deltas = list(engine.deltas(after=last))
    assert short(deltas) == [("s", "c2", "-"), ("s", "c4", "+"), ("s", "c5", "+")]
    assert {(d.cause, d.backfill, d.at) for d in deltas} == {("redefine", True, NOW)}
    assert [s.name for s in engine.segments()] == ["s", "t"]
    assert (segment.description, segment.hidden_from, segment.where) == ("few", frozenset({"agent-7"}), "orders > 2")
    assert engine.redefine("s", where="orders > 2", description="", hidden_from=()).hidden_from == frozenset()
    assert list(engine.deltas(after=last + 3)) == []


def test_a_wrong_redefinition_changes_nothing() -> None:
    """The old filter stays in force."""
    engine = engine_with(s="orders > 0")
    with pytest.raises(sk.UnknownNameError, match="oders"):
        engine.redefine("s", where="oders > 1")
    assert short(engine.put("contact", "c1", orders=1)) == [("s", "c1", "+")]
    with pytest.raises(sk.UnknownNameError, match="no segment 'other'"):
        engine.redefine("other", where="true")


def test_dropping_a_segment_lets_its_members_leave() -> None:
    """Its name is free then, and nothing of it stays."""
    engine = engine_with(s="orders > 0", t="orders > 1")
    engine.put("contact", "c1", orders=1)
    engine.drop("s")
    (delta,) = engine.deltas(after=1)
    assert delta == sk.Delta("s", "c1", False, NOW, 2, "drop", True, "contact")
    for call in (engine.members, engine.drop):
        with pytest.raises(sk.UnknownNameError):
            call("s")
    assert engine.segments_of("contact", "c1") == []
    engine.define("s", on="contact", where="orders > 9")
    assert [s.name for s in engine.segments()] == ["t", "s"]
    engine.check_invariants()


def test_a_definition_lets_time_pass_first() -> None:
    """Flips up to the clock come before those of the definition."""
    clock = sk.ManualClock(NOW)
    engine = sk.Engine(SCHEMA, clock=clock)
    engine.define("v", on="contact", where="did visit in the last 1 day")
    engine.put("contact", "c1")
    engine.track("contact", "c1", "visit")
    clock.advance(3 * DAY)
    engine.define("all", on="contact", where="true")
    assert [(d.segment, d.entered, d.at, d.seq) for d in engine.deltas(after=1)] == [
        ("v", False, NOW + DAY, 2),
        ("all", True, NOW + 3 * DAY, 3),
    ]


def test_parameters_stand_in_the_text_afterwards() -> None:
    """A value is a value, whatever is in it, and a redefinition may give others."""
    engine = engine_with()
    awkward = 'PL" or true or country = "'
    segment = engine.define("s", on="contact", where="country = $c and orders > $n", params={"c": awkward, "n": 4})
    engine.put("contact", "c1", country="PL", orders=9)
    engine.put("contact", "c2", country=awkward, orders=9)
    assert list(engine.members("s")) == ["c2"]
    assert sk.parse(segment.where, SCHEMA, "contact") == segment.tree
    engine.redefine("s", where="country = $c", params={"c": "PL"})
    assert list(engine.members("s")) == ["c1"]
    assert engine.preview(on="contact", where="orders = $n", params={"n": 9}).count == 2
    with pytest.raises(sk.DefinitionError, match="n"):
        engine.define("t", on="contact", where="orders > $n", params={"m": 1})


def test_a_tree_is_as_good_as_a_text() -> None:
    """It defines, redefines and previews; its canonical text is kept."""
    engine = engine_with()
    engine.put("contact", "c1", orders=9)
    tree = sk.parse("orders>4 and (country is missing)", SCHEMA, "contact")
    segment = engine.define("s", on="contact", where=tree)
    assert (segment.where, list(engine.members("s"))) == (sk.format(tree), ["c1"])
    assert engine.preview(on="contact", where=tree).members == ("c1",)
    assert engine.redefine("s", where=sk.parse("orders > 9", SCHEMA, "contact")).where == "orders > 9"


DEFINITIONS = """
segment "Buyers" on contact
  describe "Bought something"
  hide from "agent-7"
  where orders > 0

segment "Large" on company
  where size > 100
"""


def test_a_file_defines_all_its_segments(tmp_path: Path) -> None:
    """In one go, with what is said about each."""
    engine = engine_with()
    engine.put("contact", "c1", orders=1)
    path = tmp_path / "segments.seg"
    path.write_text(DEFINITIONS, encoding="utf-8")
    buyers, large = engine.define_file(str(path))
    assert (buyers.name, buyers.object_type, buyers.description) == ("Buyers", "contact", "Bought something")
    assert (buyers.hidden_from, large.where) == (frozenset({"agent-7"}), "size > 100")
    assert [(d.segment, d.object, d.backfill) for d in engine.deltas(after=0)] == [("Buyers", "c1", True)]


@pytest.mark.parametrize(
    ("last", "error", "line", "column"),
    [
        ("where size > ", sk.FilterSyntaxError, 8, 15),
        ('where size > "100"', sk.FilterTypeError, 8, 16),
        ("where seize > 100", sk.UnknownNameError, 8, 9),
    ],
)
def test_a_file_with_a_mistake_defines_nothing(
    tmp_path: Path, last: str, error: type[sk.DefinitionError], line: int, column: int
) -> None:
    """The mistake is named with its place in the file."""
    engine = engine_with()
    path = tmp_path / "segments.seg"
    path.write_text(DEFINITIONS.replace("where size > 100", last), encoding="utf-8")
    with pytest.raises(error) as caught:
        engine.define_file(str(path))
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(path) in str(caught.value)
    assert engine.segments() == []


@pytest.mark.parametrize("more", ['segment "Taken" on contact where true', 'segment "New" on nothing where true'])
def test_a_file_that_cannot_be_taken_whole_is_not_taken_at_all(tmp_path: Path, more: str) -> None:
    """A name that is taken, or a type that nobody declared."""
    engine = engine_with(Taken="false")
    path = tmp_path / "segments.seg"
    path.write_text(DEFINITIONS + more, encoding="utf-8")
    with pytest.raises(sk.DefinitionError):
        engine.define_file(str(path))
    assert [s.name for s in engine.segments()] == ["Taken"]


def test_a_name_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    """Neither of the two is taken."""
    engine = engine_with()
    path = tmp_path / "segments.seg"
    path.write_text(DEFINITIONS + 'segment "Large" on contact where true', encoding="utf-8")
    with pytest.raises(sk.DefinitionError, match="Large"):
        engine.define_file(str(path))
    assert engine.segments() == []


def test_segments_are_listed_by_type_and_by_who_may_see_them() -> None:
    """In the order of their definition."""
    engine = engine_with()
    engine.define("b", on="contact", where="true", hidden_from=["agent-7", "agent-9"])
    engine.define("a", on="company", where="true")
    engine.define("c", on="contact", where="true")
    assert [s.name for s in engine.segments()] == ["b", "a", "c"]
    assert [s.name for s in engine.segments(on="contact")] == ["b", "c"]
    assert [s.name for s in engine.segments(visible_to="agent-7")] == ["a", "c"]
    assert [s.name for s in engine.segments(on="contact", visible_to="agent-8")] == ["b", "c"]


# -------------------------------------------------------------------------------- looking


def test_a_preview_compares_with_a_segment_and_leaves_nothing() -> None:
    """Who would enter, leave and stay; nothing is defined, told or numbered."""
    engine, told = engine_with(s="orders < 4"), []
    engine.apply([sk.Put("contact", f"c{n}", {"orders": n}) for n in range(2, 6)])
    engine.subscribe(told.append)
    before = engine.stats()
    preview = engine.preview(on="contact", where="orders > 2", against="s")
    assert preview.members == ("c3", "c4", "c5")
    assert (preview.entering, preview.leaving, preview.unchanged) == (("c4", "c5"), ("c2",), ("c3",))
    assert (preview.count, preview.sample, repr(preview)) == (3, preview.members, "<preview: 3 members, +2 -1>")
    alone = engine.preview(on="contact", where="orders > 2")
    assert (alone.entering, alone.leaving, alone.unchanged) == (preview.members, (), ())
    after = engine.stats()
    assert (after.revision, after.seq, [s.name for s in engine.segments()], told) == (
        before.revision,
        before.seq,
        ["s"],
        [],
    )
    with pytest.raises(sk.UnknownNameError, match="no segment"):
        engine.preview(on="contact", where="true", against="other")


def test_segments_of_an_object_are_sorted_and_of_an_unknown_one_none() -> None:
    """By name; an unknown type is a mistake."""
    engine = engine_with(b="orders > 0", a="orders > 0", c="orders > 5")
    engine.put("contact", "c1", orders=1)
    assert engine.segments_of("contact", "c1") == ["a", "b"]
    assert engine.segments_of("contact", "c2") == []
    with pytest.raises(sk.SchemaError, match="contacts"):
        engine.segments_of("contacts", "c1")


def test_members_are_a_set_that_follows_the_engine() -> None:
    """Sorted, paged, and combined into sets that stay."""
    engine = engine_with(s="orders > 0", t="orders > 2")
    members = engine.members("s")
    assert (len(members), "c1" in members, list(members)) == (0, False, [])
    engine.apply([sk.Put("contact", f"c{n}", {"orders": n}) for n in (3, 1, 2)])
    assert (len(members), "c1" in members, list(members)) == (3, True, ["c1", "c2", "c3"])
    assert (members.page(limit=2), members.page(after="c2"), members.page(after="c3")) == (["c1", "c2"], ["c3"], [])
    snapshot, others = members.snapshot(), members - engine.members("t")
    engine.delete("contact", "c1")
    assert (snapshot, others, set(members)) == ({"c1", "c2", "c3"}, {"c1", "c2"}, {"c2", "c3"})
    assert (members.as_of, members.fresh) == (NOW, True)
    assert (5 in members, None in members) == (False, False)


def test_shown_text_is_escaped() -> None:
    """Names, filters and ids are data, in a notebook too."""
    engine = engine_with()
    engine.define("<b>s</b>", on="contact", where='country = "<script>"')
    engine.put("contact", "<i>c1</i>", country="<script>")
    assert repr(engine) == "<Engine at 2026-11-22T00:00:00+00:00: 1 segments over 1 contact, 0 company>"
    members = engine.members("<b>s</b>")
    assert repr(members) == "<1 members of '<b>s</b>': {'<i>c1</i>'}>"
    for shown in (engine._repr_html_(), members._repr_html_()):
        assert not any(tag in shown for tag in ("<script>", "<b>s", "<i>"))
        assert "&lt;b&gt;s&lt;/b&gt;" in shown
    assert "&lt;script&gt;" in engine._repr_html_()
    assert "&lt;i&gt;c1&lt;/i&gt;" in members._repr_html_()


# ------------------------------------------------------------------------------- checking


def test_verify_finds_nothing_where_all_is_well_and_tells_how_far_it_is() -> None:
    """One look at each object."""
    engine, progress = engine_with(s="orders > 0"), []
    engine.apply([sk.Put("contact", f"c{n}", {"orders": n}) for n in range(3)])
    engine.put("company", "acme")
    assert engine.verify(progress=lambda done, total: progress.append((done, total))) == []
    assert progress == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_verify_reports_a_wrong_membership_and_repairs_it_when_asked() -> None:
    """Both kinds of mistake; without repair they stay, a repair emits no delta."""
    engine = engine_with()
    segment = engine.define("s", on="contact", where="orders > 0")
    engine.apply([sk.Put("contact", f"c{n}", {"orders": n}) for n in range(3)])
    last = engine.stats().seq
    segment.members.add(0)
    segment.members.discard(2)
    wrong = [sk.Difference("s", "c0", True, False), sk.Difference("s", "c2", False, True)]
    with pytest.raises(AssertionError):
        engine.check_invariants()
    assert engine.verify() == wrong
    assert engine.verify(repair=True) == wrong
    assert (engine.verify(), list(engine.members("s")), engine.stats().seq) == ([], ["c1", "c2"], last)
    engine.check_invariants()


# -------------------------------------------------------------------------------- batches


def test_one_change_needs_no_list() -> None:
    """Nor does a generator."""
    engine = engine_with(s="orders > 0")
    assert short(engine.apply(sk.Put("contact", "c1", {"orders": 1}))) == [("s", "c1", "+")]
    assert len(engine.apply(sk.Put("contact", f"d{n}", {"orders": 1}) for n in range(3))) == 3
    assert list(engine.apply([])) == []


def test_an_object_deleted_and_put_again_in_one_batch_emits_the_net_difference() -> None:
    """It leaves what it is no longer in, enters what is new, and stays silent about the rest."""
    engine = engine_with(stays="orders > 0", leaves="did visit", enters='country = "PL"')
    engine.put("contact", "c1", orders=1)
    engine.track("contact", "c1", "visit")
    again = [sk.Delete("contact", "c1"), sk.Put("contact", "c1", {"orders": 2, "country": "PL"})]
    assert short(engine.apply(again)) == [("leaves", "c1", "-"), ("enters", "c1", "+")]
    assert list(engine.apply(again)) == []
    engine.check_invariants()


def test_an_object_put_and_deleted_in_one_batch_leaves_no_trace() -> None:
    """Neither a delta nor a fact."""
    engine = engine_with(s="orders > 0")
    assert list(engine.apply([sk.Put("contact", "c1", {"orders": 1}), sk.Delete("contact", "c1")])) == []
    assert (list(engine.iter_facts()), engine.stats().objects["contact"]) == ([], 0)


def test_what_a_batch_takes_back_is_not_told() -> None:
    """Up and down again, or an event and its retraction."""
    engine = engine_with(s="orders > 0", v="did visit")
    engine.put("contact", "c1")
    batch = [
        sk.Update("contact", "c1", {"orders": 1}),
        sk.Event("contact", "c1", "visit", id="e1"),
        sk.Update("contact", "c1", {"orders": None}),
        sk.Retract("contact", "c1", "e1"),
    ]
    assert list(engine.apply(batch)) == []
    engine.check_invariants()


def test_a_put_makes_missing_what_it_does_not_name_and_keeps_events() -> None:
    """An update leaves the rest alone."""
    engine = engine_with(s="orders > 0", v="did visit")
    engine.put("contact", "c1", orders=1)
    engine.track("contact", "c1", "visit")
    assert list(engine.update("contact", "c1", country="PL")) == []
    assert short(engine.put("contact", "c1", country="PL")) == [("s", "c1", "-")]
    assert list(engine.members("v")) == ["c1"]


def test_unknown_objects_are_created_when_the_engine_may() -> None:
    """By updates and events, but not by deletions and retractions."""
    engine = engine_with(unknown="create", s="orders > 0", v="did visit", all="true")
    assert short(engine.track("contact", "c1", "visit")) == [("v", "c1", "+"), ("all", "c1", "+")]
    assert short(engine.update("contact", "c2", orders=1)) == [("s", "c2", "+"), ("all", "c2", "+")]
    for change in (sk.Delete("contact", "c3"), sk.Retract("contact", "c3", "e1")):
        with pytest.raises(sk.DataError, match="no such object"):
            engine.apply(change)
    with pytest.raises(sk.DataError, match="pages"):
        engine.track("contact", "c4", "visit", pages="many")
    assert engine.stats().objects["contact"] == 2
    engine.check_invariants()


# --------------------------------------------------------------------------------- events


def test_a_late_event_counts_as_if_it_had_come_in_time() -> None:
    """For the rest of its window; one that is too old flips nothing."""
    engine = engine_with(s="did visit at least 2 times in the last 3 days")
    engine.put("contact", "c1")
    engine.track("contact", "c1", "visit", at=NOW)
    assert short(engine.track("contact", "c1", "visit", at=NOW - 2 * DAY)) == [("s", "c1", "+")]
    assert list(engine.track("contact", "c1", "visit", at=NOW - 3 * DAY)) == []
    assert [(d.entered, d.at) for d in engine.advance(to=NOW + 5 * DAY)] == [(False, NOW + DAY)]


def test_an_early_event_counts_from_its_instant_on() -> None:
    """To the microsecond."""
    engine = engine_with(s="did visit in the last 1 day")
    engine.put("contact", "c1")
    assert list(engine.track("contact", "c1", "visit", at=NOW + DAY)) == []
    assert list(engine.advance(to=NOW + DAY - MICROSECOND)) == []
    assert [(d.entered, d.at) for d in engine.advance(to=NOW + 9 * DAY)] == [(True, NOW + DAY), (False, NOW + 2 * DAY)]


def test_the_same_event_again_is_ignored_and_another_with_its_id_refused() -> None:
    """The id is the object's: another object may use it."""
    engine = engine_with(s="did visit at least 2 times", t="sum(visit.pages) > 3")
    engine.apply([sk.Put("contact", "c1"), sk.Put("contact", "c2")])
    event = sk.Event("contact", "c1", "visit", {"pages": 3}, at=NOW, id="e1")
    for batch in ([event], [event, event], [event]):
        assert list(engine.apply(batch)) == []
    assert engine.stats().events == 1
    for other in ({"pages": 4}, {}):
        with pytest.raises(sk.DataError, match="retract it first"):
            engine.track("contact", "c1", "visit", at=NOW, id="e1", **other)
    with pytest.raises(sk.DataError, match="retract it first"):
        engine.track("contact", "c1", "visit", at=NOW + DAY, id="e1", pages=3)
    engine.track("contact", "c2", "visit", at=NOW, id="e1", pages=1)
    assert engine.stats().events == 2


def test_a_retracted_event_was_never_there() -> None:
    """Its id is free again; what was not there cannot be retracted."""
    engine = engine_with(s="did visit")
    engine.put("contact", "c1")
    engine.track("contact", "c1", "visit", at=NOW, id="e1", pages=1)
    assert short(engine.apply(sk.Retract("contact", "c1", "e1"))) == [("s", "c1", "-")]
    with pytest.raises(sk.DataError, match="no event has the id 'e1'"):
        engine.apply(sk.Retract("contact", "c1", "e1"))
    assert short(engine.track("contact", "c1", "visit", at=NOW, id="e1", pages=2)) == [("s", "c1", "+")]


@pytest.mark.parametrize("event_id", ["~0000000000000000", "~0000000000000005", "~", "~9999999999999999"])
def test_an_id_that_looks_like_the_engines_own_is_an_id(event_id: str) -> None:
    """With events without ids before and after it, all can be read and retracted."""
    engine = engine_with(s="did visit")
    engine.put("contact", "c1")
    engine.track("contact", "c1", "visit", at=NOW)
    engine.track("contact", "c1", "visit", at=NOW, id=event_id)
    engine.track("contact", "c1", "visit", at=NOW)
    engine.check_invariants()
    ids = [fact.id for fact in engine.iter_facts() if isinstance(fact, sk.Event)]
    assert (len(set(ids)), event_id in ids) == (3, True)
    engine.apply([sk.Retract("contact", "c1", i) for i in ids if i is not None])
    assert (list(engine.members("s")), engine.stats().events) == ([], 0)


# -------------------------------------------------------------------------------- threads


class StopsInTheMiddle:
    """A store that lets a test look while a batch is under way."""

    def __init__(self, inner: sk.MemoryStore) -> None:
        self._inner = inner
        self.reached, self.go_on = Signal(), Signal()
        self.stops = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def append(self, batch: Any) -> None:
        """Wait for the test before the batch is kept."""
        if self.stops:
            self.reached.set()
            assert self.go_on.wait(10)
        self._inner.append(batch)


READERS: dict[str, Callable[[sk.Engine], object]] = {
    "members": lambda engine: list(engine.members("s")),
    "snapshot": lambda engine: sorted(engine.members("s").snapshot()),
    "preview": lambda engine: list(engine.preview(on="contact", where="orders > 0").members),
    "segments_of": lambda engine: ["c1", "c2"] if engine.segments_of("contact", "c1") == ["s"] else [],
    "deltas": lambda engine: [delta.object for delta in engine.deltas(after=0)],
}


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_of_another_thread_never_sees_half_a_batch(reader: str) -> None:
    """It waits while a batch is under way, and then sees all of it."""
    store = StopsInTheMiddle(sk.MemoryStore())
    engine = sk.Engine(SCHEMA, store=store, clock=sk.ManualClock(NOW))
    engine.define("s", on="contact", where="orders > 0")
    store.stops = True
    seen: list[object] = []
    batch = [sk.Put("contact", "c1", {"orders": 1}), sk.Put("contact", "c2", {"orders": 1})]
    writer = Thread(target=lambda: engine.apply(batch))
    looker = Thread(target=lambda: seen.append(READERS[reader](engine)))
    writer.start()
    assert store.reached.wait(10)
    looker.start()
    looker.join(0.05)
    assert seen == []
    store.go_on.set()
    for thread in (writer, looker):
        thread.join(10)
        assert not thread.is_alive()
    assert seen == [["c1", "c2"]]


def test_a_period_and_tags_are_kept_for_the_host_to_read(tmp_path: Path) -> None:
    """They come with `define`, or with a file, survive in the store, and change nothing about membership."""
    path = tmp_path / "a.seg"
    path.write_text('segment "Filed" on contact\n refresh every 4 hours\n tags "crm", "mail"\n where orders > 4\n')
    store = sk.MemoryStore()
    schema = sk.Schema(sk.ObjectType("contact", {"orders": sk.integer}))
    engine = sk.Engine(schema, store=store, clock=sk.ManualClock(datetime(2026, 11, 22, tzinfo=UTC)))
    engine.define_file(path)
    engine.define("Coded", on="contact", where="orders > 1", refresh=timedelta(minutes=30), tags=["crm"])
    reopened = sk.Engine(schema, store=store, clock=sk.ManualClock(datetime(2026, 11, 22, tzinfo=UTC)))
    assert [(s.refresh, s.tags) for s in reopened.segments()] == [
        ("4 hours", ("crm", "mail")),
        ("1800 seconds", ("crm",)),
    ]
    assert [d.segment for d in engine.put("contact", "c1", orders=5)] == ["Filed", "Coded"]


@pytest.mark.parametrize("period", ["soon", "0 hours", timedelta(0), "4 hours; drop"])
def test_a_period_that_is_none_is_refused(period: object) -> None:
    """The error names the value and what was expected; nothing is defined."""
    engine = sk.Engine(sk.Schema(sk.ObjectType("contact", {"orders": sk.integer})))
    with pytest.raises(sk.DefinitionError, match="expected a positive timedelta or text such as '4 hours'"):
        engine.define("A", on="contact", where="orders > 1", refresh=period)  # type: ignore[arg-type]  # the point
    assert engine.segments() == []
