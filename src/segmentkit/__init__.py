"""segmentkit: dynamic segments, kept right as objects change, events arrive and time passes.

::

    schema      what objects, attributes and events there are      Schema, ObjectType, one, many
    values      which values attributes and events hold            text, integer, choice, ...
    filter      text -> typed tree, checked against the schema     parse, format, lint
    editors     what may come next, and what can be asked at all   complete, describe
    forms       JSON, plain English, the normal form, builder      to_json, from_json, to_english, normalize
    engine      holds facts, keeps memberships                     Engine
    changes     what goes in, in atomic batches                    Put, Update, Event, Retract, Delete
    deltas      what comes out: who entered and left, when         Delta, Deltas
    clock       where now comes from                               SystemClock, ManualClock
    store       what survives                                      MemoryStore, segmentkit.stores

Importing does nothing else: the parser, numpy and calendars are loaded on first use.
"""

from segmentkit._reports import Difference, EngineStatistics, Preview
from segmentkit.clock import Clock, ManualClock, SystemClock
from segmentkit.dsl import format, parse
from segmentkit.editor import Completion, complete, describe
from segmentkit.engine import Engine
from segmentkit.errors import (
    ArgumentError,
    ClockError,
    CycleError,
    DataError,
    DefinitionError,
    FilterSyntaxError,
    FilterTypeError,
    FormError,
    LimitError,
    MissingExtraError,
    Problem,
    SchemaError,
    SegmentKitError,
    StoreError,
    UnknownNameError,
)
from segmentkit.forms import from_json, normalize, to_english, to_json
from segmentkit.index._members import Members
from segmentkit.index._segments import Segment
from segmentkit.index.deltas import Change, Delete, Delta, Deltas, Event, Put, Retract, Update, consolidate
from segmentkit.linting import Finding, lint
from segmentkit.schema import EventType, ObjectType, Relation, Schema, many, one
from segmentkit.stores import MemoryStore
from segmentkit.values import ValueType, boolean, choice, date, decimal, instant, integer, number, point, text, text_set

__all__ = [
    "ArgumentError",
    "Change",
    "Clock",
    "ClockError",
    "Completion",
    "CycleError",
    "DataError",
    "DefinitionError",
    "Delete",
    "Delta",
    "Deltas",
    "Difference",
    "Engine",
    "EngineStatistics",
    "Event",
    "EventType",
    "FilterSyntaxError",
    "FilterTypeError",
    "Finding",
    "FormError",
    "LimitError",
    "ManualClock",
    "Members",
    "MemoryStore",
    "MissingExtraError",
    "ObjectType",
    "Preview",
    "Problem",
    "Put",
    "Relation",
    "Retract",
    "Schema",
    "SchemaError",
    "Segment",
    "SegmentKitError",
    "StoreError",
    "SystemClock",
    "UnknownNameError",
    "Update",
    "ValueType",
    "boolean",
    "choice",
    "complete",
    "consolidate",
    "date",
    "decimal",
    "describe",
    "format",
    "from_json",
    "instant",
    "integer",
    "lint",
    "many",
    "normalize",
    "number",
    "one",
    "parse",
    "point",
    "text",
    "text_set",
    "to_english",
    "to_json",
]
