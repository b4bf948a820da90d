"""What can go wrong around keys, as a person meets it: what happened, what now, and one way on."""

from __future__ import annotations

from typing import assert_never

from obdesk.domain.errors import Action, AppError
from obdesk.domain.texts import tr
from obdesk.secrets.private_files import Unsafe


class VaultProblem(AppError):  # noqa: N818 - named like ConnectionProblem
    """The base of all of them. None ever carries a secret or a library's own message."""


class KeyringProblem(VaultProblem):
    """The system's keyring did not do what was asked."""


class KeyringMissing(KeyringProblem):
    """No keyring that obdesk trusts answers here."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("No keyring was found"),
            cause=tr("This computer offers no keyring that obdesk can use, or it is not running."),
            next_step=tr("Start the keyring and try again, or protect your data with a passphrase instead."),
            action=Action.USE_PASSPHRASE,
        )


class RecordedKeyringMissing(KeyringMissing):
    """The keyring that holds this profile's key is not the one found here, or none is."""

    def __init__(self, backend_id: str, way_out: Action) -> None:
        super().__init__()
        self.cause = tr(
            "The key to your data was put in the keyring {keyring}, which does not answer.",
            keyring=backend_id,
        )
        self.next_step = tr(
            "Your data is untouched. Log in to the desktop you normally use and start its keyring, "
            "or open your data with your recovery code."
        )
        self.action = way_out


class KeyringLocked(KeyringProblem):
    """The keyring is locked, or waits for somebody to answer its question."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("The keyring is locked"),
            cause=tr(
                "The system's keyring did not hand out the key: it is locked, or waits for its password."
            ),
            next_step=tr("Your data is untouched. Unlock the keyring, then try again."),
            action=Action.UNLOCK_KEYRING,
        )


class KeyringRefused(KeyringProblem):
    """The keyring answered with an error of its own."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            title=tr("The keyring refused"),
            cause=tr("The system's keyring answered with an error ({kind}).", kind=kind),
            next_step=tr(
                "Nothing was changed. Try again; if it stays so, restart the keyring or log in again."
            ),
            action=Action.RETRY,
        )


class KeyringLied(KeyringProblem):
    """The keyring accepted a value and gave back another, or none."""

    def __init__(self, backend_id: str) -> None:
        super().__init__(
            title=tr("The keyring does not keep what it is given"),
            cause=tr("The keyring {keyring} accepted a value but did not give it back.", keyring=backend_id),
            next_step=tr("It cannot be trusted with your key. Protect your data with a passphrase instead."),
            action=Action.USE_PASSPHRASE,
        )


class KeyringEntryMissing(KeyringProblem):
    """The keyring works, but the entry with this profile's key is not in it."""

    def __init__(self, way_out: Action) -> None:
        super().__init__(
            title=tr("The key is not in the keyring"),
            cause=tr(
                "The keyring has no entry for this profile: it was deleted, or this is another keyring."
            ),
            next_step=tr(
                "Your data is untouched. Open it with your recovery code, or log in as the one who set it up."
            ),
            action=way_out,
        )


class KeyringEntryChanged(KeyringProblem):
    """The entry in the keyring does not open the key file."""

    def __init__(self, way_out: Action) -> None:
        super().__init__(
            title=tr("The key in the keyring does not fit"),
            cause=tr(
                "The keyring's entry for this profile was changed, or belongs to another copy of your data."
            ),
            next_step=tr(
                "Your data is untouched. Open it with your recovery code; the entry can then be renewed."
            ),
            action=way_out,
        )


class SecretTooLong(VaultProblem):
    """A value longer than every system's keyring is sure to keep."""

    def __init__(self, length_max: int) -> None:
        super().__init__(
            title=tr("A value is too long for the keyring"),
            cause=tr(
                "Keyrings keep at most {length} characters safely; this value is longer.", length=length_max
            ),
            next_step=tr("Nothing was stored. Check the value that you entered."),
            action=Action.SHOW_DETAILS,
        )


