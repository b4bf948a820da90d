"""The window as a program: first paint first, then everything else; and the order of quitting.

The only module that joins asyncio and Qt. Until the first paint it imports QtWidgets, the store and our
own light modules; asyncio, qasync, SQLAlchemy, httpx and the rest come after it or never.
"""

from __future__ import annotations

import gc
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from obdesk.app.bootstrap import QUIT_GRACE_S, open_profile
from obdesk.app.clock import SystemClock
from obdesk.app.profile import DEFAULT_NAME, profile_of
from obdesk.gui.single import Door, knocked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future
    from pathlib import Path

    from obdesk.app.bootstrap import App, OpenProfile
    from obdesk.app.interface import WayIn
    from obdesk.app.profile import Profile
    from obdesk.domain.clock import Clock
    from obdesk.gui.desk import Desk

    Opener = Callable[[], OpenProfile]
    Story = Callable[[App, Desk], Awaitable[None]]

_log = logging.getLogger(__name__)
TURN_S = 0.0001
"""After this long a thread asks for its turn. SQLite's driver lets go of Python for each row it writes, and
takes it back before a thread that waits longer than such a gap has noticed: with Python's own five
milliseconds the interface waits a tenth of a second now and then while a sync is saved."""
PATIENCE_S = 0.25
"""How long the first paint waits for the data, so that a quick unlocking shows no page of its own."""


def open_window(data_dir: Path | None, name: str = DEFAULT_NAME) -> int:
    """Open the window on a profile and return the exit code when it is quit."""
    from obdesk.gui.display import require_display

    require_display()
    return run(profile_of(data_dir, name))


def run(
    profile: Profile,
    *,
    opener: Opener | None = None,
    clock: Clock | None = None,
    story: Story | None = None,
    painted: Callable[[Desk], object] | None = None,
) -> int:
    """Run the window until it is quit; where the profile has one already, that comes to the front instead.

    `opener` replaces the usual unlocking; `story` is called with the running application and the window
    once both are there, and may drive them (the demo does); `painted` hears of the first paint.
    """
    if knocked(profile):
        return 0
    gc.disable()  # collecting while everything is being made only looks at what stays
    unlocking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="unlocking")
    opening = opener or partial(open_profile, profile)
    opened = unlocking.submit(opening)
    glanced = unlocking.submit(lambda: opened.result().glance())

    # What needs no Qt comes before it: once Qt is there, a hook of its binding reads the source of every
    # module that is imported.
    import obdesk.app.i18n
    import obdesk.gui.format
    import obdesk.gui.shell.screen
    import obdesk.gui.theme.tokens  # noqa: F401 - imported for its place in the order
    from obdesk.gui.desk import Desk, application

    app = application()
    desk = Desk(app, profile, clock or SystemClock())
    desk.first_paint(glanced, PATIENCE_S)
    if painted is not None:
        painted(desk)
    desk.furnish(opened, PATIENCE_S)

    import asyncio

    import qasync

    from obdesk.gui.garbage import Collector, drop_sources
    from obdesk.gui.quiet import quieten_loop_logs

    drop_sources()
    gc.freeze()
    quieten_loop_logs()
    collector = Collector(desk.window, desk.is_syncing)
    turn_before_s = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
    life = _Life(desk, unlocking, opening, story)
    try:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
            return runner.run(life.live(opened))
    finally:
        unlocking.shutdown(wait=True)
        sys.setswitchinterval(turn_before_s)
        collector.close()
        desk.close()
        gc.unfreeze()


class _Life:
    """From the first paint to the last: unlock, start, wait, quit in order."""

    def __init__(
        self, desk: Desk, unlocking: ThreadPoolExecutor, opening: Opener, story: Story | None
    ) -> None:
        self._desk, self._unlocking, self._opening, self._story = desk, unlocking, opening, story

    async def live(self, first: Future[OpenProfile]) -> int:
        """Return the exit code when the person has quit."""
        import asyncio

        self._quit = asyncio.Event()
        self._desk.window.quit_wanted.connect(self._quit.set)
        self._desk.window.demo_left.connect(self._quit.set)
        door = Door(self._desk.profile, self._desk.bring_up)
        try:
            with self._desk.stop_signals(self._quit.set):
                opened = await self._unlocked(first)
                if opened is not None:
                    await self._run(opened)
        finally:
            door.close()
        return 0

    async def _unlocked(self, first: Future[OpenProfile]) -> OpenProfile | None:
        """Return the open profile, asking again as often as the person likes; None when they quit."""
        import asyncio

        from obdesk.domain.errors import ObdeskError

        attempt = first
        while not self._quit.is_set():
            try:
                return await asyncio.wrap_future(attempt)
            except ObdeskError as error:
                again = asyncio.Event()
                openings: list[Opener] = []

                def choose(way: WayIn, secret: str) -> None:
                    openings.append(self._opening_by(way, secret))  # noqa: B023 - called before the next turn
                    again.set()  # noqa: B023 - same

                self._desk.show_locked(error, choose)
                await self._either(again)
                if not self._quit.is_set():
                    self._desk.show_unlocking()
                    attempt = self._unlocking.submit(openings[-1])
        return None

    def _opening_by(self, way: WayIn, secret: str) -> Opener:
        """Return the opening that a person chose on the locked page."""
        from obdesk.app.interface import WayIn
        from obdesk.app.ways_in import open_by

        if way is WayIn.TRY_AGAIN:
            return self._opening
        return partial(open_by, self._desk.profile, way, secret)

    async def _either(self, other: object) -> None:
        """Wait until the person quits or `other` (an event) happens."""
        import asyncio

        assert isinstance(other, asyncio.Event)
        waiting = [asyncio.ensure_future(self._quit.wait()), asyncio.ensure_future(other.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    async def _run(self, opened: OpenProfile) -> None:
        import asyncio

        from obdesk.app.logs import kept_log
        from obdesk.app.unforeseen import guard_standard_error, unheard_errors_logged
        from obdesk.app.watchdog import Watchdog

        guard_standard_error()
        watchdog = Watchdog(asyncio.get_running_loop())
        with kept_log(opened.profile.folder), unheard_errors_logged(), watchdog:
            await self._run_watched(opened)

    async def _run_watched(self, opened: OpenProfile) -> None:
        from obdesk.app.bootstrap import App
        from obdesk.app.scopes import Scope
        from obdesk.gui.garbage import drop_sources
        from obdesk.gui.surroundings import MachineSurroundings, network_of

        desk = self._desk
        parts = desk.fill(opened)
        drop_sources()  # those of the services just imported
        # Invented banks are on this machine: no network is needed to reach them.
        surroundings = None if desk.profile.demo else MachineSurroundings(network_of())
        app = App(opened, clock=desk.clock, surroundings=surroundings)
        screens = Scope("window", desk.failed)
        try:
            parts.changes.follow(app.bus)
            parts.commands.bind(app.commands)
            parts.spawn.bind(screens.spawn)
            app.start()
            desk.begin(app)
            if self._story is not None:
                screens.spawn("story", self._story(app, desk))  # type: ignore[arg-type]
            await self._quit.wait()
            desk.window.hide()
            await desk.say_goodbye(app)
        finally:
            # What a person asked for may finish its transaction; then the screens, then the services.
            if desk.flows is not None:
                desk.flows.close()
            await screens.close(grace_s=QUIT_GRACE_S if app.syncing else 0.0)
            parts.spawn.close()
            parts.changes.close()
            await app.close()
            if surroundings is not None:
                surroundings.close()
