"""Where things stand in the window, from one visit to the next: places only, never a figure or a name.

The window writes this when it is left; the first frame of the next start is drawn from it, each piece
filled with what the ledger holds now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPoint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtCore import QRect
    from PySide6.QtWidgets import QWidget


class Piece(NamedTuple):
    """A rectangle in the window and what is drawn there; `ref` says which one of its kind."""

    kind: str
    x: int
    y: int
    width: int
    height: int
    ref: str = ""


def piece_of(kind: str, widget: QWidget, ref: str = "", part: QRect | None = None) -> Piece:
    """Return where a widget, or a part of it, stands in its window."""
    corner = widget.mapTo(widget.window(), QPoint(0, 0) if part is None else part.topLeft())
    size = widget.size() if part is None else part.size()
    return Piece(kind, corner.x(), corner.y(), size.width(), size.height(), ref)


def written(pieces: Iterable[Piece]) -> str:
    """Return pieces as one line of text."""
    return "|".join(" ".join(str(each) for each in piece) for piece in pieces)


def read(text: str) -> tuple[Piece, ...]:
    """Return the pieces of a line; what does not look like one gives none at all."""
    try:
        return tuple(_piece(part) for part in text.split("|") if part)
    except ValueError:
        return ()


def _piece(part: str) -> Piece:
    kind, x, y, width, height, ref = part.split(" ")
    return Piece(kind, int(x), int(y), int(width), int(height), ref)
