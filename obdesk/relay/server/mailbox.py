"""Where a device reads its hints: it asks, waits for one if it likes, and says what it has kept."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import TYPE_CHECKING, Final, assert_never

import msgspec
from starlette.responses import Response

from obdesk.relay.protocol import LIMIT_MAX, WAIT_MAX_S, Ack, Cursor, Entry, Page, SourceKind, to_text
from obdesk.relay.server import problems
from obdesk.relay.server.delivery import dirty_of
from obdesk.relay.server.metrics import Operation
from obdesk.relay.server.problems import ProblemError
from obdesk.relay.server.store import LIVE_US, StoreDownError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from obdesk.relay.server.callers import Callers
    from obdesk.relay.server.context import Context
    from obdesk.relay.server.store import Device, Inbox, Source

_POLLS_MAX: Final = 4
"""So many pulls of one device wait at once: it needs one, and leaves others behind when it reconnects."""
_PULLED_AGAIN_US: Final = 3_600 * 1_000_000
"""That a device asks is kept no more often: a pull usually writes nothing."""
_PARAMETERS: Final = frozenset({"after", "limit", "wait"})
DONE: Final = Response(status_code=204)


class Closing:
    """Ends the waits when the worker ends, so that nobody has to be cut off."""

    def __init__(self) -> None:
        self._waits: set[asyncio.Timeout] = set()
        self._is_over = False

    def close(self) -> None:
        """End all waits, now and later; in the loop's thread."""
        self._is_over = True
        for wait in tuple(self._waits):
            if not wait.expired():
                wait.reschedule(0)

    async def wait(
        self, context: Context, device: Device, after: int, time_s: float, end: asyncio.Timeout
    ) -> None:
        """Wait for news of a device, at most so long, or until another hand ends it."""
        if self._is_over:
            return
        try:
            async with end:
                self._waits.add(end)
                try:
                    await context.store.wait(device.id, after, time_s)
                finally:
                    self._waits.discard(end)
        except TimeoutError:
            return


