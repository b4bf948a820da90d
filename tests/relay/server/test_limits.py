"""Who may ask how often, and where a request is from."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.relay.server.bodies import GreedyError, NoRoomError, Room
from obdesk.relay.server.deadlines import Deadlines
from obdesk.relay.server.limits import ASKERS_MAX, Addresses, Buckets, Places, Rate
from obdesk.relay.server.lines import Lines, LineTooLongError
from tests.relay.server.kit import connection_synced, kit

if TYPE_CHECKING:
    from tests.relay.places import Place


class Time:
    """Seconds."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@given(st.lists(st.floats(0, 5), max_size=40), st.floats(0.1, 20), st.integers(1, 10))
def test_nobody_gets_more_than_the_burst_and_the_rate_since(
    pauses: list[float], per_s: float, burst: int
) -> None:
    time = Time()
    buckets = Buckets(Rate(per_s, burst), time)
    got = 0
    for pause in pauses:
        time.now += pause
        while not buckets.ask("one"):
            got += 1
            assert got <= burst + (time.now - 1_000.0) * per_s + 1e-6
        wait_s = buckets.wait_s("one")
        assert wait_s > 0
        assert not buckets.wait_s("another")
        time.now += wait_s + 1e-6
        assert not buckets.wait_s("one"), "what was promised is kept"


def test_of_too_many_askers_the_longest_silent_start_over() -> None:
    buckets = Buckets(Rate(1, 1), Time())
    buckets.take("first")
    for number in range(ASKERS_MAX):
        buckets.take(number)

    assert len(buckets) == ASKERS_MAX
    assert not buckets.wait_s("first")
    assert buckets.wait_s(ASKERS_MAX - 1)


def scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", text.encode("latin-1")) for text in forwarded]
    return {"client": None if peer is None else (peer, 1), "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", ("198.51.100.7",), "192.0.2.1"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("6.6.6.6, 198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("6.6.6.6, 198.51.100.7, 10.0.0.2",), "198.51.100.7"),
        ("10.0.0.1", ("6.6.6.6", "198.51.100.7"), "198.51.100.7"),
        ("10.0.0.1", ("198.51.100.7, nonsense",), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.3",), "10.0.0.3"),
        ("::ffff:10.0.0.1", ("[2001:db8::7]",), "2001:db8::7"),
        (None, ("198.51.100.7",), "None"),
    ],
)
def test_only_a_trusted_proxy_says_where_a_request_is_from(
    peer: str | None, forwarded: tuple[str, ...], expected: str
) -> None:
    addresses = Addresses(Places.parse(["10.0.0.0/8"]))
    assert str(addresses.of(scope(peer, *forwarded))) == expected


def test_over_a_socket_file_the_proxy_is_trusted_if_that_is_said() -> None:
    trusting = Addresses(Places.parse(["unix"]))
    assert str(trusting.of(scope(None, "198.51.100.7"))) == "198.51.100.7"


def test_a_network_is_one_asker_and_is_kept_as_a_digest_of_this_process() -> None:
    addresses = Addresses(Places())
    askers = {
        peer: addresses.asker(scope(peer))
        for peer in (
            "192.0.2.1",
            "192.0.2.99",
            "192.0.3.1",
            "2001:db8:1::1",
            "2001:db8:1:ffff::1",
            "2001:db8:2::1",
        )
    }

    assert askers["192.0.2.1"] == askers["192.0.2.99"] != askers["192.0.3.1"]
    assert askers["2001:db8:1::1"] == askers["2001:db8:1:ffff::1"] != askers["2001:db8:2::1"]
    assert Addresses(Places()).asker(scope("192.0.2.1")) != askers["192.0.2.1"]
    assert all(len(asker) == 8 for asker in askers.values())


async def test_a_source_that_floods_is_told_to_wait_and_another_is_not(sqlite_place: Place) -> None:
    async with kit(sqlite_place, deliveries=Rate(1, 3)) as relay:
        loud, calm = await relay.source("loud"), await relay.source("calm")
        first = [await relay.deliver(loud, connection_synced(payload=n)) for n in range(5)]
        other = await relay.deliver(calm, connection_synced(payload=9))
        relay.clock.advance(2)
        later = await relay.deliver(loud, connection_synced(payload=6))

        assert [answer.status_code for answer in first] == [200, 200, 200, 429, 429]
        assert int(first[-1].headers["retry-after"]) >= 1
        assert (other.status_code, later.status_code) == (200, 200)


async def test_forgers_wait_and_do_not_use_up_what_their_victim_may_send(sqlite_place: Place) -> None:
    async with kit(sqlite_place, failures=Rate(1, 3), deliveries=Rate(1, 3)) as relay:
        home, office = await relay.source(), await relay.source("office")
        forged = [
            (await relay.deliver(home, connection_synced(payload=n), secret="guess")).status_code
            for n in range(5)
        ]
        other = await relay.deliver(office, connection_synced(payload=7))
        relay.clock.advance(1)
        honest = await relay.deliver(home, connection_synced(payload=8))

        assert forged == [401, 401, 401, 429, 429]
        assert (other.status_code, honest.status_code) == (200, 200)


async def test_who_guesses_addresses_is_told_to_wait(sqlite_place: Place) -> None:
    async with kit(sqlite_place, failures=Rate(1, 2)) as relay:
        home = await relay.source()
        guesses = [
            (await relay.http.post(f"/v1/hooks/guess{n}/USER_SYNCED", content=b"{}")).status_code
            for n in range(4)
        ]
        assert guesses == [404, 404, 429, 429]
        assert (await relay.deliver(home, connection_synced(payload=1))).status_code == 200


async def test_who_sends_unsigned_is_told_to_wait_and_what_is_signed_is_taken(sqlite_place: Place) -> None:
    async with kit(sqlite_place, failures=Rate(1, 3)) as relay:
        home = await relay.source()
        path = relay.path(home)
        unsigned = [(await relay.http.post(path, content=b"{}")).status_code for _ in range(5)]
        packed = [(await relay.deliver(home, b"{}", Content_Encoding="gzip")).status_code for _ in range(2)]
        honest = await relay.deliver(home, connection_synced(payload=1))

        assert unsigned == [401, 401, 401, 429, 429]
        assert packed == [429, 429], "what the head alone refuses is counted together"
        assert honest.status_code == 200, "the same network may have a webhook that is set up wrongly"


async def test_a_source_that_was_removed_says_so_now_and_then(sqlite_place: Place) -> None:
    async with kit(sqlite_place, failures=Rate(1, 2)) as relay:
        home = await relay.source()
        await relay.operator.remove_source("home")
        answers = [(await relay.deliver(home, b"{}")).status_code for _ in range(3)]
        assert answers == [410, 410, 429]


async def test_who_looks_for_what_is_not_there_is_told_to_wait(sqlite_place: Place) -> None:
    async with kit(sqlite_place, failures=Rate(1, 3)) as relay:
        desk = await relay.desk(await relay.source())
        asked = ["/", "/.env", "/v2/devices", "/wp-login.php", "/v1/hooks/guess/USER_SYNCED"]
        tries = [(await relay.http.get(path)).status_code for path in asked]

        assert tries == [404, 404, 404, 429, 429]
        assert (await relay.http.get("/healthz")).status_code == 200
        assert (await desk.page()).entries == ()


def test_one_source_leaves_room_for_the_bodies_of_others() -> None:
    room = Room(100, 40)
    with (
        room.taken("loud", b"1") as first,
        room.taken("loud", b"2") as second,
        room.taken("calm", b"1") as third,
    ):
        first.grow(20)
        with pytest.raises(NoRoomError):
            second.grow(11)
        second.grow(10)
        third.grow(20)
        with room.taken("calm", b"1") as fourth, pytest.raises(GreedyError):
            fourth.grow(1)
        assert room.held == 50
    assert room.held == 0


def test_whoever_comes_after_many_finds_room_for_a_body() -> None:
    room = Room(10_000, 1_000)
    with ExitStack() as held:
        for number in range(9):
            share = held.enter_context(room.taken("known", b"%d" % number))
            with suppress(NoRoomError):
                while True:
                    share.grow(1)
        held.enter_context(room.taken("known", b"honest")).grow(1)
        assert room.held < 1_000
    assert room.held == 0


def test_room_that_threads_take_is_given_back_to_the_byte() -> None:
    room = Room(2**40, 2**40)
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        for _ in range(300):
            with room.taken("one", b"1") as share:
                for _ in range(64):
                    share.grow(1_000)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)

    assert room.held == 0
    with room.taken("one", b"1") as share:
        share.grow(2**39)


