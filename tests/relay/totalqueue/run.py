"""Senders that try until they are answered, devices that read, and somebody who kills relays."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import tempfile
import time
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from obdesk.relay.protocol import Cursor, Page, from_text, opened
from tests.relay.totalqueue.judge import Confirmed, Heard, Verdict, judge
from tests.relay.totalqueue.relays import Relays, running
from tests.relay.totalqueue.town import SECRET, Desk, Post, Town
from tests.relay.totalqueue.wire import BrokenError, Wire

_LANES: Final = 60
_OK: Final = 200
_NO_CONTENT: Final = 204
_DOWN: Final = 503
_AGAIN_S: Final = 0.02
_PACE_S: Final = 0.05
"""How long a device pauses after a pull, so that it reads many hints at once."""
_AGAIN_SHARE: Final = 0.03
"""So many deliveries are posted once more after they were confirmed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found."""

    deliveries: int
    acknowledged: int
    kills: int
    epochs: int
    verdict: Verdict

    @property
    def is_good(self) -> bool:
        """Tell whether all was confirmed and came out once and nowhere else, in one life of the store."""
        wrong = self.verdict.lost or self.verdict.misrouted or self.verdict.doubled
        return not wrong and self.epochs == 1 and self.acknowledged == self.deliveries


def _now_us() -> int:
    return time.time_ns() // 1_000


def _signed(path: str, body: bytes) -> str:
    """Return the headers with which the aggregator signs a body."""
    date = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    message = b".".join((b"POST", path.encode(), date.encode(), body))
    signature = b64encode(hmac.new(SECRET.encode(), message, hashlib.sha256).digest()).decode()
    return f"BI-Signature-Date: {date}\r\nBI-Signature: {signature}\r\nContent-Type: application/json\r\n"


class Run:
    """One run."""

    def __init__(self, town: Town, relays: Relays, deliveries: int, kills: int, seed: int) -> None:
        self._town, self._relays = town, relays
        self._deliveries, self._kills, self._seed = deliveries, kills, seed
        self._confirmed: list[Confirmed] = []
        self._sent: set[int] = set()
        self._heard = {name: Heard() for name in town.desks}
        self._epochs: set[str] = set()
        self._all_sent = asyncio.Event()
        self._progress = asyncio.Condition()

    async def go(self) -> Outcome:
        """Post, read and kill until all is confirmed and read, and return what was found."""
        async with asyncio.TaskGroup() as group:
            for desk in self._town.desks.values():
                group.create_task(self._read(desk))
            killing = group.create_task(self._kill())
            async with asyncio.TaskGroup() as sending:
                for lane in range(_LANES):
                    sending.create_task(self._send(lane))
            await killing
            self._all_sent.set()
        verdict = judge(self._town.lanes, self._confirmed, self._heard, frozenset(self._sent))
        return Outcome(self._deliveries, len(self._confirmed), self._kills, len(self._epochs), verdict)

    def _relay_of(self, number: int) -> str:
        relays = self._relays.relays
        return relays[number % len(relays)].socket

    async def _up(self, number: int) -> None:
        """Wait until a relay is there again, as a sender's own schedule does."""
        await asyncio.sleep(_AGAIN_S)
        relays = self._relays.relays
        await relays[number % len(relays)].is_up.wait()

    async def _send(self, lane: int) -> None:
        share, rest = divmod(self._deliveries, _LANES)
        keys = self._relays.keys
        capability = keys.capability(keys.source_id(self._town.lanes[lane].source))
        rng = random.Random(f"again {self._seed} {lane}")  # noqa: S311 - chance, not secrets
        wire = Wire(self._relay_of(lane))
        for post in self._town.posts(lane, share + (lane < rest)):
            self._sent.add(post.payload_id)
            sent_at_us = _now_us()
            await self._post(wire, lane, capability, post)
            self._confirmed.append(Confirmed(post, sent_at_us))
            async with self._progress:
                self._progress.notify_all()
            if rng.random() < _AGAIN_SHARE:
                await self._post(wire, lane, capability, post)
        wire.close()

    async def _post(self, wire: Wire, lane: int, capability: str, post: Post) -> None:
        """Deliver, again and again until the answer is 200."""
        path, body = f"/v1/hooks/{capability}/{post.event}", post.body()
        while True:
            try:
                answer = await wire.ask("POST", path, _signed(path, body), body)
            except BrokenError:
                await self._up(lane)
                continue
            if answer.status == _OK:
                return
            assert answer.status == _DOWN, f"{answer.status}: {answer.body!r}"
            await self._up(lane)

    async def _kill(self) -> None:
        rng = random.Random(f"kill {self._seed}")  # noqa: S311 - chance, not secrets
        moments = sorted(rng.randrange(self._deliveries) for _ in range(self._kills))
        for number, moment in enumerate(moments):
            await self._until_confirmed(moment)
            await asyncio.sleep(rng.random() * _AGAIN_S)
            await self._relays.kill_one(number)

    async def _until_confirmed(self, count: int) -> None:
        async with self._progress:
            await self._progress.wait_for(lambda: len(self._confirmed) >= count)

    async def _read(self, desk: Desk) -> None:
        """Read as a desktop does, which may crash before what it read is acknowledged."""
        number = sorted(self._town.desks).index(desk.name)
        rng = random.Random(f"read {self._seed} {desk.name}")  # noqa: S311 - chance, not secrets
        wire, cursor, kept = Wire(self._relay_of(number)), "", ""
        while True:
            is_last_look = self._all_sent.is_set()
            try:
                page = await self._pull(wire, desk, cursor or f"{'A' * 22}:0")
                if page is None:
                    await self._up(number)
                    continue
                self._hear(desk, page)
                if rng.random() < 0.7 and await self._acknowledge(wire, desk, page.cursor):
                    kept = page.cursor
                # Else it crashed, and goes on from what it has kept.
                cursor = page.cursor if rng.random() < 0.7 else kept
            except BrokenError:
                await self._up(number)
                continue
            if is_last_look and not page.entries:
                break
            await asyncio.sleep(_PACE_S)
        wire.close()

    async def _pull(self, wire: Wire, desk: Desk, cursor: str) -> Page | None:
        wait_s = 0 if self._all_sent.is_set() else 1
        target = f"/v1/mailbox/events?after={cursor}&limit=100&wait={wait_s}"
        answer = await wire.ask("GET", target, f"Authorization: Bearer {desk.token}\r\n")
        if answer.status == _DOWN:
            return None
        assert answer.status == _OK, f"{answer.status}: {answer.body!r}"
        return msgspec.json.decode(answer.body, type=Page)

    async def _acknowledge(self, wire: Wire, desk: Desk, cursor: str) -> bool:
        body = msgspec.json.encode({"upto": cursor})
        headers = f"Authorization: Bearer {desk.token}\r\nContent-Type: application/json\r\n"
        answer = await wire.ask("POST", "/v1/mailbox/ack", headers, body)
        assert answer.status in {_NO_CONTENT, _DOWN}, f"{answer.status}: {answer.body!r}"
        return answer.status == _NO_CONTENT

    def _hear(self, desk: Desk, page: Page) -> None:
        for entry in page.entries:
            cursor = Cursor.parse(entry.cursor)
            assert cursor is not None, entry.cursor
            self._heard[desk.name].hear(cursor.seq, opened(desk.private_key, from_text(entry.sealed)))
        last = Cursor.parse(page.cursor)
        assert last is not None, page.cursor
        self._epochs.add(last.epoch)


async def run(kind: str, deliveries: int, kills: int, seed: int) -> Outcome:
    """Run a relay on a store of a kind (`sqlite` or `redis`) through some deliveries and kills."""
    with tempfile.TemporaryDirectory(prefix="obdesk-queue-") as made:
        town = Town(seed, _LANES)
        async with running(kind, Path(made), town) as relays:
            return await Run(town, relays, deliveries, kills, seed).go()
