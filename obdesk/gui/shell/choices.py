"""What a person chooses in the menus and keeps: the language, and how often each bank is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from PySide6.QtCore import QSettings

    from obdesk.gui.shell.feed import FrameFeed
    from obdesk.gui.shell.window import MainWindow


class Choices(QObject):
    """Connects the choices of the menus to where they are kept; the window owns it.

    The language is kept beside the data, since it is needed before the data opens; the interval in it.
    """

    def __init__(self, window: MainWindow, feed: FrameFeed, settings: QSettings) -> None:
        super().__init__(window)
        self._window, self._feed, self._settings = window, feed, settings
        chosen = str(settings.value("window/language", "system"))
        for code, action in window.actions_.languages.items():
            action.setChecked(code == chosen)
            action.triggered.connect(lambda _on=False, code=code: self._choose_language(code))
        for hours, action in window.actions_.intervals.items():
            action.triggered.connect(lambda _on=False, hours=hours: feed.set_interval(hours))
        feed.renewed.connect(self._mark_interval)

    def _choose_language(self, code: str) -> None:
        self._settings.setValue("window/language", code)
        self._window.toast(tr("obdesk will speak this language when it starts the next time."))

    def _mark_interval(self) -> None:
        for hours, action in self._window.actions_.intervals.items():
            action.setChecked(hours == self._feed.interval_h)
