"""How related objects, segments and ranks are written, given the texts of their parts."""

from __future__ import annotations

from collections.abc import Sequence

from segmentkit.dsl._literals import CONTINUING, quote_name, write_number, write_text
from segmentkit.dsl.predicates import OneRelated, Predicate, Rank

__all__ = ["steps_to", "write_crossing", "write_presence", "write_quantified", "write_rank", "write_related"]


def steps_to(node: Predicate) -> tuple[list[str], Predicate]:
    """Return the to-one relations that conditions within conditions go along, and the condition at their end."""
    steps = []
    while isinstance(node, OneRelated):
        steps.append(node.relation)
        node = node.where
    return steps, node


def write_related(names: Sequence[str], where: str | None) -> str:
    """Return `company.deals` or `company.deals[...]`."""
    path = ".".join(map(quote_name, names))
    return path if where is None else f"{path}[{where}]"


def write_presence(names: Sequence[str], state: str) -> str:
    """Return `company is known`, or `is missing`."""
    return f"{write_related(names, None)} is {state}"


def write_quantified(word: str, names: Sequence[str], where: str | None) -> str:
    """Return `any deals[...]`; a first name that would end the word, as in `any contains`, is quoted."""
    text = write_related(names, where)
    first = names[0]
    return f"{word} `{first}`{text[len(first) :]}" if first.lower() in CONTINUING else f"{word} {text}"


def write_crossing(direction: str, segment: str, window: str | None) -> str:
    """Return `entered segment "X" in the last 7 days`, or how it is said of all time."""
    name = f"segment {write_text(segment)}"
    if window is None:
        return f"was ever in {name}" if direction == "entered" else f"left {name}"
    return f"{direction} {name} {window}"


def write_rank(rank: Rank, by: str | None, per: str | None, of: str | None) -> str:
    """Return `top 10% of (...) by ... per ... with ties`."""
    count = write_number(rank.count).removesuffix(".0") + ("%" if rank.percent else "")
    among, group = "" if of is None else f" of ({of})", "" if per is None else f" per {per}"
    return f"{rank.direction} {count}{among} by {by}{group}{' with ties' if rank.ties else ''}"
