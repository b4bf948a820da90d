"""The reader's language is the one they chose, or their system's."""

from __future__ import annotations

import json
from string import Formatter
from typing import TYPE_CHECKING

import pytest

from obdesk.app.i18n import system_language, use_language
from obdesk.app.resources import resources
from obdesk.domain import texts

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def _english_after() -> Iterator[None]:
    yield
    texts.install("en", {})


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_CA.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LC_MESSAGES": "fr_FR", "LANG": "de_DE.UTF-8"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": ""}, "en"),
    ],
)
def test_the_systems_language(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert system_language() == language
    assert use_language("system") == language


def test_a_choice_wins_and_an_unknown_one_is_the_systems() -> None:
    assert use_language("fr") == "fr" == texts.language()
    assert use_language("en") == "en" == texts.language()
    assert use_language("tlh") == system_language()


def _catalogue() -> dict[str, str]:
    sentences: dict[str, str] = {}
    for file in sorted((resources() / "i18n" / "fr").glob("*.json")):
        sentences |= json.loads(file.read_text(encoding="utf-8"))
    return sentences


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_a_translation_fills_in_what_its_sentence_does() -> None:
    odd = {
        english: french
        for english, french in _catalogue().items()
        if _placeholders(english) != _placeholders(french) or not french.strip()
    }
    assert odd == {}


def test_a_sentence_is_read_in_french_once_french_is_chosen() -> None:
    catalogue = _catalogue()
    assert catalogue
    use_language("fr")
    for english, french in catalogue.items():
        assert texts.tr(english) == french
    use_language("en")
    assert texts.tr(next(iter(catalogue))) == next(iter(catalogue))
