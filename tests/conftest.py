"""What all tests share: the hypothesis profiles.

`dev` answers quickly while one works; `ci` looks longer, and at the same examples every time.
`ci` is chosen where the environment says CI=true. A law that is slow per example may ask for
fewer in `dev` through `settings`, never for fewer in `ci`.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("dev", max_examples=100, deadline=None, print_blob=True)
settings.register_profile(
    "ci",
    max_examples=2_000,
    deadline=None,
    print_blob=True,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],  # how fast the machine is says nothing about a law
)
settings.load_profile("ci" if os.environ.get("CI", "").lower() in ("1", "true") else "dev")
