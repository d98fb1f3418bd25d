"""What the guard lets by and what it stops, whatever the pieces the bytes come in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.errors import InputError
from enricher.sheets.xlsx.opc import xml_guard
from enricher.sheets.xlsx.opc.xml_guard import XmlGuard

SOUND = [
    b'<row r="1"><c r="A1"/><c r="B1"><v>1</v></c></row>',
    b"<row><c><v>a/>b > c</v></c></row>",
    b"<!-- <row> <c> -->",
    b"<![CDATA[</row><<<<]]>",
    b"<?x <<< ?>",
    b"<row x='/>'/>",
    b"\n",
]


def passes(data: bytes, size: int) -> bool:
    guard = XmlGuard("a.xlsx")
    try:
        for start in range(0, len(data), size):
            guard.feed(data[start : start + size])
    except InputError:
        return False
    return True


@given(st.lists(st.sampled_from(SOUND), max_size=40), st.integers(64, 2000))
def test_sound_parts_pass_in_pieces_of_any_size(pieces: list[bytes], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_guard, "MAX_PIECE_BYTES", 60)
        patch.setattr(xml_guard, "MAX_DEPTH", 500)
        assert passes(b"".join(pieces), size)


@pytest.mark.parametrize(
    "nested", [b"<v>", b"<v x='/>'>", b"<v>/>", b'<v x="/>">/>', b"<v><!-- </v> --><w/>", b"<v><![CDATA[/>]]>"]
)
@pytest.mark.parametrize("size", [5000, 77, 300])
def test_tags_in_each_other_are_stopped_however_they_hide(
    nested: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml_guard, "MAX_DEPTH", 2000)
    assert not passes(b"<a>" + nested * 6000, size)
    assert passes(b"<a>" + nested * 100, size)


@pytest.mark.parametrize("long", [b"<a>%b</a>", b'<a b="%b"/>', b"<!--%b-->", b"<?x %b?>", b"<![CDATA[%b]]>", b"<%b/>"])
@pytest.mark.parametrize("size", [300, 9])
def test_a_long_text_tag_or_comment_is_stopped(long: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_guard, "MAX_PIECE_BYTES", 1000)
    assert passes(long % (b"x" * 900), size)
    assert not passes(long % (b"x" * 1100), size)
