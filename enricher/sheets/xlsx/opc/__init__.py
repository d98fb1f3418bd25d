"""The package (ECMA-376 part 2): a zip opened within limits, copied, and the bytes of its XML. Knows no cell."""
