"""What is taken from the payloads of each event, and from what is none."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.relay.protocol import EVENTS, Hint, sealed
from obdesk.relay.server.payload import Facts, Touched, facts_of

ODD = Facts(is_clear=False)


def facts(event: str, body: Any) -> Facts:
    return facts_of(event, body if isinstance(body, bytes) else json.dumps(body).encode())


def of(user: str | None, connection: str | None, payload: int | None, state: str | None = None) -> Facts:
    return Facts(user, (Touched(connection, state),), payload)


OWNERSHIPS = [{"id_user": 6120, "id_connection": 311}, {"id_user": 6120, "id_connection": 312}]
SAMPLES: list[tuple[str, Any, Facts]] = [
    ("USER_CREATED", {"id": 6120, "signin": "x", "id_webhook_data": 700001}, of("6120", None, 700001)),
    ("USER_DELETED", {"id": "6120", "id_webhook_data": 1}, of("6120", None, 1)),
    (
        "ACCOUNT_FOUND",
        {"id": 1803, "id_user": 6120, "id_connection": 311, "type": "x", "id_webhook_data": 2},
        of("6120", "311", 2),
    ),
    (
        "ACCOUNTS_FETCHED",
        {"user": {"id": 6120}, "connection": {"id": 311, "id_user": 6120, "state": None, "accounts": []}},
        of("6120", "311", None),
    ),
    (
        "ACCOUNT_SYNCED",
        {"id": 1801, "id_connection": 311, "id_user": 6120, "investments": [], "id_webhook_data": 4},
        of("6120", "311", 4),
    ),
    (
        "CONNECTION_SYNCED",
        {"user": {"id": 6120}, "connection": {"id": 311, "state": "SCARequired"}, "id_webhook_data": 6},
        of("6120", "311", 6, "SCARequired"),
    ),
    (
        "CONNECTION_DELETED",
        {"id": 311, "id_user": 6120, "id_connector": 40, "state": None, "id_webhook_data": 7},
        of("6120", "311", 7),
    ),
    ("ACCOUNT_DISABLED", {"id": 1, "id_connection": 311, "id_user": 6120}, of("6120", "311", None)),
    ("ACCOUNT_CATEGORIZED", {"transactions": [{"id": 1}], "id_webhook_data": 9}, of(None, None, 9)),
    (
        "ACCOUNT_OWNERSHIPS_FOUND",
        {"account_ownerships": OWNERSHIPS},
        of("6120", None, None),
    ),
    (
        "TRANSACTION_ATTACHMENTS_FOUND",
        {"id_connection": 311, "id_account": 1, "id_transaction": 2, "attachments": [{"id": 3}]},
        of(None, "311", None),
    ),
    ("SUBSCRIPTION_FOUND", {"id": 42, "id_user": 6120, "id_connection": 315}, of("6120", "315", None)),
    ("TRANSACTIONS_CLUSTERED", {"transactionsclusters": None}, of(None, None, None)),
    (
        "USER_SYNCED",
        {"user": {"id": 6120}, "connections": [{"id": 1, "state": "wrongpass"}, {"id": 2}, {"id": 2}]},
        Facts("6120", (Touched("1", "wrongpass"), Touched("2")), None),
    ),
    ("USER_SYNCED", {"user": {"id": 7}, "connections": [{"id": n} for n in range(17)]}, of("7", None, None)),
    ("USER_SYNCED", {"user": {"id": 6120}, "connections": []}, of("6120", None, None)),
    ("CONNECTION_SYNCED", {"user": None, "connection": {"id": 311, "id_user": "7"}}, of("7", "311", None)),
    ("CONNECTION_SYNCED", {"connection": {"id": 1, "state": "not a state!"}}, of(None, "1", None)),
    ("CONNECTION_SYNCED", {"connection": {"id": 1, "state": 7}}, of(None, "1", None)),
]  # fmt: skip


@pytest.mark.parametrize(("event", "body", "expected"), SAMPLES)
def test_each_event_says_whose_it_is_where_it_says_so(event: str, body: Any, expected: Facts) -> None:
    spaced = json.dumps(body, indent=2).replace(":", " :").encode()

    assert facts(event, body) == expected
    assert facts(event, b"\n\t " + spaced + b" ") == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"0104 30003 CFONB",
        b"[]",
        b"null",
        b'{"connection":{"id":1}',
        b"[" * 100_000,
        b'{"connection":[]}',
        b'{"connection":null}',
        b'{"connections":{}}',
        b'{"user":7,"connection":{"id":1}}',
        b'{"connection":{"id":1},"connection":{"id":1}}',
        b'{"connection":{"id":1,"id":1}}',
        b'{"user":{"id":1,"id":2},"connection":{"id":1}}',
        b'{"user":{"id":1,"\\u0069d":2},"connection":{"id":1}}',
        b'{"us\\u0065r":{"id":1},"connection":{"id":1}}',
        b'{"user":{"id":1},"connection":{"id":1,"id_user":2}}',
        b'{"user":{"id":1.0},"connection":{"id":1}}',
        b'{"user":{"id":true},"connection":{"id":1}}',
        b'{"user":{"id":"a b"},"connection":{"id":1}}',
        b'{"user":{"id":""},"connection":{"id":1}}',
        b'{"user":{"id":"' + b"1" * 25 + b'"},"connection":{"id":1}}',
        b'{"user":{"id":1},"connection":{"id":' + b"9" * 30 + b"}}",
        b'{"connection":{"id":1},"id_webhook_data":"7"}',
        b'{"connection":{"id":1},"id_webhook_data":-7}',
        b'{"connection":{"id":1},"id_webhook_data":7,"id_webhook_data":8}',
        b'{"connection":{"id":1},"id_webhook_data":9223372036854775808}',
        b'\xff{"connection":{"id":1}}',
        b'{"\\ud800":1,"connection":{"id":1}}',
        b'{"connection":{"id":1},}',
    ],
)
def test_a_body_that_is_unclear_says_nothing(body: bytes) -> None:
    assert facts("CONNECTION_SYNCED", body) == ODD


@pytest.mark.parametrize(
    "rows",
    [
        b'[{"id_user":1,"id_user":2}]',
        b'[{"id_user":1,"\\u0069d_user":2}]',
        b'[{"id_user":{}}]',
        b"[1]",
        b"{}",
    ],
)
def test_rows_that_are_unclear_say_nothing(rows: bytes) -> None:
    assert facts("ACCOUNT_CATEGORIZED", b'{"transactions":' + rows + b"}") == ODD


def test_rows_of_several_users_say_nothing_of_any() -> None:
    rows = {"transactions": [{"id_user": 1}, {"id_user": 2}], "id_webhook_data": 3}
    assert facts("ACCOUNT_CATEGORIZED", rows) == of(None, None, 3)


def test_a_payload_of_megabytes_is_read_in_a_moment() -> None:
    rows = [{"id": n, "id_user": 6120, "value": -9.5, "label": "CARTE é " * 10} for n in range(60_000)]
    accounts = [{"id": 1801, "transactions": rows}]
    connection = {"id": 311, "id_user": 6120, "state": None, "accounts": accounts}
    body = json.dumps({"user": {"id": 6120}, "connection": connection, "id_webhook_data": 5}).encode()
    assert len(body) > 8 * 2**20
    began_s = time.process_time()
    found = facts("CONNECTION_SYNCED", body)

    assert found == of("6120", "311", 5)
    assert time.process_time() - began_s < 1


@given(st.sampled_from(EVENTS), st.binary(max_size=200))
def test_nothing_that_is_signed_breaks_the_reading(event: str, body: bytes) -> None:
    facts(event, body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "id_user", "user", "connection", "connections", "state", "id_webhook_data", "é"]
            ),
            inner,
            max_size=5,
        )
    ),
)


@given(st.sampled_from(EVENTS), _JSON)
def test_every_hint_from_any_payload_has_the_same_length(event: str, body: Any) -> None:
    found = facts(event, body)
    for each in found.touched:
        hint = Hint(event, 9_999_999_999_999_999, each.connection, each.state, found.payload_id)
        assert len(sealed(bytes([9] + [0] * 31), hint)) == 312


def test_the_longest_hint_fits() -> None:
    longest = Hint("TRANSACTION_ATTACHMENTS_FOUND", 9_999_999_999_999_999, "x" * 24, "y" * 32, 2**63 - 1)
    assert len(sealed(bytes([9] + [0] * 31), longest)) == 312
