"""A hall without a network: its people are recorded, named and kept, and arrive once (I1, I2, I8)."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

from operator_hall import (
    PATIENCE_S,
    PEOPLE,
    Centre,
    Device,
    all_sent,
    bundle_kept,
    centre,
    paired,
    scan,
    shell_kept,
    type_fast,
    until,
    words,
)
from playwright.async_api import BrowserContext, Page, Request, expect

from diemcau.clock import SystemClock

KILLS, SCANS = 3, 40
SCANNED, UNSCANNED = PEOPLE[:5], PEOPLE[5:]
KHACH = "Bùi Thị Khách"


async def says(page: Page, key: str, **params: str) -> None:
    """Wait for the answer to a scan."""
    await expect(page.get_by_role("status").get_by_text(words(key, **params))).to_be_visible()


async def cut(page: Page) -> None:
    """The hall loses its network; the page could be opened without one from now on."""
    await shell_kept(page)
    await page.context.set_offline(True)
    await expect(page.get_by_text(words("operator.lost_text"))).to_be_visible()


async def queued(page: Page, count: int) -> set[str]:
    """The nonces on the device's disk once there are so many."""
    return {entry["nonce"] for entry in await until(page, lambda found: len(found) == count)}


async def write_down(page: Page, name: str, unit: str) -> None:
    """A guest without a badge."""
    await page.get_by_role("button", name=words("scan.by_name"), exact=True).click()
    await page.get_by_role("button", name=words("scan.unlisted")).click()
    await page.get_by_label(words("scan.unlisted_name")).fill(name)
    await page.get_by_label(words("scan.unlisted_unit")).fill(unit)
    await page.get_by_role("button", name=words("scan.record"), exact=True).click()


async def test_a_morning_without_a_network_arrives_once(here: Centre, device: Device) -> None:
    """Five badges and a guest, a reload, a dead battery, then the network: six people, once each, at their times."""
    context = await device.open()
    page = await paired(context, here)
    await expect(page.get_by_text(words("scan.queue_none"))).to_be_visible()
    await bundle_kept(page)
    await cut(page)
    began_ms = SystemClock().now_ms()
    for name in SCANNED[:3]:
        await scan(page, here.badges[name])
        await says(page, "scan.word_saved")
        await expect(page.get_by_role("status").get_by_text(name)).to_be_visible()
    await page.reload()
    await expect(page.get_by_text(words("operator.lost_text"))).to_be_visible()
    for name in SCANNED[3:]:
        await scan(page, here.badges[name])
        await expect(page.get_by_role("status").get_by_text(name)).to_be_visible()
    await write_down(page, KHACH, "Hội Nông dân")
    await says(page, "scan.word_saved")
    ended_ms = SystemClock().now_ms()
    await expect(page.get_by_text(words("scan.waiting", sent=0, waiting=5))).to_be_visible()
    assert await here.events() == []

    device.kill()
    page = await (await device.open()).new_page()
    await page.goto(f"{here.client.origin}/operator")
    await until(page, lambda found: len(found) == 6 and all_sent(found))
    events = await here.events()
    assert sorted(event["person"]["full_name"] for event in events) == sorted([*SCANNED, KHACH])
    assert await here.present() == set(SCANNED)
    for event in events:
        assert event["offline"]
        assert began_ms <= event["device_ms"] <= ended_ms < event["server_ms"]
        assert abs(event["offset_ms"]) < 5000
    await expect(page.get_by_text(words("scan.queue_none"))).to_be_visible()
    await expect(page.locator("strong", has_text="5").first).to_be_visible()


async def test_a_server_killed_at_every_delivery_loses_and_doubles_nothing(here: Centre, device: Device) -> None:
    """The power goes whenever a queue arrives: what was stored without our knowing is not stored again."""
    context = await device.open()
    page = await paired(context, here)
    await cut(page)
    made: set[str] = set()
    for round_ in range(KILLS):
        for number in range(SCANS):
            await type_fast(page, token_of(round_ * SCANS + number))
        made = await queued(page, (round_ + 1) * SCANS)
        delivery = asyncio.ensure_future(first_delivery(context))
        await context.set_offline(False)
        await asyncio.wait_for(delivery, PATIENCE_S)
        await here.kill()
        await context.set_offline(True)
        await here.start()
    await context.set_offline(False)
    await until(page, all_sent)
    stored = Counter(event["nonce"] for event in await here.events())
    assert stored == Counter(made)


async def test_two_windows_share_one_queue(here: Centre, device: Device) -> None:
    """The page is opened twice, as it always is: nothing is sent twice, and both show the same."""
    context = await device.open()
    first = await paired(context, here)
    second = await context.new_page()
    await second.goto(f"{here.client.origin}/operator")
    await bundle_kept(first)
    await cut(first)
    sent: list[str] = []
    context.on("request", lambda request: sent.extend(nonces(request)))
    for number, name in enumerate(SCANNED[:4]):
        await scan((first, second)[number % 2], here.badges[name])
    for page in (first, second):
        await expect(page.get_by_text(words("scan.waiting", sent=0, waiting=4))).to_be_visible()
    sent.clear()  # attempts without a network
    await context.set_offline(False)
    await until(first, all_sent)
    for page in (first, second):
        await expect(page.get_by_text(words("scan.queue_none"))).to_be_visible()
    arrived = Counter(event["nonce"] for event in await here.events())
    assert set(arrived.values()) == {1}
    assert Counter(sent) == arrived
    assert await here.present() == set(SCANNED[:4])


