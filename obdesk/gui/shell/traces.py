"""What the window writes down when it is left, for the first frame of the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.gui.shell.screen import Stands
from obdesk.gui.standing import Piece, piece_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QModelIndex

    from obdesk.gui.shell.frame import Frame
    from obdesk.gui.shell.screen import Screen
    from obdesk.gui.shell.sidebar import AccountsView, Sidebar


def standing_of(frame: Frame, front: Screen) -> Iterator[Piece]:
    """Yield where everything stands that a first frame can fill; grounds come before what is on them."""
    yield piece_of("ground", frame.sidebar, "side")
    for part in (frame.toolbar, frame.status):
        yield piece_of("ground", part, "surface")
    yield from _lines(frame)
    yield from _sidebar(frame.sidebar)
    yield piece_of("checked", frame.status.right, "-")
    if isinstance(front, Stands):
        yield from front.standing()


def _lines(frame: Frame) -> Iterator[Piece]:
    """Yield the hairlines that the style sheet draws at the edges of the grounds."""
    side, top, foot = (
        piece_of("ground", part, "line") for part in (frame.sidebar, frame.toolbar, frame.status)
    )
    yield side._replace(x=side.x + side.width - 1, width=1)
    yield top._replace(y=top.y + top.height - 1, height=1)
    yield foot._replace(height=1)


def _sidebar(sidebar: Sidebar) -> Iterator[Piece]:
    for key, button in sidebar.buttons():
        yield piece_of("section", button, key)
    yield from _accounts(sidebar.accounts, sidebar)


def _accounts(view: AccountsView, sidebar: Sidebar) -> Iterator[Piece]:
    model, port = sidebar.model, view.viewport()
    for place in range(model.rowCount()):
        bank = model.index(place, 0)
        rect = view.visualRect(bank)
        if not rect.intersects(port.rect()):
            continue
        group = model.group(place)
        if not group.closed:
            yield piece_of("bank", port, group.key.replace(" ", "") or "-", rect)
        yield from _rows(view, sidebar, bank)


def _rows(view: AccountsView, sidebar: Sidebar, bank: QModelIndex) -> Iterator[Piece]:
    port = view.viewport()
    if not view.isExpanded(bank):
        return
    for row, account in enumerate(sidebar.model.group(bank.row()).rows):
        rect = view.visualRect(sidebar.model.index(row, 0, bank))
        # A figure that is not whole is not drawn, so neither is a row that is cut.
        if port.rect().contains(rect):
            yield piece_of("account", port, str(account.account_id), rect)
