"""Every endpoint with what belongs to somebody else: nothing of it is reached, and nothing is told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from obdesk.relay.protocol import Page, SourceKind, to_text
from obdesk.relay.server.keys import hashed
from tests.relay.server.kit import MASTER, NOT_FOUND, Desk, Kit, connection_synced, kit

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.guards import ExpectsLog
    from tests.relay.places import Place


async def with_broker(relay: Kit) -> list[tuple[str, str]]:
    """Return all that needs a token: method and path of each."""
    told = (await relay.http.get("/openapi.json")).json()
    return [
        (method.upper(), path)
        for path, operations in told["paths"].items()
        for method, operation in operations.items()
        if "security" in operation
    ]


def settings(tmp_path: Path) -> dict[str, Any]:
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    return {"api_url": "http://127.0.0.1:1/2.0", "client_id": "1", "client_secret_file": secret}


async def ask(relay: Kit, method: str, path: str, token: str | None, desk: Desk) -> httpx.Response:
    """Ask well for something, but for the token."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body = {"upto": desk.cursor, "renew": False} if method == "POST" else None
    params = {"after": desk.cursor} if method == "GET" else None
    return await relay.http.request(method, path, headers=headers, json=body, params=params)


async def test_secrets_of_one_kind_are_worth_nothing_as_another(place: Place, tmp_path: Path) -> None:
    async with kit(place, **settings(tmp_path)) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        desk, left = await relay.desk(crowd, "1"), await relay.desk(crowd, "2")
        await left.ask("DELETE", "/v1/devices/me")
        code = await relay.code(crowd)
        device = await relay.store.device_of(hashed(desk.paired.token))
        assert device is not None
        wrong = {
            "none": None,
            "empty": "",
            "guess": "x" * 43,
            "removed": left.paired.token,
            "capability": relay.keys.capability(crowd.id),
            "ticket": desk.paired.ticket,
            "code": code,
            "cursor": desk.cursor,
            "device": device.id,
            "hash": to_text(hashed(desk.paired.token)),
            "key": to_text(MASTER),
            "padded": f"{desk.paired.token} ",
            "twice": f"{desk.paired.token},{desk.paired.token}",
        }
        asked = await with_broker(relay)
        answers = [
            await ask(relay, method, path, token, desk) for method, path in asked for token in wrong.values()
        ]

        assert len(asked) == 4
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.content for answer in answers} == {NOT_FOUND}
        assert len({tuple(answer.headers.multi_items()) for answer in answers}) == 1
        assert (await desk.page()).entries == ()
        pairing = {"publicKey": to_text(bytes([9] + [0] * 31))}
        for name, token in wrong.items():
            if token is not None and name != "code":
                for told in ({"code": token}, {"ticket": token}):
                    answer = await relay.http.post("/v1/devices", json={**pairing, **told})
                    assert (answer.status_code, answer.json()["title"]) == (403, "Pairing refused")


async def test_one_s_token_with_another_s_numbers_reaches_nothing_of_the_other(place: Place) -> None:
    async with kit(place) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        home = await relay.source()
        anna, ben = await relay.desk(crowd, "1"), await relay.desk(crowd, "2")
        carla = await relay.desk(home)
        for payload, (source, user) in enumerate(((crowd, 1), (crowd, 2), (home, 1))):
            await relay.deliver(source, connection_synced(user=user, connection=user, payload=payload))
            relay.clock.advance(1)
        owners = {"anna": anna, "ben": ben, "carla": carla}
        pages = {name: await desk.page() for name, desk in owners.items()}
        seen: dict[str, list[bytes]] = {
            name: [each.sealed.encode() for each in page.entries] for name, page in pages.items()
        }
        assert [len(each) for each in seen.values()] == [1, 1, 1]

        for name, desk in owners.items():
            for other, page in pages.items():
                if other == name:
                    continue
                for cursor in (page.cursor, page.entries[0].cursor):
                    asked = {"after": cursor, "limit": 100}
                    answer = await desk.ask("GET", "/v1/mailbox/events", params=asked)
                    found = msgspec.json.decode(answer.content, type=Page)
                    assert answer.status_code == 200
                    assert not {each.sealed.encode() for each in found.entries} & set(seen[other])
        epoch = await relay.store.epoch()
        for desk in (anna, carla):
            far = f"{epoch}:{10**17}"
            assert (await desk.ask("POST", "/v1/mailbox/ack", json={"upto": far})).status_code == 204
        assert (await anna.page(after=f"{epoch}:0")).entries == ()
        assert len((await ben.page()).entries) == 1, "what others acknowledge is theirs"
        await anna.ask("DELETE", "/v1/devices/me")
        await relay.operator.remove_source("home")
        assert len((await ben.page()).entries) == 1
        assert await relay.store.epoch() == epoch


async def test_a_source_s_secret_signs_for_no_other_source_and_no_other_event(place: Place) -> None:
    async with kit(place) as relay:
        home, office = await relay.source(), await relay.source("office")
        desk = await relay.desk(office)
        await relay.operator.begin_rotation("office", "its own")
        await relay.operator.finish_rotation("office")
        relay.clock.advance(1)
        answer = await relay.deliver(office, connection_synced(payload=1))
        same = await relay.deliver(home, connection_synced(payload=1))
        own = await relay.deliver(office, connection_synced(payload=1), secret="its own")

        assert [each.status_code for each in (answer, same, own)] == [401, 200, 200]
        assert len(await desk.hints()) == 1, "a payload id of one source is not one of another's"


async def test_nothing_tells_when_the_banks_of_others_were_read(
    place: Place, expects_log: ExpectsLog
) -> None:
    expects_log("live token")
    async with kit(place) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        anna, ben = await relay.desk(crowd, "1"), await relay.desk(crowd, "2")
        for user, payload in ((1, 1), (99, 2)):
            relay.clock.advance(61.5)
            await relay.deliver(crowd, connection_synced(user=user, payload=payload))
        await relay.http.post(relay.path(crowd), headers={"Authorization": "Bearer of somebody"})

        page = await ben.page()
        assert (page.delivered_at_us, page.bearer_seen_at_us) == (None, None)
        page = await anna.page()
        assert page.delivered_at_us == relay.clock() - 61_500_000, "her own"
        assert page.bearer_seen_at_us is None
        source = await relay.operator.named("crowd")
        assert source.bearer_seen_at_us == relay.clock(), "its operator is told"
