"""The pop-up in which a filter is put together; every change is seen in the list at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, QRect, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QComboBox,
    QDateEdit,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QWidget,
)

from obdesk.domain.entities import TransactionState
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.ids import AccountId
from obdesk.domain.texts import tr
from obdesk.gui.widgets.basics import label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtGui import QPaintEvent

    from obdesk.gui.format import Locale
    from obdesk.gui.theme.theme import Theme

_BETWEEN = 6
_ACCOUNTS_SHOWN_MAX = 7
_ID = Qt.ItemDataRole.UserRole


def spans(today: date) -> tuple[tuple[date, date] | None, ...]:
    """Return the periods offered by name, in the order of the box: any time first."""
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    return (
        None,
        (month, _month_end(month)),
        (before, month - timedelta(days=1)),
        (today - timedelta(days=89), today),
        (date(today.year, 1, 1), date(today.year, 12, 31)),
        (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    )


def _month_end(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def amount_of(typed: str) -> Decimal | None:
    """Return what was typed as an amount in major units; nothing, or nonsense, is no limit."""
    plain = "".join(typed.split()).replace("\N{NARROW NO-BREAK SPACE}", "").replace(",", ".")
    try:
        amount = Decimal(plain) if plain else None
    except InvalidOperation:
        return None
    return abs(amount) if amount is not None and amount.is_finite() and amount.adjusted() < 13 else None


class _Choice(QComboBox):
    """A combo box with the arrow of the program's own icons."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QComboBox.paintEvent."""
        super().paintEvent(event)
        _paint_caret(self, self._theme)


class _Day(QDateEdit):
    """A date with the arrow of the program's own icons, which opens a calendar."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setCalendarPopup(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QDateEdit.paintEvent."""
        super().paintEvent(event)
        _paint_caret(self, self._theme)


