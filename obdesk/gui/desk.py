"""The window with its theme, locale and profile, from the first paint on; no event loop in here."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QDeadlineTimer, QEventLoop, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from obdesk.app.i18n import use_language
from obdesk.domain.errors import ObdeskError
from obdesk.domain.texts import tr
from obdesk.gui import standing
from obdesk.gui.locales import locale_of, system_qlocale, translate_qt
from obdesk.gui.shell.firstframe import FirstFrame
from obdesk.gui.shell.window import MainWindow
from obdesk.gui.theme.theme import Mode, Theme

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from obdesk.app.bootstrap import App, OpenProfile
    from obdesk.app.interface import WayIn
    from obdesk.app.profile import Profile
    from obdesk.domain.clock import Clock
    from obdesk.domain.entities import Connection
    from obdesk.domain.glance import Glance
    from obdesk.gui.compose import Parts
    from obdesk.gui.flows import Flows

_log = logging.getLogger(__name__)
PAINT_WITHIN_MS = 400
REST_MS = 60


def application() -> QApplication:
    """Return Qt's application object, made once."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    # The embedded page shares its graphics context with the window, which Qt wants to know beforehand.
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("obdesk")
    app.setApplicationDisplayName("obdesk")
    app.setDesktopFileName("obdesk")
    # The order of quitting is ours: a closed window is not the end of a running transaction.
    app.setQuitOnLastWindowClosed(False)
    return app


