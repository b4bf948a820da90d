"""`python -m obdesk.gui.probe`: what the screen offers, one JSON object a line, for `obdesk doctor`.

It is a process of its own because Qt ends the process it fails in. Lines come one by one, so that what
was found before that is not lost.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEventLoop, QTimer, QUrl
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from obdesk.gui.linking.engine import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

LOAD_S = 20.0
_TURN_MS = 50


def main() -> int:
    """Write what works; the exit code says nothing."""
    application = QApplication([*sys.argv[:1]])
    _write(screen=application.platformName())
    _write(tray=QSystemTrayIcon.isSystemTrayAvailable())
    is_root = os.name == "posix" and os.geteuid() == 0
    reason = refusal(os.environ, sys.argv[1:], is_root=is_root, root_demo=False)
    if reason is not None:
        _write(webview_refused=reason)
    else:
        _write(webview=_webview(application))
    return 0


def _write(**found: object) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def _webview(application: QApplication) -> str | None:
    """Load an empty page off the record; return the engine's name, or None when it does not load."""
    from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile, qWebEngineChromiumVersion

    loaded: list[bool] = []
    profile = QWebEngineProfile()
    page = QWebEnginePage(profile)
    page.loadFinished.connect(loaded.append)
    page.load(QUrl("about:blank"))
    _turn_until(application, lambda: bool(loaded))
    del page  # before its profile, or Qt complains
    version = cast("str | bytes", qWebEngineChromiumVersion())  # text, whatever its declaration says
    name = version if isinstance(version, str) else version.decode()
    return f"Chromium {name}" if loaded and loaded[0] else None


def _turn_until(application: QApplication, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LOAD_S
    ticking = QTimer()
    ticking.start(_TURN_MS)  # wakes the loop, so that the deadline is seen
    while not done() and time.monotonic() < deadline:
        application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


if __name__ == "__main__":
    sys.exit(main())