class TooManySecrets(VaultProblem):
    """The list of this profile's entries would not fit in the keyring."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("Too many entries in the keyring"),
            cause=tr(
                "This profile already keeps as many entries in the keyring as obdesk can keep track of."
            ),
            next_step=tr(
                "Nothing was stored. Remove a bank provider that you no longer use, then try again."
            ),
            action=Action.SHOW_DETAILS,
        )


class PassphraseNeeded(VaultProblem):
    """A passphrase opens this profile and nobody is there to ask."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("A passphrase is needed"),
            cause=tr("This profile is protected with a passphrase and none was given."),
            next_step=tr(
                "Type it when asked, or set OBDESK_PASSPHRASE_FILE to a private file that holds it."
            ),
            action=Action.USE_PASSPHRASE,
        )


class PassphraseTooShort(VaultProblem):
    """A new passphrase that would be guessed too soon."""

    def __init__(self, length_min: int) -> None:
        super().__init__(
            title=tr("The passphrase is too short"),
            cause=tr("A passphrase needs at least {length} characters.", length=length_min),
            next_step=tr("Choose a longer one; four or five unrelated words are good."),
            action=Action.USE_PASSPHRASE,
        )


class WrongPassphrase(VaultProblem):
    """The passphrase does not open this profile."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("The passphrase is wrong"),
            cause=tr("Your data does not open with this passphrase."),
            next_step=tr(
                "Your data is untouched. Check the keyboard layout and capital letters, then try again."
            ),
            action=Action.USE_PASSPHRASE,
        )


class PassphraseFileRefused(VaultProblem):
    """The passphrase file could be read or swapped by others."""

    def __init__(self, why: Unsafe) -> None:
        super().__init__(
            title=tr("The passphrase file is not safe"),
            cause=unsafe_text(why),
            next_step=tr(
                "Make OBDESK_PASSPHRASE_FILE name a regular file of yours with mode 0600, then try again."
            ),
            action=Action.RETRY,
        )


class PassphraseFileUnreadable(VaultProblem):
    """The passphrase file is not there, is empty or is not text."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("The passphrase file cannot be read"),
            cause=tr("The file that OBDESK_PASSPHRASE_FILE names is missing, empty or not UTF-8 text."),
            next_step=tr("Correct the variable or the file, then try again."),
            action=Action.RETRY,
        )


class RecoveryCodeMistyped(VaultProblem):
    """What was typed cannot be a recovery code: its check symbol disagrees."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("The recovery code has a typing error"),
            cause=tr(
                "A recovery code has 27 characters and the last one checks the others; these do not agree."
            ),
            next_step=tr("Your data is untouched. Compare with what you noted down, then try again."),
            action=Action.USE_RECOVERY_CODE,
        )


class WrongRecoveryCode(VaultProblem):
    """A recovery code, but of another profile or replaced since."""

    def __init__(self) -> None:
        super().__init__(
            title=tr("The recovery code does not fit"),
            cause=tr("This code belongs to another profile, or a newer code has replaced it."),
            next_step=tr(
                "Your data is untouched. Look for the latest code that you noted down for this profile."
            ),
            action=Action.USE_RECOVERY_CODE,
        )


class NotThisWay(VaultProblem):
    """The profile has no such way of opening."""

    def __init__(self, way_out: Action) -> None:
        super().__init__(
            title=tr("This profile does not open that way"),
            cause=tr("It was never given such a key."),
            next_step=tr("Your data is untouched. Open it the way you normally do."),
            action=way_out,
        )


class NotEnoughMemory(VaultProblem):
    """Argon2id could not get its memory."""

    def __init__(self, memory_mib: int) -> None:
        super().__init__(
            title=tr("Not enough memory to open your data"),
            cause=tr(
                "Checking a passphrase or recovery code takes {size} MiB of memory for a moment.",
                size=memory_mib,
            ),
            next_step=tr("Your data is untouched. Close other programs, then try again."),
            action=Action.RETRY,
        )


def unsafe_text(why: Unsafe) -> str:
    """Say why a file is not trusted."""
    match why:
        case Unsafe.SYMLINK:
            return tr("It is a symbolic link, which could be made to point elsewhere.")
        case Unsafe.NOT_A_FILE:
            return tr("It is not a regular file.")
        case Unsafe.FOREIGN_OWNER:
            return tr("It belongs to another user.")
        case Unsafe.OPEN_TO_OTHERS:
            return tr("Other users of this computer have access to it.")
        case Unsafe.TOO_LARGE:
            return tr("It is far larger than such a file can be.")
        case _:
            assert_never(why)
