"""The reader's locale from Qt's data as a plain value, and Qt's own texts in the reader's language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator

from obdesk.gui.format import NARROW_SPACE, NO_BREAK_SPACE, Locale

if TYPE_CHECKING:
    from datetime import tzinfo

    from PySide6.QtCore import QCoreApplication

_SPACES = {" ", "\N{NO-BREAK SPACE}", NARROW_SPACE}


def system_qlocale(language: str) -> QLocale:
    """Return the system's locale when it speaks `language`, else that language in its first country."""
    system = QLocale.system()
    if QLocale.languageToCode(system.language()) == language and system.name() != "C":
        return system
    return QLocale("en_GB") if language == "en" else QLocale(language)


def locale_of(source: QLocale, *, zone: tzinfo | None = None) -> Locale:
    """Return Qt's knowledge of a locale as a value that pure code can use."""
    sample = source.toCurrencyString(1, "¤", 0)
    digits = re.search(r"\d", sample)
    assert digits is not None, sample
    symbol_first = sample.index("¤") < digits.start()
    group = source.groupSeparator()
    spaced = any(space in sample for space in _SPACES)
    date_format = source.dateFormat(QLocale.FormatType.ShortFormat)
    language = QLocale.languageToCode(source.language())
    return Locale(
        language="en" if language == "C" else language,
        decimal=source.decimalPoint(),
        group=NARROW_SPACE if group in _SPACES else group,
        symbol_first=symbol_first,
        symbol_gap=NO_BREAK_SPACE if spaced else "",
        day_first=date_format.find("d") < date_format.find("M") if date_format[:1] != "y" else True,
        short_date_pattern=_pattern(date_format),
        clock_24h="a" not in source.timeFormat(QLocale.FormatType.ShortFormat).lower(),
        months=tuple(source.standaloneMonthName(month) for month in range(1, 13)),
        months_short=tuple(_short(source.monthName(m, QLocale.FormatType.ShortFormat)) for m in range(1, 13)),
        weekdays=tuple(source.standaloneDayName(day) for day in range(1, 8)),
        weekdays_short=tuple(_short(source.dayName(d, QLocale.FormatType.ShortFormat)) for d in range(1, 8)),
        zone=zone,
    )


def _short(name: str) -> str:
    """Drop the full stop of an abbreviation ("nov."): in columns it is only noise."""
    return name.rstrip(".")


def _pattern(qt_format: str) -> str:
    parts = {
        "d": "{day}",
        "dd": "{day:02}",
        "M": "{month}",
        "MM": "{month:02}",
        "yy": "{year}",
        "yyyy": "{year}",
    }
    return re.sub(r"d{1,2}|M{1,2}|y{4}|y{2}", lambda found: parts[found[0]], qt_format).replace("'", "")


def translate_qt(app: QCoreApplication, language: str) -> QTranslator | None:
    """Give Qt's own texts (OK, Cancel, Copy) in `language`; the translator must be kept alive."""
    if language == "en":
        return None
    translator = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if not translator.load(f"qtbase_{language}", folder):
        return None
    app.installTranslator(translator)
    return translator
