"""The sealed bundle: it names whom a device scans, and says nothing else to whoever takes the device."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diemcau.domain import badge, bundle
from diemcau.domain.bundle import Person

CONTRACT: dict[str, Any] = json.loads((Path(__file__).parents[1] / "contract" / "bundle.json").read_text())
BADGES = CONTRACT["badges"]
KEY = bytes(range(32))
SALT = bytes(range(16))
PEOPLE = st.lists(
    st.builds(
        Person,
        code=st.from_regex(r"[A-Z0-9._-]{1,40}", fullmatch=True),
        full_name=st.text(min_size=1, max_size=60),
        title=st.text(max_size=500),
        unit_name=st.text(max_size=200),
        number=st.integers(1, 60_000),
    ),
    max_size=8,
)


def read(text: str) -> bytes:
    """Base64."""
    return base64.b64decode(text)


@pytest.mark.parametrize("vector", BADGES)
def test_badges_are_those_of_the_specification(vector: dict[str, Any]) -> None:
    """A token that comes out differently after an upgrade voids every badge in the country."""
    token = badge.token(read(CONTRACT["key"]), vector["attendee_id"], vector["issue"])
    assert token == read(vector["token"])
    assert badge.encode(token) == vector["text"]
    assert badge.link("https://diemcau.example", token) == vector["link"]


@pytest.mark.parametrize("vector", CONTRACT["read"])
def test_typed_badges_are_read_as_the_client_reads_them(vector: dict[str, str | None]) -> None:
    """A badge that the device takes and the server refuses is a person who is told two things."""
    expected = vector["token"]
    assert badge.parse(vector["typed"] or "") == (read(expected) if expected else None)


@pytest.mark.parametrize("vector", BADGES)
def test_the_specified_bundle_opens(vector: dict[str, Any]) -> None:
    """A bundle of today must open on a page that was loaded last week."""
    entries = [tuple(map(read, entry)) for entry in CONTRACT["bundle"]["entries"]]
    found = bundle.open_with(read(vector["token"]), entries, read(CONTRACT["bundle"]["salt"]))
    assert found == msgspec.convert(vector["person"], Person)


def test_an_unknown_badge_opens_nothing() -> None:
    """A scan of somebody else's badge must not name a person of this hall."""
    entries = [tuple(map(read, entry)) for entry in CONTRACT["bundle"]["entries"]]
    unknown = badge.decode(CONTRACT["unknown"])
    assert unknown is not None
    assert bundle.open_with(unknown, entries, read(CONTRACT["bundle"]["salt"])) is None


@given(PEOPLE)
def test_everybody_is_found_by_their_own_badge(people: list[Person]) -> None:
    """A delegate with a long title whom the device cannot name is typed by hand, and perhaps wrongly."""
    given_badges = [(badge.token(KEY, number, 1), person) for number, person in enumerate(people)]
    entries = bundle.seal(given_badges, SALT)
    assert entries == sorted(entries)
    for token, person in given_badges:
        found = bundle.open_with(token, entries, SALT)
        assert found is not None
        assert (found.code, found.full_name, found.number) == (person.code, person.full_name, person.number)
        assert person.title.startswith(found.title.removesuffix("…"))
        assert person.unit_name.startswith(found.unit_name.removesuffix("…"))


@given(PEOPLE)
def test_lengths_tell_nothing(people: list[Person]) -> None:
    """The only woman with a seven-syllable name would be found by the length of her entry."""
    entries = bundle.seal([(badge.token(KEY, number, 1), person) for number, person in enumerate(people)], SALT)
    assert len({len(sealed) for _, sealed in entries}) <= 1
    assert all((len(sealed) - 16) % bundle.STEP_BYTES == 0 for _, sealed in entries)


def test_one_endless_title_does_not_swell_the_bundle() -> None:
    """A hall on a bad line would load megabytes because one title is a paragraph."""
    people = [Person(f"DB-{number}", "Lê Hoà", "", "Quận", number) for number in range(20)]
    people.append(Person("DB-99", "ữ" * 200, "ữ" * 500, "ữ" * 500, 99))
    entries = bundle.seal([(badge.token(KEY, number, 1), person) for number, person in enumerate(people)], SALT)
    assert max(len(sealed) for _, sealed in entries) <= bundle.PERSON_BYTES_MAX + 16
    found = bundle.open_with(badge.token(KEY, 20, 1), entries, SALT)
    assert found is not None
    assert found.full_name == "ữ" * 200


def test_the_same_list_looks_different_every_time() -> None:
    """Two bundles that are compared would tell who came to the list and who left it."""
    people = [(badge.token(KEY, 1, 1), Person("DB-1", "Lê Hoà", "", "Quận", 1))]
    ((first_hash, first),) = bundle.seal(people, SALT)
    ((second_hash, second),) = bundle.seal(people, bytes(16))
    assert first_hash == second_hash
    assert first != second
    assert bundle.open_with(people[0][0], [(second_hash, second)], SALT) is None


def test_badges_whose_hashes_begin_alike_are_told_apart() -> None:
    """One in many billions, and still nobody may be named as somebody else."""
    token = badge.token(KEY, 1, 1)
    ((found, sealed),) = bundle.seal([(token, Person("DB-1", "Lê Hoà", "", "Quận", 1))], SALT)
    ((_, foreign),) = bundle.seal([(badge.token(KEY, 2, 1), Person("DB-2", "Lê Ước", "", "Quận", 2))], SALT)
    person = bundle.open_with(token, [(found, foreign), (found, sealed)], SALT)
    assert person is not None
    assert person.code == "DB-1"
