"""Published test vectors, each with its source in the corpus."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from enricher.codes import asin, gtin

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def vectors(corpus: Path) -> Any:
    return json.loads((corpus / "code_vectors.json").read_text(encoding="utf-8"))


def test_gtins(vectors: Any) -> None:
    for vector in vectors["gtin"]:
        digits = re.sub(r"[\s-]", "", vector["value"])
        if digits.isdigit() and len(digits) in {8, 12, 13, 14}:
            assert gtin.is_valid(digits) == vector["valid"], vector


def test_check_digits(vectors: Any) -> None:
    for vector in vectors["check_digits"]:
        assert gtin.check_digit(vector["body"]) == vector["digit"], vector


def test_upc_es_expand(vectors: Any) -> None:
    for vector in vectors["upce"]:
        if len(vector["upce"]) == 8 and vector["upca_check_ok"]:
            assert gtin.expand_upc_e(vector["upce"]) == vector["upca"], vector


def test_isbn10s(vectors: Any) -> None:
    for vector in vectors["isbn"]:
        compact = vector["value"].replace("-", "").replace(" ", "").upper()
        if len(compact) == 10:
            assert asin.is_isbn10(compact) == vector["valid"], vector


def test_asins_in_addresses(vectors: Any) -> None:
    for vector in (vector for vector in vectors["asin_urls"] if vector["tld"]):
        found = asin.from_url(vector["value"])
        assert found is not None, vector
        assert found[0] == vector["asin"], vector
        assert found[1].endswith(f"amazon.{vector['tld']}"), vector
