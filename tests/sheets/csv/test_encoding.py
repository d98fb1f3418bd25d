# ruff: noqa: RUF001 - letters of many scripts are what this is about
from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.errors import InputError
from enricher.sheets.csv import encoding
from enricher.sheets.csv.dialect import detect
from enricher.sheets.csv.encoding import OFFERED, errors_of

if TYPE_CHECKING:
    from pathlib import Path

GERMAN = "EAN;Größe;Stück\n4006381333931;Käse für Brötchen;süß\n4006381333948;Mütze weiß, Ø 30 cm;Öl\n"
FRENCH = "EAN;Désignation\n1;Crème brûlée\n2;Théière en céramique\n3;Boîte à outils, très légère\n"
SPANISH = "EAN;Descripción;Tamaño\n1;Niño pequeño;año\n2;Café con más azúcar;¿Qué?\n3;Máquina;jabón\n"
ITALIAN = "EAN;Quantità;Città\n1;Caffè più;qualità\n2;è già;così però\n"
PORTUGUESE = "EAN;Descrição;Preço\n1;Pão de maçã;não\n2;Coração;três\n"
SWEDISH = "EAN;Storlek på skärm\n1;Köksbänk;blå\n2;Ägg;Öl\n"
DANISH = "EAN;Størrelse;Køkken\n1;Rød æske;blå grød\n2;Åben;Øl\n"
ENGLISH = "EAN;Name\n1;Levi’s jeans – blue\n2;“Best” mug…\n3;LEGO® set, 20 °C\n4;Nike™ shoe\n5;12 €\n"
SPACES = "EAN;Name;Price\n1;foo\xa0bar baz\xa0qux;12\xa0€\n2;tin\xa0can;price\xa0\n"
POLISH = "EAN;Żółta łódź\n1;Książka dla dzieci\n2;Szczęście, źródło\n3;dużą część\n"
CZECH = "EAN;Název\n1;Příliš žluťoučký kůň\n2;čokoláda pro děti\n3;Řízek, šunka\n"
HUNGARIAN = "EAN;Megnevezés\n1;árvíztűrő tükörfúrógép\n2;zöldség gyümölcs, kő\n"
TURKISH = "EAN;Ürün Adı\n1;Çocuk ayakkabısı\n2;beyaz gömlek, düğme\n3;Şapka\n4;İstanbul\n5;Değişik kırmızı çanta\n"
LITHUANIAN = "EAN;Pavadinimas\n1;Vaikiška knyga\n2;Šaukštas, žalias\n3;įmonė\n4;Ąžuolas šių\n"
RUSSIAN = "EAN;Название\n1;Книга для детей\n2;БЕЛЫЙ ШКАФ\n3;Нож кухонный, № 5\n"
GREEK = "EAN;Όνομα\n1;Βιβλίο για παιδιά\n2;Καρέκλα λευκή, μέγεθος\n"
HEBREW = "EAN;שם המוצר\n1;ספר ילדים\n2;כיסא לבן\n"
ARABIC = "EAN;اسم المنتج\n1;كتاب للأطفال\n2;كرسي أبيض\n"
JAPANESE = "JAN;商品名\n1;子供の本\n2;ホワイトチェア 折りたたみ\n3;①キッチン用ナイフ㈱\n"
CHINESE = "EAN;产品名称\n1;儿童图书 白色椅子\n2;厨房刀具 不锈钢\n"
TAIWANESE = "EAN;產品名稱\n1;兒童圖書 白色椅子\n2;廚房刀具 不鏽鋼\n"
KOREAN = "EAN;상품명\n1;어린이 도서\n2;흰색 의자 스테인리스\n"


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        *itertools.product([GERMAN, FRENCH, SPANISH, ITALIAN, PORTUGUESE, SWEDISH, DANISH], ["cp1252", "cp850"]),
        *itertools.product([GERMAN, FRENCH, SPANISH, ITALIAN, PORTUGUESE, SWEDISH, DANISH], ["mac_roman"]),
        *itertools.product([SPANISH, ITALIAN, SWEDISH], ["cp437"]),
        *itertools.product([ENGLISH, SPACES], ["cp1252"]),
        *itertools.product([POLISH, CZECH, HUNGARIAN], ["cp1250", "iso8859_2", "cp852"]),
        (TURKISH, "cp1254"),
        (LITHUANIAN, "cp1257"),
        *itertools.product([RUSSIAN], ["cp1251", "cp866", "koi8_r"]),
        (GREEK, "cp1253"),
        (HEBREW, "cp1255"),
        (ARABIC, "cp1256"),
        (JAPANESE, "cp932"),
        (CHINESE, "gb18030"),
        (TAIWANESE, "cp950"),
        (KOREAN, "euc_kr"),
        *itertools.product([GERMAN, RUSSIAN, JAPANESE], ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    ],
)
def test_a_text_is_read_as_it_was_written(tmp_path: Path, text: str, codec: str) -> None:
    data = text.encode(codec, "replace")
    (tmp_path / "in.csv").write_bytes(data)
    found = detect(tmp_path / "in.csv")
    with (tmp_path / "in.csv").open(encoding=found.encoding, errors=found.errors, newline="") as file:
        assert file.read().removeprefix("\ufeff") == data.decode(codec).removeprefix("\ufeff")
    assert found.has_bom == (codec in {"utf-8-sig", "utf-16"})


