"""The document around a filter: its version, and what a schema has to say about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segmentkit.dsl import parse
from segmentkit.dsl._arguments import check_arguments, check_segments
from segmentkit.dsl._render import render
from segmentkit.dsl.predicates import Predicate
from segmentkit.errors import ArgumentError, FormError, Problem
from segmentkit.forms._json import VERSION, Complaints, read
from segmentkit.forms._scalars import did_you_mean, shown
from segmentkit.forms._shapes import CONDITIONS
from segmentkit.schema import Schema

__all__ = ["read_document"]


def read_document(
    document: Any, schema: Schema | None, on: str | None, segments: Mapping[str, str] | None = None
) -> Predicate:
    """Return the filter of a document; see `segmentkit.from_json`."""
    if (schema is None) != (on is None):
        raise ArgumentError("from_json takes 'schema' and 'on' together, or neither")
    if schema is not None:
        check_arguments(schema)
        check_segments(segments)
    _check_envelope(document)
    tree: Any = read(document["filter"], "/filter", CONDITIONS, typed=schema is None)
    return tree if schema is None or on is None else _through_text(tree, schema, on, segments)


def _check_envelope(document: Any) -> None:
    complaints = Complaints()
    if not isinstance(document, dict):
        found = shown(document)
        complaints.add("", f'expected an object such as {{"version": 1, "filter": ...}}, found {found}')
        complaints.raise_if_any()
    for key in document:
        if key not in ("version", "filter"):
            hint = did_you_mean(key, ("version", "filter")) if isinstance(key, str) else ""
            complaints.add("", f"unknown key {shown(key)} of the document", hint)
    for key in ("version", "filter"):
        if key not in document:
            complaints.add("", f"the document has no '{key}'")
    version = document.get("version", VERSION)
    if type(version) is not int or version != VERSION:
        newer = type(version) is int and version > VERSION
        hint = "a newer segmentkit wrote it; update this one" if newer else ""
        complaints.add("/version", f"expected version {VERSION}, found {shown(version)}", hint)
    complaints.raise_if_any()


def _through_text(tree: Predicate, schema: Schema, on: str, segments: Mapping[str, str] | None) -> Predicate:
    """Return what the text of a tree is parsed into: the one check there is.

    Raises:
        FormError: the tree has no spelling.
        UnknownNameError, FilterTypeError, LimitError: as `segmentkit.parse`.
    """
    try:
        text = render(tree)
    except ValueError as error:
        raise FormError([Problem(str(error), pointer="/filter")]) from None
    return parse(text, schema, on, segments=segments)
