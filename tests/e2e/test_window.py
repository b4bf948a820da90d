"""The real window on a real screen: from the first run to the exported file, with the keyboard alone."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.aggregator import BANK, Aggregator, is_syncing, refreshes, rows_of
from tests.e2e.stage import Stage, raised_stage
from tests.e2e.test_demo import exported
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.simulator.server import Simulator
    from tests.e2e.person import Person

pytestmark = pytest.mark.timeout(150)
WORDING = "LIBRAIRIE ZANZIBAR"
PAGE = (400, 170, 780, 550)
"""Where the bank's page is on the screen: left, top, width, height."""
SLOW_S = 6
"""How long the bank keeps a refresh waiting where another process is to come in between."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Stage]:
    """Give a desktop on which the embedded page runs with its sandbox, as an ordinary person has it."""
    with raised_stage(tmp_path, as_a_person=True) as stage:
        yield stage


def sets_up_powens(person: Person, facts: dict[str, str]) -> None:
    """Fill in the form of one's own Powens application."""
    person.sees("Set up Powens")
    person.chooses("^Other addresses$")
    for name, value in (
        ("^Domain$", facts["domain"]),
        ("^Client ID$", facts["client_id"]),
        ("^Client secret$", facts["client_secret"]),
        ("^API address$", facts["api_url"]),
        ("^Page address$", facts["webview_url"]),
    ):
        person.goes_to(name)
        person.types(value)
    person.presses("Return")


def logs_in_at_the_bank(person: Person, banks: Aggregator) -> None:
    """Go through the bank's own pages: the first field has the keyboard, Return goes on."""
    person.sees("^The page of your bank$")
    person.sees_a_page_at(PAGE)
    person.types("armelle")
    person.presses("Tab")
    person.types("secret")
    person.presses("Return")
    until("the bank to know the person", lambda: banks.connections() == 1)
    person.sees_a_page_at(PAGE)
    person.presses("Return")


def exports(person: Person, file: Path, choice: str = "^What the list shows now$") -> None:
    """Export to a file with the keyboard."""
    person.presses("ctrl+e")
    person.goes_to(choice)
    person.presses("space")
    person.presses("Return")
    person.sees("File name", "label")
    person.presses("ctrl+a")
    person.types(str(file))
    person.presses("Return")
    until("the file", file.exists)
    person.sees(f"written to {re.escape(file.name)}")


def test_from_the_first_run_to_the_exported_file(
    home: Stage, simulator: Simulator, banks: Aggregator
) -> None:
    with home.window() as window:
        person = window.person
        person.chooses("^Connect a bank$")
        sets_up_powens(person, simulator.facts())
        person.sees("^Search a bank$")
        person.sees(BANK)
        person.types("demo inst")
        person.presses("Return")
        person.chooses("^Go on to the bank$")
        logs_in_at_the_bank(person, banks)
        person.chooses("^Show my accounts$")

        # What shows is what a second process reads and what is true.
        accounts = home.command("status", "--json").json()["accounts"]
        assert len(accounts) == len(banks.connection()["accounts"]) > 1
        for account in accounts:
            shown = person.sees(f"^{account['name']}, {BANK}, ", "tree item")
            assert f"{Decimal(account['balance']):,}" in shown.name.replace("−", "-")
            assert "Fresh" in shown.name
        assert rows_of(home) == banks.rows()

        banks.spends(WORDING, "-41.70")
        refreshes(home, banks, lambda: person.presses("F5"))
        person.presses("ctrl+f")
        person.types("zanzibar")
        person.sees(WORDING, "cell")
        exports(person, home.folder / "found.csv")
        assert [row["amount"] for row in exported(home.folder / "found.csv")] == ["-41.70"]
        person.presses("Escape")
        person.misses("^filter: ")
        exports(person, home.folder / "all.csv", "^All transactions$")
        all_of_it = {
            row["provider_id"]: Decimal(row["amount"] or 0) for row in exported(home.folder / "all.csv")
        }
        assert all_of_it == {number: amount or 0 for number, (_, amount) in banks.rows().items()}

        window.quits()
    home.is_empty()
    assert rows_of(home) == banks.rows()


def test_a_second_process_reads_while_the_window_syncs_and_is_told_who_does(
    stage: Stage, simulator: Simulator, banks: Aggregator
) -> None:
    stage.set_up(simulator)
    stage.link(BANK)
    with stage.window() as window:
        person = window.person
        person.sees(BANK)
        banks.spends(WORDING, "-41.70")
        banks.switches(sync_mode="slow", sync_slow_s=SLOW_S)
        person.presses("F5")
        until("the window's sync", lambda: is_syncing(stage))

        refused = stage.command("sync")
        assert refused.code == 1
        title, cause, what_next = refused.err.splitlines()
        assert "already running" in title
        assert f"process {window.process.pid}" in cause
        assert what_next
        assert len(stage.command("status", "--json").json()["accounts"]) > 1
        assert is_syncing(stage), "all this happened while the window was syncing"

        until("the end of the sync", lambda: not is_syncing(stage))
        assert rows_of(stage) == banks.rows()
        banks.switches(sync_mode="ok")
        assert stage.command("sync", "--json").json()["outcome"] == "unchanged"
        window.quits()
