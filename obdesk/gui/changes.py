"""The application's bus as Qt signals: a burst of commits becomes one re-read, progress stays readable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from obdesk.domain.changes import ChangeSet

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from datetime import datetime

    from obdesk.app.bus import Bus
    from obdesk.app.events import Event
    from obdesk.domain.entities import Trigger
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.syncing import Step

FOLD_MS = 40
PACE_MS = 100
"""Progress is shown this often: more cannot be read, and each time the window writes its figures anew."""


class Spawn(Protocol):
    """Starts a named piece of asynchronous work that somebody else owns and watches."""

    def __call__(self, name: str, coro: Coroutine[Any, Any, None], /) -> object:
        """Start `coro`; its failure is reported by the owner."""
        ...


class Rereading:
    """Reads again when asked, one read at a time: calls while one is under way become one more after it."""

    def __init__(
        self,
        spawn: Spawn,
        name: str,
        read: Callable[[], Awaitable[None]],
        draw: Callable[[], None] = lambda: None,
    ) -> None:
        self._spawn, self._name, self._read_once, self._draw = spawn, name, read, draw
        self._under_way = self._wanted = False

    def ask(self) -> None:
        """Read soon, and draw what was read."""
        self._wanted = True
        if not self._under_way:
            self._under_way = True
            self._spawn(self._name, self._read())

    async def _read(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                await self._read_once()
        finally:
            self._under_way = False
        self._draw()


class Running(NamedTuple):
    """A sync under way as a person may watch it."""

    connection_id: ConnectionId
    trigger: Trigger
    started_at: datetime
    step: Step | None = None
    done: int = 0
    total: int | None = None


class Changes(QObject):
    """What every screen listens to; all signals come in the interface's thread.

    `changed(ChangeSet)` comes once per burst, `syncing()` when a sync began, moved on or ended,
    `sync_ended(SyncOutcome)`, `action_needed(ActionNeeded)` and `problem(ObdeskError)` each time.
    """

    changed = Signal(object)
    syncing = Signal()
    sync_ended = Signal(object)
    action_needed = Signal(object)
    problem = Signal(object)

    def __init__(self, parent: QObject | None = None, *, fold_ms: int = FOLD_MS) -> None:
        super().__init__(parent)
        self.running: dict[ConnectionId, Running] = {}
        self._waiting = ChangeSet()
        self._moved = False
        self._fold = QTimer(self)
        self._fold.setSingleShot(True)
        self._fold.setInterval(fold_ms)
        self._fold.timeout.connect(self._flush)
        self._pace = QTimer(self)
        self._pace.setSingleShot(True)
        self._pace.setInterval(PACE_MS if fold_ms else 0)
        self._pace.timeout.connect(self._flush)
        self._stop: Callable[[], None] = lambda: None

    def follow(self, bus: Bus) -> None:
        """Listen to a bus from now on, instead of any other."""
        self._stop()
        self._stop = bus.listen(self._hear)

    def close(self) -> None:
        """Stop listening; what waits is dropped."""
        self._stop()
        self._fold.stop()
        self._pace.stop()

    def _hear(self, event: Event) -> None:
        # Here because nothing is heard before the first paint, which these classes would delay.
        from obdesk.app.events import ActionNeeded, Changed, Problem, SyncEnded, SyncProgress, SyncStarted

        match event:
            case Changed(changes):
                self._waiting = self._waiting.merge(changes)
                self._soon()
            case SyncStarted(connection_id, trigger, at):
                self.running[connection_id] = Running(connection_id, trigger, at)
                self._move_on()
            case SyncProgress(connection_id, step, done, total):
                known = self.running.get(connection_id)
                if known is not None:
                    self.running[connection_id] = known._replace(step=step, done=done, total=total)
                    self._move_on()
            case SyncEnded(outcome):
                self._flush()  # who listens sees the sync begin, even one that ends at once
                self.running.pop(outcome.connection_id, None)
                self.sync_ended.emit(outcome)
                self.syncing.emit()
            case ActionNeeded():
                self.action_needed.emit(event)
            case Problem(error):
                self.problem.emit(error)

    def _move_on(self) -> None:
        self._moved = True
        if not self._pace.isActive():
            self._pace.start()

    def _soon(self) -> None:
        if not self._fold.isActive():
            self._fold.start()

    def _flush(self) -> None:
        self._fold.stop()
        self._pace.stop()
        changes, self._waiting = self._waiting, ChangeSet()
        moved, self._moved = self._moved, False
        if changes:
            self.changed.emit(changes)
        if moved:
            self.syncing.emit()
