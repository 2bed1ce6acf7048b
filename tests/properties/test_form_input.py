"""Documents of strangers: whatever is read ends in a tree or in an error of the library."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, strategies as st

import segmentkit as sk
from segmentkit.forms import jsonlogic, querybuilder
from tests.examples import FORMS
from tests.forms.shop import FILTERS, SHOP

_WORDS = (
    "and or not ! !! var in < <= == != + - * / rules combinator field operator value valueSource orders country tags "
    "consent signup company.industry node filter version items item compare literal attribute type integer name left "
    "right window relative form duration count unit day last zone between contains null events where steps within"
).split()
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([*_WORDS, "2026-11-22", "2026-11-22T10:00:00Z", "\ud800", "1e400", 10**400]),
)
_keys = st.sampled_from(_WORDS) | st.text(max_size=3)
_documents = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=25,
)


def _read_by_all(document: Any) -> None:
    for read in (
        sk.from_json,
        lambda found: sk.from_json(found, SHOP, "contact"),
        lambda found: sk.from_json({"version": 1, "filter": found}),
        lambda found: jsonlogic.from_jsonlogic(found, SHOP, "contact"),
        lambda found: querybuilder.from_querybuilder(found, SHOP, "contact"),
    ):
        try:
            tree = read(document)
        except sk.SegmentKitError as error:
            assert str(error)  # noqa: PT017 - any error of the library is fine, and has a message
        else:
            sk.to_english(tree)
            sk.format(sk.normalize(tree))
            assert sk.from_json(sk.to_json(tree)) == tree


@FORMS
@given(_documents)
def test_any_document_ends_in_a_tree_or_an_error_of_the_library(document: Any) -> None:
    _read_by_all(document)


def _places(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    stack = [document]
    while stack:
        inner = stack.pop()
        keys: Any = list(inner) if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ()
        found += [(inner, key) for key in keys]
        stack += [inner[key] for key in keys]
    return found


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A good document of one of the forms, of which one to three places are something else."""
    tree = sk.parse(draw(st.sampled_from(FILTERS)), SHOP, on="contact")
    write = draw(st.sampled_from([sk.to_json, jsonlogic.to_jsonlogic, querybuilder.to_querybuilder]))
    try:
        document = copy.deepcopy(write(tree))
    except sk.FormError:
        document = json.loads(json.dumps(sk.to_json(tree)))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(document)
        if not places:
            return draw(_scalars)
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["replace", "remove", "swap", "add"])):
            case "replace":
                holder[key] = draw(_documents)
            case "remove":
                del holder[key]
            case "swap":
                other, at = draw(st.sampled_from(places))
                known = at in other if isinstance(other, dict) else at < len(other)
                holder[key] = copy.deepcopy(other[at]) if known else None
            case _ if isinstance(holder, dict):
                holder[draw(st.sampled_from(_WORDS))] = draw(_scalars)
            case _:
                holder.append(draw(_scalars))
    return document


@FORMS
@given(damaged())
def test_a_damaged_document_ends_in_a_tree_or_an_error_of_the_library(document: Any) -> None:
    _read_by_all(document)


@FORMS
@given(st.text(alphabet=st.sampled_from(list('#" \n()[],abAND>0123')), max_size=60), st.sampled_from(FILTERS))
def test_any_file_is_laid_out_or_refused(noise: str, text: str) -> None:
    """What the formatter makes it makes again, and it loses no comment."""
    from segmentkit.dsl._layout import format_file

    for file in (
        noise,
        f'segment "A" on contact where {text} {noise}',
        f'{noise}\nsegment "A" on contact where {text}',
    ):
        try:
            laid_out = format_file(file)
        except sk.SegmentKitError:
            continue
        assert format_file(laid_out) == laid_out
