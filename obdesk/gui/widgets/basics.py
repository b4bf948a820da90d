"""Small parts of which screens are made: labels, buttons, cards, pills, rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from obdesk.gui.widgets.tips import tip

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QFont, QPaintEvent, QResizeEvent
    from PySide6.QtWidgets import QLayout

    from obdesk.gui.theme.theme import Theme


def label(
    text: str = "",
    font: QFont | None = None,
    *,
    tone: str = "",
    wrap: bool = False,
    selectable: bool = False,
) -> QLabel:
    """Return a label of plain text: words of a bank must never be read as mark-up."""
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setText(text)
    if font is not None:
        made.setFont(font)
    if tone:
        made.setProperty("tone", tone)
    made.setWordWrap(wrap)
    if selectable:
        made.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return made


def retone(widget: QWidget, tone: str) -> None:
    """Change the tone of a label or pill that is already shown."""
    if widget.property("tone") == tone:
        return
    widget.setProperty("tone", tone)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def button(
    text: str, on_click: Callable[[], object] | None = None, *, kind: str = "", name: str = ""
) -> QPushButton:
    """Return a push button; `kind` is "primary", "ghost", "link", "danger" or plain, `name` for readers."""
    made = QPushButton(text.replace("&", "&&"))
    if kind:
        made.setProperty("kind", kind)
    made.setAccessibleName(name or text)
    made.setAutoDefault(False)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    if on_click is not None:
        made.clicked.connect(lambda _checked=False: on_click())
    return made


class Card(QFrame):
    """A raised panel with room inside; `edge` names the token of a coloured left side."""

    def __init__(
        self, theme: Theme | None = None, *, edge: str = "", name: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._theme, self._edge = theme, edge
        if name:
            self.setAccessibleName(name)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(18, 16, 18, 16)
        self.body.setSpacing(8)

    def set_edge(self, edge: str) -> None:
        """Colour the left side, or leave it plain."""
        self._edge = edge
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QFrame.paintEvent."""
        super().paintEvent(event)
        if not self._edge or self._theme is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(self.rect()), 10, 10)
        painter.setClipPath(shape)
        painter.fillRect(QRectF(0, 0, 4, self.height()), self._theme.colour(self._edge))
        painter.end()


def clear(box: QLayout) -> None:
    """Take everything out of a layout and let go of it."""
    while (item := box.takeAt(0)) is not None:
        if (inner := item.layout()) is not None:
            clear(inner)
        if (old := item.widget()) is not None:
            old.hide()
            old.deleteLater()


def rule() -> QFrame:
    """Return a hairline."""
    line = QFrame()
    line.setProperty("role", "rule")
    line.setFixedHeight(1)
    return line


class Pill(QLabel):
    """A short word on a soft ground of its tone."""

    def __init__(self, theme: Theme, text: str, tone: str = "muted", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "pill")
        self.setProperty("tone", tone)
        self.setFont(theme.fonts.small_strong)
        self.setText(text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)


class ElidedLabel(QLabel):
    """A label that shortens its text to the room it has; the whole text is its tooltip and name."""

    def __init__(
        self,
        text: str = "",
        font: QFont | None = None,
        *,
        tone: str = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._whole = ""
        self._mode = mode
        if font is not None:
            self.setFont(font)
        if tone:
            self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.set_whole(text)

    @property
    def whole(self) -> str:
        """Return the text before shortening."""
        return self._whole

    def set_whole(self, text: str) -> None:
        """Show another text."""
        self._whole = text
        self.setAccessibleName(text)
        self._fit()
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """Override QLabel.minimumSizeHint."""
        return QSize(24, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """Override QLabel.sizeHint."""
        wanted = self.fontMetrics().horizontalAdvance(self._whole) + 2
        return QSize(wanted, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Override QLabel.resizeEvent."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, self._mode, max(0, self.width()))
        if shown != self.text():
            self.setText(shown)
        self.setToolTip(tip(self._whole) if shown != self._whole else "")
