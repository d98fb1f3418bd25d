from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.codes.marketplaces import addresses, parse
from enricher.model import Domain

HOSTS = {
    "amazon.com": Domain.COM,
    "amazon.ca": Domain.CA,
    "amazon.de": Domain.DE,
    "amazon.fr": Domain.FR,
    "amazon.it": Domain.IT,
    "amazon.nl": Domain.NL,
    "amazon.es": Domain.ES,
    "amazon.in": Domain.IN,
    "amazon.co.uk": Domain.UK,
    "amazon.co.jp": Domain.JP,
    "amazon.com.au": Domain.AU,
    "amazon.com.mx": Domain.MX,
}

# developer-docs.amazon.com/sp-api/docs/marketplace-ids
SP_API_IDS = {
    "ATVPDKIKX0DER": Domain.COM,
    "A2EUQ1WTGCTBG2": Domain.CA,
    "A1PA6795UKMFR9": Domain.DE,
    "A13V1IB3VIYZZH": Domain.FR,
    "APJ6JRA9NG5V4": Domain.IT,
    "A1805IZSGTT6HS": Domain.NL,
    "A1RKKUPIHCS9HS": Domain.ES,
    "A21TJRUUN4KGV": Domain.IN,
    "A1F83G8C2ARO7P": Domain.UK,
    "A1VC38T7YXB528": Domain.JP,
    "A39IBJ37TRP1C6": Domain.AU,
    "A1AM78C64UM0Y8": Domain.MX,
}

# English, German, French, Italian, Spanish, Dutch, Japanese, and the country's own language
COUNTRIES = {
    Domain.COM: "United States,Vereinigte Staaten,États-Unis,Stati Uniti,Estados Unidos,Verenigde Staten,アメリカ",
    Domain.CA: "Canada,Kanada,Canada,Canada,Canadá,Canada,カナダ",
    Domain.DE: "Germany,Deutschland,Allemagne,Germania,Alemania,Duitsland,ドイツ",
    Domain.FR: "France,Frankreich,France,Francia,Francia,Frankrijk,フランス",
    Domain.IT: "Italy,Italien,Italie,Italia,Italia,Italië,イタリア",
    Domain.NL: "Netherlands,Niederlande,Pays-Bas,Paesi Bassi,Países Bajos,Nederland,オランダ",
    Domain.ES: "Spain,Spanien,Espagne,Spagna,España,Spanje,スペイン",
    Domain.IN: "India,Indien,Inde,India,India,India,インド,भारत",
    Domain.UK: (
        "United Kingdom,Vereinigtes Königreich,Royaume-Uni,Regno Unito,Reino Unido,Verenigd Koninkrijk,イギリス,"
        "Great Britain,Großbritannien,Grossbritannien,Grande-Bretagne,Gran Bretagna,Gran Bretaña,Groot-Brittannië"
    ),
    Domain.JP: "Japan,Japan,Japon,Giappone,Japón,Japan,日本",
    Domain.AU: "Australia,Australien,Australie,Australia,Australia,Australië,オーストラリア",
    Domain.MX: "Mexico,Mexiko,Mexique,Messico,México,Mexico,メキシコ",
}

KEEPA_NUMBERS = {
    "1": Domain.COM,
    "2": Domain.UK,
    "3": Domain.DE,
    "4": Domain.FR,
    "5": Domain.JP,
    "6": Domain.CA,
    "8": Domain.IT,
    "9": Domain.ES,
    "10": Domain.IN,
    "11": Domain.MX,
}


def test_every_domain_of_the_api_is_in_the_examples() -> None:
    assert set(HOSTS.values()) == set(SP_API_IDS.values()) == set(COUNTRIES) == set(Domain)


@pytest.mark.parametrize("domain", Domain)
def test_the_apis_own_names_mean_themselves(domain: Domain) -> None:
    assert parse(domain) is domain
    assert parse(domain.upper()) is domain


@pytest.mark.parametrize(("host", "domain"), HOSTS.items())
@pytest.mark.parametrize(
    "text", ["{}", "www.{}", "smile.{}", "m.{}", "sellercentral.{}", "https://www.{}/", "http://{}/dp/B088H39PXX?th=1"]
)
def test_a_host_or_an_address_names_its_marketplace(text: str, host: str, domain: Domain) -> None:
    assert parse(text.format(host)) is domain
    assert parse(text.format(host).upper()) is domain


@pytest.mark.parametrize(("marketplace_id", "domain"), SP_API_IDS.items())
def test_a_marketplace_id_names_its_marketplace(marketplace_id: str, domain: Domain) -> None:
    assert parse(marketplace_id) is domain
    assert parse(f"{marketplace_id} ({domain})") is domain


@pytest.mark.parametrize(("domain", "names"), COUNTRIES.items())
def test_a_country_is_known_in_many_languages(domain: Domain, names: str) -> None:
    assert {name: parse(name) for name in names.split(",")} == dict.fromkeys(names.split(","), domain)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Espana", Domain.ES),
        ("ESPAN\u0303A", Domain.ES),
        ("Etats-Unis", Domain.COM),
        ("etats unis", Domain.COM),
        ("Japon", Domain.JP),
        ("Vereinigtes Konigreich", Domain.UK),
        ("Vereinigtes Koenigreich", Domain.UK),
        ("\uff84\uff9e\uff72\uff82", Domain.DE),  # half-width ドイツ
        ("\uff24\uff25", Domain.DE),  # full-width DE
    ],
)
def test_accents_and_widths_do_not_matter(text: str, domain: Domain) -> None:
    assert parse(text) is domain


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("GB", Domain.UK),
        ("U.K.", Domain.UK),
        ("U.S.", Domain.COM),
        ("USA", Domain.COM),
        ("U.S.A.", Domain.COM),
        ("EE.UU.", Domain.COM),
        ("the United States of America", Domain.COM),
        ("United States of America (the)", Domain.COM),
        ("DEU", Domain.DE),
        ("ger", Domain.DE),
        (".de", Domain.DE),
        (" de\u00a0", Domain.DE),
        ("Amazon DE", Domain.DE),
        ("amazon_de", Domain.DE),
        ("Amazon-DE", Domain.DE),
        ("AmazonDE", Domain.DE),
        ("AMZ Germany", Domain.DE),
        ("Marketplace: Germany", Domain.DE),
        ("en-GB", Domain.UK),
        ("en_US", Domain.COM),
    ],
)
def test_a_name_may_be_short_or_wrapped(text: str, domain: Domain) -> None:
    assert parse(text) is domain


