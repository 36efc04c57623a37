"""Telephone numbers: however they are written, the same person is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diemcau.domain.phones import DIGITS_MAX, digits


@pytest.mark.parametrize(
    "typed",
    [
        "0912345678",
        "0912 345 678",
        "0912.345.678",
        "0912-345-678",
        " 0912–345–678 ",
        "+84912345678",
        "+84 912 345 678",
        "(+84) 912 345 678",
        "84912345678",
        "0084 912.345.678",
        "912345678",
        "0912345678 / 02438250000",
        "; 0912345678",
    ],
)
def test_one_number_has_one_spelling(typed: str) -> None:
    """The office wrote it one way, the person types it another, and Excel ate the zero."""
    assert digits(typed) == "0912345678"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("024 3825 0000", "02438250000"),
        ("+84 24 3825 0000", "02438250000"),
        ("38250000", "38250000"),
        ("+49 30 1234567", "49301234567"),
        ("0084", ""),
        ("84000000000", "84000000000"),
        ("1234567", ""),
        ("1234567890123456", ""),
        ("", ""),
        ("không có", ""),
        ("DB-0912345678", ""),
        ("0912345678 (nhà)", ""),
        ("٠٩١٢٣٤٥٦٧٨", ""),
        ("09" * 50, ""),
    ],
)
def test_what_is_a_number_and_what_is_not(typed: str, expected: str) -> None:
    """Landlines and foreign numbers are numbers; words, codes and other scripts' digits are none."""
    assert digits(typed) == expected


@given(st.text(max_size=100))
def test_any_text_is_read_without_harm(text: str) -> None:
    """Whatever stands in a list's cell, what is kept is digits or nothing, and reading it again changes nothing."""
    found = digits(text)
    assert found == "" or (found.isdigit() and len(found) <= DIGITS_MAX)
    assert digits(found) == found
