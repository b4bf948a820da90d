"""The colours of the program as frozen tables, one per scheme; widgets never hold a literal colour.

Every text token keeps 4.5:1 and every glyph token 3:1 against each ground it is drawn on; a test
computes it for both tables.
"""

from __future__ import annotations

from typing import NamedTuple


class Tokens(NamedTuple):
    """One colour scheme; each value is `#RRGGBB`."""

    canvas: str
    side: str
    surface: str
    raised: str
    line: str
    line_strong: str
    ink: str
    ink_muted: str
    ink_faint: str
    """For glyphs, hairline marks and text of 18 px and more; too faint for small text."""
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    selection: str
    income: str
    warning: str
    warning_soft: str
    danger: str
    danger_soft: str
    on_danger: str
    info: str
    info_soft: str
    chart_area: str
    hover: str
    series: tuple[str, ...]
    """Eight hues for charts and category chips, told apart by colour-blind readers by lightness too."""

    def colours(self) -> dict[str, str]:
        """Return every single-colour token by its name, as the style sheet's placeholders use it."""
        return {name: getattr(self, name) for name in self._fields if name != "series"}


LIGHT = Tokens(
    canvas="#F6F6F3",
    side="#EFEFEA",
    surface="#FFFFFF",
    raised="#FFFFFF",
    line="#E4E4DE",
    line_strong="#CFCFC7",
    ink="#1C1C1A",
    ink_muted="#5B5A55",
    ink_faint="#85837C",
    accent="#0E6B57",
    accent_hover="#0B5949",
    accent_soft="#E1EFEA",
    on_accent="#FFFFFF",
    selection="#E4EFEB",
    income="#0B7545",
    warning="#8A5300",
    warning_soft="#FBF1DF",
    danger="#B3261E",
    danger_soft="#FBE9E7",
    on_danger="#FFFFFF",
    info="#1D5CB8",
    info_soft="#E7EFFA",
    chart_area="#E7F1EE",
    hover="#E7E7E1",
    series=("#2F6DB5", "#B5562F", "#0E7A62", "#7A4FA3", "#A3741A", "#B33A6B", "#3F7F8C", "#6B6A64"),
)

DARK = Tokens(
    canvas="#151514",
    side="#191918",
    surface="#1D1D1B",
    raised="#242422",
    line="#2E2E2B",
    line_strong="#45453F",
    ink="#EDECE8",
    ink_muted="#AAA8A0",
    ink_faint="#7C7A73",
    accent="#57C2A4",
    accent_hover="#6FD0B4",
    accent_soft="#16312A",
    on_accent="#0B1F19",
    selection="#1B2F29",
    income="#63C994",
    warning="#E2AC52",
    warning_soft="#33270F",
    danger="#F28B82",
    danger_soft="#3A1B18",
    on_danger="#2A0B08",
    info="#86B4F4",
    info_soft="#16243A",
    chart_area="#203430",
    hover="#262624",
    series=("#7FB0EC", "#E59468", "#57C2A4", "#B997DC", "#D9B04F", "#E386AB", "#7CBAC6", "#AAA8A0"),
)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours by WCAG 2: from 1 (equal) to 21 (black on white)."""
    first, second = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable_on(ground: str) -> str:
    """Return black or white, whichever reads better on `ground`: for a bank's own colour."""
    white, black = "#FFFFFF", "#1C1C1A"
    return (
        white
        if contrast(white, ground) >= 4.0 or contrast(white, ground) >= contrast(black, ground)
        else black
    )
