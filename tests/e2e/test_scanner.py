"""The scanner of a hall's operator in a real browser: camera, USB scanner, names, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from operator_hall import (
    HALL,
    PEOPLE,
    Centre,
    Device,
    all_sent,
    bundle_kept,
    film_of,
    paired,
    scan,
    type_fast,
    until,
    words,
)
from playwright.async_api import Page, expect

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
HIEN, HEN, ANH = PEOPLE[:3]
STOPWATCH = """([text, name]) => new Promise((resolve) => {
    const from = performance.now();
    const seen = new MutationObserver(() => {
        const said = [...document.querySelectorAll('[role=status]')].map((at) => at.textContent);
        if (!said.some((text) => text.includes(name))) return;
        seen.disconnect();
        requestAnimationFrame(() => resolve(performance.now() - from));
    });
    seen.observe(document.body, { subtree: true, childList: true, characterData: true });
    for (const key of [...text, 'Enter'])
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
})"""
"""Milliseconds from a scanner's first key to the picture that shows the name."""


async def says(page: Page, key: str, **params: str) -> None:
    """Wait for the answer to a scan."""
    await expect(page.get_by_role("status").get_by_text(words(key, **params))).to_be_visible()


async def test_a_badge_before_the_camera_is_counted_once(here: Centre, device: Device, tmp_path: Path) -> None:
    """A badge is held up for seconds: one person, one entry, and their name in green."""
    page = await paired(await device.open(film_of(here.badges[HIEN], tmp_path / "badge.mjpeg")), here)
    await page.get_by_role("button", name=words("scan.open")).click()
    await says(page, "scan.word_recorded")
    await expect(page.get_by_role("status").get_by_text(HIEN)).to_be_visible()
    await expect(page.locator("strong", has_text="1").first).to_be_visible()
    await page.get_by_role("button", name=words("scan.close")).click()
    (event,) = await here.events()
    assert (event["source"], event["counted"], event.get("offline", False)) == ("badge", True, False)
    assert await here.present() == {HIEN}


@pytest.mark.parametrize("why", ["refused", "missing"])
async def test_without_a_camera_everything_else_works(here: Centre, device: Device, why: str) -> None:
    """Whoever refused the camera once, or has none, must read what to do and go on with a scanner or names."""
    page = await paired(await device.open(camera=why == "refused"), here)
    await page.get_by_role("button", name=words("scan.open")).click()
    await expect(page.get_by_role("alert")).to_have_text(words(f"scan.camera_{why}"))
    await scan(page, here.badges[HEN])
    await says(page, "scan.word_recorded")
    assert await here.present() == {HEN}


async def test_a_usb_scanner_is_heard_in_the_middle_of_typing(here: Centre, device: Device) -> None:
    """A scan while somebody types a name must not end up inside the name."""
    page = await paired(await device.open(), here)
    await page.get_by_role("button", name=words("scan.by_name")).click()
    field = page.get_by_label(words("scan.search"))
    await field.fill("tran")
    await field.evaluate("(field, text) => { field.value += text }", here.badges[HEN])
    await scan(page, here.badges[HEN])
    await says(page, "scan.word_recorded")
    await expect(field).to_have_value("tran")
    await type_fast(page, "HTTPS://Â/B/X")
    await says(page, "scan.word_not_garbled")


async def test_every_scan_of_a_quick_row_is_answered(here: Centre, device: Device) -> None:
    """Sixty people stand behind this one: one scan after the other shows its name, as fast as they come."""
    page = await paired(await device.open(), here)
    took = [await page.evaluate(STOPWATCH, [here.badges[name], name]) for name in PEOPLE[:5]]
    print("answered within ms:", [round(ms) for ms in took])  # noqa: T201 a figure for the reader of -s
    await until(page, all_sent)
    assert await here.present() == set(PEOPLE[:5])


async def test_odd_scans_are_told_apart(here: Centre, device: Device) -> None:
    """A hall's own code, an identity card and a badge of yesterday each need another step of the operator."""
    page = await paired(await device.open(), here)
    await type_fast(page, "HTTPS://A.VN/C/ABCDEFGHIJKLMNOPQRST")
    await says(page, "scan.word_not_door")
    await type_fast(page, "001200012345|123456789|NGUYEN VAN A")
    await says(page, "scan.word_not_other")
    await scan(page, "B" * 25 + "A")
    await says(page, "scan.word_refused_unknown_attendee")
    await scan(page, here.badges[HIEN])
    await says(page, "scan.word_recorded")
    await scan(page, here.badges[HIEN])
    await expect(page.get_by_role("status").get_by_text(words("scan.word_already_device", time=""))).to_be_visible()
    assert await here.present() == {HIEN}


