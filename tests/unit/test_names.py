"""Vietnamese names: found however they are typed, and standing where a Vietnamese reader looks for them."""

from __future__ import annotations

import random
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diemcau.domain.names import fold, mask, sort_key, tidy

LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxy"
TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")

SYLLABLES = st.sampled_from(
    ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đỗ", "Đặng", "Ước", "Ánh", "Ân", "An", "Ăn", "Thị", "Văn", "Hồng"]
)
NAMES = st.lists(SYLLABLES, min_size=1, max_size=6).map(" ".join)


def nfd(text: str) -> str:
    """As a Mac or an old iPhone sends it."""
    return unicodedata.normalize("NFD", text)


# --- order ---------------------------------------------------------------------------------------------------
PEOPLE = [
    "Nguyễn Văn An",
    "Trần Văn An",
    "Đỗ Đức Anh",
    "Lê Thị Anh",
    "Nguyễn Ánh",
    "Nguyễn Thị Ánh",
    "Phạm Thị Ngọc Ánh",
    "Vũ Thành Ăn",
    "Trần Văn Ân",
    "Lê Bình",
    "Tôn Nữ Thị Ngọc Bảo Châu",
    "Nguyễn Dũng",
    "Nguyễn Thị Đào",
    "Nguyễn Thị Hồng Đào",
    "Điểu Ê",
    "Y Thông Ê-ban",
    "Y Bhiông Êban",
    "Hiền",
    "Nguyễn Thị Hiền",
    "Lê Hoa",
    "Lê Hoà",
    "Trần Hòa",
    "Lê Hoá",
    "Lê Hoạ",
    "Lê Hoan",
    "Điểu K'Ré",
    "H'Hen Niê",
    "Bùi Uyên",
    "Đỗ Đức Ước",
    "Cao Ý",
    "Cao Yên",
]


def test_people_stand_under_their_given_name() -> None:
    """A list sorted in any other way is one in which nobody finds themselves."""
    shuffled = PEOPLE.copy()
    random.Random(7).shuffle(shuffled)
    assert sorted(shuffled, key=sort_key) == PEOPLE


def test_given_then_middle_then_family() -> None:
    """Namesakes by given name are ordered by their middle names, and only then by family."""
    ordered = ["Vũ An", "Vũ Bá An", "Trần Thị An", "Lê Thị Ánh An", "Bùi Thị Bảo An", "Lê Văn An", "Vũ Văn An"]
    assert sorted(ordered, key=sort_key) == ordered


@pytest.mark.parametrize(("before", "after"), list(pairwise(LETTERS)))
def test_letters_have_the_order_of_the_alphabet(before: str, after: str) -> None:
    """Đ comes after d and before e, Ă after a: each is a letter of its own."""
    assert sort_key(f"Lê {before}") < sort_key(f"Lê {after}")
    assert sort_key(f"Lê {before}ng") < sort_key(f"Lê {after}n")


@pytest.mark.parametrize("vowel", "aăâeêioôơuưy")
def test_tones_have_the_order_of_dictionaries(vowel: str) -> None:
    """Ngang, huyền, hỏi, ngã, sắc, nặng; a tone matters only when the letters are the same."""
    syllables = [unicodedata.normalize("NFC", f"h{vowel}{tone}n") for tone in TONES]
    keys = [sort_key(f"Lê {syllable}") for syllable in syllables]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(TONES)
    assert keys[-1] < sort_key(f"Lê h{vowel}nh")


@pytest.mark.parametrize("name", ["", " ", "\u200b"])
def test_no_name_has_no_key(name: str) -> None:
    """An empty cell sorts first and breaks nothing."""
    assert sort_key(name) == ""


@given(NAMES)
def test_order_does_not_depend_on_how_the_text_was_encoded(name: str) -> None:
    """The same name from a phone and from Excel stands in one place."""
    assert sort_key(name) == sort_key(nfd(name)) == sort_key(name.upper()) == sort_key(f"  {name} ")


@given(NAMES)
def test_keys_are_bytes_that_every_database_orders_alike(name: str) -> None:
    """SQLite and PostgreSQL must page through one and the same order."""
    assert sort_key(name).isascii()


@given(st.text(max_size=40))
def test_any_text_has_a_key(text: str) -> None:
    """Whatever stands in the cell, the import does not stop at it."""
    assert isinstance(sort_key(text), str)


# --- search --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Nguyễn Thị Hồng Đào", "nguyen thi hong dao"),
        ("NGUYỄN THỊ HỒNG ĐÀO", "nguyen thi hong dao"),
        ("nguyen thi hong dao", "nguyen thi hong dao"),
        ("Ðào", "dao"),
        ("Ɖào", "dao"),
        ("hoà", "hoa"),
        ("hòa", "hoa"),
        ("Thuý", "thuy"),
        ("Thúy", "thuy"),
        ("H'Hen Niê", "hhen nie"),
        ("H’Hen Niê", "hhen nie"),
        ("HHen Niê", "hhen nie"),
        ("Y Thông Ê-ban", "y thong e ban"),
        ("Y Thông Ê - ban", "y thong e ban"),
        ("Điểu K'Ré", "dieu kre"),
        ("  Lê \u00a0 Hoà\t", "le hoa"),
        ("Trần Thị Ưng Ức Ở", "tran thi ung uc o"),
        ("Phường 10", "phuong 10"),
        ("...", ""),
    ],
)
def test_names_are_found_however_they_are_typed(typed: str, folded: str) -> None:
    """Nobody at a door has a Vietnamese keyboard set up rightly."""
    assert fold(typed) == folded
    assert fold(nfd(typed)) == folded


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    """What is stored folded must equal what is typed and folded later."""
    assert fold(fold(text)) == fold(text)


@given(NAMES, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_every_encoding_folds_alike(name: str, form: str) -> None:
    """One person, one key, whichever program wrote the file."""
    assert fold(unicodedata.normalize(form, name)) == fold(name)  # type: ignore[arg-type]


@given(NAMES)
def test_folded_vietnamese_is_ascii(name: str) -> None:
    """A diacritic that survived would hide its bearer from everyone who types without."""
    assert fold(name).isascii()


# --- storing and masking ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (nfd("Nguyễn  Văn   Ân"), "Nguyễn Văn Ân"),
        ("\ufeffLê\u200b Hoà\x00", "Lê Hoà"),
        ("Lê\nHoà\r", "Lê Hoà"),
        ("hOÀ", "hOÀ"),
        ("H'Hen Niê", "H'Hen Niê"),
    ],
)
def test_text_is_stored_faithfully(typed: str, stored: str) -> None:
    """What was typed stays, except what nobody sees."""
    assert tidy(typed) == stored


@given(st.text(max_size=60))
def test_stored_text_is_stable(text: str) -> None:
    """A list exported and imported again changes nobody."""
    assert tidy(tidy(text)) == tidy(text)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("Nguyễn Thị Hồng Đào", "Nguyễn T••• H••• Đ•••"),
        ("Lê Hoà", "Lê H•••"),
        ("Hiền", "H•••"),
        (nfd("Trần Văn Ánh"), "Trần V••• Á•••"),
        ("", ""),
    ],
)
def test_a_masked_name_is_recognized_by_its_owner_only(name: str, masked: str) -> None:
    """Whoever guesses codes at the door must not collect names."""
    assert mask(name) == masked
