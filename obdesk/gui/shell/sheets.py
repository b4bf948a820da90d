"""What lays itself over the window for a moment: the palette, the shortcuts, the word about obdesk.

They are imported when a person asks for them: no first paint waits for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from obdesk.gui.theme.theme import Theme


def open_about(theme: Theme, over: QWidget) -> None:
    """Say which version this is."""
    from obdesk.gui.shell.about import AboutDialog

    AboutDialog(theme, over).open()


def open_palette(theme: Theme, commands: list[QAction], over: QWidget) -> None:
    """Offer every command by its name."""
    from obdesk.gui.shell.palette import CommandPalette

    CommandPalette(theme, commands, over).open_over(over)


def open_shortcuts(theme: Theme, commands: list[QAction], over: QWidget) -> None:
    """List every command with its keys."""
    from obdesk.gui.shell.palette import ShortcutSheet

    ShortcutSheet(theme, commands, over).open()