class Desk:
    """Holds what lives as long as the window; `close` lets go of it."""

    def __init__(self, app: QApplication, profile: Profile, clock: Clock) -> None:
        self.app, self.profile, self.clock = app, profile, clock
        # Beside the data, so that a profile in another folder leaves no trace elsewhere.
        self.settings = QSettings(str(profile.folder / "window.ini"), QSettings.Format.IniFormat)
        language = use_language(str(self.settings.value("window/language", "system")))
        self._translator = translate_qt(app, language)
        self.theme = Theme(app, _mode(self.settings), dressed=False)
        self.locale = locale_of(system_qlocale(language))
        self.window = MainWindow(
            self.theme, self.locale, clock, self.settings, demo=profile.demo, furnished=False
        )
        self.parts: Parts | None = None
        self.flows: Flows | None = None

    def first_paint(self, glanced: Future[Glance], patience_s: float) -> None:
        """Show the window's first frame, if its places are known and the data comes in time."""
        pieces = standing.read(str(self.settings.value("window/standing", "")))
        if not pieces or self.profile.demo:  # the demo's ribbon and its first steps are the whole window's
            return
        try:
            glance = glanced.result(timeout=patience_s)
        except (TimeoutError, ObdeskError):
            return
        frame = FirstFrame(
            self.theme,
            self.locale,
            self.clock.now(),
            glance,
            pieces,
            front=str(self.settings.value("window/section", "overview")),
            private=self.settings.value("window/private", False, bool) is True,
        )
        self.window.setCentralWidget(frame)
        self.window.show()
        self._process_until(lambda: bool(frame.drawn))

    def furnish(self, opened: Future[OpenProfile], patience_s: float) -> None:
        """Show the whole window: with data when it comes in time, else with a calm page."""
        self.theme.dress()
        self.window.furnish()
        try:
            self.fill(opened.result(timeout=patience_s))
        except (TimeoutError, ObdeskError):
            self.show_unlocking()
        self.window.show()
        front = self.window.current_screen()
        if front is not None:
            front.widget.setFocus()
        handle = self.window.windowHandle()
        self._process_until(handle.isExposed)

    def _process_until(self, done: Callable[[], bool]) -> None:
        deadline = QDeadlineTimer(PAINT_WITHIN_MS)
        flags = QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents
        while not deadline.hasExpired():
            self.app.processEvents(flags, 20)
            if done():
                break
        self.app.processEvents(flags)

    def fill(self, opened: OpenProfile) -> Parts:
        """Give the window its screens and show the first read in them; once."""
        from obdesk.app.reads import StoreReads
        from obdesk.gui.compose import compose

        if self.parts is None:
            section = str(self.settings.value("window/section", "overview"))
            reads = StoreReads(opened.store, self.clock)
            self.parts = compose(self.window, reads, self.clock, self.locale, self.settings)
            if self.window.sections.get(section) is None:
                section = "overview"
            self.window.open_section(section)
            self.window.show_first(reads.first_screen())
        return self.parts

    def begin(self, app: App) -> None:
        """Take part in the running application."""
        from obdesk.gui.flows import Flows

        self.flows = Flows(self.window, lambda: self.parts, app, self.settings)
        self.flows.begin()
        QTimer.singleShot(REST_MS, self.window, self._make_rest)

    def _make_rest(self) -> None:
        """Make the screens that the first paint did not need, one at a time so that nothing is held up."""
        from obdesk.gui.garbage import drop_sources

        drop_sources()
        if self.window.sections.make_next():
            QTimer.singleShot(REST_MS, self.window, self._make_rest)

    async def say_goodbye(self, app: App) -> None:
        """Remember the places, and when the person last looked."""
        self.window.remember()
        await app.commands.set_setting("last_visit", self.clock.now().isoformat())

    def connections(self) -> tuple[Connection, ...]:
        """Return the links as the window shows them."""
        return () if self.parts is None else tuple(self.parts.feed.connections)

    def is_syncing(self) -> bool:
        """Tell whether a sync is under way."""
        return self.parts is not None and bool(self.parts.changes.running)

    def show_unlocking(self) -> None:
        """Show the calm page that stands while the data is being unlocked."""
        from obdesk.gui.shell.frame import skeleton

        self.window.show_page(skeleton(self.theme, tr("Unlocking your data…")))

    def show_locked(self, error: ObdeskError, choose: Callable[[WayIn, str], object]) -> None:
        """Show why the data does not open, and the ways out; nothing is deleted."""
        from obdesk.app.ways_in import ways_out
        from obdesk.gui.lock.view import LockPage

        page = LockPage(self.theme, error, ways_out(self.profile, error))
        page.chosen.connect(choose)
        page.quitWanted.connect(self.window.quit_wanted)
        self.window.show_page(page)

    def failed(self, name: str, error: BaseException) -> None:
        """Tell the person of an error; where one was that is not meant for them, is logged as well."""
        from obdesk.app.unforeseen import unforeseen

        if isinstance(error, ObdeskError):
            self.window.show_error(error)
        else:
            _log.error("task %s failed: %s", name, type(error).__name__, exc_info=error)
            self.window.show_error(unforeseen(error))

    @contextmanager
    def stop_signals(self, stop: Callable[[], object]) -> Iterator[None]:
        """Quit in order when the system or a terminal asks for it.

        Python runs its handlers between bytecodes, which Qt's loop has none of; the wake-up socket
        makes the loop turn.
        """
        import signal
        import socket

        from PySide6.QtCore import QSocketNotifier

        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        notifier = QSocketNotifier(ours.fileno(), QSocketNotifier.Type.Read)
        notifier.activated.connect(lambda: _drain(ours))
        wanted = [signal.SIGINT, signal.SIGTERM]
        before = {each: signal.signal(each, lambda *_unused: stop()) for each in wanted}
        old_fd = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(old_fd)
            for each, handler in before.items():
                signal.signal(each, handler)
            notifier.setEnabled(False)
            ours.close()
            theirs.close()

    def bring_up(self) -> None:
        """Bring the window to the front, from the tray or the task bar if need be."""
        if self.window.isMinimized():
            self.window.showNormal()
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def close(self) -> None:
        """Let go of the window before the application object goes, at once: no loop comes to do it later."""
        self.settings.sync()
        _make_private(self.settings.fileName())
        self.window.hide()
        # At once: outside a loop Qt would keep the deletion for a loop that may never come, and the next
        # style sheet would be given to a half-dead window.
        shiboken6.delete(self.window)


def _drain(end: socket.socket) -> None:
    try:
        end.recv(64)
    except BlockingIOError:
        return


def _make_private(path: str) -> None:
    if os.name == "posix" and (file := Path(path)).exists():
        file.chmod(0o600)


def _mode(settings: QSettings) -> Mode:
    stored = str(settings.value("window/theme", Mode.SYSTEM.value))
    return Mode(stored) if stored in {mode.value for mode in Mode} else Mode.SYSTEM
