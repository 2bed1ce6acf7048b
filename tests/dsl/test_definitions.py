"""Files of named segments: what they say, and what is wrong with them."""

from __future__ import annotations

import pytest

from segmentkit.dsl import parse
from segmentkit.dsl.definitions import MAX_FILE, Definition, in_order, parse_definitions
from segmentkit.dsl.predicates import Duration
from segmentkit.errors import CycleError, FilterSyntaxError, FilterTypeError, LimitError
from tests.dsl.shop import SCHEMA
from tests.snapshots.compare import assert_matches, names

FILE = """\
# segments of the shop
segment "Retention" on contact
  describe "Bought more than four times, quiet since"   # for the panel
  hide from "agent-7", "agent-9"
  refresh every 4 hours
  tags "crm", "mail", "crm"
  where orders > 4
    and last_visit more than 40 days ago

SEGMENT 'New' ON contact WHERE signup in the last 30 days segment "Big" on `contact`
where orders > 1_000
"""


def test_a_file_holds_segments_in_order() -> None:
    """Every clause has its field; what is not written has its default."""
    retention, new, big = parse_definitions(FILE, "shop.seg")
    assert retention == Definition(
        name="Retention",
        on="contact",
        where="orders > 4\n    and last_visit more than 40 days ago",
        where_offset=FILE.index("orders > 4"),
        description="Bought more than four times, quiet since",
        hidden_from=frozenset({"agent-7", "agent-9"}),
        refresh=Duration(4, "hour"),
        tags=("crm", "mail"),
    )
    assert new == Definition("New", "contact", "signup in the last 30 days", FILE.index("signup in"))
    assert (big.name, big.on, big.where) == ("Big", "contact", "orders > 1_000")
    assert (new.description, new.hidden_from, new.refresh, new.tags) == ("", frozenset(), None, ())


@pytest.mark.parametrize("text", ["", "  \n", "# nothing yet\n"])
def test_a_file_may_be_empty(text: str) -> None:
    """Nothing is no problem."""
    assert parse_definitions(text) == []


def test_a_file_may_come_from_another_system() -> None:
    """A byte order mark and line ends of two characters are space."""
    (definition,) = parse_definitions("\ufeffsegment 'A' on contact # x\r\n  where orders > 3\r\n    and true\r\n")
    assert definition.parse(SCHEMA) == parse("orders > 3 and true", SCHEMA, "contact")


def test_the_filter_of_a_definition_stands_where_its_offset_says() -> None:
    """Hosts show the file around a filter."""
    for definition in parse_definitions(FILE):
        end = definition.where_offset + len(definition.where)
        assert FILE[definition.where_offset : end] == definition.where


def test_a_definition_parses_to_the_tree_of_its_filter() -> None:
    """The region of the file and the filter alone mean the same."""
    for definition in parse_definitions(FILE):
        assert definition.parse(SCHEMA) == parse(definition.where, SCHEMA, definition.on)


def test_problems_of_a_filter_are_placed_in_its_file() -> None:
    """Line and column are those an editor jumps to, and the report shows the line of the file."""
    text = "\n\nsegment 'A' on contact\n  where true\n    and ordrs > 3 and tags = 'x'\n# end\n"
    (definition,) = parse_definitions(text, "shop.seg")
    with pytest.raises(FilterTypeError) as caught:
        definition.parse(SCHEMA)
    assert [(p.line, p.column) for p in caught.value.problems] == [(5, 9), (5, 30)]
    assert str(caught.value).startswith(
        "shop.seg, line 5, column 9: unknown attribute 'ordrs' of 'contact'\n        and ordrs > 3"
    )


def test_parameters_of_a_definition_come_from_the_host() -> None:
    """A definition is a filter with a name; its parameters are given when it is defined."""
    (definition,) = parse_definitions("segment 'Mine' on contact where country = $country")
    assert definition.parse(SCHEMA, {"country": "PL"}) == parse("country = 'PL'", SCHEMA, "contact")


def test_a_segment_in_a_filter_begins_no_definition() -> None:
    """`in segment "X"` is part of a filter."""
    text = "segment 'A' on contact where in segment 'B' and entered segment 'B' and left segment 'B'"
    (definition,) = parse_definitions(text)
    assert definition.where == "in segment 'B' and entered segment 'B' and left segment 'B'"


