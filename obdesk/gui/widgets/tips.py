"""Tooltips of plain text: Qt guesses that a text with tags is mark-up, and a bank may name an account so."""

from __future__ import annotations

from html import escape


def tip(text: str) -> str:
    """Return `text` so that a tooltip shows exactly it."""
    if "<" not in text and "&" not in text:
        return text
    lines = escape(text).replace("\n", "<br>")
    return f"<qt>{lines}</qt>"
