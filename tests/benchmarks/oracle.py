"""What a tree means for one contact, written to be obviously right and nothing else."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.trees import DAY_US, All, Condition, Negation, Node, Some, Window
from tests.benchmarks.workload import Happening

_COMPARE = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def holds(node: Node, attributes: Mapping[str, Any], happenings: Sequence[Happening], now: int) -> bool:
    """Return whether the contact is in the segment at `now`."""
    match node:
        case All(parts):
            return all(holds(part, attributes, happenings, now) for part in parts)
        case Some(parts):
            return any(holds(part, attributes, happenings, now) for part in parts)
        case Negation(part):
            return not holds(part, attributes, happenings, now)
        case Window():
            return bool(_COMPARE[node.operator](_aggregate(node, happenings, now), node.value))
        case Condition():
            return _condition_holds(node, attributes[node.attribute], now)


def _aggregate(window: Window, happenings: Sequence[Happening], now: int) -> Any:
    inside = [
        happening
        for happening in happenings
        if happening.event == window.event
        and now - window.days * DAY_US < happening.at <= now
        and (window.where is None or happening.properties[window.where[0]] == window.where[1])
    ]
    if window.aggregate == "count":
        return len(inside)
    return sum(happening.properties["amount"] for happening in inside)


def _condition_holds(condition: Condition, value: Any, now: int) -> bool:
    wanted = condition.value
    if condition.operator == "missing":
        return value is None
    if value is None:
        return False
    match condition.operator:
        case "in":
            return value in wanted
        case "between":
            return bool(wanted[0] <= value <= wanted[1])
        case "has":
            return wanted in value
        case "has any":
            return any(word in value for word in wanted)
        case "ends with":
            return bool(value.endswith(wanted))
        case "box":
            south, west, north, east = wanted
            return bool(south <= value[0] <= north and west <= value[1] <= east)
        case "older":
            return bool(value < now - wanted * DAY_US)
        case "within":
            return bool(now - wanted * DAY_US < value <= now)
        case compare:
            return bool(_COMPARE[compare](value, wanted))
