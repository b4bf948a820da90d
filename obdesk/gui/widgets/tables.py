"""A table all of whose lines are seen: the page scrolls, not the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableView

if TYPE_CHECKING:
    from PySide6.QtCore import QAbstractItemModel, QModelIndex
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QStyledItemDelegate

    from obdesk.gui.theme.theme import Theme

GLYPH_WIDTH = 30
"""Of the first column, which holds a glyph only."""


class WholeTable(QTableView):
    """Lines of one height, the first column for a glyph; Enter or a double click opens one."""

    line_opened = Signal(int)
    """The row of a line."""

    def __init__(
        self,
        theme: Theme,
        model: QAbstractItemModel,
        delegate: QStyledItemDelegate,
        *,
        name: str,
        line_height: int,
        stretched: int | None = None,
    ) -> None:
        super().__init__()
        self._line_height = line_height
        self.setModel(model)
        self.setItemDelegate(delegate)
        delegate.setParent(self)
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(line_height)
        self._lay_out_header(theme, stretched)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.doubleClicked.connect(self._open)
        theme.changed.connect(self.viewport().update)

    def _lay_out_header(self, theme: Theme, stretched: int | None) -> None:
        header = self.horizontalHeader()
        header.setFont(theme.fonts.small_strong)
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(26)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        if stretched is not None:
            header.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(0, GLYPH_WIDTH)

    def fit(self, lines: int) -> None:
        """Take the height of some lines."""
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + self._line_height * lines + 2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Override QTableView.keyPressEvent."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.line_opened.emit(index.row())
