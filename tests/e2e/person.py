"""A person in front of the window: eyes that read what shows, hands on the keyboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.e2e.waiting import PATIENCE_S, until

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QImage

    from tests.e2e.reader import ScreenReader, Thing
    from tests.e2e.screen import Screen

_TABS_MAX = 60
_FOCUS_S = 3.0
_STILL_S = 0.6
"""Longer than a caret takes to blink."""
_COLOURS_MIN = 40


def colours(image: QImage) -> int:
    """Return how many colours a picture has, looked at in a grid."""
    return len({image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)})


class Person:
    """Knows nothing but what a screen reader says and what keys do."""

    def __init__(self, screen: Screen, reader: ScreenReader) -> None:
        self.screen, self.reader = screen, reader

    def finds(self, pattern: str, role: str = "") -> Thing | None:
        """Return the first thing on the screen whose name matches, if there is one."""
        return next(
            (
                thing
                for thing in self.reader.things()
                if re.search(pattern, thing.name) and role in {"", thing.role}
            ),
            None,
        )

    def sees(self, pattern: str, role: str = "", within_s: float = PATIENCE_S) -> Thing:
        """Wait until something shows whose name matches."""

        def shows() -> Thing | None:
            assert not self.reader.ended, f"the program ended before “{pattern}” showed"
            return self.finds(pattern, role)

        return until(f"“{pattern}” on the screen", shows, within_s)

    def misses(self, pattern: str, within_s: float = PATIENCE_S) -> None:
        """Wait until nothing shows any more whose name matches."""
        until(f"“{pattern}” to go", lambda: self.finds(pattern) is None, within_s)

    def focused(self) -> Thing | None:
        """Return where the keyboard is: the innermost of what has the focus."""
        having = [thing for thing in self.reader.things() if thing.focused]
        return having[-1] if having else None

    def presses(self, *keys: str) -> None:
        """Press keys one after the other."""
        self.screen.press(*keys)

    def types(self, text: str) -> None:
        """Type a text where the keyboard is."""
        self.screen.type(text)

    def goes_to(self, pattern: str, *, back: bool = False) -> None:
        """Press Tab until the keyboard is on something whose name matches."""
        self.sees(pattern)
        key = "shift+Tab" if back else "Tab"
        passed: list[str] = []
        for _ in range(_TABS_MAX):
            here = self.focused()
            if here is not None and re.search(pattern, here.name):
                return
            passed.append("nothing" if here is None else f"{here.role} “{here.name}”")
            self.presses(key)
            self._moved_from(here)
        raise AssertionError(f"Tab never comes to “{pattern}”; it passes {', '.join(passed[:30])}")

    def _moved_from(self, here: Thing | None) -> None:
        try:
            until("the focus to move", lambda: self.focused() != here, _FOCUS_S)
        except AssertionError:
            return  # a name can stand twice in a row

    def chooses(self, pattern: str, key: str = "space") -> None:
        """Go to a button by the keyboard and press it."""
        self.goes_to(pattern)
        self.presses(key)

    def sees_a_page_at(self, place: tuple[int, int, int, int]) -> None:
        """Wait until part of the screen is painted and stands still.

        The browser engine keeps a page's content from screen readers here, so there is nothing to read.
        """
        before: list[QImage] = []

        def still() -> bool:
            now = self.screen.picture().copy(*place)
            stands = bool(before) and now == before[-1] and colours(now) > _COLOURS_MIN
            before.append(now)
            return stands

        until("a page that is painted", still, look_every_s=_STILL_S)

    def keeps_picture(self, file: Path) -> None:
        """Keep what the screen shows."""
        file.parent.mkdir(parents=True, exist_ok=True)
        assert self.screen.picture().save(str(file))
