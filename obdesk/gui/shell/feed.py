"""Reads the accounts and connections for the frame of the window and keeps it current."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from obdesk.domain.changes import Kind
from obdesk.domain.entities import Trigger
from obdesk.domain.errors import ObdeskError
from obdesk.gui.shell.present import SyncLine, ended_line, running_line

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from obdesk.app.interface import Commands, FirstScreen, Reads
    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.clock import Clock
    from obdesk.domain.entities import Account, Connection
    from obdesk.domain.ids import AccountId, ConnectionId
    from obdesk.domain.syncing import SyncOutcome
    from obdesk.gui.changes import Changes, Spawn
    from obdesk.gui.format import Locale

WATCHED = frozenset({Trigger.PERSON, Trigger.LINK})
"""The syncs shown step by step; the others only turn the glyphs."""

_SHOWN = (Kind.CONNECTIONS, Kind.ACCOUNTS, Kind.BALANCES, Kind.RUNS, Kind.SETTINGS)


class FrameFeed(QObject):
    """What the sidebar, the summary and the strip show.

    `renewed()` follows a read, `progressed(list[SyncLine])` the steps of watched syncs,
    `finished(SyncLine)` the end of one, `failed(ObdeskError)` an answer that is an error, before which
    `given_up(tuple[ConnectionId, ...])` says whose steps nobody will tell any more.
    """

    renewed = Signal()
    progressed = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    given_up = Signal(object)

    def __init__(
        self,
        parent: QObject,
        *,
        reads: Reads,
        commands: Commands,
        spawn: Spawn,
        changes: Changes,
        clock: Clock,
        locale: Locale,
    ) -> None:
        super().__init__(parent)
        self._reads, self._commands, self._spawn = reads, commands, spawn
        self.changes, self._clock, self._locale = changes, clock, locale
        self.accounts: tuple[Account, ...] = ()
        self.connections: tuple[Connection, ...] = ()
        self.interval_h = 0
        """Hours between two checks of each bank; 0 until it is read."""
        self._reading = self._again = False
        self._watched: set[ConnectionId] = set()
        changes.changed.connect(self._touched)
        changes.syncing.connect(self._moved)
        changes.sync_ended.connect(self._ended)

    def show_first(self, first: FirstScreen) -> None:
        """Take the first read."""
        self.accounts, self.connections = first.accounts, first.connections
        self.renewed.emit()

    def reread(self) -> None:
        """Read again; calls while a read is under way become one more read after it."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        self._spawn("window: accounts", self._read())

    async def _read(self) -> None:
        try:
            self._again = True
            while self._again:
                self._again = False
                self.accounts = await self._reads.accounts()
                self.connections = await self._reads.connections()
                self.interval_h = int(await self._reads.setting("sync.interval_h"))
        finally:
            self._reading = False
        self.renewed.emit()

    def refresh(self, connections: Sequence[ConnectionId] | None) -> None:
        """Ask the banks because the person wants it; the steps show what happens."""
        wanted = [c.id for c in self.connections] if connections is None else list(connections)
        self._watched.update(wanted)
        self.progressed.emit(
            [running_line(each, self.bank(each), None, 0, None, self._locale) for each in wanted]
        )
        self._spawn("window: refresh", self._refresh(None if connections is None else tuple(wanted)))

    async def _refresh(self, connections: tuple[ConnectionId, ...] | None) -> None:
        try:
            outcomes = await self._commands.sync(connections, trigger=Trigger.PERSON, refresh_at_bank=True)
        except ObdeskError as error:
            self.given_up.emit(tuple(self._watched))
            self._watched.clear()
            self.failed.emit(error)
            return
        for outcome in outcomes:
            # A sync that somebody else had begun ends here without its own event.
            if outcome.connection_id in self._watched:
                self._ended(outcome)

    def cancel(self, connections: Sequence[ConnectionId]) -> None:
        """Call off what a refresh does, because the person wants no more of it."""
        self._spawn("window: cancel", self._cancel(connections))

    async def _cancel(self, connections: Sequence[ConnectionId]) -> None:
        try:
            await self._commands.cancel(connections)
        except ObdeskError as error:
            self.failed.emit(error)

    def rename(self, account_id: AccountId, name: str) -> None:
        """Give an account the person's own name; nothing returns to the bank's."""
        self._spawn("window: rename", self._done(self._commands.rename_account(account_id, name)))

    def count_in_net_worth(self, account_id: AccountId, included: bool) -> None:  # noqa: FBT001 - a slot
        """Count an account in net worth, or not."""
        self._spawn(
            "window: net worth",
            self._done(self._commands.set_in_net_worth(account_id, included=included)),
        )

    def mark_important(self, account_id: AccountId, important: bool) -> None:  # noqa: FBT001 - a slot
        """Have an account's bank checked before others, or not."""
        self._spawn(
            "window: important", self._done(self._commands.set_important(account_id, important=important))
        )

    def set_interval(self, hours: int) -> None:
        """Check each bank every so many hours."""
        self._spawn("window: interval", self._done(self._commands.set_setting("sync.interval_h", str(hours))))

    async def _done(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ObdeskError as error:
            self.failed.emit(error)
        self.renewed.emit()  # a choice that was refused is shown as it stands

    def bank(self, connection_id: ConnectionId) -> str:
        """Return the name of a connection's bank."""
        return next((c.bank for c in self.connections if c.id == connection_id), "")

    def connection_of(self, account_id: AccountId | None) -> ConnectionId | None:
        """Return the connection an account is read by."""
        return next((a.connection_id for a in self.accounts if a.id == account_id), None)

    def _touched(self, changes: ChangeSet) -> None:
        if changes.touches(*_SHOWN):
            self.reread()

    def _moved(self) -> None:
        lines: list[SyncLine] = []
        for running in self.changes.running.values():
            if running.trigger in WATCHED or running.connection_id in self._watched:
                self._watched.add(running.connection_id)
                bank = self.bank(running.connection_id)
                lines.append(
                    running_line(
                        running.connection_id, bank, running.step, running.done, running.total, self._locale
                    )
                )
        if lines:
            self.progressed.emit(lines)
        self.renewed.emit()

    def _ended(self, outcome: SyncOutcome) -> None:
        if outcome.connection_id not in self._watched:
            return
        self._watched.discard(outcome.connection_id)
        known = next((c for c in self.connections if c.id == outcome.connection_id), None)
        next_try = known.next_run_at if known else None
        self.finished.emit(ended_line(outcome, next_try, self._clock.now(), self._locale))