def test_an_attribute_may_be_called_segment() -> None:
    """Only `segment` before a text begins a definition."""
    (definition,) = parse_definitions("segment 'A' on contact where segment = 'B' and where = 3 and describe > 2")
    assert definition.where == "segment = 'B' and where = 3 and describe > 2"


MALFORMED = {
    "something before the first segment": "orders > 3\nsegment 'A' on contact where true",
    "segment without a name": "segment on contact where true",
    "segment with an empty name": "segment '' on contact where true",
    "segment without a type": "segment 'A' where true",
    "segment without where": "segment 'A' on contact\n  describe 'x'\n\nsegment 'B' on contact where true",
    "where without a filter": "segment 'A' on contact where\nsegment 'B' on contact where true",
    "unknown clause": "segment 'A' on contact\n  descibe 'x'\n  where true",
    "clause behind where": "segment 'A' on contact where true\n  describe 'x'",
    "clause twice": "segment 'A' on contact\n  tags 'a'\n  tags 'b'\n  where true",
    "name twice": "segment 'A' on contact where true\n\nsegment 'A' on contact where false",
    "hide without from": "segment 'A' on contact hide 'x' where true",
    "hide without quotes": "segment 'A' on contact hide from x where true",
    "refresh without unit": "segment 'A' on contact refresh every 4 where true",
    "refresh never": "segment 'A' on contact refresh every 0 hours where true",
    "refresh in parts": "segment 'A' on contact refresh every 1.5 hours where true",
    "unclosed description": "segment 'A' on contact\n  describe 'x\n  where true\nsegment 'B' on contact where tru",
    "filter with a mistake": "segment 'A' on contact\n  where orders == 3\n",
    "every definition has its own": (
        "segment 'A' on contact where orders >\n"
        "segment 'B' in contact where true\n"
        "segment 'C' on contact where (true\n"
        "segment 'D' on contact where true\n"
        "segment 'D' on contact where country is null\n"
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_wrong_with_a_file_is_said_in_words(name: str) -> None:
    """All problems of a file are reported together, each in its place."""
    with pytest.raises(FilterSyntaxError) as caught:
        parse_definitions(MALFORMED[name], "shop.seg")
    assert_matches("definitions.txt", name, str(caught.value))


def test_segments_of_a_file_come_after_those_they_refer_to() -> None:
    """Whatever their order in the file, which is kept where it may be."""
    text = """
        segment "D" on contact where in segment "B" and in segment "C"
        segment "C" on contact where left segment "A"
        segment "E" on contact where in segment "elsewhere"
        segment "B" on contact where was ever in segment "A"
        segment "A" on contact where true
    """
    ordered = in_order((d, d.parse(SCHEMA)) for d in parse_definitions(text))
    assert [definition.name for definition, _ in ordered] == ["A", "B", "C", "D", "E"]


def test_a_circle_is_placed_at_a_reference() -> None:
    """Line and column are those of the reference with which the circle begins."""
    text = 'segment "A" on contact where true\n  and in segment "B"\nsegment "B" on contact where in segment "A"\n'
    with pytest.raises(CycleError) as caught:
        in_order([(d, d.parse(SCHEMA)) for d in parse_definitions(text, "shop.seg")])
    assert caught.value.path == ("A", "B", "A")
    assert str(caught.value) == (
        "shop.seg, line 2, column 7: segments refer to each other in a circle: A -> B -> A\n"
        '      and in segment "B"\n'
        "          ^^^^^^^^^^^^^^\n"
        "say what one of them means without the next"
    )


def test_every_snapshot_has_its_file() -> None:
    """A message that nobody compares any more does not stay in the file."""
    assert names("definitions.txt") == MALFORMED.keys()


def test_a_filter_over_a_limit_is_placed_in_its_file() -> None:
    """Limits of filters hold in files too."""
    with pytest.raises(LimitError, match="nested more than 200 deep at line 2, column 230"):
        parse_definitions("# deep\nsegment 'A' on contact where " + "(" * 201)


def test_a_file_has_a_limit() -> None:
    """Nobody feeds a core dump by mistake."""
    with pytest.raises(LimitError, match="10,000,000"):
        parse_definitions(" " * (MAX_FILE + 1))
