"""Colours, fonts and the style sheet: one place where the look is decided."""
