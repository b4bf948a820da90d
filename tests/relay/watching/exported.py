"""Which series the relay and the desktop really export, and which names an expression asks for."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from obdesk.relay.server.metrics import Metrics
from tests.arch.tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PLACE = ROOT / "packaging" / "relay"
_HISTOGRAM = ("_bucket", "_sum", "_count")
_SELECTOR = re.compile(r"\b(obdesk_\w+|process_\w+|up)\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')


def families(text: str) -> set[str]:
    """Return the names of all families in Prometheus' text, those without a sample too."""
    return set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))


@cache
def _text_of_relay() -> str:
    return Metrics().render().decode()


@cache
def _words_of_relay() -> dict[str, set[tuple[str, str]]]:
    """Return for each series of the relay's the words of its labels."""
    found: dict[str, set[tuple[str, str]]] = {}
    for family in text_string_to_metric_families(_text_of_relay()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels.items())
    return found


def of_relay() -> set[str]:
    """Return the families of the relay: a counter with its `_total`, a histogram by its bare name."""
    return families(_text_of_relay())


def asked(expression: str) -> set[str]:
    """Return the families that an expression asks for; every selector in it has braces."""
    return {_family(name) for name, _ in _SELECTOR.findall(expression)}


def _family(name: str) -> str:
    bare = next((name.removesuffix(end) for end in _HISTOGRAM if name.endswith(end)), name)
    return bare if bare in of_relay() else name


def unknown_words(expression: str) -> list[str]:
    """Return the words by which an expression narrows the relay's series and that none of them has."""
    return [
        f'{name}{{{label}="{word}"}}'
        for name, matchers in _SELECTOR.findall(expression)
        if name.startswith("obdesk_relay_")
        for label, how, words in _MATCHER.findall(matchers)
        if label != "job" and not (label == "status" and how == "=~")
        for word in words.split("|")
        if (label, word) not in _words_of_relay()[name]
    ]


def tool(name: str, *arguments: str | Path, package: str) -> str:
    """Return what a program says of some files; the test fails where it finds fault with them."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed (Debian: {package})")
    done = subprocess.run([name, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
