"""The strip below the toolbar: what a refresh does step by step, and how it ended. Never a dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QToolButton, QVBoxLayout, QWidget

from obdesk.domain.texts import tr, trn
from obdesk.gui.widgets.basics import ElidedLabel, button, label
from obdesk.gui.widgets.glyph import StatusGlyph
from obdesk.gui.widgets.status import Glyph
from obdesk.gui.widgets.tips import tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.domain.ids import ConnectionId
    from obdesk.gui.shell.present import SyncLine
    from obdesk.gui.theme.theme import Theme

LINES_MAX = 4
STAYS_MS = 9_000
"""How long good news stays, and what the person called off; a reason stays until it is closed."""
_LEAVES = frozenset({Glyph.FRESH, Glyph.UNKNOWN})


class _Line(QWidget):
    """One connection's line."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        inside = QHBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(8)
        self._glyph = StatusGlyph(theme)
        self._text = ElidedLabel("", theme.fonts.base)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(140)
        self._bar.setAccessibleName(tr("Progress"))
        inside.addWidget(self._glyph)
        inside.addWidget(self._text, 1)
        inside.addWidget(self._bar)

    def show_line(self, line: SyncLine) -> None:
        """Show a state."""
        self._glyph.set_glyph(line.glyph)
        self._text.set_whole(line.text)
        self._bar.setVisible(line.running)
        if line.share is None:
            self._bar.setRange(0, 0)
        else:
            self._bar.setRange(0, 1000)
            self._bar.setValue(round(line.share * 1000))

    def text(self) -> str:
        """Return what is said."""
        return self._text.whole


class ProgressStrip(QFrame):
    """Lines for the syncs a person should see; it comes and goes without moving the focus."""

    closed = Signal()
    cancel_wanted = Signal(object)
    """tuple[ConnectionId, ...]: whose syncs are to be called off."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "progress")
        self.setAccessibleName(tr("Refresh"))
        outside = QHBoxLayout(self)
        outside.setContentsMargins(20, 8, 12, 8)
        self._box = QVBoxLayout()
        self._box.setSpacing(4)
        outside.addLayout(self._box, 1)
        self._lines = [_Line(theme) for _place in range(LINES_MAX)]
        for each in self._lines:
            self._box.addWidget(each)
        self._more = label("", theme.fonts.small, tone="muted")
        self._box.addWidget(self._more)
        self._cancel = button(tr("Cancel"), self._ask_to_cancel, name=tr("Cancel the refresh"))
        self._cancel.setToolTip(tip(tr("Nothing is changed; each bank is asked again by its schedule.")))
        outside.addWidget(self._cancel)
        close = QToolButton()
        close.setIcon(theme.icon("x", "ink_muted"))
        close.setAccessibleName(tr("Close"))
        close.setToolTip(tr("Close"))
        close.clicked.connect(self._dismiss)
        outside.addWidget(close)
        self._shown: dict[ConnectionId, SyncLine] = {}
        self._cancelling: set[ConnectionId] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(STAYS_MS)
        self._timer.timeout.connect(self._dismiss)
        self.hide()

    def begin(self, lines: Sequence[SyncLine]) -> None:
        """Show running syncs; those that ended before and belong to an older refresh leave."""
        if not any(line.running for line in self._shown.values()):
            self._shown.clear()
        for line in lines:
            before = self._shown.get(line.connection_id)
            if before is None or not before.running:
                self._cancelling.discard(line.connection_id)
            self._shown[line.connection_id] = line
        self._timer.stop()
        self._draw()

    def watches(self, connection_id: ConnectionId) -> bool:
        """Tell whether a connection has a line here."""
        return connection_id in self._shown

    def end(self, line: SyncLine) -> None:
        """Show how a sync ended; good news leaves by itself when all have ended."""
        self._shown[line.connection_id] = line
        self._draw()
        if not any(other.running for other in self._shown.values()):
            if all(other.glyph in _LEAVES for other in self._shown.values()):
                self._timer.start()
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def drop(self, connections: Sequence[ConnectionId]) -> None:
        """Let go of syncs that came to nothing, so that none seems to run for ever."""
        for each in connections:
            self._shown.pop(each, None)
        self._draw()

    def texts(self) -> list[str]:
        """Return the visible lines."""
        return [each.text() for each in self._lines if not each.isHidden()]

    def _ask_to_cancel(self) -> None:
        wanted = tuple(self._running())
        self._cancelling.update(wanted)
        self._draw()
        self.cancel_wanted.emit(wanted)

    def _running(self) -> list[ConnectionId]:
        return [each for each, line in self._shown.items() if line.running]

    def _dismiss(self) -> None:
        self._timer.stop()
        self._shown.clear()
        self.hide()
        self.closed.emit()

    def _draw(self) -> None:
        # Running ones first, then bad news: what can be seen should be what matters.
        order = sorted(self._shown.values(), key=lambda each: (not each.running, each.glyph is Glyph.FRESH))
        for place, shown in enumerate(self._lines):
            shown.setVisible(place < len(order))
            if place < len(order):
                shown.show_line(order[place])
        left_over = len(order) - LINES_MAX
        self._more.setVisible(left_over > 0)
        if left_over > 0:
            self._more.setText(trn("and {n} more bank", "and {n} more banks", left_over))
        running = self._running()
        self._cancel.setVisible(bool(running))
        self._cancel.setEnabled(not self._cancelling.issuperset(running))
        self.setAccessibleDescription(" ".join(line.text for line in order))
        self.setVisible(bool(order))
