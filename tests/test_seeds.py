"""Segments over six related types, with the exact instant of each flip.

Each test is a segment that a company would really define, on one of the types that it would have:
contacts, companies, products, deals, tasks, tickets.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest

import segmentkit as sk

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
MICROSECOND, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)

SCHEMA = sk.Schema(
    sk.ObjectType(
        "contact",
        attributes={"country": sk.text, "orders": sk.integer},
        events={"page_view": {"url": sk.text}},
        relations={
            "company": sk.one("company"),
            "deals": sk.many("deal", via="contact"),
            "tickets": sk.many("ticket", via="contact"),
        },
    ),
    sk.ObjectType(
        "company",
        attributes={"industry": sk.text, "size": sk.integer},
        relations={"contacts": sk.many("contact", via="company")},
    ),
    sk.ObjectType(
        "product",
        attributes={"category": sk.text},
        events={"sale": {"quantity": sk.integer, "amount": sk.decimal}},
    ),
    sk.ObjectType(
        "deal",
        attributes={"value": sk.decimal, "stage": sk.choice("open", "won", "lost"), "closes": sk.date},
        relations={"contact": sk.one("contact")},
    ),
    sk.ObjectType(
        "task",
        attributes={"owner": sk.text, "due": sk.instant, "done": sk.instant},
        relations={"deal": sk.one("deal")},
    ),
    sk.ObjectType(
        "ticket",
        attributes={"priority": sk.choice("low", "high"), "opened": sk.instant},
        events={"reply": {"by": sk.choice("agent", "customer")}},
        relations={"contact": sk.one("contact")},
    ),
    zone="Europe/Warsaw",
)

Told = list[tuple[str, str, bool]]
"""Segment, object, and whether it entered, in order."""


@attrs.frozen
class Desk:
    """An engine, its clock, and shorthand for what is asked of them."""

    engine: sk.Engine
    clock: sk.ManualClock

    def define(self, on: str, **filters: str) -> None:
        """Define segments on one type; `_` in a name is a blank."""
        for name, where in filters.items():
            self.engine.define(name.replace("_", " "), on=on, where=where)

    def feed(self, *changes: Any) -> Told:
        """Apply one batch; return its flips, all of which happen now."""
        deltas = list(self.engine.apply(changes))
        assert {delta.at for delta in deltas} <= {self.clock.now()}
        return self.told(deltas)

    def told(self, deltas: Iterable[sk.Delta]) -> Told:
        """Return flips by segment and object, after a look at everything else."""
        self.engine.check_invariants()
        assert self.engine.verify() == []
        return sorted((delta.segment, delta.object, delta.entered) for delta in deltas)

    def flips_at(self, instant: datetime) -> Told:
        """Let time pass until `instant`; return what flips there, after nothing did up to a microsecond before."""
        self.clock.set(instant - MICROSECOND)
        assert list(self.engine.advance()) == []
        self.clock.set(instant)
        deltas = list(self.engine.advance())
        assert {delta.at for delta in deltas} == {instant}
        return self.told(deltas)

    def quiet_until(self, instant: datetime) -> None:
        """Let time pass until `instant`, at which nothing may have happened yet."""
        self.clock.set(instant)
        assert list(self.engine.advance()) == []

    def members(self, name: str) -> list[str]:
        """Return who is inside."""
        return list(self.engine.members(name))


@pytest.fixture
def desk() -> Desk:
    clock = sk.ManualClock(NOW)
    return Desk(sk.Engine(SCHEMA, clock=clock), clock)


def view(contact: str, at: datetime | None = None, id: str | None = None) -> sk.Event:
    return sk.Event("contact", contact, "page_view", {}, at=at, id=id)


def sale(product: str, quantity: int, at: datetime | None = None) -> sk.Event:
    return sk.Event("product", product, "sale", {"quantity": quantity, "amount": quantity}, at=at)


# ---------------------------------------------------------------------- companies


ENGAGED = 'industry = "SaaS" and sum(contacts.count(page_view in the last 30 days)) >= 3'


@pytest.fixture
def companies(desk: Desk) -> Desk:
    """Two companies; Ada and Bob work at Acme, and looked at three pages between them."""
    desk.define("company", Engaged=ENGAGED)
    desk.feed(
        sk.Put("company", "acme", {"industry": "SaaS"}),
        sk.Put("company", "mill", {"industry": "Paper"}),
        sk.Put("contact", "ada", {"company": "acme"}),
        sk.Put("contact", "bob", {"company": "acme"}),
    )
    assert desk.feed(view("ada"), view("ada", NOW - DAY)) == []
    assert desk.feed(view("bob", NOW - 2 * DAY, id="third")) == [("Engaged", "acme", True)]
    return desk


def test_a_company_is_engaged_as_long_as_its_contacts_views_are_recent(companies: Desk) -> None:
    """It leaves at the microsecond at which the oldest of the three views is 30 days old."""
    assert companies.flips_at(NOW + 28 * DAY) == [("Engaged", "acme", False)]
    companies.quiet_until(NOW + 400 * DAY)


def test_only_companies_of_the_industry_are_engaged(companies: Desk) -> None:
    update = sk.Update("company", "acme", {"industry": "Paper"})
    assert companies.feed(update) == [("Engaged", "acme", False)]
    assert companies.feed(sk.Update("company", "acme", {"industry": "SaaS"})) == [("Engaged", "acme", True)]


def test_views_go_along_with_the_contact_who_changes_company(companies: Desk) -> None:
    companies.feed(sk.Update("company", "mill", {"industry": "SaaS"}), view("bob"), view("bob"))
    move = sk.Update("contact", "bob", {"company": "mill"})
    assert companies.feed(move) == [("Engaged", "acme", False), ("Engaged", "mill", True)]


def test_a_view_that_is_taken_back_was_never_there(companies: Desk) -> None:
    assert companies.feed(sk.Retract("contact", "bob", "third")) == [("Engaged", "acme", False)]


def test_a_view_in_the_future_counts_when_its_instant_comes(companies: Desk) -> None:
    companies.feed(sk.Retract("contact", "bob", "third"))
    assert companies.feed(view("bob", NOW + HOUR)) == []
    assert companies.flips_at(NOW + HOUR) == [("Engaged", "acme", True)]
    assert companies.flips_at(NOW + 29 * DAY) == [("Engaged", "acme", False)]


def test_contacts_of_engaged_companies_follow_in_the_same_batch_and_at_the_same_instant(companies: Desk) -> None:
    companies.define("contact", Colleague='company[in segment "Engaged"]')
    assert companies.members("Colleague") == ["ada", "bob"]
    assert companies.feed(sk.Put("contact", "eve", {"company": "acme"})) == [("Colleague", "eve", True)]
    everybody = [("Colleague", name, False) for name in ("ada", "bob", "eve")]
    assert companies.flips_at(NOW + 28 * DAY) == [*everybody, ("Engaged", "acme", False)]


# ----------------------------------------------------------------------- products


@pytest.fixture
def products(desk: Desk) -> Desk:
    """Five products that sold 10, 8, 5, 0 and 1 pieces, each sale on its own day."""
    desk.define(
        "product",
        Top="top 2 by sum(sale.quantity in the last 30 days)",
        Low="bottom 25% by sum(sale.quantity in the last 30 days)",
    )
    desk.feed(*(sk.Put("product", f"p{number}") for number in range(1, 6)))
    desk.feed(sale("p1", 10), sale("p2", 8, NOW - DAY), sale("p3", 5, NOW - 2 * DAY), sale("p5", 1, NOW - 3 * DAY))
    return desk


def test_top_sellers_and_low_volume_are_ranked_over_their_sales(products: Desk) -> None:
    """25 % of five is two, rounded up; a product without sales sold 0."""
    assert products.members("Top") == ["p1", "p2"]
    assert products.members("Low") == ["p4", "p5"]


def test_a_sale_moves_one_product_up_and_another_out(products: Desk) -> None:
    assert products.feed(sale("p3", 3)) == []  # 8 each, and p2 comes first by id
    assert products.feed(sale("p3", 1)) == [("Top", "p2", False), ("Top", "p3", True)]
    assert products.feed(sale("p4", 9)) == [("Low", "p2", True), ("Low", "p4", False)]


def test_ranks_move_when_sales_grow_old(products: Desk) -> None:
    """Equal sums go to the smaller id, so each sale that grows old moves somebody else."""
    products.quiet_until(NOW + 27 * DAY)  # p5's piece: p4 and p5 have 0, and are the last two still
    # p3's five: p3, p4 and p5 have 0
    assert products.flips_at(NOW + 28 * DAY) == [("Low", "p3", True), ("Low", "p5", False)]
    # p2's eight: of all that have 0 it is the first still
    assert products.flips_at(NOW + 29 * DAY) == [("Low", "p2", True), ("Low", "p4", False)]
    # p1's ten: all have 0
    assert products.flips_at(NOW + 30 * DAY) == [("Low", "p1", True), ("Low", "p3", False)]
    products.quiet_until(NOW + 90 * DAY)


def test_the_population_counts_for_ranks(products: Desk) -> None:
    """Who comes and goes moves the others; 25 % of four is one, of eight two, of nine three."""
    gone = products.feed(sk.Delete("product", "p1"))
    assert gone == [("Low", "p5", False), ("Top", "p1", False), ("Top", "p3", True)]
    newcomers = [sk.Put("product", f"q{number}") for number in range(5)]
    assert products.feed(*newcomers[:4]) == [("Low", "q0", True)]
    assert products.feed(newcomers[4]) == [("Low", "q1", True)]


def test_ranks_per_category_among_those_that_sell_and_with_ties(desk: Desk) -> None:
    """Groups, a filter for who is ranked, and ties, over the same sales."""
    desk.define(
        "product",
        Best="top 1 by sum(sale.quantity) per category",
        Best_with_ties="top 1 by sum(sale.quantity) per category with ties",
        Least_sold="bottom 1 of (did sale) by sum(sale.quantity)",
    )
    categories = {"p1": "shoes", "p2": "shoes", "p3": "hats", "p4": None}
    desk.feed(*(sk.Put("product", name, {"category": category}) for name, category in categories.items()))
    assert desk.members("Best") == ["p1", "p3"]
    assert desk.members("Best with ties") == ["p1", "p2", "p3"]
    assert desk.members("Least sold") == []
    assert desk.feed(sale("p2", 2), sale("p4", 1)) == [
        ("Best", "p1", False),
        ("Best", "p2", True),
        ("Best with ties", "p1", False),
        ("Least sold", "p4", True),
    ]
    assert desk.feed(sk.Update("product", "p2", {"category": "hats"})) == [
        ("Best", "p1", True),
        ("Best", "p3", False),
        ("Best with ties", "p1", True),
        ("Best with ties", "p3", False),
    ]


# -------------------------------------------------------------------------- deals


def test_a_high_value_deal_is_close_to_closing_for_fourteen_civil_days(desk: Desk) -> None:
    """It enters at midnight in Warsaw, two weeks before the day, and leaves when the day begins."""
    desk.define("deal", Closing='value >= 50000 and stage not in ("won", "lost") and closes in the next 14 days')
    closes = date(2026, 12, 10)
    deals = {"big": "50000", "bigger": "80000.50", "small": "49999.99"}
    desk.feed(*(sk.Put("deal", n, {"value": v, "stage": "open", "closes": closes}) for n, v in deals.items()))
    entered = datetime(2026, 11, 25, 23, tzinfo=UTC)
    assert desk.flips_at(entered) == [("Closing", "big", True), ("Closing", "bigger", True)]
    assert desk.feed(sk.Update("deal", "big", {"stage": "won"})) == [("Closing", "big", False)]
    assert desk.flips_at(datetime(2026, 12, 9, 23, tzinfo=UTC)) == [("Closing", "bigger", False)]


def test_moving_a_deal_to_another_contact_flips_both(desk: Desk) -> None:
    desk.define("contact", Selling='any deals[stage = "open"]', Rich='sum(deals[stage = "won"].value) >= 100')
    desk.feed(
        sk.Put("contact", "ada"),
        sk.Put("contact", "bob"),
        sk.Put("deal", "d1", {"stage": "open", "value": 100, "contact": "ada"}),
    )
    assert desk.members("Selling") == ["ada"]
    move = sk.Update("deal", "d1", {"contact": "bob"})
    assert desk.feed(move) == [("Selling", "ada", False), ("Selling", "bob", True)]
    assert desk.feed(sk.Update("deal", "d1", {"stage": "won"})) == [("Rich", "bob", True), ("Selling", "bob", False)]
    assert desk.feed(sk.Update("deal", "d1", {"contact": "ada"})) == [("Rich", "ada", True), ("Rich", "bob", False)]
    assert desk.feed(sk.Update("deal", "d1", {"contact": None})) == [("Rich", "ada", False)]


def test_a_deal_that_moves_there_and_back_in_one_batch_flips_nobody(desk: Desk) -> None:
    desk.define("contact", Selling="any deals")
    desk.feed(sk.Put("contact", "ada"), sk.Put("contact", "bob"), sk.Put("deal", "d1", {"contact": "ada"}))
    there, back = (sk.Update("deal", "d1", {"contact": name}) for name in ("bob", "ada"))
    assert desk.feed(there, back) == []


# -------------------------------------------------------------------------- tasks


def test_a_task_is_overdue_by_time_alone(desk: Desk) -> None:
    """A microsecond after it was due, for the agent that the parameter names and nobody else."""
    desk.engine.define(
        "Overdue", on="task", where="owner = $agent and done is missing and due before now", params={"agent": "agent-7"}
    )
    desk.feed(
        sk.Put("task", "call", {"owner": "agent-7", "due": NOW + DAY}),
        sk.Put("task", "mail", {"owner": "agent-9", "due": NOW + DAY}),
        sk.Put("task", "visit", {"owner": "agent-7", "due": NOW + 2 * DAY}),
        sk.Put("task", "done", {"owner": "agent-7", "due": NOW + DAY, "done": NOW}),
    )
    assert desk.flips_at(NOW + DAY + MICROSECOND) == [("Overdue", "call", True)]
    assert desk.flips_at(NOW + 2 * DAY + MICROSECOND) == [("Overdue", "visit", True)]
    assert desk.feed(sk.Update("task", "call", {"done": desk.clock.now()})) == [("Overdue", "call", False)]
    postponed = sk.Update("task", "visit", {"due": NOW + 5 * DAY})
    assert desk.feed(postponed) == [("Overdue", "visit", False)]
    assert desk.flips_at(NOW + 5 * DAY + MICROSECOND) == [("Overdue", "visit", True)]


def test_deals_of_overdue_tasks_reach_over_two_relations(desk: Desk) -> None:
    """The company's own segment on the contact, whose deal a task is about: three hops, one instant."""
    desk.define("task", Late='deal.contact.company.industry = "SaaS" and due before now')
    desk.feed(
        sk.Put("task", "call", {"deal": "d1", "due": NOW + HOUR}),  # all that it leads to comes later
        sk.Put("deal", "d1", {"contact": "ada"}),
        sk.Put("contact", "ada", {"company": "acme"}),
    )
    desk.quiet_until(NOW + 2 * HOUR)
    assert desk.feed(sk.Put("company", "acme", {"industry": "SaaS"})) == [("Late", "call", True)]
    assert desk.feed(sk.Update("deal", "d1", {"contact": "nobody"})) == [("Late", "call", False)]
    assert desk.feed(sk.Put("contact", "nobody", {"company": "acme"})) == [("Late", "call", True)]


