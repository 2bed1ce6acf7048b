"""Other forms of the same trees: JSON, plain English, the normal form, and formats of others.

::

    tree <--to_json, from_json-->  dictionaries and lists, versioned, with a published JSON Schema
    tree ---to_english-->          a sentence that somebody reads who never saw the language
    tree ---normalize-->           the tree that all spellings of one filter have in common
    tree <--querybuilder-->        rules of react-querybuilder
    tree <--jsonlogic-->           JsonLogic

The functions of this module are re-exported by `segmentkit`; `querybuilder` and `jsonlogic`
are modules of their own. Nothing here decides what a filter means: whatever comes in is
written as text in the end, and parsed and checked like any other filter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segmentkit.dsl.predicates import Predicate, iter_nodes
from segmentkit.errors import ArgumentError, FilterTypeError, Problem, repr_of
from segmentkit.schema import Schema

__all__ = ["from_json", "json_schema", "normalize", "to_english", "to_json"]


def to_json(tree: Predicate) -> dict[str, Any]:
    """Return a filter as JSON-able dictionaries, lists, texts and numbers; `from_json` gives an equal tree.

    The document is `{"version": 1, "filter": ...}`. Each node is an object that says its kind
    as `node`; what has its default is left out. Decimals, and integers that a double does not
    hold, are texts. `json_schema` describes it all.

    Cost:
        Linear in the size of the tree.

    >>> from segmentkit.schema import ObjectType
    >>> from segmentkit.values import boolean
    >>> from segmentkit.dsl import parse
    >>> schema = Schema(ObjectType("contact", {"consent": boolean}))
    >>> to_json(parse("consent", schema, on="contact"))
    {'version': 1, 'filter': {'node': 'is_true', 'value': {'node': 'attribute', 'name': 'consent', 'type': 'boolean'}}}
    """
    from segmentkit.forms._json import VERSION, write

    return {"version": VERSION, "filter": write(_condition(tree, "to_json"))}


def from_json(
    document: Any, schema: Schema | None = None, on: str | None = None, *, segments: Mapping[str, str] | None = None
) -> Predicate:
    """Return the tree of a document that `to_json` gave, or that something else wrote in this form.

    With `schema` and `on` the filter is checked like any text, names get the types that the
    schema gives them, and `type` may be left out of everything but literals. Without, the shape
    alone is checked and types are believed; pass a schema for what comes from outside.

    Args:
        document: what `json.loads` gives.
        schema: what its names mean.
        on: the object type that it is about.
        segments: the object type of each segment it may refer to; None does not check such names.

    Raises:
        FormError: the document is not in the form; every problem has its JSON pointer.
        ArgumentError: of `schema` and `on` one is missing, or an argument is something else.
        LimitError: it is deeper or larger than a filter may be.
        UnknownNameError, FilterTypeError: the filter does not fit the schema; places are those in its text.

    Cost:
        Linear in the size of the document; with a schema, that of parsing its text too.

    >>> from_json({"version": 1, "filter": {"node": "constant", "value": "yes"}})
    Traceback (most recent call last):
    segmentkit.errors.FormError: at /filter/value: expected true or false, found 'yes'
    """
    from segmentkit.forms._document import read_document

    return read_document(document, schema, on, segments)


def json_schema() -> dict[str, Any]:
    """Return the published JSON Schema (draft 2020-12) of what `to_json` gives.

    It is the file `segmentkit/forms/filter.schema.json` of the package. What it accepts is
    well formed; `from_json` also checks limits, zones and the rules between fields.

    >>> json_schema()["$schema"]
    'https://json-schema.org/draft/2020-12/schema'
    """
    import json
    from importlib import resources

    text = resources.files(__package__).joinpath("filter.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def to_english(tree: Predicate, on: str | None = None) -> str:
    """Return a filter as an English sentence.

    Args:
        tree: the filter.
        on: the object type, to begin the sentence with.

    Names are those of the schema, with blanks for underscores. The sentence is for people to
    read; nothing reads it back.

    Cost:
        Linear in the size of the tree.

    >>> from segmentkit.schema import ObjectType
    >>> from segmentkit.values import integer
    >>> from segmentkit.dsl import parse
    >>> schema = Schema(ObjectType("contact", {"orders": integer}))
    >>> to_english(parse("orders > 4 and not orders = 7", schema, on="contact"), on="contact")
    'Every contact where orders is more than 4 and orders is not 7.'
    """
    from segmentkit.forms._english import sentence

    if on is not None and not isinstance(on, str):
        raise ArgumentError.of("on", "the name of an object type", on)

    return sentence(_condition(tree, "to_english"), on)


def normalize(tree: Predicate) -> Predicate:
    """Return the tree that all spellings of a filter have in common.

    It means the same for all facts at every instant, and normalizing it again changes nothing.
    Negations go down to single conditions; connectives are flat, sorted and without repetition;
    `between` is two comparisons, counts of conditions that ask for one or all are `or` and `and`,
    a list of one is a comparison, comparisons have their constant on the right, and durations
    their largest unit. Equal normal forms mean equal filters; the reverse holds for spellings,
    not for everything that logic could prove.

    Cost:
        That of formatting the tree, times the depth of brackets in brackets. The result may have
        twice as many conditions, one for each end of a `between`.

    >>> from segmentkit.dsl import format, parse
    >>> from segmentkit.schema import ObjectType
    >>> from segmentkit.values import integer
    >>> schema = Schema(ObjectType("contact", {"orders": integer}))
    >>> format(normalize(parse("not (not orders between 2 and 5 or 7 < orders)", schema, on="contact")))
    'not orders >= 8 and orders <= 5 and orders >= 2'
    """
    from segmentkit.forms._normal import normal

    return normal(_condition(tree, "normalize"))


def _condition(tree: Any, function: str) -> Predicate:
    from segmentkit.forms._shapes import CONDITIONS, NODES

    if type(tree) in CONDITIONS:
        for node in iter_nodes(tree):
            if type(node) not in NODES:
                message = f"expected nodes of a filter in its tree, got {repr_of(node)} ({type(node).__name__})"
                raise FilterTypeError([Problem(message)], "")
        found: Predicate = tree
        return found
    hint = "; parse the text first" if isinstance(tree, str) else ""
    raise FilterTypeError([Problem(f"{function} takes the tree of a filter, got a {type(tree).__name__}{hint}")], "")
