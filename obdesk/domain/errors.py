"""Errors that can reach a person: a title, a cause, what happens next, and one action that helps."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from obdesk.domain.texts import mark, tr

if TYPE_CHECKING:
    from collections.abc import Iterator


class Action(Enum):
    """The closed set of buttons that mend something."""

    NONE = "none"
    RETRY = "retry"
    REFRESH = "refresh"
    RENEW = "renew"
    RESUME = "resume"
    LINK_BANK = "link_bank"
    CONFIGURE_PROVIDER = "configure_provider"
    OPEN_BANK_SITE = "open_bank_site"
    UNLOCK_KEYRING = "unlock_keyring"
    USE_PASSPHRASE = "use_passphrase"  # noqa: S105 - the name of a button
    USE_RECOVERY_CODE = "use_recovery_code"
    FREE_DISK_SPACE = "free_disk_space"
    CHOOSE_ANOTHER_FILE = "choose_another_file"
    UPDATE_OBDESK = "update_obdesk"
    SHOW_DETAILS = "show_details"
    SHOW_RELAY = "show_relay"
    WAIT = "wait"


_LABELS: dict[Action, str] = {
    Action.NONE: mark("Close"),
    Action.RETRY: mark("Try again"),
    Action.REFRESH: mark("Refresh"),
    Action.RENEW: mark("Renew access"),
    Action.RESUME: mark("Resume"),
    Action.LINK_BANK: mark("Link a bank"),
    Action.CONFIGURE_PROVIDER: mark("Set up Powens"),
    Action.OPEN_BANK_SITE: mark("Open the bank's site"),
    Action.UNLOCK_KEYRING: mark("Unlock the keyring"),
    Action.USE_PASSPHRASE: mark("Use a passphrase"),
    Action.USE_RECOVERY_CODE: mark("Use the recovery code"),
    Action.FREE_DISK_SPACE: mark("Free some space, then try again"),
    Action.CHOOSE_ANOTHER_FILE: mark("Choose another file"),
    Action.UPDATE_OBDESK: mark("Update obdesk"),
    Action.SHOW_DETAILS: mark("Show details"),
    Action.SHOW_RELAY: mark("Show the relay"),
    Action.WAIT: mark("Wait"),
}


def action_label(action: Action) -> str:
    """Return the text of the button in the reader's language."""
    return tr(_LABELS[action])


class ObdeskError(Exception):
    """An error for a person. Every text is a whole sentence in the reader's language."""

    def __init__(self, *, title: str, cause: str, next_step: str, action: Action = Action.NONE) -> None:
        super().__init__(title)
        self.title = title
        self.cause = cause
        self.next_step = next_step
        self.action = action


class AppError(ObdeskError):
    """Something about the whole program or profile."""


class BugError(Exception):
    """Ours to fix: a state the program promised could not happen."""


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the exceptions below one; address by address tries come as a group."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from causes(part)
        error = error.__cause__ or error.__context__