# ------------------------------------------------------------------------ tickets


WAITING = 'priority = "high" and opened more than 4 hours ago and did not reply[by = "agent"]'


@pytest.fixture
def tickets(desk: Desk) -> Desk:
    """Two tickets of high priority, opened an hour apart, and one of low priority."""
    desk.define("ticket", Waiting=WAITING)
    desk.define("contact", Unheard='any tickets[in segment "Waiting"]')
    desk.define("company", Neglected='any contacts[any tickets[in segment "Waiting"]]')
    desk.feed(
        sk.Put("company", "acme"),
        sk.Put("contact", "ada", {"company": "acme"}),
        sk.Put("ticket", "t1", {"priority": "high", "opened": NOW, "contact": "ada"}),
        sk.Put("ticket", "t2", {"priority": "high", "opened": NOW + HOUR, "contact": "ada"}),
        sk.Put("ticket", "t3", {"priority": "low", "opened": NOW, "contact": "ada"}),
    )
    return desk


def test_a_ticket_waits_for_a_first_response_from_four_hours_on(tickets: Desk) -> None:
    """`more than` is a microsecond after; contact and company follow at the same instant, and only once."""
    assert tickets.flips_at(NOW + 4 * HOUR + MICROSECOND) == [
        ("Neglected", "acme", True),
        ("Unheard", "ada", True),
        ("Waiting", "t1", True),
    ]
    assert tickets.flips_at(NOW + 5 * HOUR + MICROSECOND) == [("Waiting", "t2", True)]


