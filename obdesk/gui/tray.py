"""The icon in the tray: its state by shape and colour, its menu, and what closing the window means."""

from __future__ import annotations

import sys
from enum import Enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QGuiApplication, QIcon, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from obdesk.domain.conditions import Condition, needs_you
from obdesk.domain.texts import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obdesk.domain.entities import Connection
    from obdesk.gui.theme.tokens import Tokens

SIZES = (16, 22, 24, 32, 48, 64)


class TrayState(Enum):
    """What the icon says, from best to worst."""

    OK = "ok"
    SYNCING = "syncing"
    PAUSED = "paused"
    ERROR = "error"
    NEEDS_YOU = "needs_you"


_SENTENCES = {
    TrayState.OK: mark("obdesk: your banks answer"),
    TrayState.SYNCING: mark("obdesk: asking your banks"),
    TrayState.PAUSED: mark("obdesk: syncing is paused"),
}


_QUIET = frozenset({
    Condition.OK,
    Condition.NEVER_SYNCED,
    Condition.VALIDATING,
    Condition.OFFLINE,
    Condition.PROVIDER_BUSY,
    Condition.COMING_BACK,
})  # fmt: skip
"""What passes by itself and is no reason for a sign beside the clock."""


def tray_state(connections: Iterable[Connection], running: int, *, paused: bool) -> tuple[TrayState, str]:
    """Return the state and its sentence: what needs the person outranks what heals or runs."""
    watched = [connection for connection in connections if not connection.paused]
    waiting = sum(needs_you(connection.condition) for connection in watched)
    if waiting:
        return TrayState.NEEDS_YOU, trn("obdesk: {n} bank needs you", "obdesk: {n} banks need you", waiting)
    if running:
        return TrayState.SYNCING, tr(_SENTENCES[TrayState.SYNCING])
    failed = sum(_fails(connection.condition) for connection in watched)
    if failed:
        return TrayState.ERROR, trn(
            "obdesk: {n} bank has a problem", "obdesk: {n} banks have a problem", failed
        )
    if not paused and not watched:
        return TrayState.OK, tr("obdesk: no bank is linked yet")
    state = TrayState.PAUSED if paused else TrayState.OK
    return state, tr(_SENTENCES[state])


def _fails(condition: Condition) -> bool:
    return condition not in _QUIET


def tray_icon(state: TrayState, tokens: Tokens, *, template: bool = False) -> QIcon:
    """Return the icon in every size; as a template it is one colour and the system tints it (macOS)."""
    made = QIcon()
    for size in SIZES:
        made.addPixmap(_drawn(state, size, tokens, template=template))
    made.setIsMask(template)
    return made


