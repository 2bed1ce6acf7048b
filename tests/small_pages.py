"""Pages of a few objects, so that small examples have several, and fold them all the time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from segmentkit.index import _bulk_events, _bulk_layout, _bulk_windows, _event_digests, _event_rows
from segmentkit.index._event_rows import EventRows


@contextmanager
def small_pages() -> Iterator[None]:
    """Let event tables have pages of four objects, of which two may be outside."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (_event_rows, _bulk_events, _bulk_layout, _bulk_windows, _event_digests):
            patch.setattr(module, "PAGE_BITS", 2)
            patch.setattr(module, "PAGE", 4)
        patch.setattr(_event_rows, "_MOST_TAKEN", 2)
        yield


def fold_all(rows: EventRows) -> None:
    """Put all rows back into their pages."""
    for index in range(len(rows.pages)):
        rows.fold(index)
