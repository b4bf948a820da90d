from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.simulator.hooks.send import sign
from tests.simulator.person import Client
from tests.simulator.receiver import Call, Receiver, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "sim_wh_secret_7Qk"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


def told(calls: list[Call], event: str) -> list[dict[str, Any]]:
    return [json.loads(call.body) for call in calls if call.path.endswith(event)]


def subscribe(me: Client, receiver: Receiver, *events: str, secret: str | None = SECRET) -> None:
    body = {"url": f"{receiver.url}/hooks/{{event}}", "secret": secret, "events": list(events)}
    me.control("POST", "/webhooks", body)


def settle(me: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = me.control("GET", "/webhooks")["deliveries"]
    return found


def test_the_signature_of_the_documented_vector() -> None:
    signature = sign(
        SECRET,
        "/hooks/powens/connection-synced",
        "2026-02-03T04:05:06.789012Z",
        b'{"id":42,"id_webhook_data":9001}',
    )
    assert signature == "wHkXldXa0EMAgO/rzl57H8fM8mMWHm3gYohIVdJC5bs="


def test_deliveries_are_signed_over_the_raw_body(me: Client, receiver: Receiver) -> None:
    subscribe(me, receiver, "CONNECTION_SYNCED")
    me.add("Ruche")

    for call in receiver.wait_for(2):
        date = call.headers["bi-signature-date"]
        message = b".".join([b"POST", b"/hooks/CONNECTION_SYNCED", date.encode(), call.body])
        expected = base64.b64encode(hmac.new(SECRET.encode(), message, hashlib.sha256).digest()).decode()
        assert call.headers["bi-signature"] == expected
        assert date.startswith("2026-02-03T08:00:00.")
        assert call.headers["user-agent"] == "Budgea API/2.0"
        assert "authorization" not in call.headers


def test_without_a_provider_the_users_token_is_sent(me: Client, receiver: Receiver) -> None:
    subscribe(me, receiver, "CONNECTION_SYNCED", secret=None)
    me.add("Ruche")

    assert receiver.wait_for(1)[0].headers["authorization"] == f"Bearer {me.token}"


def test_the_life_of_a_connection_is_told(me: Client, receiver: Receiver) -> None:
    subscribe(
        me,
        receiver,
        "ACCOUNT_FOUND",
        "ACCOUNT_ENABLED",
        "ACCOUNTS_FETCHED",
        "ACCOUNT_SYNCED",
        "CONNECTION_SYNCED",
    )
    connection = me.add("Ruche")
    calls = receiver.wait_for(2 + 2 + 2 + 2 + 2)
    found = told(calls, "ACCOUNT_FOUND")
    assert [item["type"] for item in found] == ["checking", "savings"]
    assert all(item["disabled"] == "2026-02-03 09:00:00" for item in found)
    assert [item["disabled"] for item in told(calls, "ACCOUNT_ENABLED")] == [None, None]
    first, second = told(calls, "CONNECTION_SYNCED")
    assert first["connection"]["accounts"] == []
    assert second["connection"]["id"] == connection
    rows = [row for account in second["connection"]["accounts"] for row in account["transactions"]]
    assert len(rows) == me.get("/users/me/transactions", limit=1)["total"]
    assert all(row["new"] for row in rows)
    idents = [json.loads(call.body)["id_webhook_data"] for call in calls]
    assert len(idents) == len(set(idents))

    me.control("POST", f"/connections/{connection}/state", {"state": "SCARequired"})
    failed = told(receiver.wait_for(len(calls) + 1), "CONNECTION_SYNCED")[-1]
    assert (failed["connection"]["state"], failed["connection"]["accounts"]) == ("SCARequired", [])


def test_only_new_rows_are_told(me: Client, receiver: Receiver) -> None:
    me.add("Ruche")
    subscribe(me, receiver, "ACCOUNT_SYNCED")
    account = me.get("/users/me/accounts")["accounts"][0]["id"]
    added = me.control("POST", f"/accounts/{account}/transactions", {"count": 2})["added"]

    synced = {item["id"]: item for item in told(receiver.wait_for(2), "ACCOUNT_SYNCED")}
    assert [row["id"] for row in synced[account]["transactions"]] == added


def test_the_end_is_told_too(me: Client, receiver: Receiver) -> None:
    connection = me.add("Ruche")
    subscribe(me, receiver, "CONNECTION_DELETED", "ACCOUNT_DISABLED", "USER_DELETED")
    account = me.get("/users/me/accounts")["accounts"][0]["id"]
    me.put(f"/users/me/accounts/{account}", {"disabled": True})
    me.ask("DELETE", f"/users/me/connections/{connection}")
    me.ask("DELETE", "/users/me")

    calls = receiver.wait_for(3)
    assert told(calls, "ACCOUNT_DISABLED")[0]["id"] == account
    assert told(calls, "CONNECTION_DELETED")[0]["id"] == connection
    assert told(calls, "USER_DELETED")[0]["id"] == me.id_user


def test_temporary_users_are_silent_until_they_are_permanent(client: Client, receiver: Receiver) -> None:
    subscribe(client, receiver, "USER_CREATED", "CONNECTION_SYNCED")
    temporary = client.post("/auth/init")["auth_token"]
    client.token = temporary
    client.add("Ruche")
    Client(client.simulator, client.http).sign_up()
    assert [call.path for call in receiver.wait_for(1)] == ["/hooks/USER_CREATED"]

    client.post("/auth/token/access", {**client.credentials(), "code": temporary})
    assert len(told(receiver.wait_for(4), "CONNECTION_SYNCED")) == 2


def test_a_refused_delivery_is_retried_with_growing_pauses_and_given_up(
    me: Client, receiver: Receiver
) -> None:
    receiver.status = 500
    me.switch(webhook_give_up=3, webhook_retry_s=60)
    me.add("Ruche")
    subscribe(me, receiver, "CONNECTION_DELETED")
    me.ask("DELETE", "/users/me/connections/311")
    receiver.wait_for(1)
    for pause, count in ((61, 2), (121, 3)):
        me.advance(seconds=pause)
        receiver.wait_for(count)
    first, second, third = receiver.wait_for(3)
    assert first.body == second.body == third.body
    assert len({call.headers["bi-signature-date"] for call in receiver.calls}) == 3
    me.advance(days=1)
    # What the receiver saw is in the books only once its answer is back.
    delivery = next(found[0] for found in iter(lambda: settle(me), None) if found[0]["next_at"] is None)
    assert (len(delivery["attempts"]), delivery["accepted"]) == (3, False)


def test_a_recovered_receiver_gets_what_it_missed(me: Client, receiver: Receiver) -> None:
    receiver.status = 503
    me.add("Ruche")
    subscribe(me, receiver, "CONNECTION_DELETED")
    me.ask("DELETE", "/users/me/connections/311")
    receiver.wait_for(1)
    receiver.status = 200
    me.advance(hours=1)
    receiver.wait_for(2)


def test_two_timeouts_in_a_row_end_a_flush(me: Client, receiver: Receiver) -> None:
    receiver.hang = True
    me.switch(webhook_timeout_s=1, webhook_max_timeouts=1)
    me.add("Ruche")
    subscribe(me, receiver, "ACCOUNT_DISABLED")
    for account in me.get("/users/me/accounts")["accounts"]:
        me.put(f"/users/me/accounts/{account['id']}", {"disabled": True})
    receiver.wait_for(1)
    receiver.release.set()
    assert sum(len(item["attempts"]) for item in settle(me)) <= 1


def test_copies_compression_and_order(me: Client, receiver: Receiver) -> None:
    me.switch(webhook_copies=2, webhook_gzip=True, webhook_reorder=True, webhook_delay_s=30)
    subscribe(me, receiver, "ACCOUNT_FOUND")
    me.add("Ruche")
    assert all(item["attempts"] == [] for item in settle(me))
    me.advance(seconds=31)

    calls = receiver.wait_for(4)
    bodies = [json.loads(gzip.decompress(call.body)) for call in calls]
    idents = [body["id_webhook_data"] for body in bodies]
    assert idents[0] == idents[1] > idents[2] == idents[3]
    assert all(call.headers["content-encoding"] == "gzip" for call in calls)
    message = f"POST./hooks/ACCOUNT_FOUND.{calls[0].headers['bi-signature-date']}.".encode()
    signed = hmac.new(SECRET.encode(), message + gzip.decompress(calls[0].body), hashlib.sha256).digest()
    assert calls[0].headers["bi-signature"] == base64.b64encode(signed).decode()


def test_webhooks_are_managed_through_the_api(me: Client, receiver: Receiver) -> None:
    assert me.ask("POST", "/webhooks/auth", json={"type": "hmac_signature", "name": "a"}).status_code == 403
    user_token, me.token = me.token, me.control("GET", "/tokens")["config"]
    created = me.post("/webhooks/auth", {"type": "hmac_signature", "name": "relay1"})
    secret = created["config"]["secret_key"]
    assert me.get("/webhooks/auth", limit=1000)["authproviders"] == [
        {"id": created["id"], "type": "hmac_signature", "name": "relay1"}
    ]
    rootless = me.ask("GET", f"{me.simulator.root}/webhooks/auth")
    assert rootless.json()["total"] == 1
    in_query = me.ask("POST", "/webhooks/auth?type=hmac_signature&name=relay2")
    assert in_query.status_code == 200
    long_name = me.ask("POST", "/webhooks/auth", json={"type": "hmac_signature", "name": "x-" * 20})
    assert (long_name.status_code, long_name.json()["code"]) == (500, "dataError")

    hook = me.post(
        "/webhooks", {"event": "CONNECTION_DELETED", "url": f"{receiver.url}/h?x=1", "id_auth": "relay1"}
    )
    me.post(f"/webhooks/{hook['id']}/add_to_data", {"event": "gone"})
    config_token, me.token = me.token, user_token
    connection = me.add("Ruche")
    me.ask("DELETE", f"/users/me/connections/{connection}")
    call = receiver.wait_for(1)[0]
    assert (call.path, json.loads(call.body)["event"]) == ("/h?x=1", "gone")
    expected = sign(secret, "/h", call.headers["bi-signature-date"], call.body)
    assert call.headers["bi-signature"] == expected

    me.token = config_token
    assert me.ask("DELETE", f"/webhooks/auth/{created['id']}").status_code == 204
    assert me.ask("DELETE", f"/webhooks/{hook['id']}").status_code == 204
    assert me.get("/webhooks")["webhooks"] == []


def test_a_receiver_may_ask_for_a_token_of_its_own(me: Client, receiver: Receiver) -> None:
    me.add("Ruche")
    user_token, me.token = me.token, me.control("GET", "/tokens")["config"]
    config = {
        "url": f"{receiver.url}/oauth/token",
        "client_id": "us",
        "client_secret": "ours",
        "grant_type": "client_credentials",
    }
    me.post("/webhooks/auth", {"type": "oauth", "name": "oauth1", "config": config})
    me.post("/webhooks", {"event": "CONNECTION_DELETED", "url": f"{receiver.url}/h", "id_auth": "oauth1"})
    me.token = user_token
    me.ask("DELETE", "/users/me/connections/311")

    asked, told_call = receiver.wait_for(2)
    assert asked.body == b"grant_type=client_credentials&client_id=us&client_secret=ours"
    assert told_call.headers["authorization"] == "Bearer from-oauth"


def test_deliveries_can_get_lost(me: Client, receiver: Receiver) -> None:
    me.switch(webhook_loses_every=2)
    subscribe(me, receiver, "ACCOUNT_FOUND", "USER_SYNCED")
    me.add("Ruche")
    deliveries = settle(me)
    calls = receiver.wait_for(len(deliveries) // 2)
    assert {json.loads(call.body)["id_webhook_data"] % 2 for call in calls} == {1}
    lost = [item for item in deliveries if item["id_webhook_data"] % 2 == 0]
    assert lost
    assert all(item["next_at"] is None and item["attempts"] == [] for item in lost)


def test_the_old_event_of_a_whole_user(me: Client, receiver: Receiver) -> None:
    me.add("Ruche")
    subscribe(me, receiver, "USER_SYNCED")
    me.put("/users/me/connections/311")
    body = told(receiver.wait_for(1), "USER_SYNCED")[0]
    assert (body["user"]["id"], body["total"], body["connections"][0]["id"]) == (me.id_user, 1, 311)
