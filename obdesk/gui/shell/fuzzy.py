"""How well typed letters match a command's name."""

from __future__ import annotations

from obdesk.domain.filters import fold


def score(typed: str, name: str) -> int | None:
    """Return how well `typed` fits `name` (higher is better), or None when a letter is missing.

    Letters must come in order; those at the start of words and in a row count more.
    """
    wanted, text = fold(typed).replace(" ", ""), fold(name)
    total, place, row = 0, 0, 0
    for letter in wanted:
        found = text.find(letter, place)
        if found < 0:
            return None
        row = row + 1 if found == place and place > 0 else 1
        starts_word = found == 0 or not text[found - 1].isalnum()
        total += row * 2 + (6 if starts_word else 0) - min(3, found - place)
        place = found + 1
    return total - len(text) // 12
