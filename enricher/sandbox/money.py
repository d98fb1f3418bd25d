"""A price as each marketplace writes it: "$22.79", "22,79 €", "¥1,234".

Owns symbols, separators and decimals. Knows no products and converts no currencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from enricher.model import Domain


@dataclass(frozen=True, slots=True)
class _Style:
    """How a marketplace writes an amount; `pattern` has the place of the number."""

    currency: str
    pattern: str
    thousands: str = ","
    point: str = "."
    decimals: int = 2


_STYLES = {
    Domain.COM: _Style("USD", "${}"),
    Domain.CA: _Style("CAD", "${}"),
    Domain.DE: _Style("EUR", "{} €", thousands=".", point=","),
    Domain.FR: _Style("EUR", "{} €", thousands="\u202f", point=","),
    Domain.IT: _Style("EUR", "{} €", thousands=".", point=","),
    Domain.NL: _Style("EUR", "€ {}", thousands=".", point=","),
    Domain.ES: _Style("EUR", "{} €", thousands=".", point=","),
    Domain.IN: _Style("INR", "₹{}"),
    Domain.UK: _Style("GBP", "£{}"),
    Domain.JP: _Style("JPY", "¥{}", decimals=0),
    Domain.AU: _Style("AUD", "${}"),
    Domain.MX: _Style("MXN", "${}"),
}
_GROUP = 3


def format_price(amount: float, domain: Domain, currency: str | None = None) -> str:
    """Write `amount` as the marketplace does; a currency that is not the marketplace's own is named by its code.

    >>> format_price(22.79, Domain.COM), format_price(1234.5, Domain.DE), format_price(1234, Domain.JP)
    ('$22.79', '1.234,50 €', '¥1,234')
    >>> format_price(123456.5, Domain.IN), format_price(80, Domain.DE, "PLN")
    ('₹1,23,456.50', 'PLN 80,00')
    """
    style = _STYLES[domain]
    # By way of the text: 0.285 is 0.284999... as a float and would lose its half.
    exact = Decimal(str(amount)).quantize(Decimal(1).scaleb(-style.decimals), ROUND_HALF_UP)
    whole, _, cents = f"{exact:f}".partition(".")
    # Indians count in lakh (1,00,000) and crore (1,00,00,000): after the first three digits, in twos.
    number = style.thousands.join(_grouped(whole, 2 if domain is Domain.IN else _GROUP))
    number += style.point + cents if cents else ""
    pattern = style.pattern if currency in {None, style.currency} else f"{currency} {{}}"
    return pattern.format(number)


def home_domain(currency: str) -> Domain | None:
    """Return the marketplace whose style suits a price of which only the currency is known.

    >>> home_domain("EUR"), home_domain("PLN")
    (<Domain.DE: 'de'>, None)
    """
    return next((domain for domain, style in _STYLES.items() if style.currency == currency), None)


def _grouped(whole: str, size: int) -> list[str]:
    head, tail = whole[:-_GROUP], whole[-_GROUP:]
    groups = [tail]
    while head:
        groups.insert(0, head[-size:])
        head = head[:-size]
    return groups
