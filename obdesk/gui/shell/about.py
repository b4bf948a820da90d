"""Which version this is and what it promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from obdesk import __version__
from obdesk.domain.texts import tr
from obdesk.gui.widgets.basics import label

if TYPE_CHECKING:
    from obdesk.gui.theme.theme import Theme


class AboutDialog(QDialog):
    """Name, version, licence."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("About obdesk"))
        self.setMinimumWidth(380)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(24, 20, 24, 16)
        inside.setSpacing(8)
        inside.addWidget(label("obdesk", theme.fonts.title))
        inside.addWidget(label(tr("Version {version}", version=__version__), tone="muted", selectable=True))
        promise = tr(
            "All your bank accounts in one place, on your own computer, with a date on every figure. "
            "Your data is encrypted here and read-only at the bank."
        )
        inside.addWidget(label(promise, wrap=True))
        inside.addWidget(label(tr("Free software under the MIT licence."), tone="muted", wrap=True))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        inside.addWidget(buttons)
