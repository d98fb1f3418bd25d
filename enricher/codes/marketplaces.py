"""What people write for a marketplace, and which of the API's domains they mean; Amazon's and Keepa's addresses, too.

An unknown marketplace stays unknown: nothing here has a default. Knows nothing of cells and ASINs.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from urllib.parse import unquote

from enricher.model import Domain

_NAMES = {
    Domain.COM: (
        ("com", "us", "usa", "U.S.", "U.S.A.", "ATVPDKIKX0DER"),
        ("United States", "United States of America", "America"),
        ("Vereinigte Staaten", "Vereinigte Staaten von Amerika", "Amerika", "États-Unis", "États-Unis d'Amérique"),
        ("Stati Uniti", "Stati Uniti d'America", "Estados Unidos", "Estados Unidos de América", "EE. UU.", "EEUU"),
        ("Verenigde Staten", "Verenigde Staten van Amerika", "アメリカ", "アメリカ合衆国", "米国"),
    ),
    Domain.CA: (
        ("ca", "can", "A2EUQ1WTGCTBG2"),
        ("Canada", "Kanada", "カナダ"),
    ),
    Domain.DE: (
        ("de", "deu", "ger", "A1PA6795UKMFR9"),
        ("Germany", "Deutschland", "Allemagne", "Germania", "Alemania", "Duitsland", "ドイツ"),
    ),
    Domain.FR: (
        ("fr", "fra", "A13V1IB3VIYZZH"),
        ("France", "Frankreich", "Francia", "Frankrijk", "フランス"),
    ),
    Domain.IT: (
        ("it", "ita", "APJ6JRA9NG5V4"),
        ("Italy", "Italia", "Italien", "Italie", "イタリア"),
    ),
    Domain.NL: (
        ("nl", "nld", "A1805IZSGTT6HS"),
        ("Netherlands", "Holland", "Nederland", "Niederlande", "Pays-Bas", "Hollande", "Paesi Bassi", "Olanda"),
        ("Países Bajos", "Holanda", "オランダ"),
    ),
    Domain.ES: (
        ("es", "esp", "A1RKKUPIHCS9HS"),
        ("Spain", "España", "Spanien", "Espagne", "Spagna", "Spanje", "スペイン"),
    ),
    Domain.IN: (
        ("in", "ind", "A21TJRUUN4KGV"),
        ("India", "Indien", "Inde", "Bharat", "भारत", "インド"),
    ),
    Domain.UK: (
        ("uk", "U.K.", "gb", "G.B.", "gbr", "co.uk", "A1F83G8C2ARO7P"),
        ("United Kingdom", "United Kingdom of Great Britain and Northern Ireland"),
        ("Great Britain", "Britain", "England"),
        ("Vereinigtes Königreich", "Vereinigtes Koenigreich", "Großbritannien", "Royaume-Uni", "Grande-Bretagne"),
        ("Angleterre", "Regno Unito", "Gran Bretagna", "Inghilterra", "Reino Unido", "Gran Bretaña", "Inglaterra"),
        ("Verenigd Koninkrijk", "Groot-Brittannië", "Engeland", "イギリス", "英国"),
    ),
    Domain.JP: (
        ("jp", "jpn", "co.jp", "A1VC38T7YXB528"),
        ("Japan", "Japon", "Giappone", "Japón", "Nippon", "Nihon", "日本", "日本国", "にほん", "ジャパン"),
    ),
    Domain.AU: (
        ("au", "aus", "com.au", "A39IBJ37TRP1C6"),
        ("Australia", "Australien", "Australie", "オーストラリア", "豪州"),
    ),
    Domain.MX: (
        ("mx", "mex", "com.mx", "A1AM78C64UM0Y8"),
        ("México", "Méjico", "Mexiko", "Mexique", "Messico", "メキシコ"),
    ),
}
"""First ISO 3166's codes, the end of Amazon's host and the marketplace id (SP-API, "Marketplace IDs"); then the country
in the languages of the twelve. Case and accents don't matter."""

_KEEPA_SITES = ("com", "co.uk", "de", "fr", "co.jp", "ca", "cn", "it", "es", "in", "com.mx", "com.br")
_KEEPA = {str(number): site for number, site in enumerate(_KEEPA_SITES, start=1)}
"""Keepa's numbers for Amazon's sites, also for the two that the API does not offer: an address may name one."""

