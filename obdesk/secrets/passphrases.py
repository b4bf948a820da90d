"""Where a passphrase comes from: a private file named in the environment, or a question to the person."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from obdesk.secrets.errors import (
    PassphraseFileRefused,
    PassphraseFileUnreadable,
    PassphraseNeeded,
    PassphraseTooShort,
)
from obdesk.secrets.private_files import UnsafeFileError, read_private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PASSPHRASE_FILE_VARIABLE = "OBDESK_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable
LENGTH_MIN = 8
_SIZE_MAX = 4096


class Passphrase:
    """A passphrase, hidden from every log and traceback.

    It is normalised to Unicode NFC, so that the same keys typed on another system give the same key.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = unicodedata.normalize("NFC", text)

    def require_strength(self) -> None:
        """Raise PassphraseTooShort unless a new vault may be protected with it."""
        if len(self._text) < LENGTH_MIN:
            raise PassphraseTooShort(LENGTH_MIN)

    def secret_bytes(self) -> bytes:
        """Return the bytes for the key derivation; never shown or stored."""
        # A terminal can hand over bytes that are no text; they count too, and an error here would quote them.
        return self._text.encode("utf-8", "surrogatepass")

    def __repr__(self) -> str:
        return "Passphrase(hidden)"


def find_passphrase(environ: Mapping[str, str], ask: Callable[[], str] | None) -> Passphrase:
    """Return the passphrase of the file OBDESK_PASSPHRASE_FILE names, or else what `ask` answers.

    The file must belong to this user and be readable by nobody else; one trailing newline is not part of it.
    Raises PassphraseNeeded when there is neither, PassphraseFileRefused or PassphraseFileUnreadable.
    """
    named = environ.get(PASSPHRASE_FILE_VARIABLE)
    if named:
        return Passphrase(_read_file(Path(named)))
    if ask is None:
        raise PassphraseNeeded
    return Passphrase(ask())


def _read_file(path: Path) -> str:
    try:
        text = read_private(path, size_max=_SIZE_MAX).decode()
    except UnsafeFileError as error:
        raise PassphraseFileRefused(error.why) from None
    except (OSError, UnicodeDecodeError):
        # The decoding error carries the bytes of the passphrase, so it is not chained.
        raise PassphraseFileUnreadable from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise PassphraseFileUnreadable
    return text
