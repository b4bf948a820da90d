"""Every command by its name (Ctrl+K), and every shortcut on one sheet (F1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QObject, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAction,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QShowEvent,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from obdesk.domain.texts import tr
from obdesk.gui.shell.fuzzy import score
from obdesk.gui.widgets.basics import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QPersistentModelIndex

    from obdesk.gui.theme.theme import Theme

ACTION_ROLE = Qt.ItemDataRole.UserRole + 1
KEYS_ROLE = Qt.ItemDataRole.UserRole + 2


def name_of(action: QAction) -> str:
    """Return a command's name without its mnemonic and dots."""
    return action.text().replace("&&", "\0").replace("&", "").replace("\0", "&").rstrip("….")


def keys_of(action: QAction) -> str:
    """Return a command's first shortcut as this system writes it."""
    shortcuts = action.shortcuts()
    return shortcuts[0].toString(QKeySequence.SequenceFormat.NativeText) if shortcuts else ""


class _CommandDelegate(QStyledItemDelegate):
    """A command's name with its shortcut beside it."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Override QStyledItemDelegate.sizeHint."""
        del option, index
        return QSize(200, 34)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Override QStyledItemDelegate.paint."""
        painter.save()
        place = QRect(option.rect)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("accent_soft"))
            painter.drawRoundedRect(QRectF(place).adjusted(2, 1, -2, -1), 6, 6)
        inner = place.adjusted(14, 0, -14, 0)
        painter.setFont(self._theme.fonts.base)
        painter.setPen(self._theme.colour("ink"))
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter, str(index.data()))
        painter.setFont(self._theme.fonts.small)
        painter.setPen(self._theme.colour("ink_muted"))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(inner, right, str(index.data(KEYS_ROLE)))
        painter.restore()


class CommandPalette(QDialog):
    """Type some letters of a command, Enter runs it."""

    def __init__(self, theme: Theme, actions: Sequence[QAction], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("palette")
        self.setWindowTitle(tr("Commands"))
        self.setAccessibleName(tr("Commands"))
        self._actions = [action for action in actions if action.isEnabled() and action.isVisible()]
        self._model = QStandardItemModel(self)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(10, 10, 10, 10)
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("Type a command"))
        self.field.setAccessibleName(tr("Type a command"))
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        inside.addWidget(self.field)
        self.list = QListView()
        self.list.setModel(self._model)
        self.list.setItemDelegate(_CommandDelegate(theme, self))
        self.list.setAccessibleName(tr("Commands"))
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.clicked.connect(self._run)
        inside.addWidget(self.list)
        self._none = label(tr("No command has these letters."), tone="muted")
        self._none.setContentsMargins(14, 8, 14, 8)
        inside.addWidget(self._none)
        self.setFixedWidth(min(520, parent.width() - 40))
        self._filter("")

    def showEvent(self, event: QShowEvent) -> None:
        """Override QDialog.showEvent."""
        super().showEvent(event)
        self.field.setFocus()

    def open_over(self, window: QWidget) -> None:
        """Open below the window's toolbar, in the middle."""
        top = window.mapToGlobal(window.rect().topLeft())
        self.move(top.x() + (window.width() - self.width()) // 2, top.y() + 72)
        self.open()

    def names(self) -> list[str]:
        """Return the commands on the list, best first."""
        return [str(self._model.item(row).text()) for row in range(self._model.rowCount())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Override QObject.eventFilter: arrows move in the list while the letters go to the field."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            rows = self._model.rowCount()
            row = self.list.currentIndex().row()
            match event.key():
                case Qt.Key.Key_Down if rows:
                    self.list.setCurrentIndex(self._model.index((row + 1) % rows, 0))
                    return True
                case Qt.Key.Key_Up if rows:
                    self.list.setCurrentIndex(self._model.index((row - 1) % rows, 0))
                    return True
                case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                    self._run(self.list.currentIndex())
                    return True
        return super().eventFilter(watched, event)

    def _filter(self, typed: str) -> None:
        scored = [(score(typed, name_of(action)), action) for action in self._actions]
        found = [(value, action) for value, action in scored if value is not None]
        if typed:
            found.sort(key=lambda pair: -pair[0])
        self._model.clear()
        for _value, action in found:
            item = QStandardItem(name_of(action))
            item.setData(action, ACTION_ROLE)
            item.setData(keys_of(action), KEYS_ROLE)
            item.setData(f"{name_of(action)} {keys_of(action)}", Qt.ItemDataRole.AccessibleTextRole)
            self._model.appendRow(item)
        self.list.setVisible(bool(found))
        self._none.setVisible(not found)
        self.list.setFixedHeight(min(9, max(1, len(found))) * 34 + 4)
        self.adjustSize()
        if found:
            self.list.setCurrentIndex(self._model.index(0, 0))

    def _run(self, index: QModelIndex) -> None:
        action = index.data(ACTION_ROLE)
        self.close()
        if isinstance(action, QAction):
            action.trigger()


class ShortcutSheet(QDialog):
    """All commands that have a shortcut, in two columns."""

    def __init__(self, theme: Theme, actions: Sequence[QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Keyboard shortcuts"))
        inside = QVBoxLayout(self)
        inside.setContentsMargins(24, 20, 24, 16)
        inside.setSpacing(14)
        inside.addWidget(label(tr("Keyboard shortcuts"), theme.fonts.title))
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(7)
        known = [action for action in actions if action.shortcuts() and action.isVisible()]
        half = -(-len(known) // 2)
        for place, action in enumerate(known):
            row, column = place % half, 2 * (place // half)
            grid.addWidget(label(name_of(action)), row, column)
            keys = " · ".join(k.toString(QKeySequence.SequenceFormat.NativeText) for k in action.shortcuts())
            grid.addWidget(label(keys, theme.fonts.small_strong, tone="muted"), row, column + 1)
        inside.addLayout(grid)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        inside.addWidget(buttons)
