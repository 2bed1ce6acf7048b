"""The formatter of definition files: one layout, nothing lost, nothing said differently."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import segmentkit as sk
from segmentkit.dsl._layout import format_file
from segmentkit.dsl._scan import scan
from segmentkit.dsl.definitions import parse_definitions
from tests.forms.shop import FILTERS, SHOP

BEFORE = """\
# Segments of the shop
#and of nobody else

# the good ones
Segment "Loyal" ON contact describe "x" # says
 hide FROM "b","a"
  refresh every 4 hours TAGS "t" , "u"
# before where
where orders>4 AND (country in("PL", "DE") or -score<-1 and visits between -1 and 3 and now-signup > 3 days-1 days) # tail

 # own
 and sum(purchase[category="shoes" and amount > object.cost].amount in the last 90 days)>=500 or at least 2 of (orders=1, orders  = 2,
 # inner
 orders=3) and country in ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","ccccccccccccccccccccccccccccccccc")
segment "Two" on contact where orders>4
# the end
"""  # noqa: E501

AFTER = """\
# Segments of the shop
# and of nobody else

# the good ones
segment "Loyal" on contact
  describe "x"  # says
  hide from "b", "a"
  refresh every 4 hours
  tags "t", "u"
  # before where
  where orders > 4
    and (
      country in ("PL", "DE")
      or -score < -1
      and visits between -1 and 3
      and now - signup > 3 days - 1 days
    )  # tail
    # own
    and sum(purchase[category = "shoes" and amount > object.cost].amount in the last 90 days) >= 500
    or at least 2 of (
      orders = 1,
      orders = 2,
      # inner
      orders = 3
    )
    and country in (
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
      "ccccccccccccccccccccccccccccccccc"
    )

segment "Two" on contact
  where orders > 4
# the end
"""


def test_a_file_is_laid_out_in_one_way() -> None:
    assert format_file(BEFORE) == AFTER
    assert format_file(AFTER) == AFTER


def test_laying_out_changes_no_filter() -> None:
    for before, after in zip(parse_definitions(BEFORE), parse_definitions(AFTER), strict=True):
        assert before.parse(SHOP) == after.parse(SHOP)
        assert (before.name, before.on, before.tags, before.refresh) == (
            after.name,
            after.on,
            after.tags,
            after.refresh,
        )


@pytest.mark.parametrize("text", FILTERS)
def test_every_filter_keeps_its_words(text: str) -> None:
    """Only blanks, line breaks and the case of keywords differ; the tree is the same."""
    file = f'segment "A" on contact where {text}'
    laid_out = format_file(file)
    assert [token.lower for token in scan(laid_out).tokens] == [token.lower for token in scan(file).tokens]
    assert parse_definitions(laid_out)[0].parse(SHOP) == sk.parse(text, SHOP, on="contact")
    assert format_file(laid_out) == laid_out
    # the canonical text has its blanks where the formatter has them
    flat = sk.format(sk.parse(text, SHOP, on="contact"))
    spread = parse_definitions(format_file(f'segment "A" on contact where {flat}'))[0].where
    assert " ".join(spread.split()) == flat


@pytest.mark.parametrize("spot", range(40))
def test_a_comment_anywhere_is_kept_once(spot: int) -> None:
    tokens = scan(AFTER).tokens
    at = tokens[spot * len(tokens) // 40].end
    for comment in (" # kept here\n", "\n# kept here\n"):
        text = AFTER[:at] + comment + AFTER[at:]
        laid_out = format_file(text)
        assert laid_out.count("# kept here") == 1
        assert laid_out.count("#") == text.count("#")
        assert format_file(laid_out) == laid_out
        assert [t.text for t in scan(laid_out).tokens] == [t.text for t in tokens]


@pytest.mark.parametrize(
    ("text", "laid_out"), [("", ""), ("\n\n", ""), ("#only\n\n\n#comments", "# only\n\n# comments\n")]
)
def test_files_without_segments(text: str, laid_out: str) -> None:
    assert format_file(text) == laid_out
    assert format_file(laid_out) == laid_out


def test_a_file_that_cannot_be_read_is_not_laid_out() -> None:
    with pytest.raises(sk.FilterSyntaxError, match=r"a\.seg, line 2"):
        format_file('segment "A" on contact\nwhere orders >> 4', "a.seg")


def test_what_an_engine_exports_defines_equal_segments(tmp_path: Path) -> None:
    clock = sk.ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    engine = sk.Engine(SHOP, clock=clock)
    engine.define("Loyal \"ones\"", on="contact", where="orders > 4 # many\n and consent", description="Two\nlines",
                  hidden_from={"b", "a"}, refresh="4 hours", tags=("x", "y"))  # fmt: skip
    engine.define("Of parameters", on="contact", where="country in $all", params={"all": ["PL", "DE"]})
    engine.define("A tree", on="company", where=sk.parse("size > 3", SHOP, on="company"))
    path = tmp_path / "export.seg"
    path.write_text(engine.export_definitions(), encoding="utf-8")
    other = sk.Engine(SHOP, clock=clock)
    other.define_file(path)

    def parts(segment: sk.Segment) -> tuple[object, ...]:
        s = segment
        return s.name, s.object_type, s.tree, s.description, s.hidden_from, s.refresh, s.tags

    assert list(map(parts, other.segments())) == list(map(parts, engine.segments()))
    assert other.export_definitions() == engine.export_definitions()
    assert 'segment "A tree"' not in engine.export_definitions(on="contact")
    assert "Loyal" not in engine.export_definitions(visible_to="a")
