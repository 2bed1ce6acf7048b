"""segmentkit: dynamic segments, kept right as objects change, events arrive and time passes."""
