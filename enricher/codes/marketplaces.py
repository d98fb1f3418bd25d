"""What people write for a marketplace, and which of the API's domains they mean."""

from __future__ import annotations

import re

from enricher.model import Domain

_NAMES = {
    Domain.COM: "com us usa united states america etats-unis estados unidos atvpdkikx0der",
    Domain.CA: "ca can canada kanada a2euq1wtgctbg2",
    Domain.DE: "de deu ger germany deutschland allemagne germania alemania a1pa6795ukmfr9",
    Domain.FR: "fr fra france frankreich francia a13v1ib3viyzzh",
    Domain.IT: "it ita italy italia italien italie apj6jra9ng5v4",
    Domain.NL: "nl nld netherlands nederland niederlande holland pays-bas a1805izsgtt6hs",
    Domain.ES: "es esp spain espana españa spanien espagne a1rkkupihcs9hs",
    Domain.IN: "in ind india indien a21tjruun4kgv",
    Domain.UK: "uk gb gbr co.uk united kingdom great britain england a1f83g8c2aro7p",
    Domain.JP: "jp jpn co.jp japan a1vc38t7yxb528",
    Domain.AU: "au aus com.au australia australien a39ibj37trp1c6",
    Domain.MX: "mx mex com.mx mexico méxico mexiko a1am78c64um0y8",
}
_PHRASES = ("united states", "united kingdom", "great britain", "estados unidos")
_HOST = re.compile(r"^(?:https?://)?(?:[\w-]+\.)*amazon\.(com?\.[a-z]{2}|[a-z]{2,3})(?:[/?:].*)?$")


def _table() -> dict[str, Domain]:
    table = {}
    for domain, names in _NAMES.items():
        rest = names
        for phrase in _PHRASES:
            if phrase in rest:
                table[phrase] = domain
                rest = rest.replace(phrase, "")
        table.update(dict.fromkeys(rest.split(), domain))
    return table


_BY_NAME = _table()


def parse(text: str) -> Domain | None:
    """Return the domain that `text` names, or None; an unknown marketplace is never taken for a default.

    Takes the API's names, countries, hosts and whole addresses, and Amazon's marketplace ids.

    >>> parse("Amazon.co.uk"), parse("DE"), parse("A1PA6795UKMFR9"), parse("Narnia")
    (<Domain.UK: 'uk'>, <Domain.DE: 'de'>, <Domain.DE: 'de'>, None)
    """
    name = text.strip().casefold()
    host = _HOST.match(name)
    return _BY_NAME.get(host[1] if host else name.removeprefix("amazon").strip(" .-_"))
