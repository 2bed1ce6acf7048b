"""Benchmarks: they print numbers and judge none; see README.md beside this file."""
