"""Choosing the reader's language and installing its sentences."""

from __future__ import annotations

import os

from obdesk.app.resources import resources
from obdesk.domain import texts


def system_language() -> str:
    """Return the language of the system if we speak it, else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "fr" if value.lower().startswith("fr") else "en"
    import locale  # only where the environment is silent: it costs as much as a small screen

    return "fr" if (locale.getlocale()[0] or "").lower().startswith("fr") else "en"


def use_language(choice: str) -> str:
    """Install `en`, `fr` or `system`; return the language in use."""
    language = choice if choice in texts.LANGUAGES else system_language()
    texts.install(language, _sentences(language))
    return language


def decimal_text(number: float, *, places: int) -> str:
    """Return a measure with the decimal mark of the language in use; money never passes here."""
    text = f"{number:.{places}f}"
    return text.replace(".", ",") if texts.language() == "fr" else text


def _sentences(language: str) -> dict[str, str]:
    if language == "en":
        return {}  # the source language
    import json

    sentences: dict[str, str] = {}
    folder = resources() / "i18n" / language
    for file in sorted(folder.glob("*.json")):
        sentences |= json.loads(file.read_text(encoding="utf-8"))
    return sentences
