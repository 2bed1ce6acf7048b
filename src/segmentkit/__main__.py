"""`python -m segmentkit` is the command line."""

from __future__ import annotations

import sys

from segmentkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
