"""The sample database of every version opens and says what it always said."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.entities import AccountState
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.ids import TransactionId
from obdesk.storage.engine import SCHEMA_VERSION, connect
from obdesk.storage.queries import accounts, connections, transactions
from obdesk.storage.store import Store
from tests.seed import NOW
from tests.storage.files import checked
from tests.storage.make_sample import SAMPLE_KEY, sample_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=range(1, SCHEMA_VERSION + 1))
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Open a copy of the sample of one version."""
    path = tmp_path / "ledger.db"
    shutil.copy(sample_path(request.param), path)
    with Store.open(path, SAMPLE_KEY) as store:
        yield store


def test_accounts_and_totals(sample: Store) -> None:
    shown = {each.name: each for each in sample.read_now(accounts.accounts, NOW)}
    assert {name: each.balance.text() for name, each in shown.items() if each.balance} == {
        "Le compte": "1520.40",
        "Livret A": "5448.68",
        "Carte": "-120.00",
        "Compte yens": "25000",
    }
    worth = sample.read_now(accounts.net_worth, NOW)
    assert [(each.total.text(), each.total.currency.code) for each in worth] == [
        ("6969.08", "EUR"),
        ("25000", "JPY"),
    ]


def test_rows_notes_and_history(sample: Store) -> None:
    everything = TransactionFilter()
    assert sample.read_now(transactions.count) == 201
    totals = sample.read_now(transactions.totals, everything)
    assert [(money.text(), money.currency.code) for money in totals.sums] == [("7419.44", "EUR")]
    first = sample.read_now(transactions.detail, TransactionId(1))
    assert first is not None
    assert (first.note, first.row.category) == ("Remboursé par Zoé", "vie")
    assert first.row.amount is not None
    assert first.row.amount.text() == "-9.99"
    assert "amount_minor" in {entry.field for entry in first.history}
    assert list(sample.read_now(transactions.ids, TransactionFilter(text="zoe"))) == [1]


def test_runs_settings_and_tokens(sample: Store) -> None:
    assert len(sample.read_now(connections.runs, None, 50)) == 2
    assert sample.read_now(connections.setting, "theme") == "dark"
    assert sample.read_now(connections.token, "powens/user") == "no secret at all"


def test_the_file_is_sound(sample: Store) -> None:
    checked(sample)


def test_accounts_of_a_link_that_had_ended_are_closed_by_the_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    shutil.copy(sample_path(3), path)
    with closing(connect(path, SAMPLE_KEY)) as before:
        before.execute("UPDATE connections SET condition = 'gone'")
        before.commit()
    with Store.open(path, SAMPLE_KEY) as store:
        assert {each.state for each in store.read_now(accounts.accounts, NOW)} == {AccountState.GONE}
        assert store.read_now(accounts.net_worth, NOW) == ()
        assert store.read_now(transactions.count) == 201
