"""Harnesses that break things on purpose and count what survives; figures in RESULTS.md."""