def test_a_reply_on_a_ticket_flips_its_company_in_the_same_batch(tickets: Desk) -> None:
    tickets.flips_at(NOW + 4 * HOUR + MICROSECOND)
    customer, agent = (sk.Event("ticket", "t1", "reply", {"by": by}, id=by) for by in ("customer", "agent"))
    assert tickets.feed(customer) == []
    assert tickets.feed(agent) == [("Neglected", "acme", False), ("Unheard", "ada", False), ("Waiting", "t1", False)]
    again = tickets.feed(sk.Retract("ticket", "t1", "agent"))
    assert again == [("Neglected", "acme", True), ("Unheard", "ada", True), ("Waiting", "t1", True)]


def test_a_company_is_neglected_until_all_its_tickets_have_a_reply(tickets: Desk) -> None:
    tickets.flips_at(NOW + 4 * HOUR + MICROSECOND)
    tickets.flips_at(NOW + 5 * HOUR + MICROSECOND)
    replies = [sk.Event("ticket", name, "reply", {"by": "agent"}) for name in ("t1", "t2")]
    assert tickets.feed(replies[0]) == [("Waiting", "t1", False)]
    assert tickets.feed(replies[1]) == [
        ("Neglected", "acme", False),
        ("Unheard", "ada", False),
        ("Waiting", "t2", False),
    ]


