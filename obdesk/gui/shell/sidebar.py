"""The left side of the window: the sections, then the accounts by bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QPainter
from PySide6.QtWidgets import QFrame, QMenu, QSizePolicy, QToolButton, QTreeView, QVBoxLayout, QWidget

from obdesk.domain.texts import tr
from obdesk.gui.shell.delegate import AccountDelegate
from obdesk.gui.shell.model import AccountsModel
from obdesk.gui.shell.present import AccountGroup, AccountRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QKeyEvent, QPaintEvent

    from obdesk.domain.ids import AccountId
    from obdesk.gui.shell.sections import Section
    from obdesk.gui.theme.theme import Theme

MINIMUM_WIDTH = 224
"""Room for a short name beside a six-figure balance: a figure is never cut."""


class SectionButton(QToolButton):
    """One section: icon and name, marked while it is in front."""

    def __init__(self, theme: Theme, section: Section, shortcut: str) -> None:
        super().__init__()
        self._theme = theme
        self.key = section.key
        self._icon_name = section.icon
        self.setCheckable(True)
        self.setText(section.title.replace("&", "&&"))
        self.setAccessibleName(section.title)
        self.setToolTip(f"{section.title} ({shortcut})")
        self.setFixedHeight(32)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setIconSize(QSize(17, 17))
        self.setFont(theme.fonts.base)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """Override QWidget.sizeHint."""
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 60, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Override QWidget.paintEvent."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill = "accent_soft" if self.isChecked() else "hover" if self.underMouse() else ""
        if fill:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour(fill))
            painter.drawRoundedRect(self.rect(), 6, 6)
        if self.hasFocus():
            painter.setPen(self._theme.colour("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 6, 6)
        ink = "accent" if self.isChecked() else "ink"
        icon_place = self.rect().adjusted(10, 0, 0, 0)
        icon_place.setWidth(17)
        icon_place.setTop((self.height() - 17) // 2)
        icon_place.setHeight(17)
        self._theme.icon(self._icon_name, ink).paint(painter, icon_place)
        painter.setFont(self._theme.fonts.strong if self.isChecked() else self._theme.fonts.base)
        painter.setPen(self._theme.colour(ink))
        words = self.rect().adjusted(37, 0, -8, 0)
        painter.drawText(
            words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.accessibleName()
        )
        painter.end()


class AccountsView(QTreeView):
    """The accounts; Enter or a click opens one, headings fold."""

    opened = Signal(object)
    """AccountId"""
    refresh_wanted = Signal(object)
    """AccountId"""
    rename_wanted = Signal(object)
    """AccountId"""
    counting_wanted = Signal(object, bool)
    important_wanted = Signal(object, bool)
    """AccountId, and whether it counts in net worth from now on"""

    def __init__(self, theme: Theme, model: AccountsModel) -> None:
        super().__init__()
        self.setObjectName("accounts")
        self.setAccessibleName(tr("Accounts"))
        self._accounts = model
        self._folded: set[str] = {"closed"}
        self.setModel(model)
        self.painter_of_rows = AccountDelegate(theme, self)
        self.setItemDelegate(self.painter_of_rows)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setMouseTracking(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.setExpandsOnDoubleClick(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        self.clicked.connect(self._click)
        model.modelReset.connect(self._unfold)
        self.expanded.connect(lambda index: self._remember(index, folded=False))
        self.collapsed.connect(lambda index: self._remember(index, folded=True))
        theme.changed.connect(self.viewport().update)

    def current_account(self) -> AccountId | None:
        """Return the account the person stands on."""
        item = self._accounts.item(self.currentIndex())
        return item.account_id if isinstance(item, AccountRow) else None

    def mark(self, account_id: AccountId | None) -> None:
        """Mark an account as the one in front, or none."""
        index = self._accounts.find(account_id) if account_id is not None else QModelIndex()
        if index.isValid():
            self.setCurrentIndex(index)
        else:
            self.clearSelection()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Override QTreeView.keyPressEvent."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self._click(self.currentIndex())
            return
        if event.key() == Qt.Key.Key_F10 and event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            self._menu(self.visualRect(self.currentIndex()).center())
            return
        super().keyPressEvent(event)

    def drawBranches(self, *_unused: object) -> None:
        """Override QTreeView.drawBranches: the delegate draws the caret."""

    def _click(self, index: QModelIndex) -> None:
        match self._accounts.item(index):
            case AccountGroup():
                self.setExpanded(index, not self.isExpanded(index))
            case AccountRow() as row:
                self.opened.emit(row.account_id)
            case None:
                pass

    def _menu(self, where: QPoint) -> None:
        row = self._accounts.item(self.indexAt(where))
        if not isinstance(row, AccountRow):
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        show = QAction(tr("Show transactions"), menu)
        show.triggered.connect(lambda: self.opened.emit(row.account_id))
        refresh = QAction(tr("Refresh this account"), menu)
        refresh.triggered.connect(lambda: self.refresh_wanted.emit(row.account_id))
        rename = QAction(tr("Rename…"), menu)
        rename.triggered.connect(lambda: self.rename_wanted.emit(row.account_id))
        counts = QAction(tr("Counts in net worth"), menu)
        counts.setCheckable(True)
        counts.setChecked(row.in_net_worth)
        counts.triggered.connect(lambda on: self.counting_wanted.emit(row.account_id, on))
        important = QAction(tr("Important: checked before others"), menu)
        important.setCheckable(True)
        important.setChecked(row.important)
        important.triggered.connect(lambda on: self.important_wanted.emit(row.account_id, on))
        menu.addActions([show, refresh])
        menu.addSeparator()
        menu.addActions([rename, counts, important])
        menu.popup(self.viewport().mapToGlobal(where))

    def _unfold(self) -> None:
        for place in range(self._accounts.rowCount()):
            wanted = self._accounts.group(place).key not in self._folded
            self.setExpanded(self._accounts.index(place, 0), wanted)

    def _remember(self, index: QModelIndex, *, folded: bool) -> None:
        group = self._accounts.item(index)
        if isinstance(group, AccountGroup):
            (self._folded.add if folded else self._folded.discard)(group.key)


class Sidebar(QWidget):
    """Sections on top, accounts below, "Link a bank" at the foot."""

    section_wanted = Signal(str)
    link_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(MINIMUM_WIDTH)
        self.setMaximumWidth(360)
        self._theme = theme
        self._buttons: dict[str, SectionButton] = {}
        self.model = AccountsModel(self)
        self.accounts = AccountsView(theme, self.model)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(10, 12, 10, 10)
        inside.setSpacing(0)
        self._sections = QVBoxLayout()
        self._sections.setSpacing(0)
        inside.addLayout(self._sections)
        inside.addSpacing(2)
        inside.addWidget(self.accounts, 1)
        self._link = _LinkButton(theme)
        self._link.clicked.connect(self.link_wanted)
        inside.addWidget(self._link)

    def add_section(self, section: Section, shortcut: str) -> None:
        """Add a section below the others."""
        made = SectionButton(self._theme, section, shortcut)
        made.clicked.connect(lambda: self.section_wanted.emit(section.key))
        self._buttons[section.key] = made
        self._sections.addWidget(made)

    def buttons(self) -> Iterable[tuple[str, SectionButton]]:
        """Return the buttons of the sections by key, top down."""
        return self._buttons.items()

    def show_section(self, key: str) -> None:
        """Mark the section in front."""
        for other, each in self._buttons.items():
            each.setChecked(other == key)

    def set_private(self, *, private: bool) -> None:
        """Hide the balances or show them."""
        self.accounts.painter_of_rows.private = private
        self.accounts.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        """Override QWidget.changeEvent."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.accounts.viewport().update()


class _LinkButton(QToolButton):
    """The way to one more bank."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setText(f"  {tr('Link a bank')}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Link a bank"))
        self.setIcon(theme.icon("plus", "ink_muted"))
        self.setIconSize(QSize(16, 16))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
