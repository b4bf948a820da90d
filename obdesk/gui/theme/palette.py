"""Tokens to a QPalette and a style sheet; the sheet is a template in resources/theme."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QPalette

from obdesk.app.resources import resources

if TYPE_CHECKING:
    from pathlib import Path

    from obdesk.gui.theme.tokens import Tokens

_PLACEHOLDER = re.compile(r"@([a-z_]+)")


def palette_of(tokens: Tokens) -> QPalette:
    """Return the palette that Qt's own widgets and dialogs are drawn with."""
    role = QPalette.ColorRole
    palette = QPalette()
    for place, token in {
        role.Window: tokens.canvas,
        role.WindowText: tokens.ink,
        role.Base: tokens.surface,
        role.AlternateBase: tokens.canvas,
        role.ToolTipBase: tokens.ink,
        role.ToolTipText: tokens.surface,
        role.Text: tokens.ink,
        role.Button: tokens.surface,
        role.ButtonText: tokens.ink,
        role.BrightText: tokens.danger,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.on_accent,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.PlaceholderText: tokens.ink_muted,
        role.Accent: tokens.accent,
        role.Light: tokens.raised,
        role.Midlight: tokens.line,
        role.Mid: tokens.line_strong,
        role.Dark: tokens.line_strong,
        role.Shadow: tokens.line_strong,
    }.items():
        palette.setColor(place, QColor(token))
    for place in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, place, QColor(tokens.ink_faint))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(tokens.line_strong))
    return palette


def pictures(tokens: Tokens) -> dict[str, Path]:
    """Return a combo box's arrow, a tick and a dot in a scheme's colours, by their placeholders.

    A style sheet takes pictures only from files.
    """
    inks = {"caret": tokens.ink_muted, "check": tokens.on_accent, "dot": tokens.on_accent}
    return {name: resources() / "icons" / f"{name}-{ink[1:].lower()}.svg" for name, ink in inks.items()}


def style_sheet(tokens: Tokens, template: Path | None = None) -> str:
    """Return the style sheet with each `@token` replaced; an unknown token raises KeyError."""
    values = tokens.colours() | {name: path.as_posix() for name, path in pictures(tokens).items()}
    text = (template or resources() / "theme" / "obdesk.qss").read_text(encoding="utf-8")
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)