async def test_of_one_source_so_many_are_kept_at_once_and_others_pass_them() -> None:
    lines = Lines(2, 4)
    at_work: list[str] = []
    gates = {name: asyncio.Event() for name in ("a1", "a2", "a3", "a4", "b1")}

    async def work(name: str) -> None:
        async with lines.of(name[0]):
            at_work.append(name)
            await gates[name].wait()

    tasks = {name: asyncio.ensure_future(work(name)) for name in gates}
    await asyncio.sleep(0)
    assert at_work == ["a1", "a2", "b1"]
    with pytest.raises(LineTooLongError):
        lines.of("a")
    tasks["a3"].cancel()
    gates["a1"].set()
    await tasks["a1"]
    await asyncio.sleep(0)
    assert at_work == ["a1", "a2", "b1", "a4"]
    for gate in gates.values():
        gate.set()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    assert len(lines) == 0


async def test_a_limit_interrupts_what_takes_too_long_and_nothing_else() -> None:
    deadlines = Deadlines(0.2)
    loop = asyncio.get_running_loop()

    async def silent() -> None:
        with deadlines.limit():
            await loop.create_future()

    async def fast() -> str:
        with deadlines.limit():
            await asyncio.sleep(0)
        await asyncio.sleep(0.3)
        return "done"

    outcomes = await asyncio.gather(silent(), fast(), silent(), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [TimeoutError, str, TimeoutError]
    assert await fast() == "done", "limits that are over end nothing that begins later"


async def test_a_task_that_is_cancelled_by_another_hand_is_cancelled() -> None:
    deadlines = Deadlines(10)

    async def silent() -> None:
        with deadlines.limit():
            await asyncio.get_running_loop().create_future()

    task = asyncio.ensure_future(silent())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
