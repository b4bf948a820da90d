"""Amounts as labels: right-aligned, tabular, and blurred while the person wants privacy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from obdesk.domain.texts import tr
from obdesk.gui.widgets.basics import retone

if TYPE_CHECKING:
    from PySide6.QtGui import QFont

HIDDEN = "•" * 5
"""What stands for an amount while amounts are hidden: as long for a million as for a cent."""


class MoneyLabel(QLabel):
    """One amount, already formatted; its accessible name follows what is on screen."""

    def __init__(
        self, text: str = "", font: QFont | None = None, *, tone: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if font is not None:
            self.setFont(font)
        if tone:
            self.setProperty("tone", tone)
        self._amount = text
        self._private = False
        self._show()

    def set_amount(self, text: str, *, tone: str | None = None) -> None:
        """Show another amount."""
        self._amount = text
        if tone is not None:
            retone(self, tone)
        self._show()

    def set_private(self, *, private: bool) -> None:
        """Hide the amount or show it again."""
        self._private = private
        self._show()

    def _show(self) -> None:
        shown = HIDDEN if self._private else self._amount
        self.setText(shown)
        self.setAccessibleName(tr("amount hidden") if self._private else self._amount)
