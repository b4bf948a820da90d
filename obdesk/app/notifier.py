"""From events to notices to whoever can show them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from obdesk.app.events import ActionNeeded, ConsentEnds, Problem, SyncEnded
from obdesk.domain.flood import Flood, after_notice
from obdesk.domain.notices import after_condition, after_consent, after_problem, after_sync, told_at_start
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from obdesk.app.events import Event
    from obdesk.domain.entities import Connection
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.notices import Notice


class Presenter(Protocol):
    """What the front end supplies: something that can show a notice to the person."""

    def show(self, notice: Notice) -> None:
        """Show a notice; never raises, never waits."""
        ...


class Notifier:
    """Listens to the bus and tells each thing once; give `hear` to `Bus.listen`."""

    def __init__(
        self,
        presenter: Presenter,
        connections: Iterable[Connection] = (),
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        at_start = tuple(connections)
        self._presenter = presenter
        self._monotonic_s = monotonic_s
        self._flood = Flood()
        self._told = told_at_start(at_start)
        self._banks: dict[ConnectionId, str] = {each.id: each.bank for each in at_start}

    def hear(self, event: Event) -> None:
        """Take in one event and show what it deserves, often nothing."""
        if isinstance(event, SyncEnded):
            self._banks[event.outcome.connection_id] = event.outcome.bank
            self._told, notice = after_sync(self._told, event.outcome)
        elif isinstance(event, ActionNeeded):
            bank = self._banks.get(event.connection_id) or tr("One of your banks")
            self._told, notice = after_condition(self._told, event.connection_id, bank, event.condition)
        elif isinstance(event, ConsentEnds):
            # Each comes once in the life of a consent, so none is left out for coming with many others.
            self._told, due = after_consent(self._told, event.connection_id, event.bank, event.days_left)
            if due is not None:
                self._presenter.show(due)
            return
        elif isinstance(event, Problem):
            self._told, notice = after_problem(self._told, event.error)
        else:
            return
        if notice is not None:
            self._show(notice)

    def _show(self, notice: Notice) -> None:
        self._flood, shown = after_notice(self._flood, notice, self._monotonic_s())
        if shown is not None:
            self._presenter.show(shown)
