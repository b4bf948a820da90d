"""What the locked page says for each way out, without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obdesk.app.interface import WayIn
from obdesk.domain.errors import Action
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.domain.errors import ObdeskError

LENGTH_MIN = 8


@dataclass(frozen=True, slots=True)
class WayWords:
    """One way out in words; `asks` names the field it needs, empty when it needs none."""

    way: WayIn
    verb: str
    asks: str
    hint: str


def words_of(way: WayIn, error: ObdeskError) -> WayWords:
    """Return how a way is offered beside an error."""
    match way:
        case WayIn.TRY_AGAIN:
            locked = error.action is Action.UNLOCK_KEYRING
            verb = tr("I have unlocked it, try again") if locked else tr("Try again")
            return WayWords(way, verb, "", "")
        case WayIn.PASSPHRASE:
            return WayWords(way, tr("Open with the passphrase"), tr("Passphrase"), "")
        case WayIn.NEW_PASSPHRASE:
            hint = tr(
                "At least {n} characters; four or five unrelated words are good. Without it nobody, not even "
                "we, can open your data.",
                n=LENGTH_MIN,
            )
            return WayWords(way, tr("Protect with a passphrase"), tr("New passphrase"), hint)
        case WayIn.RECOVERY_CODE:
            hint = tr("The 27 characters you noted down when it was shown; dashes and spaces do not matter.")
            return WayWords(way, tr("Open with the recovery code"), tr("Recovery code"), hint)
        case WayIn.PREVIOUS_KEY_FILE:
            return WayWords(way, tr("Put the previous key file back"), "", "")


def ordered(ways: Sequence[WayIn], error: ObdeskError) -> list[WayIn]:
    """Return the ways with the one that the error itself recommends first."""
    favourite = {
        Action.USE_PASSPHRASE: (WayIn.PASSPHRASE, WayIn.NEW_PASSPHRASE),
        Action.USE_RECOVERY_CODE: (WayIn.RECOVERY_CODE,),
        Action.UNLOCK_KEYRING: (WayIn.TRY_AGAIN,),
        Action.RETRY: (WayIn.PREVIOUS_KEY_FILE, WayIn.TRY_AGAIN),
    }.get(error.action, ())
    return sorted(ways, key=lambda way: way not in favourite)


def fault_of(way: WayIn, first: str, second: str) -> str:
    """Return what is wrong with what was typed, or nothing."""
    if not first:
        return tr("Nothing was typed.")
    if way is WayIn.NEW_PASSPHRASE:
        if len(first) < LENGTH_MIN:
            return tr("A passphrase needs at least {n} characters.", n=LENGTH_MIN)
        if first != second:
            return tr("The two passphrases differ.")
    return ""
