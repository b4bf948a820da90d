"""Health, figures and description; what becomes of errors and of stores that are down; nothing goes out."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import httpx

from obdesk.relay.server.app import wall_clock_us
from obdesk.relay.server.limits import Places
from obdesk.relay.server.store import StoreDownError
from tests.relay.places import RedisPlace
from tests.relay.server.kit import NOT_FOUND, connection_synced, kit, signed_headers
from tests.relay.server.served import add_source, serving, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.guards import ExpectsLog
    from tests.relay.places import Place
    from tests.relay.redis_server import RedisServer


async def test_health_is_told_to_everybody(place: Place) -> None:
    async with kit(place) as relay:
        answers = [await relay.http.get(path) for path in ("/healthz", "/readyz")]
        assert [(each.status_code, each.json()) for each in answers] == [(200, {"status": "ok"})] * 2


async def test_figures_are_for_who_asks_directly_and_from_near(place: Place) -> None:
    async with kit(place, metrics_from=Places.parse(["192.0.2.0/24"])) as relay:
        home = await relay.source()
        await relay.desk(home)
        await relay.deliver(home, connection_synced(payload=1))
        relay.clock.advance(5)
        figures = await relay.http.get("/metrics")
        through = [
            await relay.http.get("/metrics", headers={name: "127.0.0.1"})
            for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Proto")
        ]
    async with kit(place) as relay:
        far = await relay.http.get("/metrics")

    assert figures.headers["content-type"].startswith("text/plain; version=")
    for line in (
        "obdesk_relay_devices 1.0",
        "obdesk_relay_sources 1.0",
        "obdesk_relay_mailbox_depth 1.0",
        "obdesk_relay_oldest_hint_age_seconds 5.0",
        "obdesk_relay_store_up 1.0",
        'obdesk_relay_deliveries_total{outcome="kept",reason=""} 1.0',
        'obdesk_relay_responses_total{route="hook",status="200"} 1.0',
    ):
        assert line in figures.text
    assert {(each.status_code, each.content) for each in (*through, far)} == {(404, NOT_FOUND)}


async def test_F60_while_the_store_is_down_a_sender_is_asked_to_come_again(
    place: Place, expects_log: ExpectsLog
) -> None:
    expects_log("the store is down")
    async with kit(place, metrics_from=Places.parse(["192.0.2.0/24"])) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        await relay.deliver(home, connection_synced(payload=1))

        async def down(*_given: object) -> None:
            raise StoreDownError

        for name in ("deliver", "inbox", "device_of", "ping", "figures"):
            setattr(relay.store, name, down)
        answers = [
            await relay.deliver(home, connection_synced(payload=2)),
            await desk.ask("GET", "/v1/mailbox/events", params={"after": desk.cursor}),
            await relay.http.get("/readyz"),
        ]
        figures = await relay.http.get("/metrics")

        assert [answer.status_code for answer in answers] == [503] * 3
        assert {answer.headers["retry-after"] for answer in answers} == {"5"}
        assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
        assert "obdesk_relay_store_up 0.0" in figures.text
        assert relay.fates() == {"kept": 1, "store_down": 1}


async def test_a_store_that_gives_what_it_has_and_keeps_nothing_is_not_up(
    redis: RedisServer, expects_log: ExpectsLog
) -> None:
    expects_log("the store is down")
    async with kit(RedisPlace(redis.url), metrics_from=Places.parse(["192.0.2.0/24"])) as relay:
        await relay.source()
        redis.say("CONFIG", "SET", "maxmemory", "1")
        try:
            full = await relay.http.get("/metrics")
        finally:
            redis.say("CONFIG", "SET", "maxmemory", "0")
        assert "obdesk_relay_store_up 0.0" in full.text
        assert "obdesk_relay_store_up 1.0" in (await relay.http.get("/metrics")).text


def test_the_log_says_once_that_the_store_is_down_and_once_that_it_is_up(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("A" * 43 + "\n")
    paths = add_source(own_redis.url, key_file=str(key))
    with serving(own_redis.url, tmp_path, "--key-file", str(key)) as served:

        def deliver() -> int:
            path, body = paths["CONNECTION_SYNCED"], connection_synced(payload=1)
            sent = signed_headers(path, body, wall_clock_us())
            return httpx.post(f"{served.where}{path}", content=body, headers=sent, timeout=30).status_code

        def told() -> list[tuple[str, object]]:
            lines = [json.loads(line) for line in served.log.read_text().splitlines()]
            return [(each["message"], each.get("why")) for each in lines if "the store" in each["message"]]

        own_redis.kill()
        assert [deliver() for _ in range(3)] == [503] * 3
        until(served, lambda: len(told()) > 0)
        own_redis.start()
        until(served, lambda: len(told()) > 1)
        assert deliver() == 200
    assert told() == [("the store is down", "Redis cannot be reached"), ("the store is up again", None)]


async def test_a_sender_waits_no_longer_for_many_slow_answers_than_for_one(
    sqlite_place: Place, expects_log: ExpectsLog
) -> None:
    expects_log("the store is down")
    async with kit(sqlite_place, patience_s=0.5) as relay:
        home = await relay.source()
        await relay.desk(home)
        relay.clock.advance(60)  # nothing is remembered any more

        def slowed(work: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
            async def slow(*given: object) -> object:
                await asyncio.sleep(0.3)
                return await work(*given)

            return slow

        for name in ("source_of", "recipients", "deliver"):
            setattr(relay.store, name, slowed(getattr(relay.store, name)))
        answer = await relay.deliver(home, connection_synced(payload=1))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_a_store_that_is_slow_is_down(sqlite_place: Place, expects_log: ExpectsLog) -> None:
    expects_log("the store is down")
    async with kit(sqlite_place, patience_s=0.1) as relay:
        home = await relay.source()
        await relay.desk(home)

        async def slow(*_given: object) -> None:
            await asyncio.get_running_loop().create_future()

        setattr(relay.store, "deliver", slow)  # noqa: B010 - the store is no mock, it is held up
        assert (await relay.deliver(home, connection_synced(payload=1))).status_code == 503


async def test_an_error_of_ours_is_answered_and_its_words_go_nowhere(
    sqlite_place: Place, expects_log: ExpectsLog
) -> None:
    expects_log("a request failed")
    async with kit(sqlite_place) as relay:
        home = await relay.source()

        async def broken(*_given: object) -> None:
            raise RuntimeError("words with a secret")

        setattr(relay.store, "deliver", broken)  # noqa: B010 - as above
        answer = await relay.deliver(home, connection_synced(payload=1))
        assert (answer.status_code, answer.json()["title"]) == (500, "An error of ours")
        assert "secret" not in answer.text


async def test_the_description_is_openapi_and_has_every_route(sqlite_place: Place) -> None:
    async with kit(sqlite_place, public_url="https://relay.example") as relay:
        answer = await relay.http.get("/openapi.json")
        told = answer.json()
        routes = {route.path for route in relay.app.routes if hasattr(route, "path")}

        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert told["openapi"] == "3.1.0"
        assert set(told["paths"]) == routes | {"/v1/hooks/{capability}/{event}"}
        assert told["servers"] == [{"url": "https://relay.example"}]
        for path in told["paths"].values():
            for operation in path.values():
                for status, described in operation["responses"].items():
                    assert int(status) < 400 or "application/problem+json" in described["content"]
        named = set(json.dumps(told).split('"#/components/schemas/')[1:])
        assert {each.partition('"')[0] for each in named} <= set(told["components"]["schemas"])


async def test_without_an_aggregator_nothing_ever_goes_out(sqlite_place: Place) -> None:
    async with kit(sqlite_place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        heard: list[str] = []
        hearing = True

        def hear(event: str, arguments: tuple[Any, ...]) -> None:
            if hearing and event in {"socket.connect", "socket.getaddrinfo", "socket.sendto"}:
                heard.append(f"{event} {arguments[1:]}")

        sys.addaudithook(hear)
        try:
            await relay.deliver(home, connection_synced(payload=1))
            await relay.http.post("/v1/devices", json={"publicKey": "x", "ticket": "http://evil.example"})
            await desk.hints()
            await desk.ask("DELETE", "/v1/devices/me")
        finally:
            hearing = False
    assert heard == []
