"""A webhook's whole way: aggregator, relay and window as processes; nobody touches the window meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.aggregator import BANK, Aggregator, refreshes, rows_of
from tests.e2e.waiting import until
from tests.relay.server.kit import SECRET
from tests.relay.server.served import add_source, pairing_code, serving

if TYPE_CHECKING:
    from pathlib import Path

    from obdesk.simulator.server import Simulator
    from tests.e2e.person import Person
    from tests.e2e.stage import Stage

pytestmark = [pytest.mark.timeout(150), pytest.mark.long]
TRANSACTIONS, SETTINGS = "ctrl+2", "ctrl+5"


def pairs(person: Person, url: str, code: str) -> None:
    """Set a relay up in the settings."""
    person.presses(SETTINGS)
    person.goes_to("^Address$")
    person.types(url)
    person.goes_to("^One-time code$")
    person.types(code)
    person.presses("Return")
    person.sees("^connected$", "label")


def test_F57_a_purchase_shows_by_itself_and_without_the_relay_all_goes_on(
    stage: Stage, simulator: Simulator, banks: Aggregator, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path / 'relay.db'}"
    hook = add_source(store)["CONNECTION_SYNCED"]
    stage.set_up(simulator)
    stage.link(BANK)
    with stage.window() as window:
        person = window.person
        person.sees(BANK)
        with serving(store, tmp_path) as relay:
            where = relay.where
            pairs(person, where, pairing_code(store))
            banks.posts_to(f"{where}{hook.rpartition('/')[0]}/{{event}}", SECRET)
            person.presses("ctrl+f")
            person.types("zanzibar")  # a screen reader does not read a list of thousands
            banks.spends("LIBRAIRIE ZANZIBAR", "-41.70", heard=True)
            person.sees("LIBRAIRIE ZANZIBAR", "cell")
            person.presses(SETTINGS)

        # Its operator stopped it: that is said here and nowhere else, and banks are asked as before.
        person.sees("^not reached$", "label")
        banks.spends("GARAGE ZANZIBAR", "-80.00", heard=True)
        refreshes(stage, banks, lambda: person.presses("F5"))
        person.presses(TRANSACTIONS)
        person.sees("GARAGE ZANZIBAR", "cell")
        assert person.finds("(?i)relay") is None

        with serving(store, tmp_path, "--listen", where.removeprefix("http://")):
            person.presses(SETTINGS)
            person.sees("^connected$", "label")
            person.presses(TRANSACTIONS)
            banks.spends("CIDRERIE ZANZIBAR", "-12.30", heard=True)
            person.sees("CIDRERIE ZANZIBAR", "cell")
            until("what is true at the bank", lambda: rows_of(stage) == banks.rows())
            window.quits()
