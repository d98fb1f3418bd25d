"""Invents the products of the shipped catalog: brands, titles, codes and prices that don't exist.

Owns the words and the numbers; a seed gives the same products for ever. Knows no file formats but the API's item.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from random import Random

PRODUCTS = 1000

BRANDS = (
    "Quillmarq",
    "Bramvikko",
    "Ostrellune",
    "Tundrixa",
    "Fennholmer",
    "Vellorique",
    "Karvussen",
    "Lumbrookle",
    "Pebblewicket",
    "Zorvantine",
    "Mirelunette",
    "Hexwollow",
    "Snorrelby",
    "Wüppelheim",
    "Plümkraft",
    "Éclavelle",
    "Kobayukari",
    "Gizzelby",
    "Drumlofty",
    "Thistlequay",
    "Marzapello",
    "Ottervane",
    "Yondermoss",
    "Brindlekopf",
)


class Kind(NamedTuple):
    """A sort of product: its name in four languages, sizes, a typical price in dollars, a package in inches, pounds."""

    department: str
    names: tuple[str, str, str, str]
    sizes: tuple[str, ...]
    usd: float
    package: tuple[float, float, float, float]


LANGUAGES = ("en", "de", "fr", "ja")
DEPARTMENTS = {
    "Kitchen": ("Home & Kitchen", "Küche, Haushalt & Wohnen", "Cuisine et Maison", "ホーム&キッチン"),
    "Sports": ("Sports & Outdoors", "Sport & Freizeit", "Sports et Loisirs", "スポーツ&アウトドア"),
    "Toy": ("Toys & Games", "Spielzeug", "Jeux et Jouets", "おもちゃ"),
    "Lawn & Patio": ("Patio, Lawn & Garden", "Garten", "Jardin", "DIY・工具・ガーデン"),
    "Office Product": ("Office Products", "Bürobedarf & Schreibwaren", "Fournitures de bureau", "文房具・オフィス用品"),
    "Pet Products": ("Pet Supplies", "Haustier", "Animalerie", "ペット用品"),
    "Tools": ("Tools & Home Improvement", "Baumarkt", "Bricolage", "産業・研究開発用品"),
    "Luggage": ("Clothing, Shoes & Jewelry", "Koffer, Rucksäcke & Taschen", "Bagages", "シューズ&バッグ"),
}
KINDS = (
    Kind("Kitchen", ("Stainless Steel Water Bottle", "Edelstahl-Trinkflasche", "Gourde en acier inoxydable",
         "ステンレスボトル"), ("500 ml", "750 ml", "1 l"), 21.9, (10.6, 3.4, 3.3, 0.9)),
    Kind("Kitchen", ("Enamel Saucepan", "Emaille-Kochtopf", "Casserole émaillée", "ホーロー鍋"),
         ("16 cm", "20 cm", "24 cm"), 38.5, (6.2, 10.1, 13.8, 3.4)),
    Kind("Kitchen", ("Bamboo Cutting Board", "Schneidebrett aus Bambus", "Planche à découper en bambou",
         "竹製まな板"), ("S", "M", "L"), 18.0, (0.9, 9.4, 13.1, 2.2)),
    Kind("Kitchen", ("Pour-Over Coffee Set", "Kaffeefilter-Set", "Coffret à café filtre", "ドリッパーセット"),
         ("300 ml", "600 ml"), 29.9, (7.9, 6.1, 6.4, 1.7)),
    Kind("Sports", ("Folding Camping Chair", "Klappbarer Campingstuhl", "Chaise de camping pliante",
         "折りたたみキャンプチェア"), ("standard", "XL"), 44.0, (5.5, 6.0, 33.0, 7.2)),
    Kind("Sports", ("Non-Slip Yoga Mat", "Rutschfeste Yogamatte", "Tapis de yoga antidérapant", "ヨガマット"),
         ("4 mm", "6 mm", "10 mm"), 26.5, (5.1, 5.2, 24.4, 2.6)),
    Kind("Sports", ("Rechargeable Headlamp", "Wiederaufladbare Stirnlampe", "Lampe frontale rechargeable",
         "充電式ヘッドライト"), ("300 lm", "600 lm"), 24.9, (2.4, 3.3, 4.1, 0.3)),
    Kind("Toy", ("Wooden Marble Run", "Kugelbahn aus Holz", "Circuit à billes en bois", "木製ビー玉コース"),
         ("Classic", "Deluxe"), 34.0, (4.0, 11.5, 15.2, 4.8)),
    Kind("Toy", ("Plush Hedgehog", "Plüsch-Igel", "Hérisson en peluche", "ハリネズミのぬいぐるみ"),
         ("20 cm", "35 cm"), 15.5, (5.0, 6.5, 8.0, 0.6)),
    Kind("Toy", ("Cooperative Board Game", "Kooperatives Brettspiel", "Jeu de société coopératif",
         "協力型ボードゲーム"),
         ("Mini", "Maxi"), 31.0, (2.8, 10.2, 10.2, 2.1)),
    Kind("Lawn & Patio", ("Self-Watering Planter", "Pflanzkübel mit Bewässerung", "Pot avec réserve",
         "自動給水プランター"), ("15 cm", "20 cm", "30 cm"), 27.0, (11.8, 12.4, 12.4, 3.9)),
    Kind("Lawn & Patio", ("Solar Path Lights", "Solar-Wegeleuchten", "Bornes solaires", "ソーラーガーデンライト"),
         ("x4", "x8"), 36.9, (6.0, 8.3, 12.9, 3.0)),
    Kind("Office Product", ("Dotted Notebook", "Notizbuch, gepunktet", "Carnet à points", "ドット方眼ノート"),
         ("A5", "A4"), 12.9, (0.7, 5.9, 8.4, 0.8)),
    Kind("Office Product", ("Desk Organizer", "Schreibtisch-Organizer", "Organiseur de bureau", "デスクオーガナイザー"),
         ("3-in-1", "5-in-1"), 23.5, (6.3, 9.1, 12.2, 2.5)),
    Kind("Pet Products", ("Orthopedic Dog Bed", "Orthopädisches Hundebett", "Panier orthopédique pour chien",
         "整形外科的ドッグベッド"), ("S", "M", "L", "XL"), 52.0, (7.1, 20.2, 28.3, 6.4)),
    Kind("Pet Products", ("Slow Feeder Bowl", "Anti-Schling-Napf", "Gamelle anti-glouton", "早食い防止ボウル"),
         ("M", "L"), 14.5, (2.5, 8.2, 8.2, 0.7)),
    Kind("Tools", ("Precision Screwdriver Set", "Feinmechaniker-Schraubendreher-Set",
         "Jeu de tournevis de précision", "精密ドライバーセット"), ("24-in-1", "56-in-1"), 25.9, (1.8, 4.4, 7.9, 1.1)),
    Kind("Tools", ("Motion Sensor Night Light", "Nachtlicht mit Bewegungsmelder", "Veilleuse à détecteur",
         "人感センサーライト"), ("x1", "x3"), 17.9, (3.0, 4.2, 6.1, 0.5)),
    Kind("Luggage", ("Roll-Top Backpack", "Rolltop-Rucksack", "Sac à dos à rabat roulé", "ロールトップリュック"),
         ("20 l", "28 l"), 69.0, (4.8, 12.0, 18.5, 2.4)),
    Kind("Luggage", ("Packing Cubes", "Packwürfel", "Cubes de rangement", "トラベルポーチ"),
         ("x3", "x6"), 22.0, (1.9, 9.8, 13.6, 0.9)),
)  # fmt: skip
COLOURS = (
    ("Black", "Schwarz", "Noir", "ブラック"),
    ("Sage Green", "Salbeigrün", "Vert sauge", "セージグリーン"),
    ("Night Blue", "Nachtblau", "Bleu nuit", "ネイビー"),
    ("Terracotta", "Terrakotta", "Terre cuite", "テラコッタ"),
    ("Natural", "Natur", "Naturel", "ナチュラル"),
    ("Grey", "Grau", "Gris", "グレー"),
)
# Titles that a spreadsheet takes for something else: two formulas, and a line break in the middle.
ODD_TITLES = (
    '=Equal= by Hexwollow: Dotted Notebook, A5, "Left & Right" Edition',
    "+Plus Fennholmer Precision Screwdriver Set, 56-in-1, Black",
    "Drumlofty Cooperative Board Game\nThe Lighthouse Keepers, Mini",
)


class Market(NamedTuple):
    """A marketplace: its language, what a dollar is there, and how many decimals its prices have."""

    language: int
    rate: float
    decimals: int


MARKETS = {
    "com": Market(0, 1.0, 2),
    "ca": Market(0, 1.37, 2),
    "uk": Market(0, 0.84, 2),
    "au": Market(0, 1.55, 2),
    "de": Market(1, 0.97, 2),
    "fr": Market(2, 0.99, 2),
    "jp": Market(3, 148.0, 0),
}
# The first six digits of ordinary number ranges: none for coupons, drugs, weighed goods or a shop's own use.
UPC_PREFIXES = ("071934", "031792", "083417", "098213", "618273", "719384", "813947", "860714")
EAN_PREFIXES = ("4061739", "4260385", "3284716", "3760214", "5047193", "4586213", "4973826")


@dataclass
class Product:
    """What is the same everywhere, as the API's item has it, and the offers by domain."""

    item: dict[str, Any]
    titles: tuple[str, ...]
    department: str
    offers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def asin(self) -> str:
        """The ASIN."""
        return str(self.item["asin"])

    @property
    def upc(self) -> str | None:
        """The first UPC, if it has one."""
        upc = self.item["upc"]
        return None if upc is None else str(upc)

    @property
    def ean(self) -> str | None:
        """The first EAN, if it has one."""
        ean = self.item["ean"]
        return None if ean is None else str(ean)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row a domain: the first with everything, the others with what differs."""
        rows = []
        for number, (domain, offer) in enumerate(self.offers.items()):
            language = MARKETS[domain].language
            words = {"title": self.titles[language], "category": DEPARTMENTS[self.department][language]}
            own = {"asin": self.asin} if number else self.item
            row = {"asin": self.asin, "domain": domain, **own, **words, **offer}
            rows.append({name: value for name, value in row.items() if value is not None})
        return rows


def with_check_digit(digits: str) -> str:
    """Complete a GTIN (GS1 General Specifications, "Standard check digit calculations").

    >>> with_check_digit("400638133393")
    '4006381333931'
    """
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)


class Inventor:
    """Makes products, each with codes that no other has."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.used: set[str] = set()

    def asin(self) -> str:
        """Return a new ASIN, far ahead of those that Amazon, which counts upwards, has come to."""
        tail = "".join(self.random.choice("0123456789BCDFGHJKLMNPQRSTVWXYZ") for _ in range(7))
        return self._new("B0" + self.random.choice("WXYZ") + tail) or self.asin()

    def upc(self) -> str:
        """Return a new UPC-A."""
        prefix = self.random.choice(UPC_PREFIXES)
        return self._new(with_check_digit(f"{prefix}{self.random.randrange(10**5):05}")) or self.upc()

    def ean(self) -> str:
        """Return a new EAN-13 that is no padded UPC."""
        prefix = self.random.choice(EAN_PREFIXES)
        return self._new(with_check_digit(f"{prefix}{self.random.randrange(10**5):05}")) or self.ean()

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _new(self, code: str) -> str | None:
        if code in self.used:
            return None
        self.used.add(code)
        return code

    def product(self, number: int) -> Product:
        """Invent one product with its offers."""
        random = self.random
        kind, colour, brand = random.choice(KINDS), random.choice(COLOURS), random.choice(BRANDS)
        size = random.choice(kind.sizes)
        titles = tuple(f"{brand} {name} - {size}, {shade}" for name, shade in zip(kind.names, colour, strict=True))
        if number < len(ODD_TITLES):
            titles = (ODD_TITLES[number],) * len(LANGUAGES)
            brand = next(brand for brand in BRANDS if brand in titles[0])
        upcs, eans = self._codes(number)
        asin = self.asin()
        images = [f"https://images.example.com/I/{asin[3:]}{view}.jpg" for view in "abc"]
        images = images[: random.choice((0, 1, 2, 3, 3))]
        package = [round(side * random.uniform(0.9, 1.2), 2) for side in kind.package]
        sides = dict(zip(("height", "width", "length", "weight"), package, strict=True))
        item = {
            "asin": asin,
            "ean": eans[0] if eans else None,
            "upc": upcs[0] if upcs else None,
            "mpn": f"{brand[:3].upper()}-{random.randrange(1000, 9999)}" if self._chance(0.9) else None,
            "brand": brand,
            "productGroup": kind.department,
            "packageDimensions": sides if self._chance(0.92) else None,
            "upcList": upcs or None,
            "eanList": eans or None,
            "smallImage": images[0] if images else None,
            "mediumImage": images[0] if images else None,
            "images": images or None,
        }
        product = Product(item, titles, kind.department)
        usd = kind.usd * (1 + 0.3 * kind.sizes.index(size)) * random.uniform(0.8, 1.4)
        for domain in self._domains(number):
            product.offers[domain] = self._offer(usd, MARKETS[domain])
        return product

    def _codes(self, number: int) -> tuple[list[str], list[str]]:
        if number >= len(ODD_TITLES) and self._chance(0.06):  # sold under its ASIN only
            return [], []
        if number >= len(ODD_TITLES) and self._chance(0.36):  # from outside America
            return [], [self.ean()]
        upcs = [self.upc() for _ in range(self.random.choice((1, 1, 1, 1, 1, 1, 2, 3)))]
        return upcs, ["0" + upc for upc in upcs]

    def _domains(self, number: int) -> list[str]:
        homes = ["com"] * 5 + ["de", "de", "uk", "fr", "jp", "ca"]
        domains = ["com" if number < len(ODD_TITLES) else self.random.choice(homes)]
        others = [domain for domain in MARKETS if domain not in domains]
        return domains + self.random.sample(others, self.random.choice((0, 0, 1, 1, 2, 3)))

    def _offer(self, usd: float, market: Market) -> dict[str, Any]:
        random = self.random
        sellers = random.choice((0, 1, 1, 2, 3, 5, 8, 14))
        price = round(usd * market.rate * random.uniform(0.92, 1.1), market.decimals)
        return {
            "bsr": round(10 ** random.uniform(0.5, 5.6)) if self._chance(0.9) else None,
            "lowestNewPrice": price if sellers else None,
            "soldByAmazon": sellers > 0 and self._chance(0.4),
            "totalNew": sellers,
        }


def invent(random: Random) -> list[Product]:
    """Invent the whole catalog; some UPCs are shared by two or three products, as a bundle shares its content's."""
    inventor = Inventor(random)
    products = [inventor.product(number) for number in range(PRODUCTS)]
    with_upc = [product for product in products[len(ODD_TITLES) :] if product.upc is not None]
    for first, second, third in zip(with_upc[0::40], with_upc[1::40], with_upc[2::40], strict=False):
        sharing = (second, third) if random.choice((True, False, False)) else (second,)
        for product in sharing:
            for code in ("upc", "upcList", "ean", "eanList"):
                product.item[code] = first.item[code]
    return products
