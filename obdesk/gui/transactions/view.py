"""The screen's widgets in their places: the filter bar over the list, the inspector beside it or over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from obdesk.gui.transactions.inspector import WIDTH
from obdesk.gui.widgets.panels import EmptyState

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QSettings

    from obdesk.gui.theme.theme import Theme
    from obdesk.gui.transactions.filterbar import FilterBar
    from obdesk.gui.transactions.inspector import Inspector
    from obdesk.gui.transactions.table import TransactionsTable


class TransactionsView(QWidget):
    """Bar, list and inspector; in a narrow window the inspector lies over the list."""

    def __init__(self, theme: Theme, bar: FilterBar, table: TransactionsTable, inspector: Inspector) -> None:
        super().__init__()
        self._theme, self._table, self._inspector = theme, table, inspector
        self._narrow = False
        self._wanted_open = self._wanted_beside = False
        self._empty: EmptyState | None = None
        self.setObjectName("content")
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(table, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(left)
        # The panel moves between this frame and the view itself; a splitter's own child must not move.
        self._beside = QWidget()
        self._beside.setMinimumWidth(inspector.minimumWidth())
        room = QVBoxLayout(self._beside)
        room.setContentsMargins(0, 0, 0, 0)
        room.addWidget(inspector)
        self.splitter.addWidget(self._beside)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([4 * WIDTH, WIDTH])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.splitter)
        self.setFocusProxy(table)
        table.viewport().installEventFilter(self)
        self.set_inspector_open(wanted=True)

    @property
    def inspector_open(self) -> bool:
        """Tell whether the person wants to see the inspector."""
        return self._wanted_open

    @property
    def narrow(self) -> bool:
        """Tell whether the inspector lies over the list."""
        return self._narrow

    def set_inspector_open(self, *, wanted: bool) -> None:
        """Show the inspector or put it away."""
        self._wanted_open = wanted
        self._inspector.setVisible(wanted)
        self._beside.setVisible(wanted and not self._narrow)
        self._place_overlay()

    def set_narrow(self, *, narrow: bool) -> None:
        """Lay the inspector over the list, or put it beside it again."""
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self._inspector.setProperty("overlay", narrow)
        room = self._beside.layout()
        assert room is not None
        if narrow:
            self._wanted_beside = self._wanted_open
            room.removeWidget(self._inspector)
            self._inspector.setParent(self)
            self.set_inspector_open(wanted=False)
        else:
            room.addWidget(self._inspector)
            self.set_inspector_open(wanted=self._wanted_beside or self._wanted_open)

    def show_empty(self, icon: str, sentence: str, action: tuple[str, Callable[[], object]] | None) -> None:
        """Say in the middle of the list why it is empty."""
        self.hide_empty()
        self._empty = EmptyState(self._theme, icon, sentence, action)
        self._empty.setParent(self._table.viewport())
        self._empty.setGeometry(self._table.viewport().rect())
        self._empty.show()

    def hide_empty(self) -> None:
        """Take the sentence away; there are rows."""
        if self._empty is not None:
            self._empty.hide()
            self._empty.deleteLater()
            self._empty = None

    @property
    def empty(self) -> EmptyState | None:
        """Return what stands where rows would, or None."""
        return self._empty

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Override QObject.eventFilter: the empty state is as large as the list."""
        if event.type() == QEvent.Type.Resize:
            if self._empty is not None:
                self._empty.setGeometry(self._table.viewport().rect())
            self._place_overlay()
        return super().eventFilter(watched, event)

    def _place_overlay(self) -> None:
        if self._narrow and self._wanted_open:
            width = min(WIDTH, self.width())
            self._inspector.setGeometry(self.width() - width, 0, width, self.height())
            self._inspector.raise_()

    def save(self, settings: QSettings, group: str) -> None:
        """Keep the widths and whether the inspector is open."""
        if not self._narrow:
            settings.setValue(f"{group}/splitter", self.splitter.saveState())
            settings.setValue(f"{group}/inspector", self._wanted_open)

    def restore(self, settings: QSettings, group: str) -> None:
        """Take back what `save` kept."""
        kept = settings.value(f"{group}/splitter")
        if isinstance(kept, QByteArray):
            self.splitter.restoreState(kept)
        self.set_inspector_open(wanted=settings.value(f"{group}/inspector", True, bool) is True)