def _paint_caret(widget: QWidget, theme: Theme) -> None:
    painter = QPainter(widget)
    icon = theme.icon("caret-down", "ink_muted" if widget.isEnabled() else "line_strong")
    icon.paint(painter, QRect(widget.width() - 22, (widget.height() - 13) // 2, 13, 13))
    painter.end()


def _qt_format(pattern: str) -> str:
    """Return our date pattern as Qt writes it."""
    for ours, theirs in (("{day:02}", "dd"), ("{month:02}", "MM"), ("{day}", "d"), ("{month}", "M")):
        pattern = pattern.replace(ours, theirs)
    return pattern.replace("{year}", "yyyy")


class FilterPanel(QFrame):
    """`changed` carries the filter as it now stands; text and sort are not its business."""

    changed = Signal(object)

    def __init__(self, theme: Theme, locale: Locale, today: date, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._theme, self._locale, self._today = theme, locale, today
        self._wanted = TransactionFilter()
        self._filling = False
        self.setObjectName("filterpanel")
        self.setAccessibleName(tr("Filter"))
        self._make_parts()
        form = QFormLayout(self)
        form.setContentsMargins(16, 14, 16, 14)
        form.setSpacing(9)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows: tuple[tuple[str, QWidget], ...] = (
            (tr("Accounts"), self._accounts),
            (tr("Dates"), self._dates),
            ("", _beside(self._first, self._last)),
            (tr("State"), self._state),
            (tr("Category"), self._category),
            (tr("Amount"), _beside(self._low, self._high)),
        )
        for name, field in rows:
            form.addRow(label(name), field)
        self.setMinimumWidth(400)
        self._listen()

    def _make_parts(self) -> None:
        self._accounts = QListWidget()
        self._accounts.setAccessibleName(tr("Accounts"))
        self._dates = _Choice(self._theme)
        self._dates.addItems([
            tr("Any time"), tr("This month"), tr("Last month"), tr("Last 90 days"),
            tr("This year"), tr("Last year"), tr("Between…"),
        ])  # fmt: skip
        self._first, self._last = _Day(self._theme), _Day(self._theme)
        for field, name in ((self._first, tr("First day")), (self._last, tr("Last day"))):
            field.setDisplayFormat(_qt_format(self._locale.short_date_pattern))
            field.setEnabled(False)
            field.setAccessibleName(name)
            field.setDate(QDate(self._today.year, self._today.month, self._today.day))
        self._state = _Choice(self._theme)
        self._state.addItem(tr("Booked and pending"), None)
        self._state.addItem(tr("Only booked"), TransactionState.BOOKED.value)
        self._state.addItem(tr("Only pending"), TransactionState.PENDING.value)
        self._category = _Choice(self._theme)
        named = ((self._dates, tr("Dates")), (self._state, tr("State")), (self._category, tr("Category")))
        for box, name in named:
            box.setAccessibleName(name)
        self._low, self._high = QLineEdit(), QLineEdit()
        self._low.setPlaceholderText(tr("at least"))
        self._high.setPlaceholderText(tr("at most"))
        self._low.setAccessibleName(tr("Amount at least"))
        self._high.setAccessibleName(tr("Amount at most"))
        self.set_categories(())

    def _listen(self) -> None:
        self._accounts.itemChanged.connect(self._say)
        for box in (self._dates, self._state, self._category):
            box.currentIndexChanged.connect(self._say)
        for field in (self._first, self._last):
            field.dateChanged.connect(self._say)
        for line in (self._low, self._high):
            line.textEdited.connect(self._say)

    def set_accounts(self, accounts: Mapping[AccountId, str]) -> None:
        """Offer these accounts."""
        self._filling = True
        self._accounts.clear()
        for identity, name in accounts.items():
            item = QListWidgetItem(name)
            item.setData(_ID, int(identity))
            chosen = identity in self._wanted.accounts
            item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
            self._accounts.addItem(item)
        rows = min(max(1, len(accounts)), _ACCOUNTS_SHOWN_MAX)
        self._accounts.setFixedHeight(rows * max(22, self._accounts.sizeHintForRow(0)) + 8)
        self._filling = False

    def set_categories(self, categories: Sequence[str]) -> None:
        """Offer these categories."""
        self._filling = True
        self._category.clear()
        self._category.addItem(tr("Any category"), None)
        self._category.addItem(tr("Without a category"), "")
        for name in categories:
            self._category.addItem(name, name)
        self._choose_category(self._wanted.category)
        self._filling = False

    def show_filter(self, wanted: TransactionFilter) -> None:
        """Show a filter that came from elsewhere."""
        if wanted == self._wanted:
            return
        self._filling = True
        self._wanted = wanted
        for place in range(self._accounts.count()):
            item = self._accounts.item(place)
            chosen = item.data(_ID) in wanted.accounts
            item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
        self._show_dates(wanted.date_from, wanted.date_to)
        self._state.setCurrentIndex(
            max(0, self._state.findData(wanted.state.value if wanted.state else None))
        )
        self._choose_category(wanted.category)
        for line, amount in ((self._low, wanted.amount_at_least), (self._high, wanted.amount_at_most)):
            if amount_of(line.text()) != amount:
                line.setText("" if amount is None else f"{amount:f}".replace(".", self._locale.decimal))
        self._filling = False

    def _show_dates(self, first: date | None, last: date | None) -> None:
        known = spans(self._today)
        span = None if first is None and last is None else (first, last)
        place = known.index(span) if span in known else _BETWEEN
        self._dates.setCurrentIndex(place)
        for field, day in ((self._first, first), (self._last, last)):
            if day is not None:
                field.setDate(QDate(day.year, day.month, day.day))
            field.setEnabled(place == _BETWEEN)

    def _choose_category(self, category: str | None) -> None:
        place = self._category.findData(category)
        if place < 0:
            self._category.addItem(str(category), category)
            place = self._category.count() - 1
        self._category.setCurrentIndex(place)

    def _say(self) -> None:
        if self._filling:
            return
        place = self._dates.currentIndex()
        for field in (self._first, self._last):
            field.setEnabled(place == _BETWEEN)
        span = self._between() if place == _BETWEEN else spans(self._today)[place]
        state = self._state.currentData()
        items = (self._accounts.item(row) for row in range(self._accounts.count()))
        self._wanted = replace(
            self._wanted,
            accounts=frozenset(
                AccountId(item.data(_ID)) for item in items if item.checkState() is Qt.CheckState.Checked
            ),
            date_from=span[0] if span else None,
            date_to=span[1] if span else None,
            state=None if state is None else TransactionState(state),
            category=self._category.currentData(),
            amount_at_least=amount_of(self._low.text()),
            amount_at_most=amount_of(self._high.text()),
        )
        self.changed.emit(self._wanted)

    def _between(self) -> tuple[date, date]:
        first, last = (_day(field.date()) for field in (self._first, self._last))
        return min(first, last), max(first, last)


def _day(day: QDate) -> date:
    return date(day.year(), day.month(), day.day())


def _beside(one: QWidget, other: QWidget) -> QWidget:
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(one)
    row.addWidget(other)
    return both
