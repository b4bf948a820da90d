"""Puts the window together: which screens there are, and what each is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from obdesk.domain.texts import tr
from obdesk.gui.changes import Changes
from obdesk.gui.late import Late, LateSpawn
from obdesk.gui.shell.accounts import AccountChanges
from obdesk.gui.shell.choices import Choices
from obdesk.gui.shell.feed import FrameFeed
from obdesk.gui.shell.sections import Section

if TYPE_CHECKING:
    from PySide6.QtCore import QSettings

    from obdesk.app.interface import Commands, Reads
    from obdesk.domain.clock import Clock
    from obdesk.domain.exports import CsvReport
    from obdesk.domain.filters import TransactionFilter
    from obdesk.gui.format import Locale
    from obdesk.gui.shell.screen import Screen
    from obdesk.gui.shell.window import MainWindow


class Parts(NamedTuple):
    """What the parts of the window hold on to; `commands` and `spawn` come alive with the loop."""

    window: MainWindow
    feed: FrameFeed
    changes: Changes
    commands: Late
    spawn: LateSpawn


def compose(window: MainWindow, reads: Reads, clock: Clock, locale: Locale, settings: QSettings) -> Parts:
    """Fill a window with its screens; nothing is read yet."""
    changes, late, spawn = Changes(window), Late("commands"), LateSpawn()
    commands = cast("Commands", late)
    theme = window.theme
    feed = FrameFeed(
        window, reads=reads, commands=commands, spawn=spawn, changes=changes, clock=clock, locale=locale
    )
    window.attach(feed)
    AccountChanges(window, feed)
    Choices(window, feed, settings)

    def overview() -> Screen:
        from obdesk.gui.overview.view import OverviewScreen

        return OverviewScreen(theme, locale, clock, reads, spawn, window)

    def transactions() -> Screen:
        from obdesk.gui.transactions.screen import TransactionsScreen

        return TransactionsScreen(
            theme=theme, locale=locale, clock=clock, reads=reads, commands=commands, spawn=spawn,
            settings=settings, navigator=window,
        )  # fmt: skip

    def banks() -> Screen:
        from obdesk.gui.connections.view import ConnectionsScreen

        return ConnectionsScreen(theme, locale, clock, reads, commands, spawn, changes, window)

    def activity() -> Screen:
        from obdesk.gui.activity.view import ActivityScreen

        return ActivityScreen(theme, locale, clock, reads, commands, spawn, window)

    def settings_page() -> Screen:
        from obdesk.gui.settings.view import SettingsScreen

        return SettingsScreen(theme, locale, clock, reads, commands, spawn, window)

    window.add_section(Section("overview", tr("Overview"), "house", overview))
    window.add_section(Section("transactions", tr("Transactions"), "list", transactions))
    window.add_section(Section("connections", tr("Connections"), "link-simple", banks))
    window.add_section(Section("activity", tr("Activity"), "activity", activity))
    window.add_section(Section("settings", tr("Settings"), "gear", settings_page))
    parts = Parts(window, feed, changes, late, spawn)
    window.export_wanted.connect(lambda narrowed: _export(parts, locale, narrowed))
    return parts


def _export(parts: Parts, locale: Locale, narrowed: TransactionFilter) -> None:
    from obdesk.gui.shell.exporting import ExportDialog, exported_sentence

    window = parts.window

    def told(report: CsvReport) -> None:
        window.toast(exported_sentence(report, locale))

    commands = cast("Commands", parts.commands)
    dialog = ExportDialog(window.theme, locale, commands, parts.spawn, narrowed, window)
    dialog.done_with.connect(told)
    dialog.failed.connect(lambda error: window.show_error(error, window.actions_.export.trigger))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
