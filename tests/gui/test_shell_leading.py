"""The window where a screen or a person leads it: to rows, to a bank, out of a refresh."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from obdesk.app.events import SyncEnded
from obdesk.domain.entities import RunResult
from obdesk.domain.errors import AppError
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.ids import AccountId, TransactionId
from obdesk.gui.shell.sections import Section
from tests.gui.household import NORDIC, PORT
from tests.gui.test_shell_window import Filled, Page, filled, itself, outcome_of
from tests.gui.walkers import clipped

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from obdesk.domain.ids import ConnectionId

__all__ = ["filled"]


class _Banks(Page):
    """A screen with a card for each bank."""

    def show_bank(self, connection_id: ConnectionId) -> None:
        self.heard.append(("bank", connection_id))


def test_a_refresh_can_be_called_off_and_says_so(filled: Filled, qtbot: QtBot) -> None:
    strip = filled.window.strip
    cancel = next(b for b in strip.findChildren(QWidget) if b.accessibleName() == "Cancel the refresh")
    wanted: list[object] = []
    strip.cancel_wanted.connect(wanted.append)
    filled.window.refresh([PORT, NORDIC])
    filled.shown.bus.publish(SyncEnded(outcome_of("Banque du Port", RunResult.UPDATED)))
    assert cancel.isVisible()
    assert clipped(strip) == []

    qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert wanted == [(NORDIC,)], "what has ended cannot be called off"
    assert filled.shown.asked.names == ["window: refresh", "window: cancel"]
    assert not cancel.isEnabled(), "once is enough"

    filled.shown.bus.publish(SyncEnded(outcome_of("Nordic One", RunResult.CANCELLED)))
    assert "Nordic One: cancelled, nothing changed" in strip.texts()
    assert not cancel.isVisible()
    assert strip._timer.isActive(), "the person knows, and it leaves by itself"

    filled.window.refresh([NORDIC])
    assert cancel.isEnabled()


def test_a_refresh_that_cannot_begin_leaves_nothing_that_seems_to_run(filled: Filled) -> None:
    class _Refusing:
        async def sync(self, *_args: object, **_how: object) -> object:
            raise AppError(title="Another obdesk is at it", cause="because", next_step="wait")

        async def cancel(self, _connections: object) -> None:
            raise AppError(title="The disk is full", cause="because", next_step="wait")

    feed: Any = filled.window._feed
    feed._commands = _Refusing()
    feed._spawn = lambda _name, coro: asyncio.run(coro)
    filled.window.refresh([PORT])
    assert filled.window.strip.texts() == []
    assert not filled.window.strip.isVisible()
    assert "Another obdesk is at it" in said_in(filled.window.banner)

    feed.cancel((PORT,))
    assert "The disk is full" in said_in(filled.window.banner)


def said_in(widget: QWidget) -> str:
    return " ".join(each.text() for each in widget.findChildren(QLabel))


def test_rows_and_banks_are_shown_from_anywhere(filled: Filled) -> None:
    banks = _Banks("connections")
    filled.window.add_section(Section(banks.key, banks.title, banks.icon, partial(itself, banks)))
    wanted = TransactionFilter(accounts=frozenset({AccountId(4)}))

    filled.window.open_rows(wanted, (TransactionId(9),))
    assert filled.window.current_screen() is itself(filled.list)
    assert ("rows", (wanted, (9,))) in filled.list.heard
    assert filled.window.sidebar.accounts.current_account() == 4

    filled.window.open_bank(NORDIC)
    assert filled.window.current_screen() is itself(banks)
    assert banks.heard[-1] == ("bank", NORDIC)
