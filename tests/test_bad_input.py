"""What is refused: each wrong fact or filter is a clear error, changes nothing, and leaves the engine usable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import segmentkit as sk
from segmentkit.values import MAX_TEXT

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NAIVE = datetime(2026, 11, 22)  # noqa: DTZ001  # being naive is the point


@pytest.fixture
def engine() -> sk.Engine:
    """An engine with one segment and one member."""
    contact = sk.ObjectType(
        "contact",
        attributes={
            "orders": sk.integer,
            "score": sk.number,
            "spend": sk.decimal,
            "email": sk.text,
            "plan": sk.choice("free", "pro"),
            "consent": sk.boolean,
            "seen": sk.instant,
            "birthday": sk.date,
            "tags": sk.text_set,
            "place": sk.point,
        },
        events={"purchase": {"amount": sk.decimal}},
    )
    engine = sk.Engine(sk.Schema(contact), clock=sk.ManualClock(NOW))
    engine.define("buyers", on="contact", where="orders >= 1")
    engine.put("contact", "c1", orders=1)
    return engine


def check_unchanged(engine: sk.Engine) -> None:
    """The one member is still there, nothing was logged since, and the engine works on."""
    assert set(engine.members("buyers")) == {"c1"}
    assert [delta.object for delta in engine.deltas(after=0)] == ["c1"]
    engine.check_invariants()
    (delta,) = engine.put("contact", "c9", orders=7)
    assert (delta.object, delta.entered, delta.seq) == ("c9", True, 2)


# --------------------------------------------------------------------------------- facts

WRONG_VALUES: list[tuple[str, Any]] = [
    ("orders", "5"),
    ("orders", 5.0),
    ("orders", True),
    ("orders", 10**1001),
    ("score", float("nan")),
    ("score", float("inf")),
    ("score", float("-inf")),
    ("score", False),
    ("score", Decimal(1)),
    ("score", 2**53 + 1),
    ("spend", Decimal("NaN")),
    ("spend", Decimal("Infinity")),
    ("spend", True),
    ("spend", "ten"),
    ("spend", "1e2000"),
    ("email", 5),
    ("email", b"a@example.com"),
    ("email", "x" * (MAX_TEXT + 1)),
    ("email", "\ud800"),
    ("plan", "gold"),
    ("consent", 1),
    ("consent", "true"),
    ("seen", NAIVE),
    ("seen", "2026-11-22T00:00:00Z"),
    ("seen", 1_700_000_000),
    ("birthday", NOW),
    ("birthday", "2026-11-22"),
    ("tags", "vip"),
    ("tags", frozenset({5})),
    ("place", (91.0, 0.0)),
    ("place", (0.0, 180.1)),
    ("place", (float("nan"), 0.0)),
    ("place", (True, 0.0)),
    ("place", (1.0, 2.0, 3.0)),
    ("nickname", "x"),
]


@pytest.mark.parametrize(("name", "value"), WRONG_VALUES, ids=lambda part: repr(part)[:30])
@pytest.mark.parametrize("change", [sk.Put, sk.Update])
def test_a_wrong_value_refuses_its_batch(engine: sk.Engine, change: Any, name: str, value: Any) -> None:
    """DataError names object, attribute, value and place; what stood before it in the batch is not applied."""
    with pytest.raises(sk.DataError) as caught:
        engine.apply([sk.Put("contact", "c2", {"orders": 3}), change("contact", "c1", {name: value})])
    error = caught.value
    assert (error.object_type, error.object_id, error.name, error.position) == ("contact", "c1", name, 2)
    assert name in str(error)
    assert len(str(error)) < 500
    check_unchanged(engine)


WRONG_CHANGES: dict[str, Callable[[], Any]] = {
    "unknown type": lambda: sk.Put("visitor", "v1", {}),
    "unknown event": lambda: sk.Event("contact", "c1", "login", {}, at=NOW),
    "unknown property": lambda: sk.Event("contact", "c1", "purchase", {"price": 1}, at=NOW),
    "wrong property": lambda: sk.Event("contact", "c1", "purchase", {"amount": float("nan")}, at=NOW),
    "properties in a list": lambda: sk.Event("contact", "c1", "purchase", [], at=NOW),  # type: ignore[arg-type]
    "attributes in a list": lambda: sk.Update("contact", "c1", []),  # type: ignore[arg-type]
    "naive event": lambda: sk.Event("contact", "c1", "purchase", {}, at=NAIVE),
    "event of an unknown object": lambda: sk.Event("contact", "nobody", "purchase", {}, at=NOW),
    "update of an unknown object": lambda: sk.Update("contact", "nobody", {"orders": 1}),
    "retracting an unknown event": lambda: sk.Retract("contact", "c1", "e1"),
    "retracting from an unknown object": lambda: sk.Retract("contact", "nobody", "e1"),
    "deleting an unknown object": lambda: sk.Delete("contact", "nobody"),
    "an id that is no text": lambda: sk.Put("contact", 5, {}),  # type: ignore[arg-type]
    "an empty id": lambda: sk.Put("contact", "", {}),
    "no change at all": lambda: "put c1",
}


@pytest.mark.parametrize("make", WRONG_CHANGES.values(), ids=WRONG_CHANGES)
def test_a_wrong_change_refuses_its_batch(engine: sk.Engine, make: Callable[[], Any]) -> None:
    """DataError, and nothing of the batch is applied: neither what stands before nor after."""
    with pytest.raises(sk.DataError):
        engine.apply([sk.Put("contact", "c2", {"orders": 3}), make(), sk.Put("contact", "c3", {"orders": 3})])
    check_unchanged(engine)


@pytest.mark.parametrize("make", WRONG_CHANGES.values(), ids=WRONG_CHANGES)
def test_a_wrong_change_is_refused_alone(engine: sk.Engine, make: Callable[[], Any]) -> None:
    """As the first of its batch, though a batch of one has a way of its own."""
    with pytest.raises(sk.DataError, match=r"^change 1 of the batch"):
        engine.apply([make()])
    check_unchanged(engine)


def test_an_event_id_with_other_content_is_refused(engine: sk.Engine) -> None:
    """The same id with the same content is ignored, with other content it is a DataError."""
    event = sk.Event("contact", "c1", "purchase", {"amount": "5"}, at=NOW, id="e1")
    engine.apply([event])
    assert list(engine.apply([event, event])) == []
    with pytest.raises(sk.DataError, match="e1"):
        engine.apply([sk.Event("contact", "c1", "purchase", {"amount": "6"}, at=NOW, id="e1")])
    check_unchanged(engine)


# ------------------------------------------------------------------------------- filters

WRONG_FILTERS: dict[str, tuple[str, type[Exception]]] = {
    "nothing": ("", sk.FilterSyntaxError),
    "half a comparison": ("orders >", sk.FilterSyntaxError),
    "an open parenthesis": ("(orders > 1", sk.FilterSyntaxError),
    "an open text": ('email = "x', sk.FilterSyntaxError),
    "unknown attribute": ("order > 1", sk.UnknownNameError),
    "unknown event": ("did login", sk.UnknownNameError),
    "unknown property": ("did purchase[price > 1]", sk.UnknownNameError),
    "text for a number": ('orders > "1"', sk.FilterTypeError),
    "boolean for a number": ("orders = true", sk.FilterTypeError),
    "number for a boolean": ("consent = 1", sk.FilterTypeError),
    "unknown choice": ('plan = "gold"', sk.FilterTypeError),
    "number as a condition": ("orders", sk.FilterTypeError),
    "a naive instant": ("seen > 2026-11-22T00:00:00", sk.FilterSyntaxError),
    "an unknown zone": ('seen on today in zone "Europe/Atlantis"', sk.FilterTypeError),
}


@pytest.mark.parametrize(("where", "error"), WRONG_FILTERS.values(), ids=WRONG_FILTERS)
def test_a_wrong_filter_defines_nothing(engine: sk.Engine, where: str, error: type[Exception]) -> None:
    """The error points into the text, and the name stays free."""
    with pytest.raises(error) as caught:
        engine.define("new", on="contact", where=where)
    assert isinstance(caught.value, sk.SegmentKitError)
    assert "line 1" in str(caught.value)
    engine.define("new", on="contact", where="true")
    engine.drop("new")
    assert set(engine.members("buyers")) == {"c1"}
    engine.check_invariants()


@pytest.mark.parametrize(
    "where",
    [
        "(" * 100_000 + "orders > 1" + ")" * 100_000,
        "(" * 100_000,
        "not " * 100_000 + "consent",
        "-" * 100_000 + "orders > 1",
        "orders > 1" + " + 1" * 100_000,
        " or ".join(["orders = 1"] * 10_001),
        "orders in (" + ", ".join(["1"] * 200_000) + ")",
    ],
    ids=["parentheses", "open", "not", "minus", "sum", "conditions", "options"],
)
def test_a_filter_over_the_limits_is_refused(engine: sk.Engine, where: str) -> None:
    """LimitError or a syntax error, quickly, in a message of a screen's size; never a RecursionError."""
    with pytest.raises((sk.LimitError, sk.FilterSyntaxError)) as caught:
        engine.define("new", on="contact", where=where)
    assert len(str(caught.value)) < 2_000
    check_unchanged(engine)


def test_ten_thousand_conditions_are_allowed(engine: sk.Engine) -> None:
    """The limit itself is within the limit."""
    engine.define("new", on="contact", where=" or ".join(f"orders = {n}" for n in range(10_000)))
    assert set(engine.members("new")) == {"c1"}
    engine.put("contact", "c2", orders=9_999)
    engine.put("contact", "c3", orders=10_000)
    assert set(engine.members("new")) == {"c1", "c2"}
    engine.check_invariants()


def test_unknown_segments_and_types_are_named(engine: sk.Engine) -> None:
    """Reading or dropping a segment nobody defined, or defining on an unknown type, is an error of the tree."""
    for wrong in (
        lambda: engine.members("nothing"),
        lambda: engine.drop("nothing"),
        lambda: engine.define("new", on="visitor", where="true"),
    ):
        with pytest.raises(sk.SegmentKitError):
            wrong()
    check_unchanged(engine)