def _drawn(state: TrayState, size: int, tokens: Tokens, *, template: bool) -> QPixmap:
    picture = QPixmap(QSize(size, size))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 32, size / 32)
    body = QColor(Qt.GlobalColor.black) if template else QColor(tokens.accent)
    painter.setPen(QPen(body, 4.2))
    painter.drawEllipse(QRectF(4.5, 4.5, 23, 23))
    painter.setPen(QPen(body, 3.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(10.5, 16), QPointF(21.5, 16))
    if state is not TrayState.OK:
        _badge(painter, state, tokens, template=template)
    painter.end()
    return picture


def _badge(painter: QPainter, state: TrayState, tokens: Tokens, *, template: bool) -> None:
    """Draw the state at the lower right: a shape of its own for each, cut out of the ring."""
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(Qt.GlobalColor.black))
    painter.drawEllipse(QRectF(14.5, 14.5, 19, 19))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    token = {
        TrayState.SYNCING: tokens.info,
        TrayState.PAUSED: tokens.ink_faint,
        TrayState.ERROR: tokens.danger,
        TrayState.NEEDS_YOU: tokens.warning,
    }[state]
    colour = QColor(Qt.GlobalColor.black) if template else QColor(token)
    painter.setBrush(colour)
    match state:
        case TrayState.SYNCING:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            painter.drawArc(QRectF(18.5, 18.5, 11, 11), 60 * 16, 280 * 16)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(QPolygonF([QPointF(24, 14.5), QPointF(31, 18), QPointF(25, 22.5)]))
        case TrayState.PAUSED:
            painter.drawRoundedRect(QRectF(19, 18, 4, 12), 1, 1)
            painter.drawRoundedRect(QRectF(26, 18, 4, 12), 1, 1)
        case TrayState.ERROR:
            painter.setPen(QPen(colour, 3.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(19, 19), QPointF(29, 29))
            painter.drawLine(QPointF(29, 19), QPointF(19, 29))
        case TrayState.NEEDS_YOU:
            painter.drawPolygon(QPolygonF([QPointF(24, 16), QPointF(32, 31), QPointF(16, 31)]))
            painter.setBrush(QColor(tokens.surface) if not template else QColor(Qt.GlobalColor.transparent))
            painter.setCompositionMode(
                QPainter.CompositionMode.CompositionMode_Clear
                if template
                else QPainter.CompositionMode.CompositionMode_SourceOver
            )
            painter.drawRect(QRectF(23, 21, 2, 5))
            painter.drawRect(QRectF(23, 27.5, 2, 2))
        case TrayState.OK:
            pass


class Tray(QObject):
    """The icon with its menu. `available` tells whether anybody shows it: closing depends on that."""

    openWanted = Signal()
    refreshWanted = Signal()
    pauseWanted = Signal(bool)
    quitWanted = Signal()

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._state = TrayState.OK
        self._drawn: tuple[TrayState, Tokens] | None = None
        self._paused = False
        self.icon = QSystemTrayIcon(self)
        self.menu = QMenu()
        self._lines = {
            "open": self.menu.addAction(tr("Open obdesk")),
            "refresh": self.menu.addAction(tr("Refresh now")),
            "pause": self.menu.addAction(tr("Pause syncing")),
        }
        self.menu.addSeparator()
        self._lines["quit"] = self.menu.addAction(tr("Quit"))
        self._lines["open"].triggered.connect(self.openWanted)
        self._lines["refresh"].triggered.connect(self.refreshWanted)
        self._lines["pause"].triggered.connect(lambda: self.pauseWanted.emit(not self._paused))
        self._lines["quit"].triggered.connect(self.quitWanted)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._activated)
        self.show_state(TrayState.OK, tr(_SENTENCES[TrayState.OK]))

    @property
    def available(self) -> bool:
        """Whether the desktop has a place for the icon; some (GNOME without an extension) have none."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    @property
    def state(self) -> TrayState:
        """What the icon says."""
        return self._state

    @property
    def lines(self) -> dict[str, QAction]:
        """The lines of the menu by their names."""
        return dict(self._lines)

    def show(self) -> None:
        """Put the icon into the tray; a tray that comes later still gets it."""
        if QGuiApplication.platformName() != "offscreen":  # which has none, and warns
            self.icon.show()

    def hide(self) -> None:
        """Take the icon away."""
        self.icon.hide()

    def show_state(self, state: TrayState, sentence: str) -> None:
        """Show another state; the sentence is the tooltip, for readers too."""
        self._state = state
        if self._drawn != (state, self._tokens):  # drawing takes longer than a frame may
            self._drawn = (state, self._tokens)
            self.icon.setIcon(tray_icon(state, self._tokens, template=sys.platform == "darwin"))
        self.icon.setToolTip(sentence)

    def show_paused(self, *, paused: bool) -> None:
        """Let the menu offer to resume, or to pause."""
        self._paused = paused
        self._lines["pause"].setText(tr("Resume syncing") if paused else tr("Pause syncing"))

    def use_tokens(self, tokens: Tokens) -> None:
        """Follow the scheme."""
        self._tokens = tokens
        self.show_state(self._state, self.icon.toolTip())

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in {
            QSystemTrayIcon.ActivationReason.Trigger,
            QSystemTrayIcon.ActivationReason.DoubleClick,
        }:
            self.openWanted.emit()
