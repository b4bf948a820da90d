"""A process with a real tray icon: one bank is in trouble; what is asked of it goes to its output."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from obdesk.app.bus import Bus
from obdesk.app.events import SyncEnded
from obdesk.app.notifier import Notifier
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts, RunResult, Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.domain.syncing import SyncOutcome
from obdesk.gui.notify.chain import PresenterChain
from obdesk.gui.notify.freedesktop import FreedesktopNotifications
from obdesk.gui.notify.simple import TrayMessages
from obdesk.gui.theme.tokens import LIGHT
from obdesk.gui.tray import Tray, TrayState

if TYPE_CHECKING:
    from obdesk.domain.errors import Action


def say(word: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> int:
    """Run until Quit is chosen in the menu."""
    app = QApplication(["obdesk"])
    app.setQuitOnLastWindowClosed(False)
    tray = Tray(LIGHT)

    def act(action: Action, connection_id: ConnectionId | None) -> None:
        say(f"act {action.value} {connection_id}")

    notifications = FreedesktopNotifications(act)
    adapters = [TrayMessages(tray.icon, act)] if "--no-dbus" in sys.argv else [notifications]
    chain = PresenterChain(adapters)
    bus = Bus()
    bus.listen(Notifier(chain).hear)
    tray.openWanted.connect(lambda: say("open"))
    tray.refreshWanted.connect(lambda: say("refresh"))
    tray.pauseWanted.connect(lambda on: say(f"pause {on}"))
    tray.quitWanted.connect(lambda: say("quit"))
    tray.quitWanted.connect(notifications.close)
    tray.quitWanted.connect(app.quit)
    tray.show()
    tray.show_state(TrayState.NEEDS_YOU, "obdesk: 1 bank needs you")
    say(f"available {tray.available}")
    outcome = SyncOutcome(
        ConnectionId(7),
        "Alpina Bank",
        Trigger.SCHEDULE,
        RunResult.ACTION_NEEDED,
        Condition.NEEDS_SCA,
        RunCounts(),
        3,
        datetime(2026, 3, 17, tzinfo=UTC),
        1.0,
    )
    for _ in range(3):
        bus.publish(SyncEnded(outcome))
    say(f"shown by {chain.last_used}")
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
