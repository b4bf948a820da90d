"""A provider before a scripted server, with time and chance in the hands of the test."""

from __future__ import annotations

import json
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from obdesk.providers.powens.client import Limits, Patience
from obdesk.providers.powens.provider import PowensProvider
from obdesk.providers.powens.settings import PowensSettings
from obdesk.providers.powens.tokens import client_secret_name, user_token_name
from tests.providers.scripted import ScriptedServer, scripted

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from tests.fakes import FrozenClock
    from tests.providers.scripted import Script

SECRET = "client+secret/of=the-person"
TOKEN = "user+token/of=the-person"
ID_USER = 6120

PATIENT = Limits()
"""As the program has them: a processor that stalls ends no request."""
QUICK = Limits(read=Patience(0.5, 1.0), bank=Patience(0.7, 1.0), connect_s=1.0)
"""For who waits for an answer that never comes."""


class Tokens:
    """A store of secrets in memory, which refuses to keep anything as often as it is told to."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.refusals = 0

    def get(self, name: str) -> str | None:
        return self.kept.get(name)

    def put(self, name: str, value: str) -> None:
        if self.refusals:
            self.refusals -= 1
            raise OSError("the keyring is locked")
        self.kept[name] = value


class Naps:
    """A sleep that moves the clock instead, and remembers how long it was asked for."""

    def __init__(self, clock: FrozenClock) -> None:
        self._clock = clock
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self._clock.advance(seconds)


@dataclass(frozen=True, slots=True)
class Bench:
    """A provider and everything around it that a test may look at."""

    provider: PowensProvider
    settings: PowensSettings
    tokens: Tokens
    naps: Naps
    clock: FrozenClock
    server: ScriptedServer
    limits: Limits = field(default=PATIENT)


@dataclass(frozen=True, slots=True)
class Benches:
    """Makes benches."""

    clock: FrozenClock

    @asynccontextmanager
    async def before(
        self,
        script: Script,
        *,
        user: bool = True,
        secret: bool = True,
        limits: Limits = PATIENT,
        tls: ssl.SSLContext | None = None,
    ) -> AsyncIterator[Bench]:
        """Open a provider before a server with this script."""
        async with scripted(script, tls=tls) as server:
            settings = PowensSettings(server.root, f"{server.root}/webview", "acme-sandbox", "70012345")
            tokens, naps = Tokens(), Naps(self.clock)
            if secret:
                tokens.put(client_secret_name(settings), SECRET)
            if user:
                tokens.put(user_token_name(settings), json.dumps({"token": TOKEN, "id_user": ID_USER}))
            rng = random.Random(7)  # noqa: S311 - chance, not secrets
            provider = PowensProvider(settings, tokens, self.clock, rng=rng, sleep=naps, limits=limits)
            async with provider:
                yield Bench(provider, settings, tokens, naps, self.clock, server, limits)


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture
def bench(clock: FrozenClock) -> Benches:
    """Give a maker of providers before scripted servers."""
    return Benches(clock)
