"""Ten thousand desktops that wait for news at one worker: what each costs, and whether that stays."""

from __future__ import annotations

import asyncio
import resource
from functools import partial
from typing import TYPE_CHECKING, cast

import httpx

from obdesk.relay.protocol import Cursor
from obdesk.relay.server.keys import hashed, new_id, new_secret
from obdesk.relay.server.serving import open_store
from obdesk.relay.server.settings import store_url
from obdesk.relay.server.store import Device
from tests.benchmarks.figures import Figure
from tests.relay.bench.memory import resident
from tests.relay.bench.stage import WIDE, Stage, run, source, staged

if TYPE_CHECKING:
    from tests.relay.server.served import Served

KIB_EACH = 32.0
GROWTH = 1.1
_FIRST = 500
_STEP = 250
_WAIT_S = 10
_ROUNDS = 3


class Crowd:
    """All that wait, and how often one of them was answered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._polls: list[Poll] = []
        self._answers = 0
        self._enough: tuple[int, asyncio.Event] | None = None

    def answered(self) -> None:
        """Count an answer."""
        self._answers += 1
        if self._enough is not None and self._answers >= self._enough[0]:
            self._enough[1].set()

    async def join(self, requests: list[bytes]) -> None:
        """Let more desktops wait."""
        loop = asyncio.get_running_loop()
        for first in range(0, len(requests), _STEP):
            made = [
                loop.create_connection(partial(Poll, request, self), "127.0.0.1", self._port)
                for request in requests[first : first + _STEP]
            ]
            self._polls += [poll for _, poll in await asyncio.gather(*made)]

    async def answers(self, many: int) -> None:
        """Return after so many more answers."""
        event = asyncio.Event()
        self._enough = (self._answers + many, event)
        await event.wait()

    def leave(self) -> None:
        """Hang up."""
        for poll in self._polls:
            poll.leave()


class Poll(asyncio.Protocol):
    """A desktop: asks, waits for the answer, asks again."""

    def __init__(self, request: bytes, crowd: Crowd) -> None:
        self._request, self._crowd = request, crowd
        self._transport: asyncio.WriteTransport | None = None
        self._is_leaving = False
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Override asyncio.Protocol.connection_made."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Override asyncio.Protocol.data_received."""
        assert self._transport is not None
        self._answer += data
        if not self._answer.endswith(b"}"):
            return
        assert self._answer.startswith(b"HTTP/1.1 200"), self._answer
        self._answer = b""
        self._crowd.answered()
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Override asyncio.Protocol.connection_lost."""
        assert self._is_leaving, f"the relay hung up: {exc}"

    def leave(self) -> None:
        """Hang up."""
        self._is_leaving = True
        if self._transport is not None:
            self._transport.close()


def measure(many: int) -> list[Figure]:
    """Return the figures for so many desktops."""
    _allow_connections(many + 1_000)
    with staged("sqlite") as stage:
        source(stage, "crowd", "--shared")
        requests = run(_devices(stage, many))
        with stage.relay(WIDE) as served:
            few, all_of_them, later = run(_waited(served, requests))
    each_kib = (all_of_them - few) / (many - _FIRST) / 1024
    return [
        Figure(f"memory of each of {many:,} waiting desktops", each_kib, "KiB", None, "", KIB_EACH),
        Figure(
            f"memory after {_ROUNDS} rounds of waiting", later / 2**20, "MiB", all_of_them / 2**20,
            "after the first", GROWTH,
        ),
    ]  # fmt: skip


def _allow_connections(many: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(many, min(hard, 65_536)), hard))


async def _devices(stage: Stage, many: int) -> list[bytes]:
    """Make devices and return the request of each."""
    store = await open_store(store_url(stage.url))
    (owner,) = await store.sources()
    cursor = Cursor(await store.epoch())
    tokens = [new_secret() for _ in range(many)]
    devices = [Device(new_id(), owner.id, bytes(32), token[:16].encode()) for token in tokens]
    for first in range(0, many, _STEP):
        pairs = list(zip(devices, tokens, strict=True))[first : first + _STEP]
        await asyncio.gather(*(store.add_device(device, hashed(token)) for device, token in pairs))
    await store.close()
    return [
        f"GET /v1/mailbox/events?after={cursor}&wait={_WAIT_S} HTTP/1.1\r\nHost: relay.example\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
        for token in tokens
    ]


async def _waited(served: Served, requests: list[bytes]) -> tuple[int, int, int]:
    """Return the memory with a few desktops, with all, and with all after some rounds."""
    crowd = Crowd(served.port)
    await crowd.join(requests[:_FIRST])
    await crowd.answers(_FIRST)
    few = resident(served.pid)
    await crowd.join(requests[_FIRST:])
    await crowd.answers(len(requests))
    async with httpx.AsyncClient() as http:
        figures = (await http.get(f"{served.where}/metrics")).text
    waiting = figures.partition("\nobdesk_relay_long_polls ")[2].partition("\n")[0]
    assert float(waiting) > len(requests) * 0.9, "they wait at the same time"
    all_of_them = resident(served.pid)
    await crowd.answers(len(requests) * (_ROUNDS - 1))
    later = resident(served.pid)
    crowd.leave()
    return few, all_of_them, later
