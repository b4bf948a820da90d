"""The history of an amount as an area chart: real axes, a read-out under mouse and arrow keys.

Everything it shows can also be had without seeing it: the accessible description tells the ends and the
extremes, and each arrow key tells the day it lands on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from obdesk.domain.texts import tr
from obdesk.gui.format import Locale, compact_money, money, short_date, weekday_date
from obdesk.gui.widgets.axis import Axis, month_marks, value_axis
from obdesk.gui.widgets.money import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent

    from obdesk.domain.entities import NetWorthPoint
    from obdesk.domain.money import Money
    from obdesk.gui.theme.theme import Theme


class _Frame(NamedTuple):
    """The plot's rectangle with its scales."""

    plot: QRectF
    axis: Axis
    first: date
    last: date

    def x(self, day: date) -> float:
        span = max(1, (self.last - self.first).days)
        return self.plot.left() + self.plot.width() * (day - self.first).days / span

    def y(self, minor: int) -> float:
        span = max(1, self.axis.high - self.axis.low)
        return self.plot.bottom() - self.plot.height() * (minor - self.axis.low) / span


class HistoryChart(QWidget):
    """An area chart over days; points are in order of their days and share one currency."""

    def __init__(self, theme: Theme, locale: Locale, name: str) -> None:
        super().__init__()
        self._theme, self._locale = theme, locale
        self._points: tuple[NetWorthPoint, ...] = ()
        self._at: int | None = None
        self._private = self._reading = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(120)
        self.setAccessibleName(name)
        theme.changed.connect(self.update)

    def set_points(self, points: Sequence[NetWorthPoint]) -> None:
        """Show another history."""
        self._points = tuple(points)
        self._at, self._reading = None, False
        self.setAccessibleDescription(self._summary())
        self.update()

    def set_reading(self) -> None:
        """Say nothing about the history while it is on its way."""
        self._reading = True

    def set_private(self, *, private: bool) -> None:
        """Hide amounts: the line stays, the axis and the read-out lose their figures."""
        self._private = private
        self.setAccessibleDescription(self._summary())
        self.update()

    def table(self) -> tuple[tuple[str, str], ...]:
        """Return the same data as rows of date and amount."""
        return tuple((short_date(p.day, self._locale), self._amount(p.amount)) for p in self._points)

    def read_out(self) -> str:
        """Return what is told of the day under the mouse or the keyboard, or nothing."""
        if self._at is None or not self._points:
            return ""
        point = self._points[self._at]
        day = weekday_date(point.day, self._points[-1].day, self._locale)
        return f"{day}  {self._amount(point.amount)}"

    def sizeHint(self) -> QSize:
        """Override QWidget.sizeHint."""
        return QSize(560, 190)

    def _amount(self, amount: Money) -> str:
        return HIDDEN if self._private else money(amount, self._locale)

    def _summary(self) -> str:
        if len(self._points) < 2:
            return tr("There is no history yet.")
        if self._private:
            return tr("Amounts are hidden.")
        first, last = self._points[0], self._points[-1]
        low = min(self._points, key=lambda point: point.amount.amount_minor)
        high = max(self._points, key=lambda point: point.amount.amount_minor)
        return tr(
            "From {first} on {first_day} to {last} on {last_day}; lowest {low} on {low_day}, "
            "highest {high} on {high_day}. Arrow keys tell each day.",
            first=money(first.amount, self._locale),
            first_day=short_date(first.day, self._locale),
            last=money(last.amount, self._locale),
            last_day=short_date(last.day, self._locale),
            low=money(low.amount, self._locale),
            low_day=short_date(low.day, self._locale),
            high=money(high.amount, self._locale),
            high_day=short_date(high.day, self._locale),
        )

    # What the person does

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Override QWidget.mouseMoveEvent."""
        frame = self._frame()
        if frame is None:
            return
        x = event.position().x()
        nearest = min(range(len(self._points)), key=lambda i: abs(frame.x(self._points[i].day) - x))
        self._move_to(nearest)

    def leaveEvent(self, event: QEvent) -> None:
        """Override QWidget.leaveEvent."""
        super().leaveEvent(event)
        if not self.hasFocus():
            self._move_to(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Override QWidget.focusOutEvent."""
        super().focusOutEvent(event)
        self._move_to(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Override QWidget.keyPressEvent."""
        last = len(self._points) - 1
        at = last + 1 if self._at is None else self._at
        goals = {
            Qt.Key.Key_Left: at - 1,
            Qt.Key.Key_Right: at + 1,
            Qt.Key.Key_PageUp: at - 30,
            Qt.Key.Key_PageDown: at + 30,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        goal = goals.get(Qt.Key(event.key()))
        if goal is None or last < 0:
            super().keyPressEvent(event)
            return
        self._move_to(min(last, max(0, goal)))

    def _move_to(self, place: int | None) -> None:
        if place == self._at:
            return
        self._at = place
        if place is not None and self.hasFocus():
            self.setAccessibleDescription(self.read_out())
            told = QAccessibleEvent(self, QAccessible.Event.DescriptionChanged)
            QAccessible.updateAccessibility(told)
        self.update()

    # Painting

    def _frame(self) -> _Frame | None:
        if len(self._points) < 2:
            return None
        values = [point.amount.amount_minor for point in self._points]
        axis = value_axis(values, 10 ** self._points[0].amount.currency.exponent)
        return _Frame(self._plot(axis), axis, self._points[0].day, self._points[-1].day)

    def _plot(self, axis: Axis) -> QRectF:
        room = max((self.fontMetrics().horizontalAdvance(text) for text in self._mark_texts(axis)), default=0)
        return QRectF(4, 8, max(10, self.width() - room - 16), max(10, self.height() - 34))

    def _mark_texts(self, axis: Axis) -> list[str]:
        if self._private:
            return ["" for _mark in axis.marks]
        currency = self._points[0].amount.currency
        made = type(self._points[0].amount)
        return [compact_money(made(mark, currency), self._locale) for mark in axis.marks]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QWidget.paintEvent."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.fonts.small)
        frame = self._frame()
        if frame is None:
            painter.setPen(self._theme.colour("ink_muted"))
            text = "" if self._reading else tr("The history begins with the second day.")
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
        else:
            self._draw_axes(painter, frame)
            self._draw_line(painter, frame)
            self._draw_marker(painter, frame)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()

    def _draw_axes(self, painter: QPainter, frame: _Frame) -> None:
        metrics = painter.fontMetrics()
        for mark, text in zip(frame.axis.marks, self._mark_texts(frame.axis), strict=True):
            y = round(frame.y(mark)) + 0.5
            strong = mark == 0 and frame.axis.low < 0
            painter.setPen(QPen(self._theme.colour("line_strong" if strong else "line"), 1))
            painter.drawLine(QLineF(frame.plot.left(), y, frame.plot.right(), y))
            painter.setPen(self._theme.colour("ink_muted"))
            box = QRectF(frame.plot.right() + 8, y - 10, self.width() - frame.plot.right() - 8, 20)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.setPen(self._theme.colour("ink_muted"))
        for month in month_marks(frame.first, frame.last, max(2, int(frame.plot.width() // 72))):
            text = self._locale.months_short[month.month - 1]
            if month.month == 1:
                text = f"{text} {month.year}"
            x = frame.x(month)
            if x + metrics.horizontalAdvance(text) <= frame.plot.right() + 8:
                painter.drawText(QPointF(x, frame.plot.bottom() + 8 + metrics.ascent()), text)

    def _draw_line(self, painter: QPainter, frame: _Frame) -> None:
        spots = [QPointF(frame.x(p.day), frame.y(p.amount.amount_minor)) for p in self._points]
        line = QPainterPath(spots[0])
        for spot in spots[1:]:
            line.lineTo(spot)
        ground = frame.y(0 if frame.axis.low <= 0 <= frame.axis.high else frame.axis.low)
        area = QPainterPath(line)
        area.lineTo(spots[-1].x(), ground)
        area.lineTo(spots[0].x(), ground)
        area.closeSubpath()
        tint = QColor(self._theme.colour("accent"))
        tint.setAlphaF(0.13)
        painter.fillPath(area, tint)
        pen = QPen(self._theme.colour("accent"), 2)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(line, pen)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("accent"))
        painter.drawEllipse(spots[-1], 3.5, 3.5)

    def _draw_marker(self, painter: QPainter, frame: _Frame) -> None:
        if self._at is None:
            return
        point = self._points[self._at]
        spot = QPointF(frame.x(point.day), frame.y(point.amount.amount_minor))
        painter.setPen(QPen(self._theme.colour("ink_faint"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QLineF(spot.x(), frame.plot.top(), spot.x(), frame.plot.bottom()))
        painter.setPen(QPen(self._theme.colour("surface"), 2))
        painter.setBrush(self._theme.colour("accent"))
        painter.drawEllipse(spot, 5, 5)
        text = self.read_out()
        wide = painter.fontMetrics().horizontalAdvance(text) + 18
        x = min(max(frame.plot.left(), spot.x() - wide / 2), frame.plot.right() - wide)
        box = QRectF(x, frame.plot.top() - 4, wide, painter.fontMetrics().height() + 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("ink"))
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(self._theme.colour("surface"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