_KEEPA_NUMBER = re.compile(r"([0-9]{1,2})(?:[.,]0+)?")
_ADDRESS = re.compile(
    r"(?:^|//|[^\w./@-])"
    r"(?:((?:[\w-]+\.)*amazon\.(?:com?\.[a-z]{2}|[a-z]{2,3})|amzn\.com)(?::[0-9]+)?(?![\w@:-]|\.\w)"
    r"|(?:www\.)?keepa\.com/[#!]*product/([0-9]+)-)",
    re.IGNORECASE | re.ASCII,
)
_ONE_ADDRESS = re.compile(r"(?:https?://)?[\w.-]+(?:[:/?#]\S*)?", re.IGNORECASE)
_SHOP = re.compile(r"(?:\w+\.)*(?:amazon|amzn)\.([a-z.]+)")
"""A hyphen before it marks a server of several marketplaces: sellercentral-europe.amazon.com is not the one of com."""


def _words(text: str) -> str:
    """Leave only words with a space between them, without case, accents and full-width forms."""
    parts = unicodedata.normalize("NFKD", text)
    # Every mark, in every script: a vowel sign of भारत would else be taken for the end of a word.
    bare = "".join(char for char in parts if not unicodedata.category(char).startswith("M")).casefold()
    return re.sub(r"[\W_]+", " ", bare).strip()


_DOMAINS = {_words(name): domain for domain, rows in _NAMES.items() for row in rows for name in row}
_NAME = re.compile(rf"\b(?:{'|'.join(sorted(_DOMAINS, key=len, reverse=True))})\b")
_BESIDE_NAMES = re.compile(r"\bamazon|\b(?:amzn|amz|marketplace|marktplatz|https?|www|en|the)\b")
"""Words that say nothing about which marketplace; `amazon` may be glued to the next one."""


@functools.lru_cache(maxsize=1024)  # the same few hosts and names, row after row
def parse(text: str) -> Domain | None:
    """Return the domain that `text` names; None where it names none, two, or has a word that is no marketplace.

    Takes the API's names, countries, hosts and whole addresses, Amazon's marketplace ids and Keepa's numbers.

    >>> parse("Amazon.co.uk"), parse("DE - Germany"), parse("A1PA6795UKMFR9"), parse("3")
    (<Domain.UK: 'uk'>, <Domain.DE: 'de'>, <Domain.DE: 'de'>, <Domain.DE: 'de'>)
    >>> parse("France, Italy"), parse("Mexico City"), parse("amazon.com.br")
    (None, None, None)
    """
    text = text.strip()
    if number := _KEEPA_NUMBER.fullmatch(text):
        return _DOMAINS.get(_words(_KEEPA.get(number[1], "")))
    words = _BESIDE_NAMES.sub(" ", _words(text))
    unexplained = _NAME.sub("", words).strip()
    domains: set[Domain | None] = set()
    # Of an address only the host need be understood, and amazon.com/-/es/ names a language; of a text, every word.
    if _ONE_ADDRESS.fullmatch(text) and (unexplained or "://" in text):
        domains = {_of_host(host) for host, _ in addresses(text)}
    elif not unexplained:
        domains = {_DOMAINS[name] for name in _NAME.findall(words)}
    return domains.pop() if len(domains) == 1 else None


def _of_host(host: str) -> Domain | None:
    shop = _SHOP.fullmatch(host)
    return _DOMAINS.get(_words(shop[1])) if shop else None


def addresses(text: str) -> list[tuple[str, str]]:
    """Find the addresses of Amazon's sites: the host in lower case, and what follows it up to the next address.

    What Keepa says about a product counts as an address of the site that it names. Percent-encoding is undone, twice:
    Amazon's redirects carry an encoded address in an encoded address.

    >>> addresses("https://www.Amazon.de/dp/B088H39PXX"), addresses("https://keepa.com/#!product/3-B088H39PXX")
    ([('www.amazon.de', '/dp/B088H39PXX')], [('amazon.de', 'B088H39PXX')])
    """
    parts = _ADDRESS.split(unquote(unquote(text)))
    sites = []
    for host, number, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if host or number in _KEEPA:
            sites.append(((host or f"amazon.{_KEEPA[number]}").lower(), rest))
    return sites
