"""Taking back what waits on a hall's device, a session that closes over it, and where the eye is led after an entry."""

from __future__ import annotations

from operator_hall import PEOPLE, Centre, Device, all_sent, bundle_kept, entries, paired, scan, until, words
from playwright.async_api import Page, expect

HIEN, HEN, ANH = PEOPLE[:3]


async def withdraw(page: Page, name: str) -> None:
    """Press the entry's own button, and say yes."""
    await page.get_by_role("button", name=words("scan.withdraw_of", name=name), exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name=words("scan.withdraw"), exact=True).click()


async def test_what_was_never_sent_is_withdrawn_and_never_goes(here: Centre, device: Device) -> None:
    """A wrong badge while the phone has no network: one press, and the centre never hears of it."""
    context = await device.open()
    page = await paired(context, here)
    await bundle_kept(page)
    await context.set_offline(True)
    await expect(page.get_by_text(words("operator.lost_text"))).to_be_visible()
    await scan(page, here.badges[HIEN])
    await scan(page, here.badges[HEN])
    # Whether the line still seemed up at that moment, and a try began, is the browser's matter: both ends are the same.
    await withdraw(page, HEN)
    await expect(page.get_by_role("heading", name=words("scan.recent"))).to_be_focused()
    await context.set_offline(False)
    found = await until(page, lambda found: all(entry["state"] in {"sent", "withdrawn"} for entry in found))
    gone = next(entry for entry in found if entry["person"]["full_name"] == HEN)
    assert gone["item"]["who"]["token"] == ""
    await until(page, lambda found: all("withdraw" not in entry for entry in found))
    assert await here.present() == {HIEN}
    nonces = {event["nonce"] for event in await here.events()}
    assert (gone["nonce"] in nonces) == (gone["state"] == "sent")


async def test_what_may_have_arrived_is_annulled_after_the_answer(here: Centre, device: Device) -> None:
    """The server took the entry but its answer was lost: the device says so, and annuls as soon as it hears."""
    page = await paired(await device.open(), here)
    await bundle_kept(page)
    await page.route("**/check-ins", lambda route: route.abort())
    await scan(page, here.badges[HEN])
    await until(page, lambda found: bool(found) and found[0].get("tried", False))
    button = page.get_by_role("button", name=words("scan.withdraw_of", name=HEN), exact=True)
    await button.click()
    await expect(page.get_by_role("dialog").get_by_text(words("scan.withdraw_tried"))).to_be_visible()
    await page.get_by_role("dialog").get_by_role("button", name=words("scan.withdraw"), exact=True).click()
    await expect(page.get_by_text(words("scan.state_withdraw", reason=words("scan.annul_mistake")))).to_be_visible()
    await page.unroute("**/check-ins")
    await until(page, lambda found: "annulled" in found[0])
    assert await here.present() == set()
    assert [event["kind"] for event in await here.events()] == ["check_in", "annul"]


async def test_a_closed_session_says_so_and_that_what_waits_still_arrives(here: Centre, device: Device) -> None:
    """The centre closes while a hall still holds entries: no empty page, no door without a code."""
    page = await paired(await device.open(), here)
    await bundle_kept(page)
    await page.route("**/check-ins", lambda route: route.abort())
    await scan(page, here.badges[ANH])
    for state in ("live", "ended", "closed"):
        await here.call("POST", "/sessions/S1/state", {"to": state})
    await expect(page.get_by_text(words("scan.closed"))).to_be_visible()
    await expect(page.get_by_text(words("scan.closed_waiting", n=1))).to_be_visible()
    await expect(page.get_by_text(words("operator.state_closed"), exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name=words("operator.door"))).to_have_count(0)
    await page.reload()
    await expect(page.get_by_text(words("scan.closed"))).to_be_visible()
    await page.unroute("**/check-ins")
    await until(page, all_sent)
    (event,) = await here.events()
    assert (event["held"], event.get("counted", False)) == (True, False)
    await expect(page.get_by_text(words("scan.closed_waiting", n=1))).to_have_count(0)


async def test_the_answer_to_a_name_is_in_sight(here: Centre, device: Device) -> None:
    """On a small phone the list stands below the answer: after the tap it is seen, and the next is one press away."""
    context = await device.open()
    page = await paired(context, here)
    await page.set_viewport_size({"width": 320, "height": 500})
    opener = page.get_by_role("button", name=words("scan.by_name"), exact=True)
    await opener.click()
    await expect(page.get_by_label(words("scan.search"))).to_be_focused()
    await page.keyboard.type("hien", delay=60)
    await page.get_by_role("button", name=HIEN).click()
    await expect(page.get_by_role("status").get_by_text(HIEN)).to_be_in_viewport()
    await expect(opener).to_be_focused()
    assert len(await entries(page)) == 1


async def test_a_substitute_is_not_recorded_without_a_place(here: Centre, device: Device) -> None:
    """Who presses "substitute" and names nobody would lose the place in silence: the page asks."""
    page = await paired(await device.open(), here)
    await page.get_by_role("button", name=words("scan.by_name"), exact=True).click()
    await page.get_by_role("button", name=words("scan.stands_for_add")).click()
    await page.get_by_label(words("scan.search_substitute")).fill("hien")
    await page.get_by_role("button", name=HIEN).click()
    await expect(page.get_by_text(words("scan.stands_for_missing"))).to_be_visible()
    assert await entries(page) == []
    await page.get_by_label(words("scan.stands_for"), exact=True).fill("hen nie")
    await page.get_by_role("button", name=HEN).click()
    await page.get_by_label(words("scan.search_substitute")).fill("hien")
    await page.get_by_role("button", name=HIEN).click()
    await until(page, all_sent)
    (event,) = await here.events()
    assert event["person"]["full_name"] == HIEN
    rows = (await here.call("GET", "/sessions/S1/attendance"))["items"]
    assert {row["full_name"]: row["status"] for row in rows}[HEN] == "substituted"


async def test_a_hall_without_a_list_sees_that_people_came(here: Centre, device: Device) -> None:
    """Where nobody is invited those on no list are the hall's figure: a large 0 would say that nothing was recorded."""
    await here.call("POST", "/units", {"code": "TH", "name": "Xã Tân Hội"})
    await here.call("POST", "/points", {"code": "TH", "name": "Nhà văn hóa xã Tân Hội", "unit": "TH"})
    session = await here.call("GET", "/sessions/S1")
    times = {"starts_ms": session["starts_ms"], "ends_ms": session["ends_ms"]}
    await here.call("POST", "/sessions", {"code": "S2", "title": "Sinh hoạt chuyên đề", **times})
    await here.call("PUT", "/sessions/S2/points", {"unit": "TH"})
    if (await here.call("GET", "/sessions/S2"))["state"] == "draft":
        await here.call("POST", "/sessions/S2/state", {"to": "open"})
    page = await (await device.open()).new_page()
    await page.goto(str((await here.call("POST", "/points/TH/pairings", {"kind": "operator"}))["url"]))
    await page.get_by_role("button", name=words("pair.press")).click()
    await page.get_by_role("button", name=words("scan.by_name"), exact=True).click()
    await page.get_by_label(words("scan.search")).fill("Lò Thị Mai")
    await page.get_by_role("button", name=words("scan.unlisted")).click()
    await page.get_by_label(words("scan.unlisted_unit")).fill("Bản Hon")
    await page.get_by_role("button", name=words("scan.record"), exact=True).click()
    figure = page.get_by_text(words("operator.on_no_list"), exact=True).locator("..")
    await expect(figure.locator("strong")).to_have_text("1")
