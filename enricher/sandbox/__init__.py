"""A local server that is the whole ASINScope API: same endpoints, same errors, same quotas, invented products."""

from enricher.sandbox.catalog import Catalog
from enricher.sandbox.ledger import BASIC, KEYS, PRO, Balance, Ledger, Limit, Plan, Receipt
from enricher.sandbox.server import Sandbox, run_foreground, serve

__all__ = [
    "BASIC",
    "KEYS",
    "PRO",
    "Balance",
    "Catalog",
    "Ledger",
    "Limit",
    "Plan",
    "Receipt",
    "Sandbox",
    "run_foreground",
    "serve",
]
