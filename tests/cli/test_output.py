"""Tables line up, JSON is one document, and a bank's words cannot drive the terminal."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from obdesk.cli.output import Column, StatusLine, cleaned, print_json, print_table, width_of
from obdesk.domain.errors import Action
from tests.cli.conftest import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

HOSTILE = "\x1b[31mred\x07\x9b2J\r\n\u202eback\u2028next\x00"
_TEXT = st.text(st.characters(codec="utf-8"))


def printed(columns: Sequence[Column], rows: list[list[str]], *, terminal: bool = False) -> list[str]:
    """Return the lines of a table."""
    out = Terminal(is_terminal=terminal)
    with redirect_stdout(out):
        print_table(columns, rows)
    return out.text().splitlines()


def obeyed(text: str) -> list[str]:
    """Return the characters that a terminal would obey instead of showing."""
    return [
        character
        for character in text
        if (unicodedata.category(character) == "Cc" and character != "\n")
        or unicodedata.bidirectional(character)
        in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        or character in "\u2028\u2029\u200e\u200f\u061c"
    ]


@given(_TEXT)
def test_nothing_a_terminal_obeys_passes(text: str) -> None:
    assert obeyed(cleaned(text)) == []
    assert "\n" not in cleaned(text)


@given(st.dictionaries(_TEXT, st.one_of(_TEXT, st.none(), st.integers(), st.booleans()), max_size=4))
def test_json_reads_back_and_is_safe_to_look_at(document: dict[str, object]) -> None:
    out = Terminal()
    with redirect_stdout(out):
        print_json(document)

    assert json.loads(out.text()) == document
    assert obeyed(out.text()) == []


def test_json_is_plain_where_the_encoding_is_poor(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    out.reconfigure(encoding="latin-1")
    with redirect_stdout(out):
        print_json({"payee": "Éric €"})

    assert json.loads(out.content.getvalue()) == {"payee": "Éric €"}
    assert out.content.getvalue().isascii()
    monkeypatch.undo()


def test_columns_line_up_whatever_the_words() -> None:
    rows = [
        ["Épicerie", "1.00 EUR", "x"],
        ["Cafe\u0301", "-1500.00 EUR", "x"],
        ["東京銀行", "20 JPY", "x"],
        [HOSTILE, "3.00 EUR", "x"],
    ]

    lines = printed([Column("Bank"), Column("Balance", right=True), Column("")], rows)

    assert {width_of(line.rpartition("x")[0]) for line in lines[1:]} == {width_of(lines[1]) - 1}
    assert obeyed("".join(lines)) == []
    assert lines[1].split() == ["Épicerie", "1.00", "EUR", "x"]


def test_a_narrow_terminal_shortens_words_and_never_an_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((50, 24)))
    columns = [Column("Bank", flexible=True), Column("Account", flexible=True), Column("Balance", right=True)]
    rows = [["Banque Populaire de la Mer et des Îles", "Compte courant de Madame", "-123456789.01 EUR"]]

    narrow = printed(columns, rows, terminal=True)
    piped = printed(columns, rows)

    assert all(width_of(line) <= 50 for line in narrow)
    assert narrow[1].endswith("-123456789.01 EUR")
    assert narrow[1].count("…") == 2
    assert "Banque Populaire de la Mer et des Îles" in piped[1]


def test_the_status_line_leaves_no_trace_on_a_terminal_and_none_at_all_elsewhere() -> None:
    terminal, pipe = Terminal(is_terminal=True), Terminal()
    for stream in (terminal, pipe):
        line = StatusLine(stream)
        line.show("reading 1000")
        line.show("saving")
        line.clear()

    assert pipe.text() == ""
    assert terminal.text().split("\r")[1:] == [
        "reading 1000", "saving" + " " * 6, " " * 6, "",
    ]  # fmt: skip


def test_every_button_that_a_command_presses_names_a_command() -> None:
    from obdesk.cli.output import command_for

    for action in (Action.REFRESH, Action.RENEW, Action.LINK_BANK, Action.CONFIGURE_PROVIDER):
        assert "obdesk " in command_for(action, 7)
    assert "--renew 7" in command_for(Action.RENEW, 7)
    assert command_for(Action.RESUME) == "", "a sync does not resume what a person paused"
    assert sys.stdout is not None
