"""A process that shows one page in the embedded browser, presses its button, waits for it, and ends."""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from obdesk.gui.linking.policy import Gate
from obdesk.gui.theme.theme import Theme


def main(url: str) -> None:
    """Visit `url` for three seconds."""
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    app = QApplication(["obdesk"])
    from obdesk.gui.linking.webview import LinkBrowser

    browser = LinkBrowser(Theme(app))
    browser.show()
    gate = Gate(
        page_url=url,
        redirect_uri="https://obdesk.invalid/callback",
        state="state",
        deadline_s=1e9,
        now_s=time.monotonic,
    )
    browser.open_page(url, gate)
    presses = QTimer(interval=300)

    def press() -> None:
        ears = browser.view.focusProxy() if browser.view is not None else None
        if ears is not None:
            QTest.keyClick(ears, Qt.Key.Key_Return)

    presses.timeout.connect(press)
    presses.start()
    QTimer.singleShot(3_000, browser.close_page)
    QTimer.singleShot(3_300, app.quit)
    app.exec()


if __name__ == "__main__":
    main(sys.argv[1])
