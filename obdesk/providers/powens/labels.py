"""Texts of other people made safe to keep and show: no control or direction marks, no secrets, no length.

Labels are data of strangers. Right-to-left overrides could make an amount or a name read as another, a NUL
ends a string in some libraries, and a megabyte of label would be painted.
"""

from __future__ import annotations

import re
import unicodedata

LABEL_LENGTH_MAX = 512
_SENTENCE_LENGTH_MAX = 300
_COLOR = re.compile(r"#?([0-9a-fA-F]{6})")
DEFAULT_COLOR = "#8A8F98"


def label_of(text: str | None, length_max: int = LABEL_LENGTH_MAX) -> str:
    """Return a label on one line without control, format or unassigned characters, cut at `length_max`."""
    if not text:
        return ""
    if text.isprintable() and len(text) <= length_max:
        return text
    # Cut before and after: what is far too long is not walked through, and marks do not count.
    kept = "".join(map(_kept, text[: length_max * 4]))
    return kept[:length_max].strip()


def _kept(character: str) -> str:
    if character.isprintable():
        return character
    category = unicodedata.category(character)
    return " " if category in {"Zs", "Zl", "Zp"} or character in "\t\n\r\v\f" else ""


def sentence_of(text: str | None) -> str:
    """Return a bank's message without any address: `Redirecting to https://...` holds a secret."""
    if not text:
        return ""
    words = text[:4_096].split()
    if [word.lower() for word in words[:2]] == ["redirecting", "to"]:
        return ""
    shown = " ".join("…" if _is_address(word) else word for word in words)
    return label_of(shown, _SENTENCE_LENGTH_MAX)


def _is_address(word: str) -> bool:
    return "://" in word or word.lower().startswith("www.")


def color_of(text: str | None) -> str:
    """Return a colour as `#RRGGBB`; grey for anything else."""
    found = _COLOR.fullmatch(text) if text else None
    return f"#{found[1].upper()}" if found else DEFAULT_COLOR
