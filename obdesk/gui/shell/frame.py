"""Where the parts of the window stand: ribbon, sidebar, toolbar, strips, the screens, the status bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from obdesk.gui.shell.banner import Banner
from obdesk.gui.shell.progress import ProgressStrip
from obdesk.gui.shell.sidebar import Sidebar
from obdesk.gui.shell.statusbar import StatusBar
from obdesk.gui.shell.toolbar import DemoRibbon
from obdesk.gui.widgets.basics import label

if TYPE_CHECKING:
    from obdesk.gui.shell.toolbar import Toolbar
    from obdesk.gui.theme.theme import Theme

SIDEBAR_WIDTH = 256


class Frame(QWidget):
    """All of the window but its commands; either the screens or one page over everything is shown."""

    demo_left = Signal()

    def __init__(self, theme: Theme, toolbar: Toolbar, *, demo: bool) -> None:
        super().__init__()
        self.sidebar = Sidebar(theme)
        self.toolbar = toolbar
        self.banner = Banner(theme)
        self.strip = ProgressStrip(theme)
        self.stack = QStackedWidget()
        self.status = StatusBar(theme)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(self.sidebar)
        self.splitter.addWidget(self._content())
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([SIDEBAR_WIDTH, 1000])
        self._pages = QStackedWidget()
        self._pages.addWidget(self.splitter)
        self._page = QWidget()
        self._page.setObjectName("content")
        self._page_box = QHBoxLayout(self._page)
        self._page_box.setContentsMargins(0, 0, 0, 0)
        self._pages.addWidget(self._page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        if demo:
            ribbon = DemoRibbon(theme)
            ribbon.left.connect(self.demo_left)
            column.addWidget(ribbon)
        column.addWidget(self._pages, 1)

    def _content(self) -> QWidget:
        content = QWidget()
        content.setObjectName("content")
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        for part in (self.toolbar, self.banner, self.strip):
            inside.addWidget(part)
        inside.addWidget(self.stack, 1)
        inside.addWidget(self.status)
        return content

    def show_page(self, page: QWidget) -> None:
        """Show a page over everything; it replaces an earlier one."""
        self._drop_page()
        self._page_box.addWidget(page)
        self._pages.setCurrentWidget(self._page)
        page.setFocus()

    @property
    def paged(self) -> bool:
        """Tell whether a page covers the screens."""
        return self._pages.currentWidget() is self._page

    def show_sections(self) -> bool:
        """Show the screens and let go of the page; tell whether there was one."""
        paged = self.paged
        self._pages.setCurrentWidget(self.splitter)
        self._drop_page()
        return paged

    def _drop_page(self) -> None:
        while self._page_box.count():
            item = self._page_box.takeAt(0)
            if item is not None and (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()


def skeleton(theme: Theme, sentence: str) -> QWidget:
    """Return a calm page for the moment in which the data is being unlocked."""
    page = QWidget()
    page.setObjectName("content")
    inside = QVBoxLayout(page)
    words = label(sentence, theme.fonts.section, tone="muted", wrap=True)
    words.setAlignment(Qt.AlignmentFlag.AlignCenter)
    inside.addWidget(words)
    return page
