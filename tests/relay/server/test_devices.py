"""Becoming a device, coming back after the store was lost, proving whose one is, and leaving."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from nacl.public import PrivateKey

from obdesk.relay.protocol import Paired, SourceKind, to_text
from obdesk.relay.server.keys import Keys, hashed
from obdesk.relay.server.limits import Rate
from obdesk.relay.server.store import StoreDownError
from tests.relay.places import SqlitePlace
from tests.relay.server.kit import HOUR_US, NOT_FOUND, Desk, Kit, connection_synced, kit

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.guards import ExpectsLog
    from tests.relay.places import Place

KEY = to_text(bytes(PrivateKey(bytes(range(32))).public_key))


def new_key() -> str:
    return to_text(bytes(PrivateKey.generate().public_key))


async def pair(relay: Kit, **told: Any) -> httpx.Response:
    return await relay.http.post("/v1/devices", json={"publicKey": KEY, **told})


def announced(relay: Kit, desk: Desk, answer: httpx.Response) -> Desk:
    """Return the desk as it goes on after it announced itself."""
    assert answer.status_code == 200, answer.text
    paired = msgspec.json.decode(answer.content, type=Paired)
    return Desk(relay.http, desk.private_key, paired, paired.cursor)


async def announce(relay: Kit, desk: Desk, **more: Any) -> httpx.Response:
    public = to_text(bytes(PrivateKey(desk.private_key).public_key))
    return await relay.http.post(
        "/v1/devices", json={"publicKey": public, "ticket": desk.paired.ticket, **more}
    )


async def test_a_code_makes_one_device_and_no_second(place: Place) -> None:
    async with kit(place) as relay:
        code = await relay.code(await relay.source())
        answers = await asyncio.gather(*(pair(relay, code=code, publicKey=new_key()) for _ in range(4)))

        assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
        assert len({answer.content for answer in answers if answer.status_code == 403}) == 1


async def test_who_did_not_hear_that_it_was_paired_asks_again_with_its_key_and_is_the_same_device(
    place: Place,
) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        code, private = await relay.code(home), PrivateKey.generate()
        told = {"publicKey": to_text(bytes(private.public_key)), "code": code}
        lost, heard = [await relay.http.post("/v1/devices", json=told) for _ in range(2)]
        await relay.deliver(home, connection_synced(payload=1))

        first, paired = [msgspec.json.decode(each.content, type=Paired) for each in (lost, heard)]
        assert paired.token != first.token
        assert len(await relay.operator.devices("home")) == 1
        desk = Desk(relay.http, bytes(private), paired, paired.cursor)
        assert len(await desk.hints()) == 1
        assert announced(relay, desk, await announce(relay, desk)).paired.token == paired.token
        assert (await pair(relay, code=code)).status_code == 403, "another key"
        await desk.ask("DELETE", "/v1/devices/me")
        assert (await relay.http.post("/v1/devices", json=told)).status_code == 403, "it has left"


@pytest.mark.parametrize("fails", ["code", "source", "spend_code", "epoch"])
async def test_a_store_that_fails_while_a_device_is_made_leaves_the_code_good_for_its_key(
    place: Place, fails: str, monkeypatch: pytest.MonkeyPatch, expects_log: ExpectsLog
) -> None:
    expects_log("the store is down")

    async def fail(*given: object) -> None:
        if fails in {"spend_code", "epoch"}:  # it was done, and nobody heard of it
            await work(*given)
        raise StoreDownError("the store takes too long")

    async with kit(place) as relay:
        code, work = await relay.code(await relay.source()), getattr(relay.store, fails)
        with monkeypatch.context() as patch:
            patch.setattr(relay.store, fails, fail)
            answer = await pair(relay, code=code)
            assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
        assert (await pair(relay, code=code)).status_code == 200
        assert len(await relay.operator.devices("home")) == 1


async def test_a_code_is_good_for_its_time_and_for_no_removed_source(place: Place) -> None:
    async with kit(place) as relay:
        home, office = await relay.source(), await relay.source("office")
        late, gone = await relay.code(home), await relay.code(office)
        await relay.operator.remove_source("office")
        relay.clock.now_us += HOUR_US
        answers = [await pair(relay, code=code) for code in (late, gone, "guess", "")]

        assert [answer.status_code for answer in answers] == [403] * 4
        assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"code": "a", "ticket": "b"},
        {"code": 7},
        {"code": "a", "userCode": ""},
        {"code": "a", "userCode": "line\nbreak"},
        {"code": "a", "userCode": "x" * 513},
    ],
)
async def test_a_pairing_that_says_too_little_or_too_much_is_not_understood(
    sqlite_place: Place, told: dict[str, Any]
) -> None:
    async with kit(sqlite_place) as relay:
        assert (await pair(relay, **told)).status_code == 400


@pytest.mark.parametrize(
    "key",
    ["", "AAAA", "=" * 43, "A" * 43, to_text(bytes(31)), to_text(bytes(33)), to_text(bytes([1] + [0] * 31))],
)
async def test_a_key_to_which_nothing_can_be_sealed_is_refused(sqlite_place: Place, key: str) -> None:
    async with kit(sqlite_place) as relay:
        code = await relay.code(await relay.source())
        answer = await pair(relay, code=code, publicKey=key)
        assert (answer.status_code, answer.json()["title"]) == (400, "Key not usable")
        assert (await pair(relay, code=code)).status_code == 200, "the code is still good"


async def test_F58_a_device_of_a_lost_store_announces_itself_and_has_the_same_token(
    place: Place, tmp_path: Path
) -> None:
    async with kit(place) as relay:
        desk = await relay.desk(await relay.source())
        await desk.page()
    async with kit(SqlitePlace(tmp_path / "another.db")) as relay:
        desk.http = relay.http
        lost = await desk.ask("GET", "/v1/mailbox/events", params={"after": desk.cursor})
        early = await announce(relay, desk)
        home = await relay.source()
        back = announced(relay, desk, await announce(relay, desk))
        await relay.deliver(home, connection_synced(payload=1))

        assert (lost.status_code, lost.content) == (404, NOT_FOUND)
        assert early.status_code == 403, "its source is not there yet"
        assert back.paired.token == desk.paired.token
        assert back.cursor.partition(":")[0] != desk.cursor.partition(":")[0], "all is marked dirty"
        assert len(await back.hints()) == 1


async def test_a_source_made_again_with_the_same_key_has_the_addresses_the_aggregator_knows(
    place: Place, tmp_path: Path
) -> None:
    async with kit(place) as relay:
        before = relay.operator.addresses(await relay.source(), "https://relay.example")
    async with kit(SqlitePlace(tmp_path / "another.db")) as relay:
        assert relay.operator.addresses(await relay.source(), "https://relay.example") == before


async def test_a_device_that_is_there_and_announces_itself_loses_nothing(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        await relay.deliver(home, connection_synced(payload=1))
        again = announced(relay, desk, await announce(relay, desk))

        assert again.paired.token == desk.paired.token
        assert len(await again.hints()) == 1
        assert len(await relay.operator.devices("home")) == 1


async def test_a_revoked_device_and_one_that_left_do_not_come_back_by_their_tickets(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        left, revoked, removed = [await relay.desk(home) for _ in range(3)]
        assert (await left.ask("DELETE", "/v1/devices/me")).status_code == 204
        device = await relay.store.device_of(hashed(revoked.paired.token))
        assert device is not None
        await relay.operator.revoke(device.id)
        assert (await announce(relay, left)).status_code == 403
        assert (await announce(relay, revoked)).status_code == 403
        await relay.operator.remove_source("home")
        await relay.source()
        assert (await announce(relay, removed)).status_code == 403
        assert (await left.ask("DELETE", "/v1/devices/me")).status_code == 404


async def test_a_ticket_of_another_relay_or_for_another_key_is_refused(place: Place) -> None:
    async with kit(place) as relay:
        desk = await relay.desk(await relay.source())
        foreign = to_text(Keys(bytes(32)).lock(b"x" * 100))
        ours = to_text(relay.keys.lock(b"what is no ticket"))
        answers = [await pair(relay, ticket=text) for text in (desk.paired.ticket, foreign, ours, "", "=")]

        assert [answer.status_code for answer in answers] == [403] * 5
        assert len({answer.content for answer in answers}) == 1


async def test_in_a_shared_source_a_device_without_a_user_gets_nothing_and_says_so(place: Place) -> None:
    async with kit(place) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        desk = await relay.desk(crowd)
        await relay.deliver(crowd, connection_synced(payload=1))

        assert desk.paired.is_shared
        assert not desk.paired.offers_users
        assert await desk.hints() == []


async def test_a_user_code_without_an_aggregator_to_ask_is_refused_and_the_code_stays_good(
    place: Place,
) -> None:
    async with kit(place) as relay:
        code = await relay.code(await relay.source("crowd", SourceKind.SHARED))
        refused = await pair(relay, code=code, userCode="abc")
        assert (refused.status_code, refused.json()["title"]) == (403, "User not proved")
        assert (await pair(relay, code=code)).status_code == 200
        assert (await pair(relay, code=code, publicKey=new_key())).status_code == 403


async def test_one_user_has_so_many_devices_and_no_more(sqlite_place: Place) -> None:
    async with kit(sqlite_place) as relay:
        home = await relay.source()
        for _ in range(32):
            await relay.desk(home)
        code = await relay.code(home)
        answer = await pair(relay, code=code)
        assert (answer.status_code, answer.json()["title"]) == (409, "Too many devices")
        office = await relay.source("office")
        assert (await pair(relay, code=await relay.code(office))).status_code == 200
        first = await relay.operator.devices("home")
        await relay.operator.revoke(first[0][0].id)
        assert (await pair(relay, code=code)).status_code == 200


async def test_who_tries_codes_is_told_to_wait(sqlite_place: Place) -> None:
    async with kit(sqlite_place, pairings=Rate(0.1, 2)) as relay:
        code = await relay.code(await relay.source())
        tries = [(await pair(relay, code="guess")).status_code for _ in range(3)]
        waits = await pair(relay, code=code)
        relay.clock.advance(10)

        assert tries == [403, 403, 429]
        assert (waits.status_code, waits.headers["retry-after"]) == (429, "10")
        assert (await pair(relay, code=code)).status_code == 200
