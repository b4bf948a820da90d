"""The sections of the window in their order; a screen is made when it is first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtWidgets import QStackedWidget

    from obdesk.gui.shell.screen import Screen


class Section(NamedTuple):
    """A section before its screen exists: enough for the sidebar, and how the screen is made."""

    key: str
    title: str
    icon: str
    make: Callable[[], Screen]


class Sections:
    """Sections and the screens made so far; only the one in front is needed for the first paint."""

    def __init__(self, stack: QStackedWidget, on_made: Callable[[Screen], None]) -> None:
        self._stack, self._on_made = stack, on_made
        self._sections: dict[str, Section] = {}
        self._screens: dict[str, Screen] = {}

    def add(self, section: Section) -> None:
        """Add a section after the others."""
        self._sections[section.key] = section

    def get(self, key: str) -> Screen | None:
        """Return a section's screen, made now if need be; None for a key that no section has."""
        if key not in self._screens and key in self._sections:
            screen = self._sections[key].make()
            self._screens[key] = screen
            self._stack.addWidget(screen.widget)
            self._on_made(screen)
        return self._screens.get(key)

    def made(self, *, front_first: bool = False) -> Iterator[Screen]:
        """Yield the screens that exist, in the order of their sections; or first the one that is seen."""
        screens = [self._screens[key] for key in self._sections if key in self._screens]
        front = self.front() if front_first else None
        yield from sorted(screens, key=lambda each: front_first and each is not front)

    def all(self) -> Iterator[Screen]:
        """Yield every screen in order, made now if need be."""
        for key in tuple(self._sections):
            screen = self.get(key)
            if screen is not None:
                yield screen

    def make_next(self) -> bool:
        """Make one more screen; tell whether there was one left."""
        for key in self._sections:
            if key not in self._screens:
                self.get(key)
                return True
        return False

    def front(self) -> Screen | None:
        """Return the screen that is seen."""
        shown = self._stack.currentWidget()
        return next((screen for screen in self._screens.values() if screen.widget is shown), None)
