"""Stores: what an engine's facts, definitions and deltas survive in."""

from segmentkit.stores.memory import MemoryStore
from segmentkit.stores.protocol import Batch, Definition, FactSource, SharesFacts, Store

__all__ = ["Batch", "Definition", "FactSource", "MemoryStore", "SharesFacts", "Store"]
