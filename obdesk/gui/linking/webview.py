"""The embedded browser of one attempt: its address bar, its page, its pop-ups, and its end.

QtWebEngine is imported by this module and `guard`; import both only when a page is about to be shown.
`Qt.AA_ShareOpenGLContexts` must have been set before the application object was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from obdesk.domain.texts import language, tr
from obdesk.gui.linking.guard import GuardedPage, Interceptor, new_profile, text_of
from obdesk.gui.linking.policy import shown
from obdesk.gui.widgets.basics import ElidedLabel, label

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent
    from PySide6.QtWebEngineCore import QWebEngineProfile

    from obdesk.gui.linking.policy import Gate
    from obdesk.gui.theme.theme import Theme

POPUPS_MAX = 3


class AddressBar(QFrame):
    """Where the page really is: a lock, and the name that somebody owns in bold. Nobody can edit it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lock = QLabel()
        self._before = label("", tone="muted")
        self._domain = label("", theme.fonts.strong)
        self._note = ElidedLabel("", theme.fonts.base, tone="muted")
        inside = QHBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        inside.addWidget(self._lock)
        inside.addSpacing(8)
        inside.addWidget(self._before)
        inside.addWidget(self._domain)
        inside.addSpacing(10)
        inside.addWidget(self._note, 1)

    @property
    def host(self) -> str:
        """The name that is shown, whole."""
        return self._before.text() + self._domain.text()

    @property
    def domain(self) -> str:
        """The part of the name that stands out."""
        return self._domain.text()

    def show_address(self, address: str, note: str) -> None:
        """Show where the page is; `note` says in words whether the way there is encrypted."""
        there = shown(address)
        icon, tint = ("lock", "accent") if there.secure else ("info", "ink_muted")
        self._lock.setPixmap(self._theme.icon(icon, tint).pixmap(QSize(16, 16)))
        self._before.setText(there.before)
        self._domain.setText(there.domain)
        self._note.set_whole(note)
        encrypted = tr("encrypted") if there.secure else tr("on this computer")
        self.setAccessibleName(
            tr("Address: {host}, {encrypted}", host=there.before + there.domain, encrypted=encrypted)
        )


class PopupWindow(QWidget):
    """A pop-up of the bank's page as a child window, with its own address bar."""

    def __init__(self, theme: Theme, page: GuardedPage, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self.setWindowTitle(tr("Opened by the bank's page"))
        self.page = page
        self.bar = AddressBar(theme)
        self.view = guarded_view(page)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        framed = QHBoxLayout()
        framed.setContentsMargins(14, 8, 14, 8)
        framed.addWidget(self.bar)
        inside.addLayout(framed)
        inside.addWidget(self.view, 1)
        self.resize(560, 680)
        page.urlChanged.connect(self._moved)
        page.windowCloseRequested.connect(self.close)

    def _moved(self, url: QUrl) -> None:
        self.bar.show_address(text_of(url), "")

    def closeEvent(self, event: QCloseEvent) -> None:
        """Override QWidget.closeEvent: a closed pop-up stops working at once."""
        self.page.setVisible(False)
        super().closeEvent(event)


class LinkBrowser(QWidget):
    """The page of one attempt at a time. Nothing of it outlives `close_page`.

    Signals: `cameBack(url)` once per attempt, `broke(PageFault)`, `said(sentence)` for what was refused,
    `moved(address)` as the page goes on, `loading(bool)`.
    """

    cameBack = Signal(str)
    broke = Signal(object)
    said = Signal(str)
    moved = Signal(str)
    loading = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._gate: Gate | None = None
        self._profile: QWebEngineProfile | None = None
        self.interceptor: Interceptor | None = None
        self.page: GuardedPage | None = None
        self.view: QWebEngineView | None = None
        self.popups: list[PopupWindow] = []
        self._inside = QVBoxLayout(self)
        self._inside.setContentsMargins(0, 0, 0, 0)

    @property
    def refused(self) -> int:
        """How often the page was told no, fetches apart."""
        if self.page is None or self.interceptor is None:
            return 0
        return self.page.refused + self.interceptor.cancelled

    def open_page(self, url: str, gate: Gate) -> None:
        """Show `url` in a fresh profile under the rules of `gate`."""
        self.close_page()
        self._gate = gate
        self._profile, self.interceptor = new_profile(gate, language())
        self.page = GuardedPage(self._profile, gate, main=True, opener=self._open_popup)
        self.page.cameBack.connect(self.cameBack)
        self.page.broke.connect(self.broke)
        self.page.said.connect(self.said)
        self.page.urlChanged.connect(lambda there: self.moved.emit(text_of(there)))
        self.page.loadStarted.connect(lambda: self.loading.emit(True))
        self.page.loadFinished.connect(lambda _ok: self.loading.emit(False))
        self.view = guarded_view(self.page)
        self._inside.addWidget(self.view)
        self.moved.emit(url)
        self.page.load(QUrl(url))
        self.view.setFocus()

    def close_page(self) -> None:
        """Delete views, then pages, then the profile with its cookies and cache; the order matters."""
        if self._profile is None:
            return
        views: list[QWidget] = [*self.popups]
        pages = [popup.page for popup in self.popups]
        if self.view is not None and self.page is not None:
            self._inside.removeWidget(self.view)
            views.append(self.view)
            pages.append(self.page)
        profile, self._profile = self._profile, None
        self.page = self.view = self.interceptor = self._gate = None
        self.popups = []
        for page in pages:
            page.blockSignals(True)
        for view in views:
            view.hide()

        def dispose() -> None:
            for each in (*views, *pages, profile):
                if shiboken6.isValid(each):
                    shiboken6.delete(each)

        # A page may be closed from inside one of its own calls.
        QTimer.singleShot(0, dispose)

    def _open_popup(self, page: GuardedPage) -> bool:
        self.popups = [popup for popup in self.popups if not self._gone(popup)]
        if self._profile is None or len(self.popups) >= POPUPS_MAX:
            return False
        popup = PopupWindow(self._theme, page, self)
        page.said.connect(self.said)
        page.broke.connect(lambda _fault: popup.close())
        self.popups.append(popup)
        popup.show()
        return True

    @staticmethod
    def _gone(popup: PopupWindow) -> bool:
        if popup.isVisible():
            return False
        shiboken6.delete(popup.view)
        shiboken6.delete(popup.page)
        popup.deleteLater()
        return True


def guarded_view(page: GuardedPage) -> QWebEngineView:
    """Return a view of `page` without menus of its own and without a way to drop things on it."""
    view = QWebEngineView()
    view.setPage(page)
    view.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
    view.setAcceptDrops(False)
    view.setAccessibleName(tr("The page of your bank"))
    return view
