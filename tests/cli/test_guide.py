"""docs/guide.md says what the program does: every command, option, key, column and exit code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obdesk.app.doctor import Health
from obdesk.cli.exits import ExitCode
from obdesk.domain.conditions import Side
from obdesk.domain.entities import AccountKind, AccountState, RunResult
from obdesk.domain.freshness import FreshnessState
from obdesk.domain.mailbox import MailboxState, Trouble
from obdesk.storage.queries.export import COLUMNS
from tests.cli.test_usage import commands

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.cli.conftest import CommandLine

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
GUIDE = _FENCED.sub("", (Path(__file__).parents[2] / "docs" / "guide.md").read_text("utf-8"))


def missing(words: Iterable[str], text: str = GUIDE) -> list[str]:
    """Return the words that are not written as code."""
    written = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", text))))
    return sorted(set(words) - written)


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_each_command_and_option_is_in_the_guide(obdesk: CommandLine, command: tuple[str, ...]) -> None:
    line = next(
        (each for each in GUIDE.splitlines() if each.startswith(f"| `obdesk {' '.join(command)}")), ""
    )

    assert line, "the command is not in the table"
    if command in {("simulate",), ("relay",)}:  # programs of their own, with a help and guide of theirs
        return
    options = set(re.findall(r"^  (--[\w-]+)", obdesk(*command, "--help").out, re.MULTILINE))
    assert missing(options, line) == []


def test_each_json_key_is_in_the_guide(linked: CommandLine) -> None:
    found: set[str] = set()

    def collect(value: object) -> None:
        if isinstance(value, dict):
            found.update(value)
            list(map(collect, value.values()))
        elif isinstance(value, list):
            list(map(collect, value))

    for command in (
        ["accounts"],
        ["status"],
        ["connections"],
        ["transactions", "--limit", "2"],
        ["sync"],
        ["runs"],
        ["runs", "show", "1"],
        ["proofs"],
        ["problems"],
        ["doctor"],
    ):
        collect(linked(*command, "--json").json())

    assert missing(found) == []


def test_each_word_of_a_closed_set_is_in_the_guide() -> None:
    sets = (FreshnessState, AccountKind, AccountState, RunResult, Side, Health, MailboxState, Trouble)

    assert missing(member.value for words in sets for member in words) == []


def test_each_csv_column_is_in_the_guide_in_order() -> None:
    table = GUIDE.partition("## The CSV file")[2].partition("## Exit codes")[0]
    rows = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)
    named = re.findall(r"`(\w+)`", " ".join(rows))

    assert sorted(named) == sorted(COLUMNS)


def test_each_exit_code_is_in_the_guide() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", GUIDE, re.MULTILINE)}

    assert told == {int(code) for code in ExitCode}
