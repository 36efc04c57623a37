"""Signing in: what a person meets at the front door."""

from __future__ import annotations

from http.cookies import SimpleCookie
from pathlib import Path

import msgspec
import pytest
from support import PASSWORD, Running, free_port

from diemcau.app import Server
from diemcau.config import Settings
from diemcau.domain.authority import Anonymous, System
from diemcau.domain.models import Role
from diemcau.errors import ForbiddenError, MalformedError
from diemcau.services.accounts import add, listed, set_up, setup_token
from diemcau.services.slots import Slots
from diemcau.wire import api


async def test_first_administrator_signs_in_once(running: Running) -> None:
    """With an account in the database nobody can make another "first" administrator."""
    assert await setup_token(System(), running.context) is None
    status, problem = await running.anonymous.call(
        "POST", "/api/v1/setup", {"token": "x", "name": "eve", "password": PASSWORD}
    )
    assert (status, problem["code"]) == (403, "forbidden")


async def test_a_setup_link_dies_with_the_first_account(tmp_path: Path) -> None:
    """Whoever finds the printed link after a command made the administrator cannot make themselves another."""
    async with Server(Settings(f"sqlite:///{tmp_path}/d.db", port=free_port(), data_dir=tmp_path)) as server:
        assert server.setup_url is not None
        body = api.SetUp(server.setup_url.rpartition("/")[2], "eve", PASSWORD)
        with pytest.raises(MalformedError):
            await set_up(Anonymous(), server.context, msgspec.structs.replace(body, name=" "))
        await add(System(), server.context, api.AccountNew("root", PASSWORD, [api.GrantView(Role.ADMIN)]))
        with pytest.raises(ForbiddenError):
            await set_up(Anonymous(), server.context, body)
        assert [account.name for account in await listed(System(), server.context)] == ["root"]


async def test_cookie_signs_in_and_out(running: Running) -> None:
    """A browser that signed out is nobody again, at once."""
    http = running.admin.http
    origin = running.admin.origin
    async with http.post(f"{origin}/api/v1/login", json={"name": "ROOT", "password": PASSWORD}) as answer:
        assert answer.status == 200
        cookie = SimpleCookie(answer.headers["Set-Cookie"])["diemcau_session"]
    headers = {"Cookie": f"diemcau_session={cookie.value}", "Origin": origin}
    assert (await running.anonymous.call("GET", "/api/v1/me", headers=headers))[1]["name"] == "root"
    assert (await running.anonymous.call("POST", "/api/v1/logout", headers=headers))[0] == 204
    assert (await running.anonymous.call("GET", "/api/v1/me", headers=headers))[0] == 401


async def test_cookie_writes_need_our_own_page(running: Running) -> None:
    """A foreign page cannot act through a signed-in browser."""
    http, origin = running.admin.http, running.admin.origin
    async with http.post(f"{origin}/api/v1/login", json={"name": "root", "password": PASSWORD}) as answer:
        cookie = SimpleCookie(answer.headers["Set-Cookie"])["diemcau_session"].value
    body = {"name": "mallory", "password": PASSWORD, "grants": [{"role": "admin"}]}
    for foreign in ("https://evil.example", "null", None):
        headers = {"Cookie": f"diemcau_session={cookie}"} | ({"Origin": foreign} if foreign else {})
        assert (await running.anonymous.call("POST", "/api/v1/accounts", body, headers=headers))[0] == 403


async def test_guessing_passwords_is_slowed(running: Running) -> None:
    """Ten wrong passwords in a minute close the name for a while, right password or not."""
    for _ in range(10):
        status, _ = await running.anonymous.call("POST", "/api/v1/login", {"name": "root", "password": "wrong"})
        assert status == 401
    body = {"name": "root", "password": PASSWORD}
    status, problem = await running.anonymous.call("POST", "/api/v1/login", body)
    assert (status, problem["code"]) == (429, "rate_limited")
    running.clock.advance(61)
    assert (await running.anonymous.call("POST", "/api/v1/login", body))[0] == 200


async def test_a_flood_of_sign_ins_waits_in_a_short_line(running: Running) -> None:
    """Strangers who send passwords by the thousand are told to wait; they take neither memory nor the door's time."""
    running.context.passwords = Slots(1, 0)
    body = {"name": "root", "password": PASSWORD}
    async with running.context.passwords.taken():
        status, problem = await running.anonymous.call("POST", "/api/v1/login", body)
    assert (status, problem["code"]) == (503, "overloaded")
    assert (await running.anonymous.call("POST", "/api/v1/login", body))[0] == 200
