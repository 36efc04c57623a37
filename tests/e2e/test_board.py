"""The coordinator's board in a real browser, over a server whose clock the test moves."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from live_support import device, loaded, pass_time, settle, token
from phone import Phone
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect
from sample import Sample
from support import Running, Start

from diemcau import i18n

CENTRE, BA_DINH, HOAN_KIEM = "HN-0001", "HN-0002", "HN-0003"
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LOST_AFTER_S = 31


def words(key: str, **params: str | int) -> str:
    """The Vietnamese words on the screen."""
    return i18n.text("vi", key, **params)


def headline(page: Page) -> Locator:
    """The sentence at the top."""
    return page.get_by_role("heading", level=1)


def tile(page: Page, point: str) -> Locator:
    """A point on the board."""
    return page.locator(f"[data-tile='{point}']")


async def says(page: Page, point: str, state: str) -> None:
    """Wait until the point is shown in this state."""
    word = words(f"console.board.state.{state}")
    await expect(tile(page, point)).to_have_attribute("aria-label", re.compile(f": {word},"))


async def order(page: Page) -> list[Any]:
    """The points as they stand on the board."""
    return list(await page.locator("[data-tile]").evaluate_all("tiles => tiles.map(tile => tile.dataset.tile)"))


@pytest.fixture
async def running(start: Start) -> Running:
    """A server that does not count itself as blind after its start: what falls silent is lost in time."""
    return await start(blind_grace_s=0.0)


@pytest.fixture
async def centre(browser: Browser, running: Running, sample: Sample) -> AsyncIterator[BrowserContext]:
    """The coordinator's browser, signed in, in Vietnamese; the session's doors are open."""
    await loaded(running, sample.session_id)
    origin = running.admin.origin
    context = await browser.new_context(locale="vi-VN", viewport={"width": 1440, "height": 900}, base_url=origin)
    await context.add_cookies([{"name": "diemcau_session", "value": str(running.admin.token), "url": origin}])
    yield context
    await context.close()


async def opened(centre: BrowserContext, query: str = "") -> Page:
    """The board, with everything on it."""
    page = await centre.new_page()
    await page.goto(f"/s/session/S1/board{query}")
    await expect(page.locator("[data-tile]").first).to_be_visible()
    return page


async def test_a_lost_hall_comes_first_with_the_people_in_it(
    centre: BrowserContext, running: Running, sample: Sample
) -> None:
    """The coordinator would not see at once that a hall with people in it fell silent, nor whom to telephone."""
    page = await opened(centre)
    async with device(running, await token(running, HOAN_KIEM)) as (speaker, _):
        await speaker.beat()
        await Phone(running, sample).check_in("DB-0007", HOAN_KIEM)
        await settle(running)
        await says(page, HOAN_KIEM, "online")
    await pass_time(running, LOST_AFTER_S)
    await expect(headline(page)).to_have_text(words("console.board.headline.lost", points=1, people=1))
    assert (await order(page))[0] == HOAN_KIEM
    feed = page.get_by_role("complementary", name=words("console.feed.title"))
    await expect(feed.get_by_text(words("console.feed.lost", people=1))).to_be_visible()
    await tile(page, HOAN_KIEM).click()
    await expect(page.get_by_role("heading", name="Hội trường Quận ủy Hoàn Kiếm")).to_be_visible()
    await expect(page.get_by_text(words("link.lost")).first).to_be_visible()


async def test_nothing_moves_under_the_pointer(centre: BrowserContext, running: Running) -> None:
    """A tile would jump away in the moment in which the coordinator presses it."""
    page = await opened(centre)
    async with device(running, await token(running, HOAN_KIEM)) as (speaker, _):
        await speaker.beat()
        await settle(running)
    await says(page, HOAN_KIEM, "online")
    await tile(page, BA_DINH).hover()
    before = await order(page)
    await pass_time(running, LOST_AFTER_S)
    await says(page, HOAN_KIEM, "lost")
    assert await order(page) == before
    await expect(page.get_by_role("button", name=words("console.board.sort"))).to_be_visible()
    await page.mouse.move(5, 5)
    await expect(page.locator("[data-tile]").first).to_have_attribute("data-tile", HOAN_KIEM)


async def test_what_one_sees_is_in_the_address(centre: BrowserContext) -> None:
    """A colleague who was sent the address would see something else, and Back would leave the board."""
    page = await opened(centre)
    await page.keyboard.press("/")
    await page.keyboard.type("hoan kiem")
    await page.wait_for_url("**/board?q=hoan+kiem")
    await expect(tile(page, BA_DINH)).to_have_count(0)
    await tile(page, HOAN_KIEM).click()
    await page.wait_for_url(f"**/board?q=hoan+kiem&point={HOAN_KIEM}")
    other = await opened(centre, f"?q=hoan+kiem&point={HOAN_KIEM}")
    await expect(other.get_by_role("heading", name="Hội trường Quận ủy Hoàn Kiếm")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("complementary", name=words("console.feed.title"))).to_be_visible()
    assert page.url.endswith("/board?q=hoan+kiem")


async def test_the_keyboard_walks_from_tile_to_tile(centre: BrowserContext) -> None:
    """Whoever uses no mouse could not reach a hall in trouble."""
    page = await opened(centre)
    codes = await order(page)
    await tile(page, codes[0]).focus()
    await page.keyboard.press("ArrowRight")
    await expect(tile(page, codes[1])).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/board?point={codes[1]}")
    await page.keyboard.press("Escape")
    await page.wait_for_url("**/board")
    await expect(tile(page, codes[1])).to_be_focused()


async def test_one_unit_shows_its_own_points_only(centre: BrowserContext) -> None:
    """A district would watch the whole city's board and count the city's people as its own."""
    page = await opened(centre, "?unit=HN-002")
    assert sorted(await order(page)) == [HOAN_KIEM, "HN-0004"]
    await page.get_by_role("button", name="Quận Hoàn Kiếm").click()
    await expect(tile(page, CENTRE)).to_be_visible()


async def test_a_server_that_is_gone_is_said_to_be(centre: BrowserContext, running: Running) -> None:
    """Old figures would be taken for the present ones while the server cannot be reached."""
    page = await opened(centre)
    await centre.route("**/*", lambda route: route.abort())
    await running.server.__aexit__(None, None, None)
    await expect(page.get_by_role("alert")).to_contain_text(words("console.board.stale").partition("{")[0])
    await expect(headline(page)).to_have_text(words("console.board.cut_off"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_board_can_be_read_by_everybody(centre: BrowserContext, scheme: Any) -> None:
    """A screen reader, or eyes that see little contrast, would be left out."""
    page = await opened(centre, f"?point={CENTRE}")
    await page.emulate_media(color_scheme=scheme)
    results = await Axe().run(page, options=AXE)
    assert [(found["id"], found["nodes"][0]["html"]) for found in results.response["violations"]] == []
