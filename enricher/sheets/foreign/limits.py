"""How much one file may hold, for the kinds that are read by hand. Owns the numbers and their reasons only."""

DISK_FULL = 28
"""The exit code by which the reading process tells of a full disk: there is no room for words."""

CHUNK_BYTES = 1 << 20
MAX_CELL_CHARS = 16 << 20
"""Excel's own limit is 32,767; what is longer is no cell, but a tag that was never closed."""
MAX_TABLES = 500
"""Sheets or tables: beyond it a file is a web page about something else. Each is looked at for codes."""
MAX_NESTING = 50
"""Tables inside tables."""
