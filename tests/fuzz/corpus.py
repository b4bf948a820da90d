"""Good answers to spoil: recorded from the simulated service, and the small ones that it gives only once."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
from nacl.public import PrivateKey

from obdesk.domain.outcomes import Fetched
from obdesk.relay.protocol import DIRTY, Hint, Paired
from obdesk.simulator.server import running
from tests.fakes import FrozenClock
from tests.flows.mailroom import page_of
from tests.flows.town import Bankside, Town, small_simulator


@dataclass(frozen=True, slots=True)
class Sample:
    """A good answer; `kind` says what it answers to."""

    kind: str
    body: bytes


MAILBOX_KEY = PrivateKey(bytes(range(32)))
"""What hints are sealed to here."""
LISTS = ("transactions", "accounts", "connections", "connectors")
_SMALL = {
    "user": {"auth_token": "abc+/=", "type": "permanent", "id_user": 6120, "expires_in": None},
    "access": {"access_token": "abc+/=", "token_type": "Bearer", "token": None},
    "code": {"code": "one-time-code", "type": "singleAccess", "access": "standard", "expires_in": 1800},
    "error": {"code": "wrongpass", "description": "x", "message": "Votre code", "request_id": 42},
    "wrapped": {"message": "too recent", "connection": {"id": 311, "state": None}},
}
_CALLBACKS = (
    "http://127.0.0.1:47611/callback?state=n&connection_id=311&code=abc",
    "http://127.0.0.1:47611/callback?state=n&error=access_denied&error_description=no",
)


def corpus() -> list[Sample]:
    """Return the answers to begin with."""
    samples = asyncio.run(_recorded())
    samples += [Sample(kind, json.dumps(told).encode()) for kind, told in _SMALL.items()]
    samples += [Sample("callback", address.encode()) for address in _CALLBACKS]
    samples += _of_relays()
    return samples + [Sample("header", text) for text in (b"120", b"Tue, 17 Mar 2026 09:00:00 GMT")]


def _of_relays() -> list[Sample]:
    """Return what a relay says to a desktop, and what it sealed."""
    hints = [Hint("CONNECTION_SYNCED", 1_700_000_000_000_000, "311", "SCARequired", 700_005), Hint(DIRTY, 7)]
    page = page_of(hints, bytes(MAILBOX_KEY.public_key), seq=1_700_000_000_000_000, peers=2)
    told = msgspec.structs.replace(page, bearer_seen_at_us=7, delivered_at_us=1_700_000_000_000_000)
    paired = Paired("token", "ticket", page.cursor, is_shared=True)
    return [
        Sample("mailbox", msgspec.json.encode(told)),
        Sample("hint", msgspec.json.encode(hints[0])),
        Sample("paired", msgspec.json.encode(paired)),
    ]


async def _recorded() -> list[Sample]:
    clock = FrozenClock()
    with (
        tempfile.TemporaryDirectory(prefix="obdesk-fuzz-") as made,
        running(small_simulator(clock)) as served,
    ):
        bank = Bankside(served)
        async with Town(Path(made), bank, clock) as town:
            link = await town.link()
            user = await town.provider._source.current()
            assert isinstance(user, Fetched)
            bearer = {"Authorization": f"Bearer {user.value}"}
            async with httpx.AsyncClient(base_url=served.api_url, headers=bearer) as person:
                mine = f"/users/me/connections/{link}"
                return [
                    await _answer(person, "connectors", "/connectors?expand=countries&limit=2"),
                    await _answer(person, "connections", "/users/me/connections?expand=connector,sources"),
                    await _answer(person, "accounts", f"{mine}/accounts?all"),
                    await _answer(person, "transactions", f"{mine}/transactions?limit=2&all"),
                    await _answer(person, "transactions", f"{mine}/transactions?limit=4&offset=7&all"),
                    await _answer(person, "connection", f"{mine}?expand=connector,sources"),
                ]


async def _answer(person: httpx.AsyncClient, kind: str, address: str) -> Sample:
    found = await person.get(address)
    assert found.status_code == 200, found.text
    told = found.json()
    for name in LISTS:  # a few rows spoil as well as many, and faster
        if isinstance(told.get(name), list):
            told[name] = told[name][:4]
    return Sample(kind, json.dumps(told, ensure_ascii=False).encode())
