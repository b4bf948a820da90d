"""Tooltips of plain text: Qt guesses that a text with tags is mark-up, and a bank may name an account so."""

from __future__ import annotations

from html import escape


def tip(text: str) -> str:
    """Return `text` so that a tooltip shows exactly it."""
    return f"<qt>{escape(text)}</qt>" if "<" in text or "&" in text else text
