"""The words that contacts, events and segments of the benchmarks are made of."""

from __future__ import annotations

COUNTRIES = [f"country {i:03}" for i in range(200)]
PLANS = ["free", "starter", "growth", "pro", "enterprise"]
CITIES = [f"city {i:04}" for i in range(2_000)]
TAGS = [f"tag {i:02}" for i in range(60)]
LISTS = [f"list {i:02}" for i in range(20)]
DOMAINS = [f"mail{i:03}.example" for i in range(300)]
URLS = [f"/page/{i:03}" for i in range(400)]
CATEGORIES = [f"category {i:02}" for i in range(12)]