async def test_a_refused_entry_is_kept_until_somebody_decides(here: Centre, device: Device) -> None:
    """A badge nobody knows may be somebody's all the same: sent again it is stored for the clerk, never lost."""
    page = await paired(await device.open(), here)
    await scan(page, "B" * 25 + "A")
    card = page.get_by_role("region").or_(page.locator("section")).filter(has_text=words("scan.refused_text"))
    await expect(card.first).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name=words("scan.export")).click()
    kept = await (await download.value).path()
    assert "B" * 25 + "A" in kept.read_text(encoding="utf-8-sig")
    await page.get_by_role("button", name=words("scan.retry")).click()
    await until(page, all_sent)
    (event,) = await here.events()
    assert "unknown_badge" in event["flags"]


async def test_people_without_a_badge(here: Centre, device: Device) -> None:
    """Found by name without diacritics, or written down, also in another's place: nobody is turned away."""
    page = await paired(await device.open(), here)
    find = page.get_by_role("button", name=words("scan.by_name"))
    await find.click()
    await page.get_by_label(words("scan.search")).fill("van anh")
    await page.get_by_role("button", name=ANH).click()
    await says(page, "scan.word_recorded")
    await find.click()
    await page.get_by_role("button", name=words("scan.unlisted")).click()
    await page.get_by_label(words("scan.unlisted_name")).fill("Bùi Thị Khách")
    await page.get_by_label(words("scan.unlisted_unit")).fill("Hội Nông dân")
    await page.get_by_role("button", name=words("scan.stands_for_add")).click()
    await page.get_by_label(words("scan.stands_for"), exact=True).fill("hien")
    await page.get_by_role("button", name=HIEN).click()
    await page.get_by_role("button", name=words("scan.record"), exact=True).click()
    await until(page, lambda kept: len(kept) == 2 and all_sent(kept))
    found, written = await here.events()
    assert (found["source"], found["reason"], found["person"]["code"]) == (
        "manual",
        words("scan.reason_no_badge"),
        "A3",
    )
    assert (written["person"]["full_name"], written["stands_for"]["code"]) == ("Bùi Thị Khách", "A1")
    assert {"unlisted", "substitute"} <= set(written["flags"])


async def test_a_mistake_is_taken_back(here: Centre, device: Device) -> None:
    """The wrong badge from the pile: within a quarter of an hour the operator undoes it, with a reason."""
    page = await paired(await device.open(), here)
    await scan(page, here.badges[HIEN])
    await page.get_by_role("button", name=words("scan.annul_of", name=HIEN), exact=True).click()
    await page.get_by_label(words("scan.annul_reason")).fill("đọc nhầm thẻ")
    await page.get_by_role("button", name=words("scan.annul_press")).click()
    await expect(page.get_by_text(words("scan.state_annulled", reason="đọc nhầm thẻ"))).to_be_visible()
    assert await here.present() == set()
    await scan(page, here.badges[HIEN])
    await says(page, "scan.word_recorded")
    assert await here.present() == {HIEN}


async def test_people_going_home(here: Centre, device: Device) -> None:
    """Departures are recorded by a switch that nobody overlooks; who left still counts as having come."""
    page = await paired(await device.open(), here)
    await scan(page, here.badges[HIEN])
    await says(page, "scan.word_recorded")
    await page.get_by_role("switch", name=words("scan.out")).click()
    await expect(page.get_by_text(words("scan.out_on"))).to_be_visible()
    await scan(page, here.badges[HIEN])
    await says(page, "scan.word_recorded_out")
    assert [event["kind"] for event in await here.events()] == ["check_in", "check_out"]
    assert await here.present() == {HIEN}


async def test_everybody_can_use_the_scanner(here: Centre, device: Device) -> None:
    """Contrast, names and roles hold in each state, by day and by night."""
    context = await device.open()
    page = await paired(context, here)
    await scan(page, here.badges[HIEN])
    await says(page, "scan.word_recorded")
    await scan(page, "B" * 25 + "A")
    await says(page, "scan.word_refused_unknown_attendee")
    await page.get_by_role("button", name=words("scan.by_name")).click()
    await page.get_by_label(words("scan.search")).fill("anh")
    await page.get_by_role("switch", name=words("scan.out")).click()
    await expect(page.get_by_role("button", name=ANH)).to_be_visible()
    for offline in (False, True):
        await context.set_offline(offline)
        await scan(page, here.badges[HEN if offline else ANH])
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            found = await Axe().run(page, options=AXE)
            assert found.violations_count == 0, found.generate_report()


async def test_closing_ends_the_scanning_and_erases_the_list(here: Centre, device: Device) -> None:
    """After closing nothing may look as if it were still being recorded, and the hall's list has served."""
    page = await paired(await device.open(), here)
    await scan(page, here.badges[HIEN])
    await bundle_kept(page)
    for state in ("live", "ended", "closed"):
        await here.call("POST", "/sessions/S1/state", {"to": state})
    await expect(page.get_by_text(words("scan.closed"))).to_be_visible()
    await expect(page.get_by_role("button", name=words("scan.open"))).to_have_count(0)
    await expect(page.get_by_role("heading", name=HALL)).to_be_visible()
    await bundle_kept(page, so=False)