@pytest.mark.parametrize(
    "text",
    [
        *("Amazon.de (Germany)", "DE - Germany", "Germany (DE)", "DE / Germany", "Deutschland\nGermany", "de-DE"),
        *("DE Germany", "amazon.de; amazon.de", "Germany | A1PA6795UKMFR9", "https://www.amazon.de, Germany"),
    ],
)
def test_a_marketplace_may_be_named_several_times(text: str) -> None:
    assert parse(text) is Domain.DE


def test_a_country_with_a_language_tag_is_one_country() -> None:
    assert parse("Italia,en:italy") is Domain.IT


@pytest.mark.parametrize(
    "text",
    ["France, Italy", "DE/FR", "fr-CA", "Amazon.com Mexico", "amazon.de amazon.fr", "amazon.de/amazon.fr", "DE, USA"],
)
def test_two_marketplaces_are_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(("number", "domain"), KEEPA_NUMBERS.items())
def test_keepas_numbers_are_known(number: str, domain: Domain) -> None:
    assert parse(number) is domain
    assert parse(f"{number}.0") is domain
    assert parse(f"https://keepa.com/#!product/{number}-B088H39PXX") is domain


@pytest.mark.parametrize("number", ["0", "7", "12", "13", "99", "3.5", "-3", "3 4", "9" * 5000])
def test_other_numbers_are_none(number: str) -> None:
    assert parse(number) is None
    assert parse(f"https://keepa.com/#!product/{number}-B088H39PXX") is None


@pytest.mark.parametrize(
    "text",
    [
        *("Brazil", "Brasil", "BR", "amazon.com.br", "www.amazon.com.br", "https://www.amazon.com.br/dp/B088H39PXX"),
        *("amazon.se", "Sweden", "amazon.com.be", "nl-BE", "de-AT", "amazon.com.tr", "amazon.cn", "amazon.sg"),
        *("A2Q3Y263D00KWC", "A2NODRKZP88ZB9", "AMEN7PMS3EDWL", "Ireland", "EU", "Europe"),
    ],
)
def test_a_marketplace_that_is_not_offered_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("sellercentral-europe.amazon.com", "https://sellercentral-europe.amazon.com/gp/homepage.html"),
        *("sellingpartnerapi-eu.amazon.com", "advertising-api-fe.amazon.com"),
    ],
)
def test_a_server_of_several_marketplaces_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-", "Amazon", "Amazon marketplace", "www", "the", "Narnia", "?", "n/a", "B088H39PXX"),
        *("Indiana", "Mexico City", "New Mexico", "New England", "Germany only", "not Germany", "made in Germany"),
        *("Non-Amazon", "Non-Amazon US", "non-amazon.de", "SI UK Prod Marketplace", "Austria", "indices", "dell"),
        *("Brazil,amazon.de", "see www.amazon.de/dp/B088H39PXX"),
        *("notamazon.com", "amazon.com.evil.io", "https://amazon.com.evil.io/dp/B088H39PXX"),
        *("https://amazon.com@evil.io/", "https://amazon.com:80@evil.io/", "m.media-amazon.com", "images-amazon.com"),
        *("https://amzn.to/3xYzAbC", "https://amzn.eu/d/abc1234", "https://a.co/d/xyz", "https://keepa.com/"),
    ],
)
def test_what_is_not_wholly_understood_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "address",
    [
        "https://www.amazon.com/-/es/",
        "https://www.amazon.com/de/dp/B088H39PXX",
        "https://www.amazon.com/Made-in-Germany/dp/B088H39PXX",
        "https://www.amazon.com:443/?language=de_DE",
    ],
)
def test_of_an_address_only_the_host_counts(address: str) -> None:
    assert parse(address) is Domain.COM


def test_addresses_are_cut_at_the_next_one() -> None:
    assert addresses(
        "https://www.amazon.de/ and keepa.com/#!product/12-B088H39PXX or http://amazon.fr/dp/B01IG0E1F0"
    ) == [
        ("www.amazon.de", "/ and"),
        ("amazon.com.br", "B088H39PXX or http:"),
        ("amazon.fr", "/dp/B01IG0E1F0"),
    ]


@given(st.text() | st.from_regex(r"(https?://)?[a-z.-]*(amazon|keepa)[a-z./#!:%@-]*", fullmatch=True))
def test_any_text_is_a_domain_or_none(text: str) -> None:
    domain = parse(text)
    assert domain is None or domain in Domain


@given(st.sampled_from(list(HOSTS)), st.from_regex(r"/[A-Za-z0-9/_=&?%#-]*", fullmatch=True))
def test_whatever_the_path_the_host_decides(host: str, path: str) -> None:
    assert parse(f"https://www.{host}{path}") is HOSTS[host]