class Mailbox:
    """The endpoints `GET /v1/mailbox/events` and `POST /v1/mailbox/ack`."""

    def __init__(self, context: Context, callers: Callers, closing: Closing) -> None:
        self._context, self._callers, self._closing = context, callers, closing
        self._polls: dict[str, list[asyncio.Timeout]] = {}

    async def pull(self, request: Request) -> Response:
        """Return what waits for the device after its cursor, as soon as there is something."""
        began_s, waited_s = perf_counter(), 0.0
        device = await self._callers.device(request)
        after, limit, wait_s = _asked(request)
        inbox = await self._inbox(device, after, limit)
        if wait_s and _has_no_news(inbox, after):
            waits_s = perf_counter()
            with self._waiting(device) as end:
                await self._closing.wait(self._context, device, after.seq, wait_s, end)
            waited_s = perf_counter() - waits_s
            device = await self._callers.again(request)
            inbox = await self._inbox(device, after, limit)
        page = await self._page(device, after, inbox, limit)
        self._context.metrics.pull_seconds.observe(perf_counter() - began_s - waited_s)
        return Response(msgspec.json.encode(page), media_type="application/json")

    async def acknowledge(self, request: Request) -> Response:
        """Delete what the device has kept; what it read in an earlier life of the store is gone already."""
        device = await self._callers.device(request)
        upto = Cursor.parse((await self._callers.told(request, Ack)).upto)
        if upto is None:
            raise ProblemError(problems.MALFORMED)
        context = self._context
        if upto.epoch == await context.patience.wait(context.store.epoch()):
            asked = context.store.acknowledge(device.id, upto.seq)
            await context.patience.ask(Operation.ACKNOWLEDGE, asked)
        return DONE

    @contextmanager
    def _waiting(self, device: Device) -> Iterator[asyncio.Timeout]:
        """Give what ends a wait; of too many the oldest ends, for which nobody may be there any more."""
        polls = self._polls.setdefault(device.id, [])
        if len(polls) >= _POLLS_MAX:
            polls.pop(0).reschedule(0)
        end = asyncio.timeout(None)
        polls.append(end)
        self._context.metrics.long_polls.inc()
        try:
            yield end
        finally:
            self._context.metrics.long_polls.dec()
            if end in polls:
                polls.remove(end)
            if not polls:
                self._polls.pop(device.id, None)

    async def _inbox(self, device: Device, after: Cursor, limit: int) -> Inbox:
        """Return what waits after a cursor; after one of another life or beyond the head, all that waits."""
        context = self._context
        asked = context.store.inbox(device.id, after.seq, limit)
        inbox = await context.patience.ask(Operation.INBOX, asked)
        if inbox.epoch == after.epoch and after.seq <= inbox.head:
            return inbox
        asked = context.store.inbox(device.id, 0, limit)
        return await context.patience.ask(Operation.INBOX, asked)

    async def _page(self, device: Device, after: Cursor, inbox: Inbox, limit: int) -> Page:
        """Return the answer.

        A number that was given and is beyond the head shows that the store was put back to an older state:
        a new life begins, so that every device marks everything dirty. A number that nobody gave shows
        nothing, and costs nobody but its device anything.
        """
        context = self._context
        lost = inbox.epoch == after.epoch and after.seq > inbox.head
        epoch, entries = inbox.epoch, []
        if lost and after.mark == context.keys.mark(device.id, after.epoch, after.seq):
            epoch = await context.patience.wait(context.store.renew_epoch())
        elif lost:
            dirty = to_text(dirty_of(device.public_key, context.clock_us()))
            entries.append(Entry(self._cursor(device, epoch, 0), dirty))
        waiting = inbox.waiting[: limit - len(entries)]
        entries += [Entry(self._cursor(device, epoch, each.seq), to_text(each.sealed)) for each in waiting]
        is_all = len(inbox.waiting) < limit
        last = inbox.head if is_all else waiting[-1].seq if waiting else 0
        source = await context.patience.wait(context.store.source(device.source_id))
        if source is None:
            raise ProblemError(problems.NOT_FOUND)
        peers, seat = await self._shared(source, device)
        told = _of_source(source, inbox)
        return Page(tuple(entries), self._cursor(device, epoch, last), peers, *told, seat)

    async def _shared(self, source: Source, device: Device) -> tuple[int, int | None]:
        """Return how many devices look at the same user and ask for their hints, and this one's seat."""
        if device.route is None and source.kind is not SourceKind.PERSONAL:
            return 1, None
        context, now_us = self._context, self._context.clock_us()
        if device.seat is None or now_us - (device.pulled_at_us or 0) >= _PULLED_AGAIN_US:
            with suppress(StoreDownError):  # what waits is handed over also where nothing can be written
                await context.patience.wait(context.store.pulled(device.id, now_us))
        asked = context.store.recipients(source.id, device.route)
        found = await context.patience.ask(Operation.RECIPIENTS, asked)
        live = [each for each in found if (each.pulled_at_us or 0) > now_us - LIVE_US]
        seat = next((each.seat for each in found if each.id == device.id), None)
        return max(len(live), 1), seat

    def _cursor(self, device: Device, epoch: str, seq: int) -> str:
        return str(Cursor(epoch, seq, self._context.keys.mark(device.id, epoch, seq)))


def _of_source(source: Source, inbox: Inbox) -> tuple[int | None, int | None]:
    """Return when a live token and a delivery last came, as far as that concerns the device.

    Of a source that serves many, a device learns of its own deliveries alone: a mailbox's numbers follow the
    clock. Whose token an unsigned delivery carried is not known, so there its operator alone is told.
    """
    match source.kind:
        case SourceKind.PERSONAL:
            return source.bearer_seen_at_us, source.delivered_at_us
        case SourceKind.SHARED:
            return None, inbox.head or None
        case _:
            assert_never(source.kind)


def _has_no_news(inbox: Inbox, after: Cursor) -> bool:
    return inbox.epoch == after.epoch and after.seq <= inbox.head and not inbox.waiting


def _asked(request: Request) -> tuple[Cursor, int, float]:
    """Return the cursor, the limit and the seconds of a pull; raises ProblemError."""
    query = request.query_params
    after = Cursor.parse(query.get("after", ""))
    limit, wait = query.get("limit", str(LIMIT_MAX)), query.get("wait", "0")
    is_known = len(query.multi_items()) == len(query) and query.keys() <= _PARAMETERS
    are_numbers = all(text.isascii() and text.isdecimal() and len(text) < 4 for text in (limit, wait))
    if after is None or not is_known or not are_numbers:
        raise ProblemError(problems.MALFORMED)
    if not 1 <= int(limit) <= LIMIT_MAX or int(wait) > WAIT_MAX_S:
        raise ProblemError(problems.MALFORMED)
    return after, int(limit), int(wait)
