"""Colours that can be read, figures that line up, icons that are there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter

from obdesk.app.resources import resources
from obdesk.gui.icons import CODE_POINTS, font_file
from obdesk.gui.theme.fonts import has_even_figures
from obdesk.gui.theme.palette import pictures, style_sheet
from obdesk.gui.theme.theme import Mode, Theme
from obdesk.gui.theme.tokens import DARK, LIGHT, Tokens, contrast, readable_on
from obdesk.gui.widgets.avatar import colour_of, monogram
from obdesk.gui.widgets.glyph import paint_glyph
from obdesk.gui.widgets.status import Glyph, sentence_of, token_of

if TYPE_CHECKING:
    from pathlib import Path


GROUNDS = ("canvas", "side", "surface", "raised")
SCHEMES = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])


@SCHEMES
def test_text_reads_on_every_ground(tokens: Tokens) -> None:
    for text in ("ink", "ink_muted", "accent", "income", "warning", "danger", "info"):
        for ground in GROUNDS:
            assert contrast(getattr(tokens, text), getattr(tokens, ground)) >= 4.5, (text, ground)


@SCHEMES
def test_text_reads_on_its_soft_ground(tokens: Tokens) -> None:
    pairs = [(tone, f"{tone}_soft") for tone in ("accent", "warning", "danger", "info")]
    pairs += [
        ("on_accent", "accent"),
        ("on_accent", "accent_hover"),
        ("on_danger", "danger"),
        ("surface", "ink"),
    ]
    pairs += [("ink", ground) for ground in ("selection", "hover", "accent_soft")]
    pairs += [("ink_muted", "selection"), ("ink_muted", "hover"), ("income", "selection")]
    pairs += [("danger", "selection"), ("warning", "selection"), ("warning", "accent_soft")]
    for text, ground in pairs:
        assert contrast(getattr(tokens, text), getattr(tokens, ground)) >= 4.5, (text, ground)


@SCHEMES
def test_glyphs_and_chart_hues_stand_out(tokens: Tokens) -> None:
    for ground in (*GROUNDS, "selection"):
        for glyph in Glyph:
            token = token_of(glyph)
            assert contrast(getattr(tokens, token), getattr(tokens, ground)) >= 3, (glyph, ground)
    for hue in tokens.series:
        assert contrast(hue, tokens.surface) >= 3, hue


@SCHEMES
def test_every_placeholder_of_the_style_sheet_is_a_token(tokens: Tokens, tmp_path: Path) -> None:
    assert "@" not in style_sheet(tokens).replace("at sign", "")
    assert [path for path in pictures(tokens).values() if not path.is_file()] == []
    broken = tmp_path / "broken.qss"
    broken.write_text("QLabel { color: @no_such_token; }")

    with pytest.raises(KeyError):
        style_sheet(tokens, broken)


def test_black_or_white_whatever_reads_on_a_banks_colour() -> None:
    assert readable_on("#FFD100") == "#1C1C1A"
    assert readable_on("#2F6DB5") == "#FFFFFF"


def test_all_figures_have_one_width(theme: Theme) -> None:
    for font in theme.fonts:
        assert has_even_figures(font)


def test_no_font_falls_below_eleven_pixels(theme: Theme) -> None:
    for font in theme.fonts:
        assert font.pixelSize() >= 11 or font.pointSizeF() >= 11 * 0.75


def test_the_schemes_can_be_switched_and_the_icons_follow(theme: Theme) -> None:
    changes: list[bool] = []
    theme.changed.connect(lambda: changes.append(theme.dark))
    icon = theme.icon("house", "ink")
    light = icon.pixmap(QSize(16, 16)).toImage()

    theme.set_mode(Mode.DARK)
    dark = icon.pixmap(QSize(16, 16)).toImage()

    assert changes == [True]
    assert _darkest(light) < 80
    assert _darkest(dark) > 150


def _darkest(image: QImage) -> int:
    seen = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return min(colour.lightness() for colour in seen if colour.alpha() > 200)


def test_every_icon_is_in_the_familys_own_table() -> None:
    path = font_file()
    assert path is not None
    table = next(path.parent.glob("phosphor-charmap-*.json"))
    known = {name: int(code, 16) for name, code in json.loads(table.read_text()).items()}

    assert {name: known.get(name) for name in CODE_POINTS} == CODE_POINTS


def test_the_style_sheet_lies_with_the_resources() -> None:
    assert (resources() / "theme" / "obdesk.qss").is_file()


def test_glyphs_differ_by_their_shape_alone(theme: Theme) -> None:
    """Painted in one colour, no two of them look the same."""
    seen: dict[bytes, Glyph] = {}
    for glyph in Glyph:
        image = QImage(28, 28, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.scale(2, 2)
        paint_glyph(painter, QRectF(0, 0, 14, 14), glyph, theme)
        painter.end()
        shape = bytes(image.pixelColor(x, y).alpha() // 64 for y in range(28) for x in range(28))
        assert any(shape), glyph
        assert shape not in seen, (glyph, seen.get(shape))
        seen[shape] = glyph


def test_every_glyph_has_a_sentence() -> None:
    for glyph in Glyph:
        assert sentence_of(glyph).endswith(".")


@pytest.mark.parametrize(
    ("bank", "letters"),
    [
        ("Banque du Port", "BP"),
        ("Crédit des Alpes", "CA"),
        ("N26", "N2"),
        ("", "?"),
        ("de la", "DL"),
        ("<b>x", "BX"),
    ],
)
def test_a_bank_gets_a_monogram(bank: str, letters: str) -> None:
    assert monogram(bank) == letters


@pytest.mark.parametrize("colour", ["", "red", "12345", "#12345G", "url(x)"])
def test_what_is_no_colour_becomes_grey(colour: str) -> None:
    assert colour_of(colour) == "#6B6A64"
    assert colour_of("2f6db5") == "#2F6DB5"
