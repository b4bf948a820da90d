"""Shows in the frame of the window what its feed has read: sidebar, summary, allowance, status bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.gui.shell.allowance import allowance_of
from obdesk.gui.shell.present import counts_line, groups_of, is_offline, last_check_line, summary_of

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.gui.format import Locale
    from obdesk.gui.shell.feed import FrameFeed
    from obdesk.gui.shell.frame import Frame


def show(frame: Frame, feed: FrameFeed, now: datetime, locale: Locale) -> None:
    """Show accounts, banks and how they stand."""
    running = feed.changes.running
    frame.sidebar.model.show_groups(groups_of(feed.accounts, feed.connections, running, now, locale))
    frame.toolbar.show_summary(summary_of(feed.accounts, feed.connections, len(running), now, locale))
    frame.toolbar.show_allowance(allowance_of(feed.connections, now, locale))
    frame.status.show_state(
        counts_line(feed.accounts),
        last_check_line(feed.connections, now, locale),
        offline=is_offline(feed.connections),
    )
