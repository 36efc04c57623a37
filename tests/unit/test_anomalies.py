"""What is odd enough to be looked at, and what is only a busy hall."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from diemcau import limits
from diemcau.domain import door_networks, networks
from diemcau.domain.anomalies import Finding, Rules, Sight
from diemcau.domain.models import AnomalyKind

NOW_MS = 1_770_000_000_000


def nonce(number: int) -> bytes:
    """A nonce of its own."""
    return number.to_bytes(16, "big")


def at_door(number: int, **values: object) -> Sight:
    """The `number`th person at a door, each with a phone of their own, a second apart."""
    plain = Sight(1, 7, nonce(number), NOW_MS + number * 1000, number, phone=b"phone %d" % number, network=b"hall")
    return replace(plain, **values)


def scanned(number: int, at_ms: int, device_id: int = 3) -> Sight:
    """A badge scanned by an operator's device, whose clock is right."""
    return Sight(1, 7, nonce(number), at_ms, number, device_id=device_id, clock_ms=at_ms)


def used(number: int, network: bytes, step: int) -> Sight:
    """A code of this step used from somewhere."""
    return at_door(number, network=network, step=step, at_ms=NOW_MS + step * 15_000)


def merged(rules: Rules, sights: list[Sight]) -> dict[bytes, Finding]:
    """Everything found, by key, as it will stand in the database."""
    found: dict[bytes, Finding] = {}
    for sight in sights:
        for finding in rules.see(sight):
            before = found.get(finding.key)
            found[finding.key] = before.with_later(finding) if before else finding
    return found


# --- one phone -----------------------------------------------------------------------------------------------
def test_sixth_person_of_a_phone_is_told_with_all_before() -> None:
    """A phone that goes on after a family of colleagues: whoever looks sees all six, not only the sixth."""
    sights = [at_door(number, phone=b"lent") for number in range(1, 9)]
    assert merged(Rules(), sights[:5]) == {}
    (finding,) = merged(Rules(), sights).values()
    assert (finding.kind, finding.key, finding.count, finding.point_id) == (AnomalyKind.ONE_PHONE, b"lent", 8, 7)
    assert finding.nonces == tuple(nonce(number) for number in range(1, 9))
    assert (finding.first_ms, finding.last_ms) == (NOW_MS + 1000, NOW_MS + 8000)


def test_one_person_again_and_again_is_one_person() -> None:
    """Somebody who scans ten times has a bad line, not ten people."""
    assert merged(Rules(), [at_door(number, person=1, phone=b"own") for number in range(1, 11)]) == {}


