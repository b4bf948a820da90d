"""What deliveries ask of the store again and again, remembered for a moment: sources, and who gets hints.

A change by another process (an operator's command, another worker) counts here after that moment at the
latest; one by this process at once. A device that was paired is owed all that comes from then on, so where
several workers share a store, a pairing is answered after that moment.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from obdesk.relay.server.metrics import Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.relay.server.asking import Patience
    from obdesk.relay.server.store import Device, Source, Store

FRESH_S: Final = 0.25
_KEPT_MAX: Final = 10_000
_T = TypeVar("_T")


class Moment(Generic[_T]):
    """Answers, each for so long; the oldest go when there are too many."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._kept: OrderedDict[object, tuple[float, _T]] = OrderedDict()

    def get(self, question: object) -> _T | None:
        """Return an answer that is fresh, or None."""
        kept = self._kept.get(question)
        return kept[1] if kept is not None and self._now_s() - kept[0] < FRESH_S else None

    def keep(self, question: object, answer: _T, asked_s: float) -> None:
        """Keep an answer; it is as old as its question."""
        self._kept[question] = (asked_s, answer)
        self._kept.move_to_end(question)
        if len(self._kept) > _KEPT_MAX:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Forget all answers."""
        self._kept.clear()


class Known:
    """The answers of one worker."""

    def __init__(
        self, store: Store, patience: Patience, now_s: Callable[[], float], *, has_others: bool
    ) -> None:
        """`has_others` tells whether other workers write to the same store."""
        self._store, self._patience, self._now_s = store, patience, now_s
        self._has_others = has_others
        self._sources: Moment[Source] = Moment(now_s)
        self._recipients: Moment[tuple[Device, ...]] = Moment(now_s)
        self._changes = 0

    async def source_of(self, capability_hash: bytes) -> Source | None:
        """Return the source with an address; one that is not there is asked for each time."""
        known = self._sources.get(capability_hash)
        if known is not None:
            return known
        asked_s, changes = self._now_s(), self._changes
        found = await self._patience.ask(Operation.SOURCE_OF, self._store.source_of(capability_hash))
        if found is not None and changes == self._changes:
            self._sources.keep(capability_hash, found, asked_s)
        return found

    async def recipients(self, source_id: str, route: bytes | None) -> tuple[Device, ...]:
        """Return the devices that what comes goes to."""
        known = self._recipients.get((source_id, route))
        if known is not None:
            return known
        asked_s, changes = self._now_s(), self._changes
        found = await self._patience.ask(Operation.RECIPIENTS, self._store.recipients(source_id, route))
        if changes == self._changes:
            self._recipients.keep((source_id, route), found, asked_s)
        return found

    def changed(self) -> None:
        """Ask anew from now on: this worker has changed devices or sources."""
        self._changes += 1
        self._sources.forget()
        self._recipients.forget()

    async def settled(self) -> None:
        """Return when no worker goes by what was before the last change."""
        self.changed()
        if self._has_others:
            await asyncio.sleep(FRESH_S)