def test_a_reply_in_time_keeps_everybody_out(tickets: Desk) -> None:
    replies = [sk.Event("ticket", name, "reply", {"by": "agent"}, at=NOW + 2 * HOUR) for name in ("t1", "t2")]
    assert tickets.feed(*replies) == []
    tickets.quiet_until(NOW + 30 * DAY)


# --------------------------------------------------------- segments built of segments


@pytest.fixture
def champions(desk: Desk) -> Desk:
    """Champions are engaged big spenders; abroad and new champions are built of that segment."""
    desk.define("contact", Engaged="did page_view at least 2 times in the last 7 days")
    desk.define("contact", Spender='sum(deals[stage = "won"].value) >= 1000')
    desk.define("contact", Champion='in segment "Engaged" and in segment "Spender"')
    desk.define("contact", Abroad='in segment "Champion" and country != "PL"')
    desk.define("contact", New='entered segment "Champion" in the last 3 days')
    desk.define("contact", Fallen='was ever in segment "Champion" and not in segment "Champion"')
    desk.feed(
        sk.Put("contact", "ada", {"country": "DE"}),
        sk.Put("deal", "d1", {"stage": "won", "value": 1000, "contact": "ada"}),
        view("ada"),
    )
    return desk


def test_one_event_flips_every_segment_that_is_built_on_it(champions: Desk) -> None:
    """And time alone takes them away: `New` after three days, the others when the views are a week old."""
    champions.quiet_until(NOW + HOUR)
    names = ("Abroad", "Champion", "Engaged", "New")
    assert champions.feed(view("ada")) == [(name, "ada", True) for name in names]
    assert champions.engine.segments_of("contact", "ada") == [*names, "Spender"]
    assert champions.flips_at(NOW + HOUR + 3 * DAY) == [("New", "ada", False)]
    assert champions.flips_at(NOW + 7 * DAY) == [
        ("Abroad", "ada", False),
        ("Champion", "ada", False),
        ("Engaged", "ada", False),
        ("Fallen", "ada", True),
    ]
    champions.quiet_until(NOW + 60 * DAY)