def test_another_session_counts_anew() -> None:
    """A phone that serves five people in the morning and five in the afternoon is nothing odd."""
    sights = [at_door(number, phone=b"lent", session_id=1 + number // 5) for number in range(10)]
    assert merged(Rules(), sights) == {}


def test_a_phone_in_two_halls_belongs_to_neither() -> None:
    """The review shows no hall where the people sat in several."""
    sights = [at_door(number, phone=b"lent", point_id=7 + number % 2) for number in range(1, 9)]
    (finding,) = merged(Rules(), sights).values()
    assert finding.point_id is None


# --- distant networks ------------------------------------------------------------------------------------------
def hall_of(people: int, networks: int, seed: int = 1) -> list[Sight]:
    """An honest hall within half an hour, each on the network of a carrier, some carriers larger than others."""
    chance = random.Random(seed)
    weights = [1 / (number + 1) for number in range(networks)]
    steps = sorted(int(chance.betavariate(4, 2) * 120) for _ in range(people))
    carriers = chance.choices(range(networks), weights, k=people)
    return [used(number, b"net %d" % carriers[number], steps[number]) for number in range(people)]


def sent_out(step: int, networks: int) -> list[Sight]:
    """A code that somebody photographed, used from so many networks elsewhere."""
    return [used(10_000 + number, b"elsewhere %d" % number, step) for number in range(networks)]


@pytest.mark.parametrize("step", [100, 2])
@pytest.mark.parametrize("networks", [4, 40])
def test_code_sent_out_of_the_hall_is_told(networks: int, step: int) -> None:
    """A code that was forwarded is used from networks that no other code of the door knows, early or late."""
    sights = sorted(hall_of(200, networks) + sent_out(step, 9), key=lambda sight: sight.step or 0)
    (finding,) = merged(Rules(), sights).values()
    assert (finding.kind, finding.point_id) == (AnomalyKind.DISTANT_NETWORKS, 7)
    assert finding.count >= 9
    assert {nonce(10_000 + number) for number in range(9)} <= set(finding.nonces)
    assert finding.first_ms == NOW_MS + step * 15_000


@pytest.mark.parametrize("networks", [1, 4, 12, 40, 100])
@pytest.mark.parametrize("people", [60, 700])
def test_phones_of_many_carriers_are_a_hall(people: int, networks: int) -> None:
    """A hall on its own network, on that of three carriers, or on the dozens that carriers hide their phones behind."""
    for seed in range(20):
        assert merged(Rules(), hall_of(people, networks, seed)) == {}


def test_first_people_of_a_hall_come_from_anywhere() -> None:
    """Twenty people in the first minute, from as many networks: nothing is known yet to which that would be odd."""
    assert merged(Rules(), sent_out(1, 20)) == {}


def test_networks_over_time_are_no_crowd() -> None:
    """Twenty networks over twenty codes are twenty people who came one after another."""
    assert merged(Rules(), [used(number, b"net %d" % number, number) for number in range(20)]) == {}


def test_networks_beyond_counting_are_not_judged() -> None:
    """A door of more networks than are remembered: nobody is called odd for want of memory."""
    sights = [used(number, b"net %d" % number, number // 7) for number in range(700)]
    assert merged(Rules(), sights + sent_out(200, 20)) == {}


def test_surprise_grows_with_what_chance_does_not_explain() -> None:
    """Chance explains what it expects, and less and less beyond."""
    assert door_networks.surprise(3, 3.0) == door_networks.surprise(2, 3.0) == 0.0
    assert 0 < door_networks.surprise(6, 3.0) < door_networks.surprise(7, 3.0) < door_networks.surprise(7, 1.0)


# --- impossible pace -------------------------------------------------------------------------------------------
def test_scanner_faster_than_hands() -> None:
    """A program that replays a list of badges is told; the whole run stands in the evidence."""
    sights = [scanned(number, NOW_MS + number * 100) for number in range(20)]
    (finding,) = merged(Rules(), sights).values()
    assert (finding.kind, finding.key, finding.count) == (AnomalyKind.IMPOSSIBLE_PACE, b"device 3", 20)
    assert finding.nonces == tuple(nonce(number) for number in range(20))


@pytest.mark.parametrize("order", [1, -1])
def test_practised_operator_is_not_flagged(order: int) -> None:
    """One badge a second for a minute, also when the queue arrives hours later, and in whichever order."""
    sights = [scanned(number, NOW_MS + number * 1000) for number in range(60)][::order]
    assert merged(Rules(), sights) == {}


def test_queue_of_a_wrong_clock_is_not_flagged() -> None:
    """Nobody knows when its people came, so all came when the queue did; its clock still tells how far apart."""
    sights = [replace(scanned(number, NOW_MS), clock_ms=number * 1000) for number in range(60)]
    assert merged(Rules(), sights) == {}


def test_two_devices_share_no_pace() -> None:
    """Two operators side by side are twice as fast as one."""
    sights = [scanned(number, NOW_MS + number * 400, device_id=number % 2) for number in range(40)]
    assert merged(Rules(), sights) == {}


@pytest.mark.parametrize(
    ("people", "size", "odd"),
    [
        (180, {"capacity": 60}, False),
        (181, {"capacity": 60}, True),
        (600, {"capacity": 2000}, False),
        (600, {"invited": 2000}, False),
        (600, {"present": 2000}, False),
        (600, {}, True),
    ],
)
def test_arrivals_in_a_minute(people: int, size: dict[str, int], odd: bool) -> None:  # noqa: FBT001 pytest gives it
    """A door lets three people a second through, not more; a hall of 2,000 has more doors, noted or not."""
    step_ms = 59_000 // people
    sights = [at_door(number, at_ms=NOW_MS + number * step_ms, **size) for number in range(people)]
    found = merged(Rules(), sights)
    assert [finding.kind for finding in found.values()] == ([AnomalyKind.IMPOSSIBLE_PACE] if odd else [])
    assert all(len(finding.nonces) == limits.ANOMALY_NONCES_MAX for finding in found.values())


def test_hall_fuller_than_it_can_be() -> None:
    """Ninety-one people on sixty seats; ninety may stand."""
    assert merged(Rules(), [at_door(1, present=90, capacity=60)]) == {}
    (finding,) = merged(Rules(), [at_door(1, present=91, capacity=60)]).values()
    assert (finding.kind, finding.count, finding.nonces) == (AnomalyKind.IMPOSSIBLE_PACE, 91, (nonce(1),))
    assert merged(Rules(), [at_door(1, present=91, capacity=0)]) == {}


# --- bounds ----------------------------------------------------------------------------------------------------
def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A nation's phones do not fill the memory; the quietest are forgotten first."""
    monkeypatch.setattr(limits, "ANOMALY_KEYS_MAX", 10)
    rules = Rules()
    for number in range(100):
        rules.see(at_door(number, step=number, network=b"n", point_id=number))
        rules.see(at_door(1000 + number % 4, phone=b"lent"))
    assert len(rules._phones) == len(rules._networks) == 10
    assert rules.see(at_door(2000, phone=b"lent")) == []
    (finding,) = rules.see(at_door(3000, phone=b"lent"))
    assert finding.count == limits.ANOMALY_PHONE_PEOPLE


# --- networks --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("one", "other", "near", "far"),
    [
        ("27.64.1.2", "27.64.1.250", True, True),
        ("27.64.1.2", "27.64.9.2", False, True),
        ("27.64.1.2", "27.65.1.2", False, False),
        ("2402:800:61c4:1::1", "2402:800:61c4:ff::9", True, True),
        ("2402:800:61c4:1::1", "2402:800:9999::1", False, True),
        ("2402:800::1", "2405:4800::1", False, False),
        ("::ffff:27.64.1.2", "27.64.1.3", True, True),
        ("fe80::1%eth0", "fe80::2", True, True),
    ],
)
def test_networks_are_told_apart(one: str, other: str, near: bool, far: bool) -> None:  # noqa: FBT001 the same
    """A hall behind one address is one network, in both versions of the protocol."""
    assert (networks.prefix(one, networks.NEAR) == networks.prefix(other, networks.NEAR)) is near
    assert (networks.prefix(one, networks.FAR) == networks.prefix(other, networks.FAR)) is far


@pytest.mark.parametrize("text", ["", "unknown", "27.64.1", "1.2.3.4, 5.6.7.8"])
def test_what_is_no_address_is_no_network(text: str) -> None:
    """Nothing is made up where nothing is known."""
    assert networks.prefix(text, networks.NEAR) == b""


@pytest.mark.parametrize(
    ("peer", "named", "who"),
    [
        ("127.0.0.1", "6.6.6.6, 27.64.1.2", "27.64.1.2"),
        ("10.0.0.5", "27.64.1.2", "27.64.1.2"),
        ("27.64.1.2", "6.6.6.6", "27.64.1.2"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("", "6.6.6.6", ""),
    ],
)
def test_only_our_own_proxy_is_believed(peer: str, named: str, who: str) -> None:
    """Whoever guesses cannot escape being slowed by naming another address each time."""
    assert networks.behind_proxy(peer, named) == who
