"""Which actions of an error or a condition have a button in the window."""

from __future__ import annotations

from obdesk.domain.errors import Action

REPEATS = frozenset({Action.RETRY, Action.REFRESH, Action.UNLOCK_KEYRING, Action.FREE_DISK_SPACE})
"""What is done by doing the same once more, after the person has mended something or not."""

BUTTONS = REPEATS | {
    Action.RENEW,
    Action.RESUME,
    Action.LINK_BANK,
    Action.CONFIGURE_PROVIDER,
    Action.CHOOSE_ANOTHER_FILE,
    Action.SHOW_DETAILS,
    Action.SHOW_RELAY,
}
"""The actions that an open window can carry out; for every other one the sentences must do."""