def test_a_deal_flips_the_segments_that_its_contact_is_in(champions: Desk) -> None:
    """Membership history, too: she entered less than three days ago, and is no longer there."""
    champions.feed(view("ada"))
    champions.quiet_until(NOW + HOUR)
    assert champions.feed(sk.Update("deal", "d1", {"value": "999.99"})) == [
        ("Abroad", "ada", False),
        ("Champion", "ada", False),
        ("Fallen", "ada", True),
        ("Spender", "ada", False),
    ]
    assert champions.flips_at(NOW + 3 * DAY) == [("New", "ada", False)]


def test_a_stay_of_no_length_has_not_been(champions: Desk) -> None:
    """Who enters and leaves at one instant has not entered, in one batch or in two."""
    champions.feed(view("ada"))
    assert champions.members("New") == ["ada"]
    assert champions.feed(sk.Update("deal", "d1", {"value": "999.99"})) == [
        ("Abroad", "ada", False),
        ("Champion", "ada", False),
        ("New", "ada", False),
        ("Spender", "ada", False),
    ]
    assert champions.members("Fallen") == []


def test_a_redefinition_flips_what_is_built_on_it_in_the_same_batch(champions: Desk) -> None:
    """All deltas of the call come together; those of the segment itself are marked `backfill`."""
    champions.quiet_until(NOW + HOUR)
    told: list[sk.Delta] = []
    champions.engine.subscribe(told.append)
    champions.engine.redefine("Engaged", where="did page_view in the last 7 days")
    names = ("Abroad", "Champion", "Engaged", "New")
    assert champions.told(told) == [(name, "ada", True) for name in names]
    assert {delta.at for delta in told} == {NOW + HOUR}
    assert all(delta.backfill for delta in told if delta.segment == "Engaged")
    assert champions.flips_at(NOW + HOUR + 3 * DAY) == [("New", "ada", False)]


