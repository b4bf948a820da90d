"""Writing for people and for programs: tables that line up, one JSON document, errors in three lines.

A bank's words are somebody else's: control characters and direction marks never reach the terminal.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from obdesk.domain.errors import Action, action_label
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from obdesk.domain.errors import ObdeskError

# C0 and C1 controls, DEL, separators of lines, and marks that turn the direction of what follows.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_GAP = "  "
_SHRUNK_MIN = 8
_NARROWEST = 40


class NobodyReadsError(Exception):
    """Standard output was closed by its reader."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; a flexible one is shortened where the terminal is narrow."""

    title: str
    right: bool = False
    flexible: bool = False


def cleaned(text: str) -> str:
    """Return `text` on one line, without anything a terminal would obey."""
    return _UNSAFE.sub(" ", text)


def say(*lines: str) -> None:
    """Write lines for a person to standard output; each must be safe (see `cleaned`)."""
    _write("".join(f"{line}\n" for line in lines))


def tell(*lines: str) -> None:
    """Write lines for a person to standard error, beside the result."""
    with _escaping(sys.stderr):
        for line in lines:
            print(line, file=sys.stderr)  # noqa: T201 - the command line talks to the terminal


def print_json(document: dict[str, Any]) -> None:
    """Write one JSON document, readable and safe to show."""
    unicode_shown = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(document, ensure_ascii=not unicode_shown, indent=2)
    # json leaves these as they are; escaped they mean the same and a terminal does not obey them.
    _write(re.sub(r"[^\S\n ]|[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", _escape, text) + "\n")


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Write a table that lines up, also with accents and wide characters."""
    cells = [[cleaned(cell) for cell in row] for row in rows]
    titles = [column.title for column in columns]
    widths = [max(map(width_of, each)) for each in zip(titles, *cells, strict=True)]
    widths = _fitted(columns, widths)
    say(*(_line(columns, widths, row) for row in [titles, *cells]))


def _line(columns: Sequence[Column], widths: Sequence[int], row: Sequence[str]) -> str:
    padded = (
        _padded(cell, width, right=column.right)
        for column, width, cell in zip(columns, widths, row, strict=True)
    )
    return _GAP.join(padded).rstrip()


def _padded(cell: str, width: int, *, right: bool) -> str:
    shown = _shortened(cell, width)
    space = " " * (width - width_of(shown))
    return space + shown if right else shown + space


def _shortened(cell: str, width: int) -> str:
    if width_of(cell) <= width:
        return cell
    kept = ""
    for character in cell:
        if width_of(kept + character) > width - 1:
            break
        kept += character
    return f"{kept}…"


def _fitted(columns: Sequence[Column], widths: list[int]) -> list[int]:
    """Take what a terminal lacks in width from the widest flexible columns; a pipe has no width."""
    if not sys.stdout.isatty():
        return widths
    room = max(shutil.get_terminal_size().columns, _NARROWEST) - len(_GAP) * (len(widths) - 1)
    fitted = list(widths)
    while sum(fitted) > room:
        shrinkable = [n for n, column in enumerate(columns) if column.flexible and fitted[n] > _SHRUNK_MIN]
        if not shrinkable:
            break
        fitted[max(shrinkable, key=fitted.__getitem__)] -= 1
    return fitted


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) or unicodedata.category(c) in {"Mn", "Me", "Cf"} else 1 + _is_wide(c)
        for c in text
    )


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in {"W", "F"}


def tell_error(error: ObdeskError) -> None:
    """Write an error to standard error in three lines: what happened, why, what to do."""
    what_to_do = f"{error.next_step} {command_for(error.action)}".strip()
    tell(cleaned(error.title), cleaned(error.cause), cleaned(what_to_do))


def command_for(action: Action, connection_id: int | None = None) -> str:
    """Return how a button of the window is pressed on the command line, or an empty text."""
    match action:
        case Action.USE_PASSPHRASE:
            return tr(
                "On a terminal obdesk asks for it; OBDESK_PASSPHRASE_FILE may name a file that holds it."
            )
        case Action.USE_RECOVERY_CODE:
            return tr("The window asks for it. Run: {command}", command="obdesk")
        case Action.OPEN_BANK_SITE | Action.UPDATE_OBDESK:
            return f"{action_label(action)}."
        case Action.RENEW:
            link = "CONNECTION" if connection_id is None else connection_id
            return tr("Run: {command}", command=f"obdesk link --renew {link}")
        case _ if action in _COMMANDS:
            return tr("Run: {command}", command=_COMMANDS[action])
        case _:
            return ""  # the sentence before it says all


_COMMANDS = {
    Action.REFRESH: "obdesk sync",
    Action.LINK_BANK: "obdesk link",
    Action.CONFIGURE_PROVIDER: "obdesk configure powens",
    Action.SHOW_DETAILS: "obdesk doctor",
}


def _write(text: str) -> None:
    with reader_may_leave(), _escaping(sys.stdout):
        sys.stdout.write(text)
        sys.stdout.flush()


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Turn a closed pipe into NobodyReadsError and keep Python from complaining about it at its end."""
    try:
        yield
    except BrokenPipeError as error:
        abandon_output()
        raise NobodyReadsError from error


def abandon_output() -> None:
    """Let nothing more be written to a standard output that nobody reads."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


@contextmanager
def _escaping(stream: IO[str]) -> Iterator[None]:
    """Write what a terminal's encoding lacks as `?` instead of failing."""
    if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
    yield


class StatusLine:
    """A line on a terminal that says what goes on, and leaves no trace; elsewhere it stays silent."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._on = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = 0

    def show(self, text: str) -> None:
        """Replace what the line says."""
        if not self._on:
            return
        text = _shortened(cleaned(text), max(shutil.get_terminal_size().columns - 1, _SHRUNK_MIN))
        self._put(f"\r{text}{' ' * (self._shown - width_of(text))}")
        self._shown = width_of(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._put(f"\r{' ' * self._shown}\r")
            self._shown = 0

    def _put(self, text: str) -> None:
        with _escaping(self._stream):
            self._stream.write(text)
            self._stream.flush()
