"""Consent as a bar and the last syncs as squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from obdesk.domain.texts import tr
from obdesk.gui.widgets.tips import tip

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from obdesk.gui.theme.theme import Theme
    from obdesk.gui.widgets.status import RunMark


class ConsentBar(QWidget):
    """How much of a consent is used up; the words beside it say the same."""

    def __init__(self, theme: Theme, used: float, token: str, sentence: str) -> None:
        super().__init__()
        self._theme, self._used, self._token = theme, min(1.0, max(0.0, used)), token
        self.setFixedHeight(5)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(sentence)
        self.setToolTip(sentence)

    def sizeHint(self) -> QSize:
        """Override QWidget.sizeHint."""
        return QSize(160, 5)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QWidget.paintEvent."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QRectF(self.rect())
        painter.setBrush(self._theme.colour("line"))
        painter.drawRoundedRect(whole, 2.5, 2.5)
        if self._used > 0:
            painter.setBrush(self._theme.colour(self._token))
            painter.drawRoundedRect(QRectF(0, 0, max(5.0, whole.width() * self._used), 5), 2.5, 2.5)
        painter.end()


_STEP, _WIDTH, _HEIGHT = 12, 9, 14


class RunSquares(QWidget):
    """The last syncs, oldest first; a tooltip and the arrow keys tell each."""

    def __init__(self, theme: Theme, marks: tuple[RunMark, ...], name: str) -> None:
        super().__init__()
        self._theme, self._marks = theme, marks
        self._at = len(marks) - 1
        self.setFixedSize(self.sizeHint())
        self.setAccessibleName(name)
        self.setAccessibleDescription(marks[-1].sentence if marks else tr("No run yet."))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if marks else Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:
        """Override QWidget.sizeHint."""
        return QSize(max(1, len(self._marks)) * _STEP + 2, _HEIGHT + 6)

    def square(self, place: int) -> QRectF:
        """Return where a square is drawn."""
        return QRectF(place * _STEP + 2, 3, _WIDTH, _HEIGHT)

    def event(self, event: QEvent) -> bool:
        """Override QWidget.event."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = max(0, event.pos().x() - 2) // _STEP
            text = self._marks[place].sentence if place < len(self._marks) else ""
            QToolTip.showText(event.globalPos(), tip(text), self)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Override QWidget.keyPressEvent."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None or not self._marks:
            super().keyPressEvent(event)
            return
        self._at = min(len(self._marks) - 1, max(0, self._at + step))
        sentence = self._marks[self._at].sentence
        self.setAccessibleDescription(sentence)
        QToolTip.showText(self.mapToGlobal(self.square(self._at).bottomLeft().toPoint()), tip(sentence), self)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QWidget.paintEvent."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, mark in enumerate(self._marks):
            self._draw(painter, self.square(place), mark)
            if self.hasFocus() and place == self._at:
                painter.setPen(QPen(self._theme.colour("ink"), 1.5))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(self.square(place).adjusted(-1.5, -2, 1.5, 2), 3, 3)
        painter.end()

    def _draw(self, painter: QPainter, box: QRectF, mark: RunMark) -> None:
        colour = self._theme.colour(mark.token)
        if mark.mark == "hollow":
            painter.setPen(QPen(colour, 1.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(0.6, 0.6, -0.6, -0.6), 2, 2)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(box, 2, 2)
        painter.setPen(QPen(self._theme.colour("surface"), 1.4))
        if mark.mark == "bar":
            painter.drawLine(
                QPointF(box.left() + 2.5, box.center().y()), QPointF(box.right() - 2.5, box.center().y())
            )
        elif mark.mark == "cross":
            inner = box.adjusted(2.5, 4.5, -2.5, -4.5)
            painter.drawLine(inner.topLeft(), inner.bottomRight())
            painter.drawLine(inner.topRight(), inner.bottomLeft())