def test_a_contact_made_again_has_never_been_anywhere(champions: Desk) -> None:
    """A deleted object takes its history with it."""
    champions.quiet_until(NOW + HOUR)
    champions.feed(view("ada"))
    gone = champions.feed(sk.Delete("contact", "ada"))
    assert gone == [(name, "ada", False) for name in ("Abroad", "Champion", "Engaged", "New", "Spender")]
    assert champions.feed(sk.Put("contact", "ada")) == [("Spender", "ada", True)]
    assert champions.members("Fallen") == []
    champions.quiet_until(NOW + 60 * DAY)


# --------------------------------------------------------------- deleting and dangling


def test_deleting_an_object_flips_those_that_pointed_to_it(desk: Desk) -> None:
    """In one batch; and when an object of that id is there again, they point to it still."""
    desk.define("contact", Software='company.industry = "SaaS"', Alone="company is missing")
    desk.feed(
        sk.Put("company", "acme", {"industry": "SaaS"}),
        *(sk.Put("contact", name, {"company": "acme"}) for name in ("ada", "bob")),
        sk.Put("contact", "eve"),
    )
    assert (desk.members("Software"), desk.members("Alone")) == (["ada", "bob"], ["eve"])
    gone = [("Alone", "ada", True), ("Alone", "bob", True), ("Software", "ada", False), ("Software", "bob", False)]
    assert desk.feed(sk.Delete("company", "acme")) == gone
    assert desk.feed(sk.Update("contact", "bob", {"company": None})) == []
    back = desk.feed(sk.Put("company", "acme", {"industry": "SaaS"}))
    assert back == [("Alone", "ada", False), ("Software", "ada", True)]
    swapped = [sk.Delete("company", "acme"), sk.Put("company", "acme", {"industry": "SaaS"})]
    assert desk.feed(*swapped) == []


