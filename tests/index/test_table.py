"""Tables: ids and numbers of objects, ids and tags of events, and the view the evaluator reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from segmentkit import schema, values as types
from segmentkit.index._events import id_of_tag
from segmentkit.index._table import Table
from segmentkit.schema import ObjectType


@pytest.fixture
def table() -> Table:
    """An empty table of contacts."""
    attributes = {"orders": types.integer, "spend": types.decimal}
    events = {"visit": {"pages": types.integer}, "purchase": {"amount": types.decimal}}
    return Table(ObjectType("contact", attributes, events))


def test_objects_get_numbers_in_the_order_of_arrival(table: Table) -> None:
    """From 0, without gaps, and iterated in that order."""
    assert [table.create(object_id) for object_id in ("b", "a", "c")] == [0, 1, 2]
    assert list(table.alive) == [0, 1, 2]
    assert table.ids == ["b", "a", "c"]
    table.check_invariants()


def test_the_number_of_a_deleted_object_is_used_again_for_a_clean_one(table: Table) -> None:
    """Nothing of the old object shows through."""
    first = table.create("old")
    table.create("other")
    table.columns["orders"].set(first, 7)
    table.add_event(first, "visit", 10, "e1", (3,))
    table.delete(first)
    assert (len(table.alive), "old" in table.number_by_id) == (1, False)
    again = table.create("new")
    facts = table.facts(again)
    assert (again, facts.attribute("orders"), list(facts.events("visit"))) == (first, None, [])
    assert table.find_event(again, "e1") is None
    table.check_invariants()


def test_a_to_one_relation_is_a_column_and_a_to_many_relation_is_none() -> None:
    """A relation stores the id it points to; its other side stores nothing."""
    company = ObjectType("company", relations={"people": schema.many("contact", via="company")})
    contact = ObjectType("contact", relations={"company": schema.one("company")})
    assert (list(Table(contact).columns), list(Table(company).columns)) == (["company"], [])


def test_an_event_is_found_by_its_id_whatever_its_name(table: Table) -> None:
    """Ids are those of the object; another object may use the same one."""
    first, second = table.create("a"), table.create("b")
    table.add_event(first, "visit", 20, None, (1,))
    table.add_event(first, "purchase", 10, "e1", (None,))
    table.add_event(first, "visit", 10, "e2", (2,))
    table.add_event(second, "visit", 10, "e1", (3,))
    assert table.find_event(first, "e1") == ("purchase", 0)
    assert table.find_event(first, "e2") == ("visit", 0)
    assert table.find_event(first, id_of_tag(1)) == ("visit", 1)
    assert table.find_event(second, "e1") == ("visit", 0)
    assert table.find_event(second, "e2") is None
    assert table.find_event(second, id_of_tag(1)) is None
    table.check_invariants()


def test_an_event_taken_out_frees_its_id(table: Table) -> None:
    """The id may come again, with other content."""
    number = table.create("a")
    table.add_event(number, "visit", 20, "e1", (1,))
    table.add_event(number, "visit", 30, None, (2,))
    table.remove_event(number, "e1")
    table.remove_event(number, id_of_tag(2))
    assert (table.find_event(number, "e1"), table.events["visit"].n_events) == (None, 0)
    table.add_event(number, "purchase", 5, "e1", (None,))
    assert table.find_event(number, "e1") == ("purchase", 0)
    table.check_invariants()


def test_an_id_that_the_engine_gave_earlier_keeps_its_tag(table: Table) -> None:
    """Read back from a store, events without ids of their own keep their order, and new ones come after them."""
    number = table.create("a")
    assert table.add_event(number, "visit", 20, id_of_tag(7), (1,)) == 0
    assert table.add_event(number, "visit", 20, None, (2,)) == 1
    assert [fact.id for fact in table.facts(number).events("visit")] == [id_of_tag(7), id_of_tag(8)]


def test_facts_know_whose_they_are(table: Table) -> None:
    """Type and id, also when the number of a deleted object is used again."""
    first = table.create("ada")
    assert (table.facts(first).object_type, table.facts(first).object_id) == (table.name, "ada")
    table.delete(first)
    assert table.facts(table.create("bob")).object_id == "bob"


def test_facts_are_those_of_the_moment(table: Table) -> None:
    """A view follows the table; future events are in it."""
    number = table.create("a")
    facts = table.facts(number)
    assert (facts.attribute("orders"), list(facts.events("visit"))) == (None, [])
    table.columns["orders"].set(number, 3)
    table.add_event(number, "visit", 10**18, "e1", (None,))
    (fact,) = facts.events("visit")
    assert (facts.attribute("orders"), fact.at, fact.id, dict(fact.properties)) == (3, 10**18, "e1", {})


def test_a_rescaled_column_or_event_is_announced(table: Table) -> None:
    """Everybody on the list is told."""
    told: list[str] = []
    table.rescaled += [lambda: told.append("first"), lambda: told.append("second")]
    number = table.create("a")
    spend = table.columns["spend"]
    spend.set(number, spend.encode(spend.accept("1.001")))
    assert told == ["first", "second"]
    table.add_event(number, "purchase", 1, None, table.events["purchase"].accept({"amount": "1.001"}))
    assert told == ["first", "second"] * 2


def swap_ids(table: Table) -> None:
    """Let two ids point at each other's number."""
    table.number_by_id["a"], table.number_by_id["b"] = 1, 0


def swap_events(table: Table) -> None:
    """Turn two events round."""
    row = table.events["visit"].rows[0]
    table.events["visit"].rows[0] = row[3:] + row[:3]


def forget_object(table: Table) -> None:
    """Leave events behind for an object that is gone."""
    del table.number_by_id["a"]
    table.alive.discard(0)


def miscount(table: Table) -> None:
    """Count an event twice."""
    table.events["visit"].n_events += 1


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (swap_ids, "is not that of"),
        (swap_events, "out of order"),
        (forget_object, "deleted object"),
        (miscount, "wrong count"),
    ],
)
def test_check_invariants_names_the_broken_rule(table: Table, damage: Callable[[Table], None], rule: str) -> None:
    """What contradicts itself is said, each in its words."""
    for object_id in "ab":
        number = table.create(object_id)
        table.add_event(number, "visit", 10, None, (1,))
        table.add_event(number, "visit", 20, None, (2,))
    table.check_invariants()
    damage(table)
    with pytest.raises(AssertionError, match=rule):
        table.check_invariants()
