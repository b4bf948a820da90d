"""The bar above the list: what narrows it as chips that can be taken away, and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from obdesk.domain.texts import tr
from obdesk.gui.transactions.filterpanel import FilterPanel
from obdesk.gui.transactions.filters import Part, chips, without
from obdesk.gui.widgets.basics import button, label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from obdesk.domain.filters import TransactionFilter
    from obdesk.domain.ids import AccountId
    from obdesk.gui.format import Locale
    from obdesk.gui.theme.theme import Theme
    from obdesk.gui.transactions.filters import Chip


class FilterBar(QFrame):
    """`taken_away` carries the Part of a chip, `changed` a whole filter from the panel."""

    taken_away = Signal(object)
    changed = Signal(object)
    cleared = Signal()

    def __init__(self, theme: Theme, locale: Locale, today: date) -> None:
        super().__init__()
        self._theme, self._locale = theme, locale
        self._accounts: Mapping[AccountId, str] = {}
        self._shown: list[QWidget] = []
        self._said: tuple[Chip, ...] = ()
        self.setObjectName("filterbar")
        self.panel = FilterPanel(theme, locale, today, self)
        self.panel.changed.connect(self.changed)
        self._open = QToolButton()
        self._open.setProperty("kind", "plain")
        self._open.setText(f" {tr('Filter')}")
        self._open.setIcon(theme.icon("funnel", "ink_muted"))
        self._open.setIconSize(QSize(15, 15))
        self._open.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._open.setAccessibleName(tr("Filter by account, date, state, category or amount"))
        self._open.clicked.connect(self.open_panel)
        # Many chips are cut off rather than let the bar push the rest of the window aside.
        room = QWidget()
        room.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._chips = QHBoxLayout(room)
        self._chips.setContentsMargins(0, 0, 0, 0)
        self._chips.setSpacing(6)
        self._chips.addStretch(1)
        self._clear = button(tr("Clear filter"), self.cleared.emit, kind="ghost")
        self._found = label("", tone="muted")
        inside = QHBoxLayout(self)
        inside.setContentsMargins(12, 5, 18, 5)
        inside.setSpacing(8)
        inside.addWidget(self._open)
        inside.addWidget(room, 1)
        inside.addWidget(self._clear)
        inside.addWidget(self._found)
        self._clear.hide()

    def set_accounts(self, accounts: Mapping[AccountId, str]) -> None:
        """Know the accounts by name."""
        self._accounts = accounts
        self.panel.set_accounts(accounts)

    def set_categories(self, categories: Sequence[str]) -> None:
        """Know the categories in use."""
        self.panel.set_categories(categories)

    def show_filter(self, wanted: TransactionFilter) -> None:
        """Show a filter as chips."""
        self._clear.setVisible(wanted.narrows)
        # The words that are looked for stand in the search field, with a cross of their own.
        wanted_chips = chips(without(wanted, Part.TEXT), self._accounts, self._locale)
        if wanted_chips == self._said:
            return
        self._said = wanted_chips
        for old in self._shown:
            old.hide()
            old.deleteLater()
        self._shown = [self._chip(chip.part, chip.text) for chip in wanted_chips]
        for place, chip in enumerate(self._shown):
            self._chips.insertWidget(place, chip)

    def _chip(self, part: Part, text: str) -> QWidget:
        made = QToolButton()
        made.setProperty("kind", "chip")
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, 220)
        made.setText(shown.replace("&", "&&"))
        made.setIcon(self._theme.icon("x", "accent"))
        made.setIconSize(QSize(11, 11))
        made.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        made.setToolTip(tr("Remove this filter"))
        made.setAccessibleName(tr("Remove the filter {name}", name=text))
        made.clicked.connect(lambda: self.taken_away.emit(part))
        return made

    def show_found(self, sentence: str, age: str) -> None:
        """Say how many rows there are and what they add up to; `age` is the date of the oldest part."""
        self._found.setText(sentence)
        self._found.setToolTip(age)
        self._found.setAccessibleDescription(age)

    def open_panel(self) -> None:
        """Show the panel below its button."""
        self.panel.adjustSize()
        self.panel.move(self._open.mapToGlobal(QPoint(0, self._open.height() + 4)))
        self.panel.show()
        self.panel.setFocus()
