"""Enrich spreadsheets of product codes with what the ASINScope API knows about them."""

__version__ = "0.1.0"
