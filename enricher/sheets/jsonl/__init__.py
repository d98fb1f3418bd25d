"""JSON lines, in and out."""

from enricher.sheets.jsonl.new_jsonl import write_new_jsonl
from enricher.sheets.jsonl.records import is_json_lines
from enricher.sheets.jsonl.source import JsonLinesSource

__all__ = ["JsonLinesSource", "is_json_lines", "write_new_jsonl"]
