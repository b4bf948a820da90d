"""Nothing a bank or a person says can be read on the disk without the key."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obdesk.app.bootstrap import open_profile
from obdesk.app.profile import profile_of
from obdesk.app.tokens import DatabaseTokens
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.ids import AccountId, TransactionId
from obdesk.domain.remote import PageRows, RowProblem
from obdesk.storage.queries import connections as reads
from obdesk.storage.queries import transactions
from obdesk.storage.writes import accounts, connections, edits
from obdesk.sync.saving import save
from tests.fakes import SOME_MORNING
from tests.seed import SeedPage, answer_of, remote_account, remote_connection, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx

FIELDS = (
    "bank", "bank_message", "connector", "provider_state", "account", "iban", "number", "own_name",
    "label", "payee", "card", "counterparty", "counterparty_account", "category", "note", "own_category",
    "token", "token_name", "setting", "problem",
)  # fmt: skip
MARK = {field: f"zq7{field.replace('_', '')}9wx" for field in FIELDS}


class MarkedPage(SeedPage):
    def decode(self, exponents: Mapping[int, int]) -> PageRows:
        problem = RowProblem("odd_field", MARK["problem"], "value", None)
        return PageRows(super().decode(exponents).rows, (problem,))


def _plant(tx: Tx) -> None:
    remote = replace(
        remote_connection(bank=MARK["bank"]),
        bank_message=MARK["bank_message"],
        connector_id=MARK["connector"],
        provider_state=MARK["provider_state"],
    )
    connection_id = connections.adopt(tx, "powens", remote, SOME_MORNING)
    account = replace(remote_account(name=MARK["account"]), iban=MARK["iban"], number=MARK["number"])
    told = row(label=MARK["label"], payee=MARK["payee"], category=MARK["category"])._replace(
        card=MARK["card"],
        counterparty=MARK["counterparty"],
        counterparty_account=MARK["counterparty_account"],
    )
    rows = [told, *(told._replace(provider_id=n, label=f"{MARK['label']} {n}") for n in range(1, 3_000))]
    save(tx, answer_of(connection_id, [account], [MarkedPage(tuple(rows))], remote=remote))
    edits.edit_transaction(
        tx, TransactionId(1), note=MARK["note"], category=MARK["own_category"], now=SOME_MORNING
    )
    accounts.rename(tx, AccountId(1), MARK["own_name"])
    edits.set_setting(tx, "powens.domain", MARK["setting"])


@pytest.fixture
def profile_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse battery staple")
    secret.chmod(0o600)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("OBDESK_PASSPHRASE_FILE", str(secret))
    for name in ("TMPDIR", "SQLITE_TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(temporary))
    return tmp_path


def _files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (found for found in folder.rglob("*") if found.is_file())


def _found(folder: Path) -> dict[str, list[str]]:
    hits: dict[str, list[str]] = {}
    for path in _files(folder, Path(os.environ["HOME"])):
        content = path.read_bytes().lower()
        for field, mark in MARK.items():
            if (
                mark.encode() in content
                or mark.encode("utf-16-le") in content
                or mark.encode("utf-16-be") in content
            ):
                hits.setdefault(field, []).append(path.name)
    return hits


def _everything_is_there(store: Store) -> None:
    shown = repr(store.read_now(transactions.detail, TransactionId(1)))
    shown += repr(store.read_now(reads.problems, 5))
    shown += repr(store.read_now(lambda opened: opened.execute("SELECT * FROM connections").fetchall()))
    shown += repr(store.read_now(lambda opened: opened.execute("SELECT * FROM accounts").fetchall()))
    shown += repr(store.read_now(lambda opened: opened.execute("SELECT * FROM tokens").fetchall()))
    shown += repr(store.read_now(reads.setting, "powens.domain"))
    assert {field for field, mark in MARK.items() if mark not in shown} == set()


def test_no_planted_word_is_found_in_any_file(profile_folder: Path) -> None:
    opened = open_profile(profile_of(profile_folder / "data"))
    store = opened.store
    store.write_now(_plant)
    DatabaseTokens(store).put(MARK["token_name"], MARK["token"])
    # A sort of everything is what would spill to a temporary file.
    store.read_now(
        lambda raw: raw.execute("SELECT * FROM transactions ORDER BY label DESC, payee").fetchall()
    )
    store.read_now(transactions.ids, TransactionFilter(text=MARK["label"]))
    _everything_is_there(store)
    names = {found.name for found in _files(profile_folder)}
    assert {"ledger.db", "ledger.db-wal", "ledger.db-shm"} <= names
    assert (opened.profile.folder / "ledger.db-wal").stat().st_size > 100_000, "the log holds the words now"
    assert _found(profile_folder) == {}
    opened.close()
    assert _found(profile_folder) == {}
    reopened = open_profile(profile_of(profile_folder / "data"))
    _everything_is_there(reopened.store)
    reopened.close()


def test_the_search_for_words_does_find_them_in_a_plain_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(MARK["note"].upper().encode())
    (tmp_path / "wide").write_bytes(b"x" + MARK["token"].encode("utf-16-le"))
    assert _found(tmp_path) == {"note": ["plain"], "token": ["wide"]}


def test_every_file_of_a_profile_is_its_owners_alone(profile_folder: Path) -> None:
    opened = open_profile(profile_of(profile_folder / "data"))
    opened.store.write_now(_plant)
    folder = opened.profile.folder
    assert folder.stat().st_mode & 0o077 == 0
    assert {path.name for path in _files(folder) if path.stat().st_mode & 0o077} == set()
    opened.close()
