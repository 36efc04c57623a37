"""Claims and seals: what travels in the page's forms cannot be read, changed or passed off as something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diemcau import limits
from diemcau.services.claims import Claim, Failures, Intent, Memory, Receipt
from diemcau.services.context import Keys
from diemcau.services.seals import LETTER_CHARS_MAX, open_sealed, seal

KEYS = Keys(bytes(32))


def claim(number: int = 1, person: int = 0) -> Claim:
    """A claim of its own."""
    return Claim(1, number.to_bytes(8, "big"), 1_770_000_000_000, person)


@given(name=st.text(max_size=limits.NAME_CHARS_MAX), attendee_id=st.integers(0, 2**53))
def test_every_name_comes_back(name: str, attendee_id: int) -> None:
    """Whatever somebody typed reaches their receipt as they typed it, and fits."""
    intent = Intent(claim(), attendee_id, name)
    text = seal(KEYS, intent)
    assert len(text) <= LETTER_CHARS_MAX
    assert open_sealed(KEYS, text, Intent) == intent


def test_sealed_twice_is_equal() -> None:
    """The same tap leads to the same receipt."""
    assert seal(KEYS, claim()) == seal(KEYS, claim())


def test_names_cannot_be_read_from_a_link() -> None:
    """A receipt's address in a log or a history gives nobody's name away."""
    text = seal(KEYS, Receipt(1, bytes(16), "Nguyễn Thị Hồng Đào", 1, 1))
    assert "Nguy" not in text
    assert open_sealed(Keys(bytes(31) + b"1"), text, Receipt) is None


def test_one_purpose_is_no_other() -> None:
    """A receipt is no claim, though both were sealed here."""
    assert open_sealed(KEYS, seal(KEYS, Receipt(1, bytes(16), "", None, None)), Claim) is None


@given(text=st.text(max_size=300))
def test_foreign_text_opens_nothing(text: str) -> None:
    """Whatever stands where a letter should be ends in a sentence."""
    assert open_sealed(KEYS, text, Claim) is None


@given(position=st.integers(0, 200), letter=st.sampled_from("AZaz09-_"))
def test_changed_letters_open_nothing(position: int, letter: str) -> None:
    """One changed character makes the whole worthless (the last may hold unused bits only, and then says the same)."""
    text = seal(KEYS, claim())
    position %= len(text)
    changed = text[:position] + letter + text[position + 1 :]
    assert open_sealed(KEYS, changed, Claim) in (
        {None, claim()} if position == len(text) - 1 or changed == text else {None}
    )


def test_five_people_a_scan() -> None:
    """The fifth person is the last."""
    turns = [claim()]
    while further := turns[-1].next:
        turns.append(further)
    assert [turn.person for turn in turns] == list(range(limits.CLAIM_PERSONS_MAX))


@pytest.mark.parametrize(("age_s", "expired"), [(0, False), (300, False), (300.001, True)])
def test_claims_last_five_minutes(age_s: float, expired: bool) -> None:  # noqa: FBT001 pytest gives it by name
    """Neither less than was promised nor more."""
    assert claim().expired(claim().issued_ms + round(age_s * 1000)) is expired


def test_who_was_shown_and_did_not_confirm_is_a_try() -> None:
    """Nobody reads a list of people off one scan by their codes: five strangers, and it is used up."""
    failures = Failures()
    failures.add(claim())
    assert [failures.may_see(claim(), person) for person in (1, 2, 3, 4, 5)] == [True, True, True, True, False]
    assert failures.count(claim()) == limits.CLAIM_FAILURES_MAX
    assert failures.may_see(claim(), 3)


def test_who_confirms_was_no_try() -> None:
    """Five colleagues on one phone use up no try, however often each of them looks twice."""
    failures = Failures()
    for person in range(limits.CLAIM_PERSONS_MAX):
        assert failures.may_see(claim(person=person), 100 + person)
        assert failures.may_see(claim(person=person), 100 + person)
        failures.confirmed(claim(person=person), 100 + person)
    failures.confirmed(claim(), 7)
    assert failures.count(claim()) == 0
    assert not failures._by_claim


def test_failures_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Millions of guesses do not fill the memory; the oldest claims, long expired, are forgotten first."""
    monkeypatch.setattr(limits, "CLAIMS_REMEMBERED_MAX", 2)
    failures = Failures()
    for number in (1, 2, 1, 3):
        failures.add(claim(number))
    assert [failures.count(claim(number)) for number in (1, 2, 3)] == [2, 0, 1]


def test_phone_keeps_no_name_after_not_me() -> None:
    """A phone that was lent forgets its borrower, and is still the same phone."""
    memory = Memory(b"marker", 3, "DB-0003", "le hoa", 1, b"3")
    assert memory.without_person == Memory(b"marker", session_id=1, first=b"3")
    assert "le hoa" not in repr(memory.without_person)


@given(name=st.text(min_size=1, max_size=limits.NAME_CHARS_MAX))
def test_memory_fits_a_cookie(name: str) -> None:
    """A cookie larger than 4 KB would be dropped, and the phone would never remember."""
    text = seal(KEYS, Memory(bytes(8), 2**53, "X" * limits.CODE_CHARS_MAX, name, 2**53, bytes(16)))
    assert len(text) <= LETTER_CHARS_MAX
