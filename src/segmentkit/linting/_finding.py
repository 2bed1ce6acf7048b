"""What the linter says about a filter, and where."""

from __future__ import annotations

from typing import Literal as OneOf

import attrs

from segmentkit.dsl._scan import shown
from segmentkit.dsl.predicates import Node
from segmentkit.errors import Problem

__all__ = ["Code", "Finding", "Notes", "Severity"]

Code = OneOf[
    "always-false",
    "always-true",
    "contradiction",
    "redundant",
    "same-as-segment",
    "within-segment",
    "holds-segment",
    "negation-lets-missing-in",
    "never-is-left-out",
]
Severity = OneOf["warning", "hint"]


@attrs.frozen
class Finding:
    """One thing that is probably not meant.

    `message` says what, `reason` why and what to write instead. A `warning` is certain to be a
    mistake or superfluous; a `hint` may be meant. `start` and `end` are offsets into the text;
    `line` and `column` count from 1. `segment` is the name of the other segment, if there is one.
    """

    code: Code
    message: str
    reason: str
    severity: Severity
    start: int
    end: int
    line: int
    column: int
    segment: str | None = None

    def render(self, source: str, origin: str = "") -> str:
        """Return message, source line, caret and reason, the way errors are printed; `source` is the linted text.

        >>> from segmentkit.schema import ObjectType, Schema
        >>> from segmentkit.values import integer
        >>> from segmentkit.linting import lint
        >>> schema = Schema(ObjectType("contact", {"orders": integer}))
        >>> text = "orders > 4 and orders < 3"
        >>> for finding in lint(text, schema, on="contact"):
        ...     print(finding.render(text))
        line 1, column 16: warning: 'orders < 3' never holds together with 'orders > 4' [contradiction]
            orders > 4 and orders < 3
                           ^^^^^^^^^^
        so no contact passes the filter
        """
        message = f"{self.severity}: {self.message} [{self.code}]"
        problem = Problem(message, self.start, self.end, self.line, self.column, self.reason)
        return problem.render(source, origin)


@attrs.define
class Notes:
    """The findings about one text so far, and how parts of it are quoted."""

    source: str
    start: int
    end: int
    findings: list[Finding] = attrs.field(factory=list)

    def add(  # noqa: PLR0917  # the parts of a finding
        self,
        code: Code,
        node: Node,
        message: str,
        reason: str = "",
        severity: Severity = "warning",
        segment: str | None = None,
    ) -> None:
        """Note a finding at a node of the tree."""
        start, end = self.span(node)
        problem = Problem.at(message, self.source, start, end, reason)
        self.findings.append(
            Finding(code, message, reason, severity, start, end, problem.line, problem.column, segment)
        )

    def span(self, node: Node) -> tuple[int, int]:
        """Return where a node stands; the whole filter for one that has no place."""
        return node.span or (self.start, self.end)

    def quote(self, node: Node) -> str:
        """Return the text of a node in quotes, on one line."""
        start, end = self.span(node)
        return shown(" ".join(self.source[start:end].split()), 60)
