"""`obdesk backups`, `obdesk restore`, and the copy in `obdesk status`, as a person and a script meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.app.profile import profile_of
from obdesk.secrets.vault import Vault
from obdesk.storage.store import Store
from tests.cli.conftest import PASSPHRASE
from tests.cli.test_guide import missing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine

_NAME = "ledger-2026-03-17-0001.db"
_MADE_AT_S = 1_773_736_200.0  # 2026-03-17 08:30 UTC


@pytest.fixture(scope="module")
def copied(linked: CommandLine) -> CommandLine:
    """Give a linked profile that has a copy."""
    profile = profile_of(linked.folder)
    profile.backups.mkdir(mode=0o700)
    key = Vault(profile.folder).unlock(ask=lambda: PASSPHRASE).data_key
    with Store.open(profile.database, key) as store:
        store.copy_into(profile.backups / _NAME, _MADE_AT_S, lambda: False)
    return linked


def _note(obdesk: CommandLine, text: str) -> None:
    assert obdesk("edit", "1", "--note", text).code == 0


def _noted(obdesk: CommandLine) -> str:
    (row,) = [each for each in obdesk("transactions", "--json").json()["transactions"] if each["id"] == 1]
    return str(row["note"])


def test_the_last_copy_stands_in_the_status(copied: CommandLine) -> None:
    told = copied("status", "--json").json()["backup"]
    assert (told["name"], told["made_at"], told["day"]) == (_NAME, "2026-03-17T08:30:00Z", "2026-03-17")
    assert copied("backups", "--json").json() == {"backups": [told]}
    assert missing(told) == []
    assert _NAME in copied("backups").out


def test_without_a_copy_the_status_says_so(obdesk: CommandLine) -> None:
    assert obdesk("backups", "--json").json() == {"backups": []}
    assert "one a day" in obdesk("backups").out


def test_F64_a_person_goes_back_to_a_copy_and_finds_what_was_there_before_put_aside(
    copied: CommandLine,
) -> None:
    _note(copied, "written after the copy")
    ended = copied("restore", _NAME)
    assert (ended.code, ended.err) == (0, "")
    aside = profile_of(copied.folder).folder / "ledger.db.aside-1"
    assert str(aside) in ended.out
    assert aside.exists()
    assert _noted(copied) != "written after the copy"
    assert copied("sync", "--json").json()["outcome"] in {"updated", "unchanged"}


def test_F64_a_name_that_is_no_copy_changes_nothing(copied: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "other.db").write_bytes(b"other")
    for name in ("ledger-2026-03-18-0001.db", "../ledger.db", str(tmp_path / "other.db")):
        title, _, what = copied("restore", name).problem()
        assert title == "There is no such backup"
        assert what == "Nothing was changed."


def test_F64_while_the_data_is_open_elsewhere_nothing_is_restored(
    copied: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = profile_of(copied.folder)
    key = Vault(profile.folder).unlock(ask=lambda: PASSPHRASE).data_key
    monkeypatch.setattr("obdesk.storage.engine.BUSY_TIMEOUT_MS", 10)
    with Store.open(profile.database, key) as store:
        store.write_now(lambda tx: tx.rows("SELECT 1"))
        assert copied("restore", _NAME).problem()[0] == "Another obdesk is writing"
