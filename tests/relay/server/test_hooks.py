"""Deliveries of the aggregator, from the request to the hint on a desktop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from obdesk.relay.protocol import RETENTION_S, SourceKind
from obdesk.relay.server.keys import Keys, hashed
from obdesk.relay.server.signature import Signer
from tests.relay.server.kit import (
    NOT_FOUND,
    SECRET,
    connection_synced,
    kit,
    signed_headers,
)

if TYPE_CHECKING:
    from tests.guards import ExpectsLog
    from tests.relay.places import Place

MINUTE_S = 60
DAY_S = 24 * 3600


async def test_a_delivery_reaches_every_device_of_its_source_and_says_nothing_but_what_happened(
    place: Place,
) -> None:
    async with kit(place) as relay:
        home, office = await relay.source(), await relay.source("office")
        laptop, phone, stranger = (
            await relay.desk(home),
            await relay.desk(home),
            await relay.desk(office),
        )
        answer = await relay.deliver(home, connection_synced(311, payload=700_005, state="SCARequired"))

        assert (answer.status_code, answer.content) == (200, b"{}")
        for desk in (laptop, phone):
            (hint,) = await desk.hints()
            assert (hint.event, hint.connection, hint.state) == ("CONNECTION_SYNCED", "311", "SCARequired")
            assert (hint.payload_id, hint.received_at_us) == (700_005, relay.clock())
            assert await desk.hints() == []
        assert await stranger.hints() == []
        assert relay.fates() == {"kept": 1}


async def test_what_another_relays_key_has_locked_is_to_be_sent_again(
    place: Place, expects_log: ExpectsLog
) -> None:
    expects_log("give both the same")
    async with kit(place) as relay:
        home = await relay.source()
        stranger = replace(home, secrets=(Keys(bytes(32)).lock(SECRET.encode()),))
        await relay.store.add_source(stranger, hashed(relay.keys.capability(home.id)))
        for _ in range(2):
            answer = await relay.deliver(home, connection_synced(311, payload=1))
            assert (answer.status_code, answer.json()["title"]) == (503, "Another key")
            assert int(answer.headers["Retry-After"]) > 0
        assert relay.fates() == {"wrong_key": 2}


@pytest.mark.parametrize("event", ["USER_CREATED", "TRANSACTIONS_CLUSTERED"])
async def test_each_event_has_an_address_of_its_own(place: Place, event: str) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        answer = await relay.deliver(home, b'{"id":1,"id_webhook_data":2}', event)

        assert answer.status_code == 200
        assert [hint.event for hint in await desk.hints()] == [event]


async def test_a_payload_without_a_connection_is_a_hint_about_all(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        await relay.deliver(home, b"0104....30003 CFONB text", "USER_SYNCED")

        (hint,) = await desk.hints()
        assert (hint.connection, hint.state, hint.payload_id) == (None, None, None)


async def test_what_is_not_there_is_one_answer_to_the_byte(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        path, body = relay.path(home), connection_synced(payload=1)
        signed = signed_headers(path, body, relay.clock())
        capability = path.split("/")[3]
        answers = [
            await relay.http.get(path, headers=signed),
            await relay.http.put(path, content=body, headers=signed),
            await relay.http.post(f"{path}?a=1", content=body, headers=signed),
            await relay.http.post(f"{path}/", content=body, headers=signed),
            await relay.http.post(path.replace("SYNCED", "%53YNCED"), content=body, headers=signed),
            await relay.http.post(path.lower(), content=body, headers=signed),
            await relay.http.post(f"/v1/hooks/{capability}/PAYMENT_STATE_UPDATED", content=body),
            await relay.http.post(f"/v1/hooks/{capability[:-1]}x/USER_SYNCED", content=body),
            await relay.http.post("/v1/hooks/a/b", content=body, headers={"Authorization": "Bearer x"}),
            await relay.http.post("/v1/hooks", content=body),
            await relay.http.get("/v1/mailbox/events"),
            await relay.http.get("/v1/mailbox/events", headers={"Authorization": "Bearer x"}),
            await relay.http.post("/v1/mailbox/events"),
            await relay.http.delete("/v1/devices/me", headers={"Authorization": "Basic eDp5"}),
            await relay.http.post("/v1/users", content=b"{}"),
            await relay.http.get("/metrics"),
            await relay.http.get("/"),
        ]

        assert {answer.status_code for answer in answers} == {404}
        assert {answer.content for answer in answers} == {NOT_FOUND}
        assert len({tuple(answer.headers.multi_items()) for answer in answers}) == 1


async def test_two_secrets_are_good_while_one_takes_the_other_s_place(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        await relay.operator.begin_rotation("home", "the new one")
        relay.clock.advance(1)
        first = await relay.deliver(home, connection_synced(payload=1))
        second = await relay.deliver(home, connection_synced(payload=2), secret="the new one")
        await relay.operator.finish_rotation("home")
        relay.clock.advance(1)
        third = await relay.deliver(home, connection_synced(payload=3))
        fourth = await relay.deliver(home, connection_synced(payload=4), secret="the new one")

        assert [each.status_code for each in (first, second, third, fourth)] == [200, 200, 401, 200]


async def test_F25_a_body_that_was_changed_or_signed_by_somebody_else_is_refused(place: Place) -> None:
    async with kit(place) as relay:
        home, office = await relay.source(), await relay.source("office")
        desk = await relay.desk(home)
        path, body = relay.path(home), connection_synced(payload=1)
        good = signed_headers(path, body, relay.clock())
        elsewhere = signed_headers(relay.path(office), body, relay.clock())
        other_event = signed_headers(relay.path(home, "USER_SYNCED"), body, relay.clock())
        later = {**good, "BI-Signature-Date": good["BI-Signature-Date"].replace("Z", "+00:00")}
        tries: list[tuple[dict[str, str], bytes]] = [
            (good, body + b" "),
            (good, connection_synced(payload=2)),
            (signed_headers(path, body, relay.clock(), "guessed"), body),
            (elsewhere, body),
            (other_event, body),
            (later, body),
            ({**good, "BI-Signature": good["BI-Signature"].rstrip("=")}, body),
            ({**good, "BI-Signature": good["BI-Signature"].lower()}, body),
        ]
        answers = [await relay.http.post(path, content=sent, headers=headers) for headers, sent in tries]

        assert {answer.status_code for answer in answers} == {401}
        assert all(answer.headers["content-type"] == "application/problem+json" for answer in answers)
        assert await desk.hints() == []
        assert relay.fates() == {"signature": len(tries)}


async def test_a_delivery_without_a_signature_is_refused_with_the_advice_to_set_one_up(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        path, body = relay.path(home), connection_synced(payload=1)
        good = signed_headers(path, body, relay.clock())
        for name in good:
            less = {each: value for each, value in good.items() if each != name}
            answer = await relay.http.post(path, content=body, headers=less)
            assert (answer.status_code, answer.json()["title"]) == (401, "Signature missing")
        assert relay.fates() == {"unsigned": 2}


@pytest.mark.parametrize(
    ("age_s", "payload", "status"),
    [
        (0, None, 200),
        (5 * MINUTE_S - 1, None, 200),
        (5 * MINUTE_S + 1, None, 401),
        (5 * MINUTE_S + 1, 7, 200),
        (-5 * MINUTE_S + 1, 7, 200),
        (-5 * MINUTE_S - 1, 7, 401),
        (29 * DAY_S, 7, 200),
        (30 * DAY_S, 7, 401),
        (3_000 * DAY_S, 7, 401),
    ],
)
async def test_F25_an_old_date_is_taken_only_from_a_retry_that_names_its_payload(
    place: Place, age_s: int, payload: int | None, status: int
) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        dated_us = relay.clock() - age_s * 1_000_000
        answer = await relay.deliver(home, connection_synced(payload=payload), dated_us=dated_us)

        assert answer.status_code == status
        assert len(await desk.hints()) == (status == 200)


@pytest.mark.parametrize(
    "date", ["", "yesterday", "2026-02-30T04:05:06Z", "2026-03-20T10:00:00+02:00", "1e9"]
)
async def test_a_signed_date_that_is_no_moment_in_utc_is_refused(place: Place, date: str) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        path, body = relay.path(home), connection_synced(payload=1)
        signature = Signer(SECRET.encode()).sign(path, date, body).decode()
        headers = {"BI-Signature-Date": date, "BI-Signature": signature}
        assert (await relay.http.post(path, content=body, headers=headers)).status_code == 401


@pytest.mark.parametrize("payload", [None, 9001])
async def test_F22_a_delivery_that_comes_again_is_accepted_and_kept_once(
    place: Place, payload: int | None
) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        path, body = relay.path(home), connection_synced(payload=payload)
        signed = signed_headers(path, body, relay.clock())
        first = await relay.http.post(path, content=body, headers=signed)
        assert len(await desk.hints()) == 1
        again = [await relay.http.post(path, content=body, headers=signed) for _ in range(3)]

        assert {(each.status_code, each.content) for each in (first, *again)} == {(200, b"{}")}
        assert await desk.hints() == []
        assert relay.fates() == {"kept": 1, "payload_seen": 3}


async def test_F22_a_retry_with_a_new_date_is_known_by_its_payload_until_nobody_could_send_it_again(
    place: Place,
) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        body, sent_us = connection_synced(payload=5), relay.clock()
        await relay.deliver(home, body, dated_us=sent_us + 299 * 1_000_000)
        await desk.hints()
        for _ in range(RETENTION_S // DAY_S + 1):
            relay.clock.advance(DAY_S)
            await relay.store.purge(relay.clock())
            await relay.deliver(home, body, dated_us=sent_us + 299 * 1_000_000)
            assert await desk.hints() == []


async def test_F23_hints_of_one_connection_fold_and_the_last_one_counts(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        for payload, connection in enumerate([311, 312, 311, "311"]):
            relay.clock.advance(1)
            await relay.deliver(home, connection_synced(connection, payload=payload))

        assert [(hint.connection, hint.payload_id) for hint in await desk.hints()] == [("312", 1), ("311", 3)]


async def test_a_shared_source_gives_each_user_s_hints_to_that_user_s_devices_alone(place: Place) -> None:
    async with kit(place) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        anna, annas_phone, ben = (
            await relay.desk(crowd, "6120"),
            await relay.desk(crowd, "6120"),
            await relay.desk(crowd, "6121"),
        )
        nobody = await relay.desk(crowd)
        await relay.deliver(crowd, connection_synced(user=6120, payload=1))
        await relay.deliver(crowd, connection_synced(user="6121", connection=400, payload=2))

        assert [hint.connection for hint in await anna.hints()] == ["311"]
        assert [hint.connection for hint in await annas_phone.hints()] == ["311"]
        assert [hint.connection for hint in await ben.hints()] == ["400"]
        assert await nobody.hints() == []


async def test_F26_what_is_for_nobody_here_is_acknowledged_as_everything_else_and_dropped(
    place: Place,
) -> None:
    async with kit(place) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        desk = await relay.desk(crowd, "6120")
        bodies: list[tuple[str, bytes]] = [
            ("CONNECTION_SYNCED", connection_synced(user=9999, payload=1)),
            ("CONNECTION_SYNCED", connection_synced(user=None, payload=2)),
            ("ACCOUNT_CATEGORIZED", b'{"transactions":[{"id":1}],"id_webhook_data":3}'),
            (
                "CONNECTION_SYNCED",
                b'{"user":{"id":6120,"id":6121},"connection":{"id":1},"id_webhook_data":4}',
            ),
            (
                "CONNECTION_SYNCED",
                b'{"user":{"id":6120},"connection":{"id":1,"id_user":6121},"id_webhook_data":5}',
            ),
            ("USER_CREATED", b'{"id":6120.5}'),
            ("USER_SYNCED", b"CFONB"),
        ]
        dropped = [await relay.deliver(crowd, body, event) for event, body in bodies]
        known = await relay.deliver(crowd, connection_synced(user=6120, payload=6))
        again = await relay.deliver(crowd, bodies[0][1])

        shown = {
            (each.status_code, each.content, tuple(each.headers.items())) for each in (*dropped, known, again)
        }
        assert len(shown) == 1
        assert len(await desk.hints()) == 1
        assert relay.fates() == {"no_recipient": len(bodies), "kept": 1, "payload_seen": 1}


async def test_a_live_token_is_never_seen_by_the_relay_and_turns_its_source_red(
    place: Place, expects_log: ExpectsLog
) -> None:
    expects_log("a user's live token")
    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        path, body = relay.path(home), connection_synced(payload=1)
        answer = await relay.http.post(path, content=body, headers={"Authorization": "Bearer live/token="})

        assert (answer.status_code, answer.json()["title"]) == (401, "A token instead of a signature")
        assert "live/token=" not in answer.text
        page = await desk.page()
        assert page.entries == ()
        assert page.bearer_seen_at_us == relay.clock()
        assert page.delivered_at_us is None
        signed = await relay.deliver(home, body, Authorization="Bearer live/token=")
        assert signed.status_code == 200, "its signature is good"
        assert relay.fates() == {"bearer": 1, "kept": 1}


async def test_a_token_sent_to_an_address_that_does_not_exist_leaves_no_trace(place: Place) -> None:
    async with kit(place) as relay:
        await relay.source()
        answer = await relay.http.post(
            "/v1/hooks/guess/USER_SYNCED", headers={"Authorization": "Bearer live"}, content=b"{}"
        )
        assert (answer.status_code, answer.content) == (404, NOT_FOUND)


async def test_a_removed_source_says_so_for_a_while_and_then_was_never_there(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        await relay.operator.remove_source("home")
        gone = await relay.deliver(home, connection_synced(payload=1))
        pull = await desk.ask("GET", "/v1/mailbox/events", params={"after": desk.cursor})
        relay.clock.advance(RETENTION_S + 1)
        await relay.store.purge(relay.clock())
        unknown = await relay.deliver(home, connection_synced(payload=1))

        assert gone.status_code == 410
        assert (pull.status_code, pull.content) == (404, NOT_FOUND)
        assert (unknown.status_code, unknown.content) == (404, NOT_FOUND)