def test_deleting_a_contact_flips_its_company_and_leaves_its_deals(desk: Desk) -> None:
    desk.define("company", Staffed="count(contacts) >= 2", Selling="any contacts[any deals]")
    desk.define("deal", Orphan="contact is missing")
    desk.feed(
        sk.Put("company", "acme"),
        *(sk.Put("contact", name, {"company": "acme"}) for name in ("ada", "bob")),
        sk.Put("deal", "d1", {"contact": "ada"}),
    )
    assert desk.feed(sk.Delete("contact", "ada")) == [
        ("Orphan", "d1", True),
        ("Selling", "acme", False),
        ("Staffed", "acme", False),
    ]


# ----------------------------------------------------------------- shapes of nesting


def test_a_diamond_flips_once(desk: Desk) -> None:
    """Two ways to the same segment give one delta, and a condition on both never holds in between."""
    desk.define("contact", A="orders > 4")
    desk.define("contact", B='in segment "A"', C='not in segment "A"')
    desk.define(
        "contact",
        Both='in segment "B" and in segment "C"',
        Either='in segment "B" or in segment "C"',
        Mixed='in segment "A" and not in segment "C"',
        Ever='was ever in segment "Both"',
    )
    assert desk.feed(sk.Put("contact", "ada", {"orders": 1})) == [("C", "ada", True), ("Either", "ada", True)]
    assert desk.feed(sk.Update("contact", "ada", {"orders": 5})) == [
        ("A", "ada", True),
        ("B", "ada", True),
        ("C", "ada", False),
        ("Mixed", "ada", True),
    ]
    assert len(list(desk.engine.deltas(after=0))) == 6


def test_a_diamond_over_relations_flips_once(desk: Desk) -> None:
    """A company reached by its own attribute and by its contacts' segment, back to the contacts."""
    desk.define("company", Large="size > 50")
    desk.define("contact", Employed='company[in segment "Large"]')
    desk.define("company", Buying='in segment "Large" and any contacts[in segment "Employed"]')
    desk.define("contact", Colleague='in segment "Employed" and company[in segment "Buying"]')
    desk.feed(sk.Put("company", "acme", {"size": 1}), sk.Put("contact", "ada", {"company": "acme"}))
    names = [("Buying", "acme"), ("Colleague", "ada"), ("Employed", "ada"), ("Large", "acme")]
    for size, enters in ((51, True), (50, False)):
        flips = desk.feed(sk.Update("company", "acme", {"size": size}))
        assert flips == [(*name, enters) for name in names]


