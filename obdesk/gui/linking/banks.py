"""The left side: search, country, the banks, and what linking allows in two sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLocale, QObject, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QComboBox, QFrame, QLineEdit, QListView, QStackedWidget, QVBoxLayout, QWidget

from obdesk.domain.texts import tr
from obdesk.gui.linking.delegate import BankDelegate
from obdesk.gui.linking.model import BankModel
from obdesk.gui.linking.present import bank_rows, countries_of
from obdesk.gui.linking.stages import Target
from obdesk.gui.widgets.basics import button, label, rule
from obdesk.gui.widgets.panels import EmptyState, ErrorPanel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from obdesk.domain.errors import Action, ObdeskError
    from obdesk.domain.remote import Connector
    from obdesk.gui.theme.theme import Theme

WIDTH = 330


class BankPanel(QFrame):
    """Type to narrow, arrows to move, Enter to choose."""

    chosen = Signal(object)
    """Target"""
    explainWanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._connectors: tuple[Connector, ...] = ()
        self._linked: Collection[str] = frozenset()
        self.setObjectName("banks")
        self.setFixedWidth(WIDTH)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search a bank"))
        self.search.setAccessibleName(tr("Search a bank"))
        glass = QAction(theme.icon("magnifying-glass", "ink_muted"), "", self.search)
        self.search.addAction(glass, QLineEdit.ActionPosition.LeadingPosition)
        self.country = QComboBox()
        self.country.setAccessibleName(tr("Country"))
        self.model = BankModel(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(BankDelegate(theme, self.list))
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setAccessibleName(tr("Banks"))
        self.list.viewport().setAutoFillBackground(False)
        self._below = QStackedWidget()
        self._below.addWidget(self.list)
        self._lay_out()
        self.search.textChanged.connect(self._narrow)
        self.search.installEventFilter(self)
        self.list.installEventFilter(self)
        self.country.currentIndexChanged.connect(self._narrow)
        self.list.clicked.connect(lambda index: self._choose(index.row()))
        self.show_waiting()

    def _lay_out(self) -> None:
        inside = QVBoxLayout(self)
        inside.setContentsMargins(16, 18, 16, 14)
        inside.setSpacing(10)
        inside.addWidget(label(tr("Link a bank"), self._theme.fonts.title))
        inside.addWidget(self.search)
        inside.addWidget(self.country)
        inside.addWidget(self._below, 1)
        inside.addWidget(rule())
        words = tr("Read-only access, through Powens. You can end it at any time, here or at your bank.")
        inside.addWidget(label(words, self._theme.fonts.small, tone="muted", wrap=True))
        more = button(tr("What this allows"), self.explainWanted.emit, kind="link")
        inside.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)

    def show_waiting(self) -> None:
        """Say that the list is being fetched."""
        self._put(EmptyState(self._theme, "bank", tr("Asking Powens for the list of banks…")))

    def show_error(self, error: ObdeskError, act: Callable[[Action], object]) -> None:
        """Say why there is no list, with the button that helps."""
        self._put(ErrorPanel(self._theme, error, act))

    def show_banks(self, connectors: Sequence[Connector], linked: Collection[str], country: str) -> None:
        """Show the banks, narrowed to `country` (ISO 3166) when there are any in it."""
        self._connectors, self._linked = tuple(connectors), linked
        countries = countries_of(connectors)
        self.country.blockSignals(True)
        self.country.clear()
        self.country.addItem(tr("All countries"), None)
        for code in countries:
            self.country.addItem(country_name(code), code)
        self.country.setCurrentIndex(max(0, self.country.findData(country)))
        self.country.setVisible(bool(countries))
        self.country.blockSignals(False)
        self._narrow()

    def mark(self, target: Target | None) -> None:
        """Show which bank the right side is about."""
        wanted = None if target is None else target.connector_id
        for number in range(self.model.rowCount()):
            row = self.model.row(number)
            if row is not None and row.connector_id == wanted:
                self.list.setCurrentIndex(self.model.index(number))
                return
        self.list.clearSelection()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Override QObject.eventFilter: one keyboard for the field and the list."""
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if watched is self.search and key in {Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                self._from_search(key)
                return True
            if watched is self.list and key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                self._choose(self.list.currentIndex().row())
                return True
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:
        """Override QFrame.sizeHint."""
        return QSize(WIDTH, 600)

    def _from_search(self, key: int) -> None:
        if key == Qt.Key.Key_Down:
            self.list.setFocus(Qt.FocusReason.TabFocusReason)
            if not self.list.currentIndex().isValid():
                self.list.setCurrentIndex(self.model.index(0))
        else:
            self._choose(0)

    def _narrow(self) -> None:
        rows = bank_rows(self._connectors, self._linked, self.search.text(), self.country.currentData())
        self.model.show_rows(rows)
        if rows:
            self._put(None)
        elif self._connectors:
            words = tr("No bank is called “{text}” here.", text=self.search.text().strip())
            again = (tr("Show all banks"), self._clear)
            self._put(EmptyState(self._theme, "magnifying-glass", words, again))

    def _clear(self) -> None:
        self.country.setCurrentIndex(0)
        self.search.clear()
        self.search.setFocus()

    def _choose(self, number: int) -> None:
        row = self.model.row(number)
        if row is not None:
            self.list.setCurrentIndex(self.model.index(number))
            self.chosen.emit(Target(row.name, connector_id=row.connector_id))

    def _put(self, other: QWidget | None) -> None:
        while self._below.count() > 1:
            if (old := self._below.widget(1)) is not None:
                self._below.removeWidget(old)
                old.deleteLater()
        if other is not None:
            self._below.addWidget(other)
            self._below.setCurrentWidget(other)
        else:
            self._below.setCurrentWidget(self.list)


def country_name(code: str) -> str:
    """Return a country in its own language, as people look for it."""
    territory = QLocale.codeToTerritory(code.upper())
    if territory is QLocale.Country.AnyTerritory:
        return code.upper()
    here = QLocale(QLocale.Language.AnyLanguage, territory)
    return here.nativeTerritoryName() or QLocale.territoryToString(territory)
