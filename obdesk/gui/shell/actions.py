"""Every command of the window, declared once: name, shortcut, icon; menus and palette are made from them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence

from obdesk.domain.texts import tr, trn
from obdesk.gui.theme.theme import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtWidgets import QMenuBar

    from obdesk.gui.theme.theme import Theme

K = TypeVar("K")
INTERVALS_H = (1, 2, 4, 8, 24)


class Actions(QObject):
    """The window's commands; the window connects each to what it does."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self.refresh_all = self._make(tr("Refresh all banks"), "Ctrl+R", "F5", icon="arrows-clockwise")
        # The space keeps the icon off the word; the style knows no such distance.
        self.refresh_all.setIconText(f"  {tr('Refresh')}")
        self.refresh_all.setToolTip(tr("Refresh all banks (Ctrl+R)"))
        self.refresh_bank = self._make(tr("Refresh this bank"))
        self.refresh_account = self._make(tr("Refresh this account"), "Ctrl+Shift+R")
        self.search = self._make(tr("Search transactions"), "Ctrl+F", icon="magnifying-glass")
        self.link = self._make(tr("Link a bank…"), icon="plus")
        self.export = self._make(tr("Export transactions…"), "Ctrl+E", icon="export")
        self.privacy = self._make(tr("Hide amounts"), "Ctrl+Shift+P", icon="eye")
        self.privacy.setCheckable(True)
        self.privacy.setToolTip(tr("Hide amounts from onlookers (Ctrl+Shift+P)"))
        self.commands = self._make(tr("Commands…"), "Ctrl+K")
        self.shortcuts = self._make(tr("Keyboard shortcuts"), "F1", "Ctrl+?", icon="keyboard")
        self.menu = self._make(tr("Show or hide the menu"), "F10")
        self.about = self._make(tr("About obdesk"))
        self.about.setMenuRole(QAction.MenuRole.AboutRole)
        self.quit = self._make(tr("Quit"), "Ctrl+Q", icon="sign-out")
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)
        self.modes = self._modes()
        self.languages = self._languages()
        self.intervals = self._intervals()
        self.sections: list[QAction] = []

    def _make(self, text: str, *keys: str, icon: str = "") -> QAction:
        action = QAction(text, self)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        if icon:
            action.setIcon(self._theme.icon(icon))
            action.setIconVisibleInMenu(False)
        return action

    def _modes(self) -> dict[Mode, QAction]:
        texts = {
            Mode.SYSTEM: tr("Colours as the system has them"),
            Mode.LIGHT: tr("Light colours"),
            Mode.DARK: tr("Dark colours"),
        }
        group = QActionGroup(self)
        made = {}
        for mode, text in texts.items():
            action = group.addAction(text)
            action.setCheckable(True)
            action.setChecked(mode is self._theme.mode)
            made[mode] = action
        return made

    def _languages(self) -> dict[str, QAction]:
        texts = {
            "system": tr("Language as the system has it"),
            "en": tr("Language: {name}", name="English"),
            "fr": tr("Language: {name}", name="Français"),
        }
        return self._choice(texts)

    def _intervals(self) -> dict[int, QAction]:
        return self._choice(
            {
                hours: trn("Check each bank every hour", "Check each bank every {n} hours", hours)
                for hours in INTERVALS_H
            }
        )

    def _choice(self, texts: Mapping[K, str]) -> dict[K, QAction]:
        """Return commands of which one is marked at most."""
        group = QActionGroup(self)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        made = {key: group.addAction(text) for key, text in texts.items()}
        for action in made.values():
            action.setCheckable(True)
        return made

    def add_section(self, title: str) -> QAction:
        """Add the command that brings a section to the front: Ctrl+1, Ctrl+2, in their order."""
        place = len(self.sections) + 1
        action = self._make(tr("Go to {section}", section=title), f"Ctrl+{place}")
        self.sections.append(action)
        return action

    def all(self) -> list[QAction]:
        """Return every command, the most asked first."""
        return [
            self.refresh_all,
            self.refresh_bank,
            self.refresh_account,
            *self.sections,
            self.search,
            self.link,
            self.export,
            self.privacy,
            *self.modes.values(),
            *self.languages.values(),
            *self.intervals.values(),
            self.commands,
            self.shortcuts,
            self.menu,
            self.about,
            self.quit,
        ]

    def fill(self, bar: QMenuBar, of_screens: Sequence[QAction] = ()) -> None:
        """Fill the menu bar."""
        bar.clear()
        file = bar.addMenu(tr("&File"))
        file.addActions([self.link, self.export])
        file.addSeparator()
        file.addAction(self.quit)
        view = bar.addMenu(tr("&View"))
        view.addActions(self.sections)
        view.addSeparator()
        view.addActions([self.search, self.privacy])
        view.addSeparator()
        view.addActions(list(self.modes.values()))
        view.addSeparator()
        view.addActions(list(self.languages.values()))
        banks = bar.addMenu(tr("&Banks"))
        banks.addActions([self.refresh_all, self.refresh_bank, self.refresh_account])
        banks.addSeparator()
        banks.addActions(list(self.intervals.values()))
        if of_screens:
            rows = bar.addMenu(tr("&Transactions"))
            rows.addActions(list(of_screens))
        helping = bar.addMenu(tr("&Help"))
        helping.addActions([self.commands, self.shortcuts, self.menu, self.about])


def menu_bar_shown_at_start() -> bool:
    """Tell whether this desktop expects a visible menu bar; elsewhere Alt or F10 shows it."""
    return sys.platform == "darwin"
