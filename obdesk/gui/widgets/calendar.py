"""Spans of days by name as bars over months, with a line for today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QEvent, QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from obdesk.gui.widgets.axis import month_marks
from obdesk.gui.widgets.tips import tip

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from obdesk.gui.format import Locale
    from obdesk.gui.theme.theme import Theme

ROW_H, FOOT_H = 22, 22


class Span(Protocol):
    """A named span of days with its colour and the sentence that says the same."""

    @property
    def bank(self) -> str:
        """Return the name at the left."""
        ...

    @property
    def first(self) -> date:
        """Return the first day."""
        ...

    @property
    def last(self) -> date:
        """Return the last day."""
        ...

    @property
    def token(self) -> str:
        """Return the colour's token."""
        ...

    @property
    def sentence(self) -> str:
        """Return the span in words."""
        ...


class SpanCalendar(QWidget):
    """The spans below each other; tooltips and the description say them in words."""

    def __init__(self, theme: Theme, locale: Locale, name: str) -> None:
        super().__init__()
        self._theme, self._locale = theme, locale
        self._spans: tuple[Span, ...] = ()
        self._today: date | None = None
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_spans(self, spans: Sequence[Span], today: date) -> None:
        """Show other spans."""
        self._spans, self._today = tuple(spans), today
        self.setAccessibleDescription(" ".join(span.sentence for span in self._spans))
        self.updateGeometry()
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def sizeHint(self) -> QSize:
        """Override QWidget.sizeHint."""
        return QSize(480, ROW_H * len(self._spans) + FOOT_H)

    def event(self, event: QEvent) -> bool:
        """Override QWidget.event."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = event.pos().y() // ROW_H
            text = self._spans[row].sentence if row < len(self._spans) else ""
            QToolTip.showText(event.globalPos(), tip(text), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QWidget.paintEvent."""
        del event
        if not self._spans or self._today is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.fonts.small)
        metrics = painter.fontMetrics()
        widest = max(metrics.horizontalAdvance(span.bank) for span in self._spans)
        left = min(widest, self.width() // 3) + 16
        first = min(span.first for span in self._spans)
        last = max(self._today, *(span.last for span in self._spans))
        days = max(1, (last - first).days)
        width = self.width() - left - 4

        def x(day: date) -> float:
            return left + width * (day - first).days / days

        bottom = ROW_H * len(self._spans)
        for month in month_marks(first, last, max(2, int(width // 64))):
            painter.setPen(QPen(self._theme.colour("line"), 1))
            painter.drawLine(QLineF(round(x(month)) + 0.5, 0, round(x(month)) + 0.5, bottom))
            text = self._locale.months_short[month.month - 1]
            if x(month) + metrics.horizontalAdvance(text) <= self.width():
                painter.setPen(self._theme.colour("ink_muted"))
                painter.drawText(QRectF(x(month) + 3, bottom + 2, 80, 18), Qt.AlignmentFlag.AlignLeft, text)
        for row, span in enumerate(self._spans):
            painter.setPen(self._theme.colour("ink_muted"))
            name = metrics.elidedText(span.bank, Qt.TextElideMode.ElideMiddle, left - 12)
            painter.drawText(QRectF(0, row * ROW_H, left - 12, ROW_H), Qt.AlignmentFlag.AlignVCenter, name)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour(span.token))
            bar = QRectF(x(span.first), row * ROW_H + 6, max(4.0, x(span.last) - x(span.first)), 10)
            painter.drawRoundedRect(bar, 3, 3)
        painter.setPen(QPen(self._theme.colour("danger"), 1.5))
        painter.drawLine(QLineF(x(self._today), 0, x(self._today), bottom))
        painter.end()