async def test_a_stolen_device_names_nobody_it_has_not_scanned(here: Centre, device: Device) -> None:
    """Whoever takes the hall's laptop home must not have the list of a party's or a hospital's members."""
    page = await paired(await device.open(), here)
    await bundle_kept(page)
    await cut(page)
    for name in SCANNED:
        await scan(page, here.badges[name])
    held = await everything_kept(page)
    assert [name for name in SCANNED if name not in held] == []
    assert [name for name in UNSCANNED if name in held] == []
    await page.context.set_offline(False)
    await until(page, all_sent)
    held = await everything_kept(page)
    assert [name for name in UNSCANNED if name in held] == []
    assert [url for url in here.badges.values() if url[-26:] in held] == []
    await device.close()
    on_disk = b"".join(path.read_bytes() for path in device.folder.rglob("*") if path.is_file())
    for name in UNSCANNED:
        assert name.encode() not in on_disk
        assert name.encode("utf-16-le") not in on_disk


async def test_a_device_taken_away_forgets_people_but_not_its_queue(here: Centre, device: Device) -> None:
    """A device that was revoked while it was offline still owes the centre its morning, and nobody else any name."""
    context = await device.open()
    page = await paired(context, here)
    await bundle_kept(page)
    await scan(page, here.badges[SCANNED[0]])
    await says(page, "scan.word_recorded")
    await cut(page)
    await scan(page, here.badges[SCANNED[1]])
    (found,) = (await here.call("GET", "/points/DD/devices"))["items"]
    await here.call("DELETE", f"/points/DD/devices/{found['id']}")
    await context.set_offline(False)
    await expect(page.get_by_text(words("pair.revoked"))).to_be_visible()
    held = await everything_kept(page)
    assert SCANNED[0] not in held
    assert SCANNED[1] in held
    await page.goto(await here.pairing_link())
    await expect(page.get_by_text(words("scan.left_waiting", n=1))).to_be_visible()
    await page.get_by_role("button", name=words("pair.press")).click()
    await page.wait_for_url("**/operator")
    await until(page, all_sent)
    assert await here.present() == set(SCANNED[:2])


async def test_a_session_may_let_its_halls_read_their_list(tmp_path: Path, device: Device) -> None:
    """Where the organizer allows it, a person without a badge is found by name without a network, until closing."""
    folder = tmp_path / "server"
    folder.mkdir()
    async with centre(folder, readable_roster=True) as here:
        page = await paired(await device.open(), here)
        await bundle_kept(page)
        await cut(page)
        await page.reload()
        await page.get_by_role("button", name=words("scan.by_name")).click()
        await page.get_by_label(words("scan.search")).fill("do duc")
        await page.get_by_role("button", name=PEOPLE[6]).click()
        await says(page, "scan.word_saved")
        await page.context.set_offline(False)
        await until(page, all_sent)
        assert await here.present() == {PEOPLE[6]}
        for state in ("live", "ended", "closed"):
            await here.call("POST", "/sessions/S1/state", {"to": state})
        await expect(page.get_by_text(words("scan.closed"))).to_be_visible()
        held = await everything_kept(page)
        assert [name for name in PEOPLE if name in held and name != PEOPLE[6]] == []


async def test_a_browser_that_keeps_nothing_says_so(here: Centre, device: Device) -> None:
    """Where the disk is full or refused, the operator must know that a closed page takes its queue along."""
    context = await device.open()
    await context.add_init_script("IDBFactory.prototype.open = () => { throw new Error('no') }")
    page = await paired(context, here)
    await type_fast(page, here.badges[SCANNED[0]])
    await says(page, "scan.word_recorded")
    await expect(page.get_by_role("alert")).to_have_text(words("scan.not_durable"))
    assert await here.present() == {SCANNED[0]}


# --- what the tests look at --------------------------------------------------------------------------------


def token_of(number: int) -> str:
    """A badge that nobody has, of its own."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "B" * 22 + "".join(letters[number // 32**place % 32] for place in (2, 1, 0)) + "A"


def nonces(request: Request) -> list[str]:
    """What a request delivers."""
    if not request.url.endswith("/check-ins"):
        return []
    return [item["nonce"] for item in json.loads(request.post_data or "{}")["items"]]


async def first_delivery(context: BrowserContext) -> None:
    """Wait for a batch on its way to the server."""
    await context.wait_for_event("request", predicate=lambda request: bool(nonces(request)), timeout=PATIENCE_S * 1000)


async def everything_kept(page: Page) -> str:
    """All that this site left on the device, as text: databases, storage, kept files and cookies."""
    text: str = await page.evaluate(
        """async () => {
            const asked = (request) => new Promise((resolve, reject) => {
                request.onsuccess = () => resolve(request.result);
                request.onerror = () => reject(request.error);
            });
            const found = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie];
            for (const { name } of await indexedDB.databases()) {
                const database = await asked(indexedDB.open(name));
                for (const store of database.objectStoreNames)
                    found.push(JSON.stringify(await asked(database.transaction(store).objectStore(store).getAll())));
                database.close();
            }
            for (const name of await caches.keys()) {
                const cache = await caches.open(name);
                for (const request of await cache.keys())
                    if (!request.url.endsWith('.wasm')) found.push(await (await cache.match(request)).text());
            }
            return found.join('\\n');
        }"""
    )
    return text
