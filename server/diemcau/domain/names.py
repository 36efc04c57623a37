"""Vietnamese names: storing, folding for search, sorting, masking (DOMAIN.md, names and sorting)."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Sort keys are ASCII, so that any byte-wise collation orders them: part end < syllable end < tone < digit < letter.
PART_END = " "
SYLLABLE_END = "!"
TONES = {"": "#", "\u0300": "$", "\u0309": "%", "\u0303": "&", "\u0301": "'", "\u0323": "("}
"""ngang, huyền, hỏi, ngã, sắc, nặng: the order of Vietnamese dictionaries."""

ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
LETTER_KEY = {letter: chr(ord("A") + index) for index, letter in enumerate(ALPHABET)}
SHAPES = {"\u0306": {"a": "ă"}, "\u0302": {"a": "â", "e": "ê", "o": "ô"}, "\u031b": {"o": "ơ", "u": "ư"}}
APOSTROPHES = str.maketrans("", "", "'’‘ʼ`´′")
ETH = str.maketrans("ðɖ", "đđ")
"""Ð and Ɖ look like Đ; files converted from old Vietnamese fonts are full of them."""


def tidy(text: str) -> str:
    """The text as stored: NFC, no control characters, runs of white space made one space, ends trimmed."""
    composed = unicodedata.normalize("NFC", text)
    if composed.isprintable():
        return " ".join(composed.split())
    kept = "".join(
        " " if c.isspace() else c for c in composed if c.isspace() or not unicodedata.category(c).startswith("C")
    )
    return " ".join(kept.split())


def fold(text: str) -> str:
    """The text for searching: no diacritics, case, tone placement, apostrophes; hyphens count as spaces.

    >>> fold("Nguyễn Thị Hồng Đào"), fold("H'Hen Niê"), fold("Y Thông Ê-ban")
    ('nguyen thi hong dao', 'hhen nie', 'y thong e ban')
    """
    plain = unicodedata.normalize("NFD", text.casefold().translate(ETH).replace("đ", "d")).translate(APOSTROPHES)
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(letters.split())


def sort_key(full_name: str) -> str:
    """Orders people: given name, then middle names, then family name, syllable by syllable, letters before tones.

    A hyphen joins syllables of one name: Y Thông Ê-ban stands under Ê, not under ban.
    """
    words = tidy(full_name).split()
    if not words:
        return ""
    given, middle, family = words[-1], words[1:-1], words[:1] if len(words) > 1 else []
    parts = (
        _word_key(given),
        SYLLABLE_END.join(map(_word_key, middle)),
        "".join(map(_word_key, family)),
    )
    return PART_END.join(parts)


@lru_cache(8192)  # a list of 52,000 people has a few hundred syllables: 1 s becomes 0.1 s
def _word_key(word: str) -> str:
    return SYLLABLE_END.join(map(_syllable_key, filter(None, word.split("-"))))


def _syllable_key(word: str) -> str:
    letters: list[str] = []
    tone = TONES[""]
    for char in unicodedata.normalize("NFD", word.casefold().translate(ETH).translate(APOSTROPHES)):
        if char in SHAPES and letters:
            letters[-1] = SHAPES[char].get(letters[-1], letters[-1])
        elif char in TONES:
            tone = TONES[char]
        elif not unicodedata.combining(char):
            letters.append(char)
    return "".join(LETTER_KEY.get(letter, letter) for letter in letters) + tone


def mask(full_name: str) -> str:
    """Enough to recognize oneself, not to learn a stranger's name: family name, then initials.

    >>> mask("Nguyễn Thị Hồng Đào"), mask("Hiền")
    ('Nguyễn T••• H••• Đ•••', 'H•••')
    """
    words = tidy(full_name).split()
    masked = [word[0] + "•••" for word in words]
    return " ".join([words[0], *masked[1:]] if len(words) > 1 else masked)
