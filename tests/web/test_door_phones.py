"""What a phone remembers, and what it means when one phone serves many."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from phone import Phone, change, events
from sample import Sample, fill
from support import Running, Start

from diemcau.store.schema import attendee, session, session_point


@pytest.fixture
async def running(database: str, start: Start) -> Running:
    """A server on each kind of database."""
    return await start(database)


@pytest.fixture
async def sample(running: Running) -> Sample:
    """The small conference inside it."""
    return await fill(running.context.engines)


# --- one phone, many people ---------------------------------------------------------------------------------------
async def test_phone_remembers_whom_it_served(phone: Phone, running: Running) -> None:
    """The next day, at another door: the masked name, one tap, no typing."""
    await phone.check_in("le hoa")
    offered = await phone.scan("HN-0003")
    assert "Lê H•••" in offered.words
    assert "Hoà" not in offered.words.replace("Hoàn Kiếm", "")
    assert 'name="who"' not in offered.text
    english = await phone.post(**offered.forms()[-1], lang="en")
    assert "This phone remembers" in english.words
    assert "Already recorded" in (await phone.tap(english)).words


async def test_not_me_makes_a_phone_forget(phone: Phone) -> None:
    """A borrowed phone: one tap, and the next scan offers nobody."""
    await phone.check_in("le hoa")
    offered = await phone.scan()
    form = await phone.post(**offered.forms()[1], forget="1")
    assert 'name="who"' in form.text
    assert 'name="who"' in (await phone.scan()).text
    await phone.tap(await phone.post(**form.form_with("claim"), who="h'hen nie"))
    assert "H'Hen N•••" in (await phone.scan()).words


async def test_memory_is_no_authority(phone: Phone, running: Running) -> None:
    """A cookie without a door code opens nothing; a forged one, or one of somebody taken off, offers nobody."""
    await phone.check_in("DB-0012")
    kept = phone.cookies["diemcau_phone"]
    assert (await phone.scan(age_s=300)).status == 410
    stranger = phone.another()
    for forged in (kept[:-4], "x", kept[::-1], phone.cookies["diemcau_claim"]):
        stranger.cookies = {"diemcau_phone": forged}
        assert 'name="who"' in (await stranger.scan()).text
    phone.cookies = {"diemcau_phone": kept}
    await change(running, sa.update(attendee).where(attendee.c.code == "DB-0012").values(code="DB-9012"))
    assert 'name="who"' in (await phone.scan()).text


async def test_shared_phone_is_flagged(phone: Phone, running: Running) -> None:
    """Everybody after the first, on one scan and on one phone; without cookies on one scan only."""
    receipt = await phone.check_in("DB-0003")
    form = await phone.post(**receipt.form_with("claim"))
    await phone.tap(await phone.post(**form.form_with("claim"), who="DB-0004"))
    again = await phone.scan()
    form = await phone.post(**again.forms()[1], forget="1")
    await phone.tap(await phone.post(**form.form_with("claim"), who="DB-0005"))
    without = phone.another()
    await without.check_in("DB-0006")
    without.cookies.clear()
    await without.check_in("DB-0001")
    flags = [event.flags for event in await events(running)]
    assert flags == ["", "shared_device", "shared_device", "", "wrong_point"]


async def test_same_phone_next_session_is_not_shared(phone: Phone, running: Running) -> None:
    """A phone lent yesterday says nothing about today."""
    await phone.check_in("DB-0003")
    yesterday = phone.cookies["diemcau_phone"]
    async with running.context.engines.read() as connection:
        session_id = (await connection.execute(sa.select(session.c.id))).scalar_one()
    values = {"code": "S2", "title": "Buổi hai", "starts_ms": 1, "ends_ms": 2, "state": "open", "state_ms": 1}
    await change(running, sa.insert(session).values(values))
    await change(running, sa.update(session_point).values(session_id=session_id + 1))
    phone.cookies = {"diemcau_phone": yesterday}
    form = await phone.post(**(await phone.scan()).forms()[1], forget="1")
    await phone.tap(await phone.post(**form.form_with("claim"), listed="1", who="DB-0006"))
    assert "shared_device" not in (await events(running))[-1].flags
