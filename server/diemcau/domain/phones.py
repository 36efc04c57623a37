"""Telephone numbers as people and lists write them: one number has one spelling here (DESIGN.md §6). Pure."""

from __future__ import annotations

import re

DIGITS_MIN = 8
DIGITS_MAX = 15
"""The shortest number with its area code, and the longest of the world (E.164)."""

TYPED_CHARS_MAX = 80
"""Two numbers with their extensions; anything longer is a text."""

COUNTRY = re.compile(r"^(?:\+?00|\+)?84(?=[1-9]\d{8,9}$)")
"""Viet Nam's code before a number of nine or ten digits, with or without what is dialled before it."""

WITHOUT_ZERO = re.compile(r"[35789]\d{8}")
"""A mobile number whose leading zero a spreadsheet took for no digit."""

PLAIN = re.compile(r"0[1-9][0-9]{8,9}")
SIGNS = re.compile(r"[\s.\-–()]|\u200b")
SEVERAL = re.compile(r"[/,;]")


def digits(text: str) -> str:
    """The digits of a typed telephone number, Vietnamese ones with their leading 0; "" when it is none.

    Of several numbers in one cell the first that is one.

    >>> digits("+84 912 345 678"), digits("0084.912.345.678"), digits("84912345678"), digits("(024) 3825-0000")
    ('0912345678', '0912345678', '0912345678', '02438250000')
    """
    if PLAIN.fullmatch(text):  # as lists have nearly all of them: a tenth of the time
        return text
    if len(text) > TYPED_CHARS_MAX:
        return ""
    return next(filter(None, map(_one, SEVERAL.split(text))), "")


def _one(text: str) -> str:
    plain = SIGNS.sub("", text)
    number = COUNTRY.sub("0", plain).removeprefix("+")
    if WITHOUT_ZERO.fullmatch(number):
        number = "0" + number
    return number if number.isascii() and number.isdigit() and DIGITS_MIN <= len(number) <= DIGITS_MAX else ""
