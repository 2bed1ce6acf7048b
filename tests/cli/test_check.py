from __future__ import annotations

from tests.cli.shop import Shop


def test_a_project_without_problems_ends_with_status_zero(shop: Shop) -> None:
    result = shop.call("check", shop.folder)
    assert (result.status, result.out, result.err) == (0, "2 segments in 1 file: no problems\n", "")


def test_all_problems_of_all_files_are_shown_with_carets(shop: Shop) -> None:
    first = shop.write(
        "first.seg", 'segment "A" on contact\n  where cuntry = "PL"\n    and sum(purchase.amount) > true\n'
    )
    second = shop.write("second.seg", 'segment "B" on contact\n  where country = \n')
    third = shop.write("third.seg", 'segment "A" on kontact where true\n')
    result = shop.call("check", first, second, third, "--schema", shop.folder / "schema.toml")
    assert result.status == 1
    assert f"{first}, line 2, column 9: unknown" in result.out
    assert "      where cuntry = \"PL\"\n            ^^^^^^\ndid you mean 'country'?\n" in result.out
    assert f"{first}, line 3, column 32: cannot compare" in result.out
    assert f"{second}, line " in result.out
    assert f"{third}: segment 'A' is defined in {first} already" in result.out
    assert f"{third}, segment 'A': unknown object type 'kontact'; did you mean 'contact'?" in result.out
    assert result.lines[-1] == "2 segments in 3 files: 5 problems"


def test_segments_may_refer_to_each_other_in_any_order_and_over_files(shop: Shop) -> None:
    first = shop.write("first.seg", 'segment "A" on contact where in segment "B" and entered segment "C"\n')
    second = shop.write(
        "second.seg", 'segment "B" on contact where not in segment "C"\nsegment "C" on contact where true\n'
    )
    schema = shop.folder / "schema.toml"
    together = shop.call("check", first, second, "--schema", schema)
    assert (together.status, together.out) == (0, "3 segments in 2 files: no problems\n")
    alone = shop.call("check", first, "--schema", schema)
    assert alone.status == 1
    assert f"{first}, line 1, column 41: unknown segment 'B'" in alone.out
    assert f"{first}, line 1, column 65: unknown segment 'C'" in alone.out


def test_lint_looks_into_segments_of_the_file(shop: Shop) -> None:
    path = shop.write(
        "a.seg",
        'segment "A" on contact where in segment "B" or did purchase\nsegment "B" on contact where country = "PL"\n'
        'segment "C" on contact where in segment "B" and country = "DE"\n',
    )
    result = shop.call("check", path, "--lint", "--schema", shop.folder / "schema.toml")
    assert result.status == 0
    assert f"{path}, line 3" in result.out
    assert result.lines[-1].startswith("3 segments in 1 file: no problems, 1 warning")


def test_a_reference_to_a_segment_on_another_type_is_a_problem(shop: Shop) -> None:
    path = shop.write("a.seg", 'segment "A" on contact where in segment "B"\nsegment "B" on company where true\n')
    result = shop.call("check", path, "--schema", shop.folder / "schema.toml")
    assert result.status == 1
    assert "segment 'B' is on 'company', and this is a condition on 'contact'" in result.out


def test_a_circle_is_shown_with_its_path_and_place(shop: Shop) -> None:
    path = shop.write(
        "a.seg",
        'segment "A" on contact where true\n'
        'segment "B" on contact where in segment "A" and in segment "C"\n'
        'segment "C" on contact where country = "PL" or left segment "B" in the last 2 days\n',
    )
    result = shop.call("check", path, "--schema", shop.folder / "schema.toml")
    assert result.status == 1
    assert f"{path}, line 2, column 49: segments refer to each other in a circle: B -> C -> B\n" in result.out
    assert result.lines[-1] == "3 segments in 1 file: 1 problem"


def test_a_file_with_a_mistake_hides_no_names_from_the_others(shop: Shop) -> None:
    """Its segments are not known, so that references to them are no problem of their own."""
    broken = shop.write("broken.seg", 'segment "B" on contact where country = \n')
    path = shop.write("a.seg", 'segment "A" on contact where in segment "B"\n')
    result = shop.call("check", path, broken, "--schema", shop.folder / "schema.toml")
    assert (result.status, result.lines[-1]) == (1, "1 segment in 2 files: 1 problem")


def test_a_missing_file_or_schema_ends_with_status_two(shop: Shop) -> None:
    missing = shop.call("check", "none.seg", "--schema", shop.folder / "schema.toml")
    assert (missing.status, missing.err) == (2, "segmentkit: cannot read none.seg: No such file or directory\n")
    without = shop.call("check", shop.folder / "segments.seg")
    assert without.status == 2
    assert "--schema FILE" in without.err


def test_a_file_that_is_not_text_is_one_clean_message(shop: Shop) -> None:
    path = shop.folder / "a.seg"
    path.write_bytes(b"\xff\xfe")
    result = shop.call("check", path, "--schema", shop.folder / "schema.toml")
    assert result.status == 2
    assert f"{path}: not text in UTF-8" in result.err


LINTED = """
segment "Many" on contact
  where count(purchase) > 5 and count(purchase) > 3

segment "More" on contact
  where did purchase at least 7 times and country = "PL"

segment "Abroad" on contact
  where country != "PL"
"""


def test_lint_prints_what_is_probably_not_meant_and_compares_segments(shop: Shop) -> None:
    path = shop.write("linted.seg", LINTED)
    arguments = ("check", path, "--schema", shop.folder / "schema.toml")
    result = shop.call(*arguments, "--lint")
    assert result.status == 0
    assert (
        f"{path}, line 3, column 33: warning: 'count(purchase) > 3' holds wherever 'count(purchase) > 5' does"
        in result.out
    )
    assert f"{path}, line 6, column 9: hint: every contact that passes is in segment 'Many' too" in result.out
    assert f"{path}, line 9, column 9: hint: 'country != \"PL\"' also holds where country is missing" in result.out
    assert result.lines[-1] == "3 segments in 1 file: no problems, 1 warning, 2 hints"
    assert shop.call(*arguments).out == "3 segments in 1 file: no problems\n"


def test_strict_ends_with_status_one_when_there_is_a_warning(shop: Shop) -> None:
    arguments = ("check", shop.write("linted.seg", LINTED), "--schema", shop.folder / "schema.toml", "--strict")
    assert shop.call(*arguments).status == 1
    hints = shop.write("hints.seg", 'segment "Abroad" on contact where country != "PL"')
    assert shop.call("check", hints, "--schema", shop.folder / "schema.toml", "--strict").status == 0