def test_fifty_segments_in_a_chain_flip_in_one_batch(desk: Desk) -> None:
    """And at one instant, in an order in which each comes after the one that it refers to."""
    desk.define("contact", s0="orders > 4 or did page_view in the last 2 days")
    for number in range(1, 50):
        desk.define("contact", **{f"s{number}": f'in segment "s{number - 1}"'})
    every = sorted(f"s{number}" for number in range(50))
    desk.feed(sk.Put("contact", "ada", {"orders": 1}))
    assert desk.feed(sk.Update("contact", "ada", {"orders": 5})) == [(name, "ada", True) for name in every]
    assert desk.feed(sk.Update("contact", "ada", {"orders": 4})) == [(name, "ada", False) for name in every]
    assert desk.feed(view("ada")) == [(name, "ada", True) for name in every]
    assert desk.flips_at(NOW + 2 * DAY) == [(name, "ada", False) for name in every]


def test_a_circle_is_refused_with_its_path(desk: Desk) -> None:
    """Nothing changes: the segments keep their filters and their members."""
    desk.define("contact", A="orders > 4")
    desk.define("contact", B='in segment "A" and country = "PL"')
    desk.define("company", C='any contacts[in segment "B"]')
    desk.feed(sk.Put("company", "acme"), sk.Put("contact", "ada", {"orders": 5, "country": "PL", "company": "acme"}))
    for where in ('company[in segment "C"]', 'top 1 by company.count(contacts[in segment "B"])', 'left segment "B"'):
        with pytest.raises(sk.CycleError) as caught:
            desk.engine.redefine("A", where=where)
        path = caught.value.path
        assert path[0] == path[-1]
        assert set(path) == ({"A", "B", "C"} if "C" in where else {"A", "B"})
        assert "A -> " in str(caught.value) or " -> A" in str(caught.value)
    with pytest.raises(sk.CycleError) as caught:
        desk.engine.redefine("A", where='in segment "A"')
    assert caught.value.path == ("A", "A")
    assert desk.feed(sk.Update("contact", "ada", {"orders": 4})) == [
        ("A", "ada", False),
        ("B", "ada", False),
        ("C", "acme", False),
    ]


def test_a_segment_cannot_refer_to_itself_or_to_nobody(desk: Desk) -> None:
    """When it is defined it is not there yet; the type of a segment has to fit, too."""
    for where in ('in segment "A"', 'company[in segment "B"]'):
        with pytest.raises(sk.DefinitionError):
            desk.engine.define("A", on="contact", where=where)
    desk.define("contact", B="true")
    with pytest.raises(sk.FilterTypeError, match="segment 'B' is on 'contact'"):
        desk.engine.define("A", on="company", where='in segment "B"')
    assert [segment.name for segment in desk.engine.segments()] == ["B"]


def test_a_segment_that_others_refer_to_cannot_be_dropped(desk: Desk) -> None:
    """The error names those that do; when they are gone, it goes."""
    desk.define("contact", A="orders > 4")
    desk.define("contact", B='in segment "A"', C='was ever in segment "A"')
    desk.define("company", D='any contacts[in segment "A"]', E='all contacts[in segment "C"]')
    desk.feed(sk.Put("contact", "ada", {"orders": 5}))
    with pytest.raises(sk.DefinitionError) as caught:
        desk.engine.drop("A")
    for name in ("B", "C", "D"):
        assert repr(name) in str(caught.value)
    assert "'E'" not in str(caught.value)
    assert desk.members("A") == ["ada"]
    for name in ("E", "D", "C", "B", "A"):
        desk.engine.drop(name)
    assert desk.engine.segments() == []


def test_a_segment_that_no_longer_refers_to_another_lets_it_go(desk: Desk) -> None:
    desk.define("contact", A="orders > 4")
    desk.define("contact", B='in segment "A"')
    desk.engine.redefine("B", where="orders > 5")
    desk.engine.drop("A")
    assert [segment.name for segment in desk.engine.segments()] == ["B"]
