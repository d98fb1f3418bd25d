"""Damaged and odd files by the thousand through the program: `python -m tests.fuzz sheets --seconds 600`. No tests."""
