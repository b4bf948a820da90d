"""Every sentence that reaches a person has its French one, with the same placeholders."""

from __future__ import annotations

import ast
import json
import string
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "obdesk"
FRENCH = ROOT / "resources" / "i18n" / "fr"
SENTENCES = {"tr": 1, "mark": 1, "trn": 2}
"""Function: how many of its first arguments are sentences."""


class Sentence(NamedTuple):
    """A sentence and where it is."""

    text: str
    where: str
    area: str


def _area(path: Path) -> str:
    parts = path.relative_to(SOURCES).parts
    if parts[0] != "gui":
        return parts[0].removesuffix(".py")
    return parts[1].removesuffix(".py") if len(parts) > 2 else "gui"


def _literals(call: ast.Call, many: int) -> list[str]:
    parts = [part for argument in call.args[:many] for part in ast.walk(argument)]
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def sentences_of(source: str, where: str = "", area: str = "") -> list[Sentence]:
    """Return the sentences of a module: the literals given to tr, trn and mark."""
    found: list[Sentence] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SENTENCES:
            texts = _literals(node, SENTENCES[node.func.id])
            found += [Sentence(text, f"{where}:{node.lineno}", area) for text in texts]
    return found


def _all() -> list[Sentence]:
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        if "_resources" not in path.parts and "simulator" not in path.parts:
            where = str(path.relative_to(ROOT))
            found += sentences_of(path.read_text(encoding="utf-8"), where, _area(path))
    return found


def _catalogue() -> dict[str, str]:
    merged: dict[str, str] = {}
    for file in sorted(FRENCH.glob("*.json")):
        merged |= json.loads(file.read_text(encoding="utf-8"))
    return merged


def placeholders(text: str) -> set[str]:
    """Return the names between braces."""
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}


ALL = _all()
AREAS = sorted({sentence.area for sentence in ALL})


@pytest.mark.parametrize("area", AREAS)
def test_every_sentence_of_an_area_is_in_the_catalogue(area: str) -> None:
    known = _catalogue()
    missing = [f"{s.where} {s.text!r}" for s in ALL if s.area == area and s.text not in known]

    assert missing == []


@pytest.mark.parametrize("file", sorted(FRENCH.glob("*.json")), ids=lambda file: file.stem)
def test_both_languages_have_the_same_placeholders(file: Path) -> None:
    catalogue: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    differing = [
        source for source, french in catalogue.items() if placeholders(source) != placeholders(french)
    ]

    assert differing == []


@pytest.mark.parametrize("file", sorted(FRENCH.glob("*.json")), ids=lambda file: file.stem)
def test_no_french_sentence_is_empty_or_has_a_plain_space_before_its_marks(file: Path) -> None:
    catalogue: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    wrong = [
        french
        for french in catalogue.values()
        if not french.strip()
        or any(f" {mark}" in french for mark in ("?", "!", ";", ":", "»"))
        or "« " in french
    ]

    assert wrong == []


def test_one_sentence_has_one_translation_in_all_files() -> None:
    seen: dict[str, tuple[str, str]] = {}
    clashes = []
    for file in sorted(FRENCH.glob("*.json")):
        for source, french in json.loads(file.read_text(encoding="utf-8")).items():
            if source in seen and seen[source][1] != french:
                clashes.append(f"{source!r}: {seen[source]} and {(file.name, french)}")
            seen[source] = (file.name, french)

    assert clashes == []


def test_nothing_in_the_catalogue_has_lost_its_sentence() -> None:
    spoken = {sentence.text for sentence in ALL}
    orphans = {
        file.name: sorted(set(json.loads(file.read_text(encoding="utf-8"))) - spoken)
        for file in sorted(FRENCH.glob("*.json"))
    }

    assert {name: left for name, left in orphans.items() if left} == {}


def test_the_search_for_sentences_finds_all_three_forms() -> None:
    source = """
label = tr("One {thing}", thing=1)
label = trn("{n} bank", "{n} banks", 2)
RULE = mark("Declared here")
label = tr("Yes" if on else "No")
label = other("Not this")
"""
    texts = [sentence.text for sentence in sentences_of(source)]

    assert texts == ["One {thing}", "{n} bank", "{n} banks", "Declared here", "Yes", "No"]
