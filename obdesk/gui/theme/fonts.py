"""The interface font of the platform with tabular figures, in the few sizes the program uses."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtGui import QFont, QFontInfo, QFontMetricsF, QGuiApplication

_GENERIC = {"sans", "sans serif", "sans-serif", "helvetica", "dejavu sans", ""}
_GOOD = ("Inter", "Noto Sans", "Cantarell", "Ubuntu", "Segoe UI")
_SMALLEST_PX = 11


class Fonts(NamedTuple):
    """The type scale; every face has figures of one width."""

    base: QFont
    medium: QFont
    strong: QFont
    small: QFont
    small_strong: QFont
    section: QFont
    title: QFont
    headline: QFont


def interface_fonts() -> Fonts:
    """Return the scale over the platform's font: headline 2.2, title 1.6, section 1.25, small 0.88."""
    base = tabular(_platform_font())
    return Fonts(
        base=base,
        medium=_scaled(base, 1.0, QFont.Weight.Medium),
        strong=_scaled(base, 1.0, QFont.Weight.DemiBold),
        small=_scaled(base, 0.88, QFont.Weight.Normal),
        small_strong=_scaled(base, 0.88, QFont.Weight.DemiBold),
        section=_scaled(base, 1.25, QFont.Weight.DemiBold),
        title=_scaled(base, 1.6, QFont.Weight.DemiBold),
        headline=_scaled(base, 2.2, QFont.Weight.DemiBold),
    )


def _platform_font() -> QFont:
    font = QGuiApplication.font()
    if font.family().lower() not in _GENERIC:
        return font
    # A desktop without a theme names only an alias and a small size: choose a face made for screens.
    for family in _GOOD:
        wanted = QFont(family)
        if QFontInfo(wanted).family() == family:
            wanted.setPointSizeF(max(font.pointSizeF(), 10.0))
            wanted.setHintingPreference(QFont.HintingPreference.PreferVerticalHinting)
            return wanted
    return font


def tabular(font: QFont) -> QFont:
    """Return `font` with lining figures of one width; a font that has none gives way to one that has."""
    wanted = QFont(font)
    wanted.setFeature(QFont.Tag("tnum"), 1)
    wanted.setFeature(QFont.Tag("lnum"), 1)
    if has_even_figures(wanted):
        return wanted
    from PySide6.QtGui import QFontDatabase

    fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    fixed.setPointSizeF(font.pointSizeF())
    return fixed


def has_even_figures(font: QFont) -> bool:
    """Tell whether every digit is as wide as the others, so that columns of amounts line up."""
    measure = QFontMetricsF(font)
    widths = [measure.horizontalAdvance(digit * 8) for digit in "0123456789"]
    return max(widths) - min(widths) < 0.5


def _scaled(base: QFont, factor: float, weight: QFont.Weight) -> QFont:
    font = QFont(base)
    if base.pixelSize() > 0:
        font.setPixelSize(max(_SMALLEST_PX, round(base.pixelSize() * factor)))
    else:
        # 11 px at 96 dots per inch are 8.25 points.
        font.setPointSizeF(max(_SMALLEST_PX * 0.75, base.pointSizeF() * factor))
    font.setWeight(weight)
    if factor > 1.5:
        font.setLetterSpacing(QFont.SpacingType.PercentageSpacing, 98.5)
    return font
