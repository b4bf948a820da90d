"""How an account's row and a bank's heading are painted in the sidebar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from obdesk.gui.shell.model import Role
from obdesk.gui.widgets.avatar import paint_avatar
from obdesk.gui.widgets.glyph import SIZE, paint_glyph
from obdesk.gui.widgets.money import HIDDEN
from obdesk.gui.widgets.status import token_of

if TYPE_CHECKING:
    from PySide6.QtCore import QObject
    from PySide6.QtGui import QColor, QFont

    from obdesk.gui.shell.present import AccountGroup, AccountRow
    from obdesk.gui.theme.theme import Theme

    Index = QModelIndex | QPersistentModelIndex

ROW_H, NOTE_H, GROUP_H = 34, 15, 32
_AVATAR, _INSET, _GAP = 20, 10, 8
_V = Qt.AlignmentFlag.AlignVCenter


class AccountDelegate(QStyledItemDelegate):
    """Avatar, name (shortened in the middle), balance, glyph; a second line where something is wrong."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.private = False

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Override QStyledItemDelegate.sizeHint."""
        del option
        row: AccountRow | None = index.data(Role.ROW)
        if row is None:
            return QSize(160, GROUP_H)
        return QSize(160, ROW_H + NOTE_H if row.note else ROW_H)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Override QStyledItemDelegate.paint."""
        row: AccountRow | None = index.data(Role.ROW)
        group: AccountGroup | None = index.data(Role.GROUP)
        place = QRect(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row is not None:
            self._ground(painter, place, state)
            self._paint_row(painter, place, row)
        elif group is not None:
            self._paint_group(painter, place, group, opened=bool(state & QStyle.StateFlag.State_Open))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(place).adjusted(1, 2, -1, -2), 6, 6)
        painter.restore()

    def _ground(self, painter: QPainter, place: QRect, state: QStyle.StateFlag) -> None:
        fill = ""
        if state & QStyle.StateFlag.State_Selected:
            fill = "accent_soft"
        elif state & QStyle.StateFlag.State_MouseOver:
            fill = "hover"
        if fill:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour(fill))
            painter.drawRoundedRect(QRectF(place).adjusted(0, 1, 0, -1), 6, 6)

    def _paint_row(self, painter: QPainter, place: QRect, row: AccountRow) -> None:
        first = QRect(place.left() + _INSET, place.top(), place.width() - _INSET - 8, ROW_H)
        avatar = QRectF(first.left(), first.top() + (ROW_H - _AVATAR) / 2, _AVATAR, _AVATAR)
        paint_avatar(painter, avatar, row.bank, row.color, self._theme.fonts.base)
        glyph = QRectF(first.right() - SIZE, first.top() + (ROW_H - SIZE) / 2, SIZE, SIZE)
        paint_glyph(painter, glyph, row.glyph, self._theme)
        left = int(avatar.right()) + _GAP
        middle = QRect(left, first.top(), int(glyph.left()) - _GAP - left, ROW_H)
        balance = HIDDEN if self.private else row.balance
        ink = self._theme.colour("danger" if row.negative and not self.private else "ink")
        taken = self._text(painter, middle, balance, self._theme.fonts.base, ink, right=True)
        name = middle.adjusted(0, 0, -taken - _GAP, 0)
        self._text(painter, name, row.name, self._theme.fonts.base, self._theme.colour("ink"), middle=True)
        if row.note:
            note = QRect(left, first.bottom() - 5, place.right() - 8 - left, NOTE_H)
            token = token_of(row.glyph) if row.glyph.value != "refreshing" else "ink_muted"
            self._text(painter, note, row.note, self._theme.fonts.small, self._theme.colour(token))

    def _paint_group(self, painter: QPainter, place: QRect, group: AccountGroup, *, opened: bool) -> None:
        inner = place.adjusted(_INSET, 8, -8, 0)
        muted = self._theme.colour("ink_muted")
        caret = self._theme.icon("caret-down" if opened else "caret-right", "ink_muted")
        caret.paint(painter, QRect(inner.right() - 11, inner.center().y() - 5, 11, 11))
        taken = 0
        if group.subtotal:
            shown = HIDDEN if self.private else group.subtotal
            sums = inner.adjusted(0, 0, -18, 0)
            taken = self._text(painter, sums, shown, self._theme.fonts.small, muted, right=True) + _GAP
        heading = inner.adjusted(0, 0, -18 - taken, 0)
        self._text(painter, heading, group.name, self._theme.fonts.small_strong, muted)

    @staticmethod
    def _text(
        painter: QPainter,
        place: QRect,
        text: str,
        font: QFont,
        colour: QColor,
        *,
        right: bool = False,
        middle: bool = False,
    ) -> int:
        """Draw one line of plain text and return its width."""
        metrics = QFontMetrics(font)
        mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        shown = text if right else metrics.elidedText(text, mode, place.width())
        painter.setFont(font)
        painter.setPen(colour)
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(place, side | _V | Qt.TextFlag.TextSingleLine, shown)
        return metrics.horizontalAdvance(shown)