@pytest.mark.parametrize("word", ["café", "più", "año", "Stück", "più costosa", "Ärmel", "GRÖSSE", "KÄSE"])
@pytest.mark.parametrize("codec", ["cp1252", "cp850"])
def test_a_single_foreign_word_tells_windows_from_dos(tmp_path: Path, word: str, codec: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(f"EAN;Name\n4006381333931;{word}\n".encode(codec))
    assert path.read_bytes().decode(detect(path).encoding) == path.read_bytes().decode(codec)


@pytest.mark.parametrize("at", [0, 5_000_000])
def test_the_byte_that_decides_may_come_late(tmp_path: Path, at: int) -> None:
    plain = b"B00ABCDEF1,4006381333931,a title\r\n" * 200_000
    cut = plain.index(b"\n", at) + 1
    path = tmp_path / "in.csv"
    path.write_bytes(plain[:cut] + "B00ABCDEF2,,Größe\r\n".encode("cp850") + plain[cut:])
    assert detect(path).encoding == "cp850"


@pytest.mark.parametrize("stray", [b"\xe9", b"caf\xe9 \xff", b"\x80", b"\xc3"])
def test_a_stray_byte_makes_utf8_nothing_else(tmp_path: Path, stray: bytes) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(GERMAN.encode() + b"2;" + stray + b";x\n" + GERMAN.encode())
    found = detect(path)
    assert (found.encoding, found.errors) == ("utf-8", "surrogateescape")


def test_utf8_that_was_cut_inside_its_characters_stays_utf8(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    field = "Größe Übergröße für Mütze".encode()
    path.write_bytes(b"".join(b"%d," % at + field[:at] + b"\n" for at in range(2, len(field))) * 30_000)
    assert detect(path).encoding == "utf-8"


def test_one_long_line_of_utf8_is_not_cut_into_something_else(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes("名称,".encode() * 700_000)
    assert detect(path).encoding == "utf-8"


def test_bytes_that_windows_does_not_define_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes("Größe;für;süß;Käse\n".encode("cp1252") * 50 + b"a\x81\x8d;b\x8f\x90\x9d;;\n")
    found = detect(path)
    assert found.encoding == "cp1252"
    data = path.read_bytes()
    assert data.decode("cp1252", found.errors).encode("cp1252", found.errors) == data


@pytest.mark.parametrize(
    ("text", "ambiguous", "instead"),
    [(JAPANESE, b"\x87\x90", "shift_jis"), (JAPANESE, b"\xfb\xfc", "shift_jis"), (TAIWANESE, b"\xa2\xcc", "cp1252")],
)
def test_a_codec_that_would_change_a_byte_of_this_file_is_not_used(
    tmp_path: Path, text: str, ambiguous: bytes, instead: str
) -> None:
    path = tmp_path / "in.csv"
    codec = "cp932" if text is JAPANESE else "cp950"
    path.write_bytes(text.encode(codec) * 40_000 + b"9;" + ambiguous + b"\n")
    assert detect(path).encoding == instead
    assert codec not in OFFERED


def test_a_file_too_large_to_be_tried_whole_gets_the_codec_that_needs_no_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(JAPANESE.encode("cp932"))
    monkeypatch.setattr(encoding, "_TRIED_WHOLE_BYTES", 10)
    assert detect(path).encoding == "shift_jis"


@pytest.mark.parametrize("codec", OFFERED)
def test_every_pair_of_bytes_comes_back(codec: str) -> None:
    errors = errors_of(codec)
    for first, second in itertools.product(range(256), repeat=2):
        pair = bytes([first, second])
        assert pair.decode(codec, errors).encode(codec, errors) == pair


@given(st.sampled_from([*OFFERED]), st.binary(max_size=200))
def test_any_bytes_come_back(codec: str, data: bytes) -> None:
    if codec.startswith("utf-16"):
        data = data[: len(data) // 2 * 2]  # an odd one is refused by name
    assert data.decode(codec, errors_of(codec)).encode(codec, errors_of(codec)) == data


@given(data=st.binary(min_size=1, max_size=400), text=st.sampled_from([GERMAN, RUSSIAN, JAPANESE, CHINESE, ""]))
def test_whatever_is_answered_no_byte_of_the_file_is_lost(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, text: str
) -> None:
    path = tmp_path_factory.mktemp("encoding") / "in.csv"
    path.write_bytes(text.encode("gb18030") + data + text.encode("cp932", "replace"))
    try:
        found = detect(path)
    except InputError:
        return
    with path.open(encoding=found.encoding, errors=found.errors, newline="") as file:
        read = file.read()
    assert read.encode(found.encoding, found.errors) == path.read_bytes()


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_cut_inside_a_character_is_refused(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(GERMAN.encode(codec) + b"\n")
    with pytest.raises(InputError, match=r"in\.csv is in UTF-16 but ends in the middle of a character"):
        detect(path)


@pytest.mark.parametrize("codec", ["utf-32"])
def test_utf32_is_refused_by_name(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(GERMAN.encode(codec))
    with pytest.raises(InputError, match=r"UTF-32.*UTF-8"):
        detect(path)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "but a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "but a picture"),
        (b"\x1f\x8b\x08\x00", "but a compressed file .gzip.: unpack it first"),
        (b"{\\rtf1\\ansi", "but a document of a word processor"),
        (b"MZ\x90\x00\x03" + bytes(range(256)) * 20, "$"),
        (b"\xff\xfe" + bytes(range(256)) * 8, "$"),
        (b"a,b\n" + b"\0" * 400, "$"),
    ],
)
def test_what_is_no_text_is_refused_plainly(tmp_path: Path, start: bytes, what: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(start)
    with pytest.raises(InputError, match=rf"^in\.csv is neither a spreadsheet nor a table of text,? ?{what}"):
        detect(path)


@pytest.mark.parametrize("mark", [b"\0", b"\x01", b"\x1a", b"\x0b", b"\x7f", b"\x1c"])
def test_a_few_control_characters_are_part_of_the_text(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"EAN;Name\n" + b"4006381333931;Ti" + mark + b"tle of some length\n" * 30 + mark)
    assert detect(path).delimiter == ";"


def test_fields_padded_with_nuls_are_text(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"EAN,Name\n" + b"4006381333931\0\0\0,Title\0\0\0\0\n" * 30)
    assert detect(path).encoding == "utf-8"


@pytest.mark.parametrize("content", [b"", b" \r\n\t ", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff\xfe\r\0\n\0"])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"^in\.csv is empty$"):
        detect(path)


def test_replacement_characters_of_an_earlier_accident_do_not_make_a_file_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"EAN;Nome\n4006381333931;qualit\xe0\n" + "4210201072959;t\ufffd verde\n".encode() * 9)
    assert detect(path).encoding == "cp1252"
    path.write_bytes(b"EAN;Nome\n" + "4210201072959;t\ufffd verde\n".encode() * 9)
    assert detect(path).encoding == "utf-8"
