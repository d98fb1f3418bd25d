# ruff: noqa: RUF001 - letters of many scripts are what this is about
"""How well bytes read in an encoding: letters by how common they are, and whether what stands beside them fits.

Knows languages; knows nothing of files. Western accents stand alone between ASCII letters, other scripts come in runs;
a capital inside a word, a currency sign between letters or a box-drawing line mean that the guess is wrong.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FOREIGN = re.compile("[^\x00-\x7f]")
_OWN, _OTHER, _STRANGE = 1.0, 0.5, -0.7
_OVER_WESTERN, _OVER_OTHERS = 0.15, 0.06
"""By how much a later reading must be better a character; where none is, the more usual encoding is the answer."""

_WEST = (
    "äöüß",  # German
    "éèêëàâçîïôûùœæü",  # French
    "áéíóúüñ",  # Spanish
    "àèéìòù",  # Italian
    "ãõáàâéêíóôúç",  # Portuguese
    "åäöé",  # Swedish, Finnish
    "æøåéöä",  # Danish, Norwegian
    "éëïèöüê",  # Dutch
    "õäöü",  # Estonian
)
_ONLY_LAST = "ìòù"  # in Italian and French they end a word
_CENTRAL = (
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "áéíóöőúüű",  # Hungarian
    "ăâîşţ",  # Romanian
    "čćđšž",  # Croatian, Slovene
    "äöüß",  # German
)
_CYRILLIC = ("оеаинтсрвлкмдпуя", "оеаинтсрвлкмдпуяіїєґ")


class _Reading(NamedTuple):
    """An encoding and its languages, each as the letters that make up most of it beyond ASCII.

    `others` are letters that occur now and then. `runs`: the language has a script of its own.
    """

    encoding: str
    languages: tuple[str, ...]
    others: str = ""
    runs: bool = False


_MORE_CYRILLIC = "ыьгзбчйхжшюцщэфёъіїєґўјљњћђџѓќѕ"
_READINGS = (
    _Reading("cp1252", _WEST, "ðþýšžÿ"),
    _Reading("cp850", _WEST, "ðþý"),
    _Reading("cp437", _WEST),
    _Reading("mac_roman", _WEST),
    _Reading("cp1250", _CENTRAL, "çë"),
    _Reading("iso8859_2", _CENTRAL, "çë"),
    _Reading("cp852", _CENTRAL, "çë"),
    _Reading("cp1254", ("çğıİöşü",), "âîûéß"),
    _Reading("cp1257", ("ąčęėįšųūž", "āčēģīķļņšūž"), "õäöüŗ"),
    _Reading("cp1251", _CYRILLIC, _MORE_CYRILLIC, runs=True),
    _Reading("cp866", _CYRILLIC, _MORE_CYRILLIC, runs=True),
    _Reading("koi8_r", _CYRILLIC, _MORE_CYRILLIC, runs=True),
    _Reading("cp1253", ("αοιετσνηυρπκμλςάίόέ",), "ήύώδγωχθφβξζψϊϋΐΰ", runs=True),
    _Reading("cp1255", ("יוהלארתבשמנדקחעפגזטסצכםןךףץ",), runs=True),
    _Reading("cp1256", ("اليمنروتبعدسهكفقحجةشطصخأ",), "إئءىؤآذزضغظثپچگڤ", runs=True),
)
_WESTERN = {reading.encoding for reading in _READINGS if reading.languages is _WEST}
_HANGUL = (
    "이다는의에가을를고은한로기하지사서도인자리시대스어정부상아제그나해수동과일전보주장구화라원조선여면오성신유비안공용방"
    "생소국무마만세으연"
)
_HANZI = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民"
    "得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社"
    "品色套装新款男女儿童手包长红白黑蓝黄绿金银书店价格元件号型号码名称商版库存"
)
_HANZI_TRADITIONAL = (
    "的一是在不了有和人這中大為上個國我以要他時來用們生到作地於出就分對成會可主發年動同工也能下過子說產種面而方後多定行學法所民"
    "得經十三之進著等部度家電力裡如水化高自二理起小物現實加量都兩體制機當使點從業本去把性好應開它合還因由其些然前外天政四日那社"
    "品色套裝新款男女兒童手包長紅白黑藍黃綠金銀書店價格元件號型碼名稱商版庫存"
)


def best_reading(text: bytes) -> str | None:
    """Name the encoding in which the text reads best; None where it reads well in none.

    >>> best_reading("Größe: für Käse".encode("cp850"))
    'cp850'
    """
    best, score_to_beat = None, 0.0
    for encoding, score in _scores(text):
        if score > score_to_beat:
            best = encoding
            score_to_beat = score + (_OVER_WESTERN if encoding in _WESTERN else _OVER_OTHERS)
    return best


def _scores(text: bytes) -> Iterator[tuple[str, float]]:
    """Rate the text in every encoding, the more usual ones first."""
    for reading in _READINGS:
        yield reading.encoding, _mean(text.decode(reading.encoding, "surrogateescape"), reading)
    for encoding, rate in (("cp949", _korean), ("gb18030", _chinese), ("cp932", _japanese), ("cp950", _traditional)):
        yield encoding, _mean_of_signs(text.decode(encoding, "surrogateescape"), rate)


def _mean(text: str, reading: _Reading) -> float:
    """Rate a text by its foreign characters, as the language it fits best: from -2 to 1 a character."""
    fit = _fit_in_run if reading.runs else _fit_alone
    letters: Counter[tuple[str, float, float]] = Counter()
    total, count = 0.0, 0
    padded = f" {text} "
    for found in _FOREIGN.finditer(padded):
        at = found.start()
        char, before, after = padded[at], padded[at - 1], padded[at + 1]
        count += 1
        if char.isalpha() and char not in "ªºµ":
            letters[char if char == "İ" else char.lower(), *fit(char, before, after)] += 1
        else:
            total += _symbol(char, before, after)
    every = set(reading.others).union(*reading.languages)
    best = max(
        sum(
            number * min((_OWN if letter in own else _OTHER if letter in every else _STRANGE) * factor, cap)
            for (letter, factor, cap), number in letters.items()
        )
        for own in map(set, reading.languages)
    )
    return (total + best) / count if count else 0.0


def _mean_of_signs(text: str, rate: Callable[[str], float]) -> float:
    """Rate a text as one of an East Asian script, where a sign seldom touches a Latin letter."""
    total, count = 0.0, 0
    padded = f" {text} "
    for found in _FOREIGN.finditer(padded):
        sides = padded[found.start() - 1] + padded[found.end()]
        rated = rate(found[0])
        total += rated / 2 if rated > 0 and any(side.isascii() and side.isalpha() for side in sides) else rated
        count += 1
    return total / count if count else 0.0


def _fit_alone(char: str, before: str, after: str) -> tuple[float, float]:
    """Return by what to weigh an accented Latin letter with these neighbours, and the most it can get."""
    if before.isdigit() or after.isdigit():
        return 1.0, -0.3
    if char.isupper() and (before.islower() or (before.isalpha() and after.islower())):
        return 1.0, -1.0
    if char.islower() and after.isupper() and before.isalpha():
        return 1.0, -1.0
    if (char in _ONLY_LAST and after.isalpha()) or not (before.isalpha() or after.isalpha()):
        return 1.0, 0.2
    beside = _is_foreign_letter(before) + _is_foreign_letter(after)
    return (1.0, 0.1) if beside == 2 else (0.6, 1.0) if beside else (1.0, 1.0)  # noqa: PLR2004 - both sides


def _fit_in_run(char: str, before: str, after: str) -> tuple[float, float]:
    """Return the same for a letter of a script of its own."""
    if (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha()):
        return 1.0, -1.0
    if char.isupper() and before.islower():
        return 1.0, -1.0
    return (1.0, 1.0) if before.isalpha() or after.isalpha() else (1.0, 0.1)


def _is_foreign_letter(char: str) -> bool:
    return not char.isascii() and char.isalpha()


def _symbol(char: str, before: str, after: str) -> float:  # noqa: C901, PLR0911 - one rule a kind of sign
    if "\udc80" <= char <= "\udcff" or "\x80" <= char <= "\x9f":
        return -2.0
    inside = before.isalpha() and after.isalpha()
    if char == "\xa0":
        return 1.0 if before.isalnum() or after.isalnum() else 0.4
    if char in "’´":
        return 0.8 if before.isalnum() else -0.3
    if char in "‹›":
        return -1.0 if inside else 0.6
    if char in "‘“„«‚":
        return 0.8 if not before.isalnum() else -1.0
    if char in "”»":
        return 0.8 if not before.isspace() and not after.isalpha() else -1.0
    if char in "–—•·…":
        return -1.0 if inside else 0.6
    if char in "®™©²³°ºª":
        return -1.0 if after.isalpha() and not (char == "°" and after in "CF") else 0.2 if after.isdigit() else 0.9
    if char in "€£¥¢":
        return -1.0 if before.isalpha() or after.isalpha() else 0.7 if before.isdigit() or after.isdigit() else 0.4
    if char in "½¼¾×±÷§№":
        return -1.0 if inside else 0.5
    if char in "µ¿¡":
        return -1.0 if before.isalpha() else 0.5
    return -1.0


def _korean(char: str) -> float:
    if "가" <= char <= "힣":
        return 1.0 if char in _HANGUL else 0.6 if char.encode("euc_kr", "ignore") else -0.4
    return -2.0 if "\udc80" <= char <= "\udcff" else -0.3


def _chinese(char: str) -> float:
    if char in _HANZI:
        return 1.0
    return _hanzi(char, "gb2312", b"\xb0", b"\xd8")


def _traditional(char: str) -> float:
    if char in _HANZI_TRADITIONAL:
        return 1.0
    return _hanzi(char, "big5", b"\xa4", b"\xc7")


def _hanzi(char: str, codec: str, first: bytes, end: bytes) -> float:
    """Rate a character by its place: the codec's first level holds the usual ones."""
    if "\udc80" <= char <= "\udcff":
        return -2.0
    if "\u3000" <= char <= "\u303f" or "\uff01" <= char <= "\uff5e":
        return 0.5
    return 0.4 if first <= char.encode(codec, "ignore")[:1] < end else -0.4


def _japanese(char: str) -> float:
    if "\u3041" <= char <= "\u30fe":
        return 1.0
    if "\uff61" <= char <= "\uff9f":  # half-width kana: any single byte from A1 to DF is one
        return 0.2
    if "\udc80" <= char <= "\udcff":
        return -2.0
    if "\u2160" <= char <= "\u2473" or "\u3000" <= char <= "\u33ff" or "\uff01" <= char <= "\uff5e":
        return 0.5
    return 0.5 if "\u4e00" <= char <= "\u9fff" and char.encode("shift_jis", "ignore")[:1] < b"\x98" else -0.4
