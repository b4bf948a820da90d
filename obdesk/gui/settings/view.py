"""The settings as one page: the relay, and when banks are checked by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from obdesk.domain.changes import Kind
from obdesk.domain.errors import ObdeskError
from obdesk.domain.texts import tr
from obdesk.gui.changes import Rereading
from obdesk.gui.settings.cards import ChecksCard, RelayCard
from obdesk.gui.settings.present import relay_of, status_line
from obdesk.gui.widgets.basics import label

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any

    from PySide6.QtGui import QAction

    from obdesk.app.interface import Commands, Reads
    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.clock import Clock
    from obdesk.domain.mailbox import MailboxStatus
    from obdesk.gui.changes import Spawn
    from obdesk.gui.format import Locale
    from obdesk.gui.shell.screen import Navigator, StatusTeller
    from obdesk.gui.theme.theme import Theme

WIDTH_MAX = 760
_CHECKS = ("sync.interval_h", "sync.quiet_from", "sync.quiet_to", "sync.spare")


class SettingsPage(QScrollArea):
    """The cards below each other, no wider than a line is read with ease."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Settings"))
        inner = QWidget()
        inner.setObjectName("content")
        inside = QVBoxLayout(inner)
        inside.setContentsMargins(22, 20, 22, 20)
        inside.setSpacing(16)
        inside.addWidget(label(tr("Settings"), theme.fonts.title))
        self.relay, self.checks = RelayCard(theme), ChecksCard(theme)
        for card in (self.relay, self.checks):
            card.setMaximumWidth(WIDTH_MAX)
            inside.addWidget(card)
        inside.addStretch(1)
        self.setWidget(inner)


class SettingsScreen:
    """Plugs the settings into the window (obdesk.gui.shell.screen.Screen)."""

    key = "settings"
    icon = "gear"

    def __init__(
        self,
        theme: Theme,
        locale: Locale,
        clock: Clock,
        reads: Reads,
        commands: Commands,
        spawn: Spawn,
        navigator: Navigator,
    ) -> None:
        self._locale, self._clock, self._reads, self._commands = locale, clock, reads, commands
        self._spawn, self._navigator = spawn, navigator
        self.page = SettingsPage(theme)
        self._relay: MailboxStatus | None = None
        self._kept: dict[str, str] = {}
        self._tell: StatusTeller = lambda _text: None
        self._rereading = Rereading(spawn, "settings: read", self._read, self._draw)
        relay = self.page.relay
        relay.paired.connect(lambda url, code: self._do("settings: pair", self._pair(url, code)))
        relay.left.connect(lambda: self._do("settings: leave", self._leave()))
        relay.replaced.connect(lambda: self._do("settings: token", self._replace()))
        self.page.checks.wished.connect(
            lambda key, value: self._do("settings: keep", commands.set_setting(key, value))
        )

    @property
    def title(self) -> str:
        """Return the name in the sidebar."""
        return tr("Settings")

    @property
    def widget(self) -> QWidget:
        """Return the page."""
        return self.page

    def actions(self) -> Sequence[QAction]:
        """Return no commands of its own."""
        return ()

    def on_status(self, tell: StatusTeller) -> None:
        """Keep where the status line goes."""
        self._tell = tell

    def touched(self, changes: ChangeSet) -> None:
        """Read again when something shown here changed and is seen; unseen, the next look reads."""
        if changes.touches(Kind.SETTINGS, Kind.RELAY) and self.page.isVisible():
            self.reread()

    def shown(self) -> None:
        """Read: it may have changed since."""
        self.reread()

    def minute_passed(self) -> None:
        """Read again: since when is a matter of time."""
        self.reread()

    def set_private(self, *, private: bool) -> None:
        """Show no amounts here, private or not."""

    def reread(self) -> None:
        """Read what is shown; calls while a read is under way become one more read after it."""
        self._rereading.ask()

    async def _read(self) -> None:
        self._relay = await self._reads.relay()
        self._kept = {key: await self._reads.setting(key) for key in _CHECKS}

    def _draw(self) -> None:
        now = self._clock.now()
        values = None if self._relay is None else relay_of(self._relay, now, self._locale)
        self.page.relay.show_values(values)
        if self._kept:
            self.page.checks.show_settings(self._kept)
        self._tell(status_line(self._relay, now, self._locale))

    def _do(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._spawn(name, self._told(work))

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what was wished; what goes wrong stands where the wish was made."""
        card = self.page.relay
        card.show_error(None)
        card.set_busy(busy=True)
        try:
            await work
        except ObdeskError as error:
            card.show_error(error)
        finally:
            card.set_busy(busy=False)
        self.reread()

    async def _pair(self, url: str, code: str) -> None:
        paired = await self._commands.pair_relay(url, code)
        self.page.relay.code.clear()
        self._navigator.toast(tr("{host} keeps webhooks for this computer from now on.", host=paired.host))

    async def _leave(self) -> None:
        heard = await self._commands.leave_relay()
        self._navigator.toast(
            tr("No relay is used any more. Your banks are checked by the schedule.")
            if heard
            else tr("It could not be told: ask its operator to remove this computer.")
        )

    async def _replace(self) -> None:
        await self._commands.replace_token()
        self._navigator.toast(tr("The token was replaced. Whoever kept the old one can do nothing with it."))
