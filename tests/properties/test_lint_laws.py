"""Laws of the linter: what it claims holds for every object at every instant, by plain evaluation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import attrs
from hypothesis import given, note, strategies as st

import segmentkit as sk
from segmentkit import dsl
from segmentkit.dsl import predicates as p
from segmentkit.dsl.evaluate import DictFacts, EventFact, evaluate
from segmentkit.linting import Finding, lint
from segmentkit.linting._solve import Solver
from segmentkit.schema import Schema
from segmentkit.values import to_micros
from tests.examples import FORMS
from tests.model import ObjectFacts
from tests.properties.test_related_laws import Case, cases as related_cases
from tests.related_strategies import related_predicates
from tests.strategies import OFFSETS, World, facts, worlds
from tests.trees import predicates

# ------------------------------------------------------------ any filter, random facts


@st.composite
def cases(draw: st.DrawFn) -> tuple[World, list[tuple[p.Predicate, bool]], list[ObjectFacts], list[int]]:
    """A world, a few filters with signs, objects, and instants around which they live."""
    world = draw(worlds())
    signed = draw(st.lists(st.tuples(predicates(world, "contact", 1), st.booleans()), min_size=1, max_size=4))
    objects = draw(st.lists(facts(world, "contact"), min_size=3, max_size=3))
    moved = draw(st.lists(st.sampled_from(OFFSETS), min_size=2, max_size=2))
    return world, signed, objects, [world.start, *(to_micros(world.base + offset) for offset in moved)]


@FORMS
@given(cases())
def test_what_is_said_to_exclude_each_other_never_holds_together(
    case: tuple[World, list[tuple[p.Predicate, bool]], list[ObjectFacts], list[int]],
) -> None:
    """No object meets conditions that the solver says exclude each other; it never fails on any condition."""
    world, signed, objects, instants = case
    if not Solver(world.schema.zone).excludes(*signed):
        return
    note([(dsl.format(tree), positive) for tree, positive in signed])
    for known, now in product(objects, instants):
        assert not all(evaluate(tree, known, now, world.schema.zone) == positive for tree, positive in signed)


# --------------------------------------------- filters over small domains, every object

SCHEMA = Schema(
    sk.ObjectType(
        "contact",
        {
            "orders": sk.integer,
            "score": sk.number,
            "plan": sk.choice("free", "pro"),
            "country": sk.text,
            "vip": sk.boolean,
            "seen": sk.instant,
            "tags": sk.text_set,
        },
        {"buy": {"amount": sk.integer}},
    ),
    zone="Europe/Warsaw",
)
NOWS = [to_micros(datetime(2026, 3, day, hour, tzinfo=UTC)) for day, hour in ((1, 12), (29, 1), (31, 22))]
DAY = timedelta(days=1) // timedelta(microseconds=1)

VALUES: dict[str, tuple[Any, ...]] = {
    "orders": (None, 0, 1, 2, 3, 4),
    "score": (None, 0.5, 1.0, 1.5, 2.0, 2.5),
    "plan": (None, "free", "pro"),
    "country": (None, "PL", "pl", "DE", "Plato", ""),
    "vip": (None, True, False),
    "tags": (frozenset(), frozenset("a"), frozenset("b"), frozenset("ab"), frozenset("A")),
}
AGES = (None, -40, -1, 0, 1, 6, 7, 8, 29, 30, 31, 59, 400)
HISTORIES: tuple[tuple[tuple[int, int], ...], ...] = (
    (), ((0, 1),), ((3, 5),), ((8, 1),), ((8, 5),), ((40, 1),), ((400, 5),), ((-2, 5),), ((1, 1), (1, 5)),
    ((1, 5), (2, 5)), ((1, 1), (20, 5), (45, 1)), ((5, 3), (5, 3), (9, 3)),
)  # fmt: skip

LEAVES: dict[str, tuple[str, ...]] = {
    "orders": (
        "orders > {n}", "orders >= {n}", "orders < {n}", "orders = {n}", "orders != {n}", "orders between 1 and {n}",
        "orders in (1, {n})", "orders is known", "orders is missing", "orders not in (0, {n})", "orders + 1 > {n}",
        "orders between {n} and 1", "orders >= {n}.5", "orders = orders", "abs(orders) >= 0",
        "coalesce(orders, 2) = {n}",
    ),
    "score": ("score > {n}", "score <= {n}.5", "score = {n}", "score is missing", "score between 1 and {n}"),
    "plan": ('plan = "free"', 'plan in ("free", "pro")', "plan is known", 'plan != "pro"', 'plan contains "r"'),
    "country": (
        'country = "PL"', 'country = "PL" ignoring case', 'country in ("DE", "PL")', 'country starts with "P"',
        'country contains "L"', 'country contains "l" ignoring case', 'country ends with "L"', "country is missing",
        'country starts with "Pl" ignoring case', 'country contains ""', "length(country) > {n}", 'country < "PL"',
        'country in ("de", "DE") ignoring case', 'country starts with any of ("D", "d")', 'country >= ""',
    ),
    "vip": ("vip", "not vip", "vip = false", "vip is known"),
    "tags": (
        'tags has "a"', 'tags has any of ("a", "b")', 'tags has all of ("a", "b")', 'tags has none of ("a", "b")',
        "tags is empty", "size(tags) > {n}", 'tags has "A" ignoring case', "size(tags) = 0", "size(tags) = {n}",
    ),
    "seen": (
        "seen more than {d} ago", "seen at least {d} ago", "seen in the last {d}", "seen in the next {d}",
        "seen less than {d} ago", "seen between 1 and 8 days ago", "seen in this month", "seen in last month",
        "seen in this year", "seen on today", "seen < now", "seen >= now - {d}", "seen < now - {d}", "seen is missing",
        "seen > 2026-03-29", "seen <= 2026-03-01", "seen on 2026-03-29", "seen before 2026-03-29T01:00:00Z",
        "seen more than {d} from now", "seen in the last 2 calendar weeks", "seen in this week", "seen in this quarter",
        "seen in the last 3 calendar days", "month(seen) = 3", "seen between 2026-03-20 and now",
    ),
    "buy": (
        "did buy", "did buy in the last {d}", "did buy at least {n} times", "did buy at most {n} times in the last {d}",
        "did buy[amount > {n}]", "did buy[amount >= {n}] in the last {d}", "did buy more than {d} ago",
        "did buy on at least {n} days", "did buy on at least {n} days in the last {d}", "did buy in this month",
        "did buy in last month", "did buy between 1 and 8 days ago", "did buy in the next {d}", "max(buy.amount) > {n}",
        "first(buy) is missing", "last(buy in the last {d}) is known",
        "last(buy) in the last {d}", "sum(buy.amount) > {n}", "did buy since 2026-03-20",
        "did buy before 2026-03-01", "did buy between 2026-03-01 and 2026-03-20", "did buy today",
        "did buy exactly {n} times",
        "did buy[amount = 1 or amount = 5] at least {n} times", "avg(buy.amount in the last {d}) <= {n}",
    ),
}  # fmt: skip


@st.composite
def leaves(draw: st.DrawFn, about: str) -> str:
    """The text of a condition on one thing; sometimes negated."""
    template = draw(st.sampled_from(LEAVES[about]))
    number = draw(st.integers(0, 4))
    length = draw(st.sampled_from(("1 day", "7 days", "30 days", "1 month", "2 months", "1 week", "1 year")))
    text = template.format(n=number, d=length)
    return f"not ({text})" if draw(st.booleans()) else text


@st.composite
def filters(draw: st.DrawFn, count: int = 1) -> tuple[list[str], list[str]]:
    """What filters are about, and the text of each."""
    about = draw(st.lists(st.sampled_from(sorted(LEAVES)), min_size=1, max_size=2, unique=True))
    condition = st.sampled_from(about).flatmap(leaves)
    deeper = st.recursive(
        condition,
        lambda inner: st.tuples(st.sampled_from(("and", "or")), st.lists(inner, min_size=2, max_size=3)).map(
            lambda pair: f"({f' {pair[0]} '.join(pair[1])})"
        ),
        max_leaves=5,
    )
    return about, [draw(deeper) for _ in range(count)]


def everyone(about: list[str], now: int) -> list[DictFacts]:
    """All objects over the values of what a filter is about."""
    choices: list[list[tuple[str, Any]]] = []
    for name in about:
        if name == "seen":
            at = [None if age is None else now - age * DAY + nudge for age in AGES for nudge in (-1, 0, 1)]
            choices.append([("seen", value) for value in dict.fromkeys(at)])
        elif name == "buy":
            choices.append([("buy", history) for history in HISTORIES])
        else:
            choices.append([(name, value) for value in VALUES[name]])
    return [_facts(dict(chosen), now) for chosen in product(*choices)]


def _facts(chosen: dict[str, Any], now: int) -> DictFacts:
    history = chosen.pop("buy", ())
    events = [EventFact(now - age * DAY, f"e{i}", {"amount": amount}) for i, (age, amount) in enumerate(history)]
    return DictFacts({name: value for name, value in chosen.items() if value is not None}, {"buy": events})


def truths(tree: p.Predicate, about: list[str]) -> list[bool]:
    """The truth of a filter for everyone at all instants."""
    return [evaluate(tree, known, now, SCHEMA.zone) for now in NOWS for known in everyone(about, now)]


def at_place(tree: p.Predicate, finding: Finding) -> p.Predicate:
    """The outermost predicate that a finding points at."""
    return next(n for n in p.iter_nodes(tree) if n.span == (finding.start, finding.end))  # type: ignore[return-value]


def without(tree: p.Predicate, place: tuple[int, int]) -> p.Predicate:
    """The tree with one item of a conjunction or disjunction left out."""
    match tree:
        case p.And(items) | p.Or(items):
            kept = tuple(without(item, place) for item in items if item.span != place)
            assert kept
            return kept[0] if len(kept) == 1 else attrs.evolve(tree, items=kept)
        case p.Not(item):
            return attrs.evolve(tree, item=without(item, place))
        case _:
            return tree


@FORMS
@given(filters())
def test_findings_are_true_of_every_object(case: tuple[list[str], list[str]]) -> None:
    """What always holds, or never, does; what is redundant can be left out: for all objects of small domains."""
    about, (text,) = case
    tree = dsl.parse(text, SCHEMA, "contact")
    found = lint(text, SCHEMA, "contact")
    expected = truths(tree, about) if found else []
    for finding in found:
        note(finding.render(text))
        place = (finding.start, finding.end)
        node = at_place(tree, finding)
        match finding.code:
            case "always-true" | "always-false" if "filter" in finding.reason or node is tree:
                assert set(expected) == {finding.code == "always-true"}
            case "always-false":
                assert not any(truths(node, about))
            case "redundant":
                assert truths(without(tree, place), about) == expected
            case "contradiction" if "alternative" in finding.reason:
                assert truths(without(tree, place), about) == expected
            case "contradiction" if "no contact" in finding.reason:
                assert not any(expected)
            case _:
                continue


@FORMS
@given(filters(2))
def test_segments_that_hold_each_other_do_so_for_every_object(case: tuple[list[str], list[str]]) -> None:
    """A filter within a segment, or around it, is so for all objects of small domains."""
    about, texts = case
    tree, other = (dsl.parse(text, SCHEMA, "contact") for text in texts)
    said = {f.code for f in lint(tree, SCHEMA, "contact", segments={"Other": other}) if f.segment is not None}
    if not said:
        return
    note(texts)
    pairs = set(zip(truths(tree, about), truths(other, about), strict=True))
    if "same-as-segment" in said:
        assert not pairs & {(True, False), (False, True)}
    if "within-segment" in said:
        assert (True, False) not in pairs
    if "holds-segment" in said:
        assert (False, True) not in pairs


@FORMS
@given(filters(2))
def test_the_solver_sees_through_connectives(case: tuple[list[str], list[str]]) -> None:
    """`A and B` excludes `not A`, and `A` excludes `not (A or B)`."""
    a, b = (dsl.parse(text, SCHEMA, "contact") for text in case[1])
    solver = Solver(SCHEMA.zone)
    assert solver.excludes((a, True), (b, True), (a, False))
    assert solver.excludes((a, True), (p.Or((a, b)), False))
    assert solver.excludes((p.And((a, b)), True), (a, False))


# -------------------------------------------------------------------------------- related


@FORMS
@given(related_cases(), st.data())
def test_what_excludes_each_other_over_relations_never_holds_together(case: Case, data: st.DataObject) -> None:
    """The same over related objects, segments and ranks, with what the segments stand for."""
    world, on = case.world, case.on
    other = data.draw(related_predicates(world, on, case.segments, depth=1))
    segments = {name: case.model.definitions[name].tree for name, of in case.segments.items() if of == on}
    signed = [(case.tree, data.draw(st.booleans())), (other, data.draw(st.booleans()))]
    if not Solver(world.schema.zone, segments=segments).excludes(*signed):
        return
    note([(dsl.format(tree), positive) for tree, positive in signed])
    everybody = {object_id for of, object_id in case.model.objects if of == on}
    for object_id in everybody:
        known = case.model.facts(on, object_id)
        assert not all(evaluate(tree, known, case.model.now, world.schema.zone) == sign for tree, sign in signed)
