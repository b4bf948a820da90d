"""Loaded by Schemathesis: somebody who knows addresses, codes and tokens, and uses them now and then.

A description alone leads to refusals; with these, requests get as far as the aggregator's and desktops'.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import random
from itertools import count
from pathlib import Path
from typing import Any

import requests
import schemathesis
from nacl.public import PrivateKey

from obdesk.relay.protocol import to_text
from obdesk.relay.server.app import wall_clock_us
from obdesk.relay.server.operating import Operator
from obdesk.relay.server.serving import keys_of, open_store
from obdesk.relay.server.settings import load
from tests.relay.server.kit import signed_headers

STORE, CAPABILITY, REACHED = "OBDESK_TEST_STORE", "OBDESK_TEST_CAPABILITY", "OBDESK_TEST_REACHED"
KEYS = tuple(to_text(bytes(PrivateKey(bytes([n] * 32)).public_key)) for n in range(4))
CODES = 40
_LONG_WAITS = frozenset(map(str, range(1, 26)))
"""They are right, and take as long as they say."""


class Knowledge:
    """What was told or heard so far."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.tickets: list[str] = []
        self.codes: list[str] = []
        self.turns = count()
        self.reached: set[str] = set()

    def code(self) -> str:
        """Return a code of the operator's that nobody has used."""
        if not self.codes:
            self.codes = asyncio.run(_codes(os.environ[STORE]))
        return self.codes.pop()


async def _codes(url: str) -> list[str]:
    settings = load({"store": url}, environ={})
    store = await open_store(settings.store, beside=True)
    try:
        operator = Operator(store, await keys_of(settings, store), wall_clock_us())
        made = [await operator.pairing_code(name, 3_600_000_000) for name in ("home", "crowd") * CODES]
    finally:
        await store.close()
    return made


_known = Knowledge()


@atexit.register
def _tell() -> None:
    if REACHED in os.environ:
        Path(os.environ[REACHED]).write_text(json.dumps(sorted(_known.reached)))


@schemathesis.hook
def before_call(_context: Any, case: schemathesis.Case[Any], _kwargs: dict[str, Any]) -> None:
    """Put what is known into a request."""
    rng = random.Random(next(_known.turns))  # noqa: S311 - repeatable
    if str(case.query.get("wait", "")) in _LONG_WAITS:
        case.query["wait"] = "0"
    match case.operation.label:
        case "POST /v1/hooks/{capability}/{event}":
            if rng.random() < 0.8:
                case.path_parameters["capability"] = os.environ[CAPABILITY]
                case.headers.update(_signed(case) if rng.random() < 0.9 else {})
        case "POST /v1/devices":
            if rng.random() < 0.8 and isinstance(case.body, dict):
                _pair(case.body, rng)
        case _ if _known.tokens and rng.random() < 0.9:
            case.headers["Authorization"] = f"Bearer {rng.choice(_known.tokens[-5:])}"


def _pair(body: dict[str, Any], rng: random.Random) -> None:
    body["publicKey"] = rng.choice(KEYS)
    body.pop("userCode", None)
    if _known.tickets and rng.random() < 0.3:
        body["code"], body["ticket"] = None, rng.choice(_known.tickets)
    else:
        body["code"], body["ticket"] = _known.code(), None


def _signed(case: schemathesis.Case[Any]) -> dict[str, str]:
    asked = requests.Request(**case.as_transport_kwargs(base_url="http://relay")).prepare()
    body = asked.body.encode() if isinstance(asked.body, str) else asked.body or b""
    assert isinstance(body, bytes)
    return signed_headers(asked.path_url, body, wall_clock_us())


@schemathesis.hook
def after_call(_context: Any, case: schemathesis.Case[Any], response: Any) -> None:
    """Take over what an answer gives."""
    label = case.operation.label
    _known.reached.add(f"{label} {response.status_code}")
    if label == "POST /v1/devices" and response.status_code == 200:
        told = response.json()
        _known.tokens.append(told["token"])
        _known.tickets.append(told["ticket"])
