"""Runs the flow: feeds it with what happens and does what it asks for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from obdesk.app.interface import LinkChannel
from obdesk.app.loopback import listening
from obdesk.domain.entities import Trigger
from obdesk.domain.errors import ObdeskError
from obdesk.domain.texts import tr
from obdesk.gui.linking.flow import step
from obdesk.gui.linking.policy import Gate
from obdesk.gui.linking.present import first_sync_sentence
from obdesk.gui.linking.stages import (
    Adopted,
    AdoptingFailed,
    Ask,
    Asked,
    AtBank,
    CameBack,
    ClosePage,
    Finish,
    FirstSyncEnded,
    Flow,
    OpenAttempt,
    OpenInBrowser,
    OpeningFailed,
    ShowPage,
    StopListening,
    SyncFirst,
    Ticked,
    TicketReady,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.app.interface import Commands, LinkTicket
    from obdesk.domain.clock import Clock
    from obdesk.gui.changes import Spawn
    from obdesk.gui.linking.stages import Effect, Event, Target

TICK_MS = 1_000


class Conductor(QObject):
    """Holds the flow. `moved(Flow)` after every change; pages are shown and closed by who listens."""

    moved = Signal(object)
    pageWanted = Signal(str, object)
    """The address and the Gate of an attempt."""
    pageDone = Signal()

    def __init__(
        self, commands: Commands, spawn: Spawn, clock: Clock, open_browser: Callable[[str], object]
    ) -> None:
        super().__init__()
        self.flow = Flow()
        self._commands = commands
        self._spawn = spawn
        self._clock = clock
        self._open_browser = open_browser
        self._opening: asyncio.Task[Any] | None = None
        self._ticks = QTimer(self)
        self._ticks.setInterval(TICK_MS)
        self._ticks.timeout.connect(lambda: self.feed(Ticked(clock.monotonic_s())))

    @property
    def now_s(self) -> float:
        """The clock of deadlines."""
        return self._clock.monotonic_s()

    def feed(self, event: Event) -> None:
        """Tell the flow what happened, and do what follows."""
        before = self.flow
        self.flow, effects = step(before, event)
        for effect in effects:
            self._do(effect)
        if isinstance(self.flow.stage, AtBank):
            if not self._ticks.isActive():
                self._ticks.start()
        else:
            self._ticks.stop()
        if self.flow != before or isinstance(event, Ticked):
            self.moved.emit(self.flow)

    def _do(self, effect: Effect) -> None:
        match effect:
            case OpenAttempt():
                opening = self._spawn("link: open", self._open(effect))
                self._opening = opening if isinstance(opening, asyncio.Task) else None
            case ShowPage(_, ticket):
                self.pageWanted.emit(ticket.url, self._gate(ticket))
            case OpenInBrowser(ticket):
                self._open_browser(ticket.url)
            case ClosePage():
                self.pageDone.emit()
            case StopListening():
                self._stop_opening()
            case Ask():
                self._spawn("link: ask", self._ask(effect))
            case Finish():
                self._spawn("link: finish", self._finish(effect))
            case SyncFirst():
                self._spawn("link: first sync", self._sync(effect))

    def _gate(self, ticket: LinkTicket) -> Gate:
        stage = self.flow.stage
        assert isinstance(stage, AtBank)
        return Gate(
            page_url=ticket.url,
            redirect_uri=ticket.redirect_uri,
            state=ticket.state,
            deadline_s=stage.deadline_s,
            now_s=self._clock.monotonic_s,
        )

    def _stop_opening(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()

    def _forget_opening(self) -> None:
        """Let an opening that speaks last not be cancelled by what it says."""
        if self._opening is asyncio.current_task():
            self._opening = None

    async def _open(self, effect: OpenAttempt) -> None:
        sentence = _our_fault()
        came_back: str | None = None
        opened = False
        try:
            if effect.channel is LinkChannel.EMBEDDED:
                ticket = await self._ticket(effect.target, effect.channel, None)
                opened = True
                self.feed(TicketReady(effect.attempt, ticket, self.now_s))
            else:
                async with listening() as way_back:
                    ticket = await self._ticket(effect.target, effect.channel, way_back.redirect_uri)
                    opened = True
                    self.feed(TicketReady(effect.attempt, ticket, self.now_s))
                    came_back = await way_back.wait(ticket.state)
        except ObdeskError as error:
            sentence = _words(error)
        finally:
            self._forget_opening()
            if not opened:
                self.feed(OpeningFailed(effect.attempt, sentence))
        if came_back is not None:
            self.feed(CameBack(effect.attempt, came_back))

    async def _ticket(self, target: Target, channel: LinkChannel, redirect_uri: str | None) -> LinkTicket:
        if target.renews is not None:
            return await self._commands.begin_renew(target.renews, channel, redirect_uri=redirect_uri)
        return await self._commands.begin_link(
            channel, connector_id=target.connector_id, redirect_uri=redirect_uri
        )

    async def _ask(self, effect: Ask) -> None:
        report = None
        try:
            report = await self._commands.finish_link(effect.ticket, None)
        except ObdeskError:
            # A poll that fails is made again; what matters is said when the attempt ends.
            pass
        finally:
            self.feed(Asked(effect.attempt, report, self.now_s))

    async def _finish(self, effect: Finish) -> None:
        event: Event = AdoptingFailed(effect.attempt, _our_fault())
        try:
            report = await self._commands.finish_link(effect.ticket, effect.callback_url)
            event = Adopted(effect.attempt, report)
        except ObdeskError as error:
            event = AdoptingFailed(effect.attempt, _words(error))
        finally:
            self.feed(event)

    async def _sync(self, effect: SyncFirst) -> None:
        sentence = _our_fault()
        try:
            outcomes = await self._commands.sync(
                effect.connections, trigger=Trigger.LINK, refresh_at_bank=False
            )
            sentence = first_sync_sentence(outcomes)
        except ObdeskError as error:
            sentence = _words(error)
        finally:
            self.feed(FirstSyncEnded(sentence))


def _words(error: ObdeskError) -> str:
    return f"{error.title}. {error.cause} {error.next_step}".replace("..", ".")


def _our_fault() -> str:
    return tr("Something went wrong inside obdesk. Nothing is lost; try again.")
