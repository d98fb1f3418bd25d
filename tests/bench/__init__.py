"""Measurements, each side by side with what a user would pick instead: `python -m tests.bench NAME`. No tests."""
