"""Texts for people: English is the source, a catalogue turns it into the reader's language.

`tr("Ends in {days} days", days=3)` and `trn("{n} account", "{n} accounts", n)` are the only two ways a
sentence reaches a person. The catalogue is installed once by the application; without one the English
text is used. A test walks the source tree and shows that every sentence has its French one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("en", "fr")


class _Catalogue:
    """The installed language with its sentences."""

    def __init__(self) -> None:
        self.language = "en"
        self.sentences: Mapping[str, str] = {}


_installed = _Catalogue()


def install(language: str, sentences: Mapping[str, str]) -> None:
    """Use `sentences` (English to `language`) from now on."""
    _installed.language = language
    _installed.sentences = sentences


def language() -> str:
    """Return the two-letter code of the language in use."""
    return _installed.language


def tr(source: str, /, **values: object) -> str:
    """Return `source` in the reader's language with `{name}` placeholders filled."""
    text = _installed.sentences.get(source, source)
    return text.format(**values) if values else text


def trn(one: str, many: str, n: int, /, **values: object) -> str:
    """Return the singular or plural sentence for `n`, which is also the value of `{n}`.

    French counts zero as singular, English as plural (Unicode CLDR plural rules).
    """
    singular = n in {0, 1} if _installed.language == "fr" else n == 1
    return tr(one if singular else many, n=n, **values)


def mark(source: str, /) -> str:
    """Mark a sentence for the catalogue where it is declared; it is turned with `tr` where it is shown."""
    return source
