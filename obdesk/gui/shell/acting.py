"""What pressing the button of an error or a condition does."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from obdesk.domain.errors import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.domain.ids import ConnectionId
    from obdesk.gui.shell.screen import Navigator


def carry_out(
    action: Action,
    connection_id: ConnectionId | None,
    navigator: Navigator,
    *,
    set_up: Callable[[], object],
    export: Callable[[], object],
) -> None:
    """Do what the button of an error or a condition says."""
    match action:
        case Action.REFRESH | Action.RETRY | Action.UNLOCK_KEYRING | Action.FREE_DISK_SPACE:
            navigator.refresh(None if connection_id is None else [connection_id])
        case Action.RENEW if connection_id is not None:
            navigator.renew(connection_id)
        case Action.RENEW | Action.RESUME | Action.SHOW_DETAILS:
            navigator.open_section("connections")  # where each bank has the button of its own
        case Action.SHOW_RELAY:
            navigator.open_section("settings")
        case Action.LINK_BANK:
            navigator.link_bank()
        case Action.CONFIGURE_PROVIDER:
            set_up()
        case Action.CHOOSE_ANOTHER_FILE:
            export()
        case (
            Action.NONE
            | Action.WAIT
            | Action.OPEN_BANK_SITE
            | Action.USE_PASSPHRASE
            | Action.USE_RECOVERY_CODE
            | Action.UPDATE_OBDESK
        ):
            return
        case other:
            assert_never(other)
