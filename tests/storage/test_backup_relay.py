"""A copy put back knows the relay of today."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from obdesk.storage import backups
from obdesk.storage.queries import connections as reads
from obdesk.storage.queries import mailbox as mailbox_reads
from obdesk.storage.store import Store
from obdesk.storage.writes import edits, mailbox
from tests.seed import KEY

if TYPE_CHECKING:
    from pathlib import Path


def test_F64_going_back_goes_on_with_the_relay_of_today(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a.db", KEY)
    copy, now = tmp_path / "copy.db", datetime(2026, 3, 17, 9, tzinfo=UTC)
    store.write_now(lambda tx: edits.set_setting(tx, "relay.url", "https://old.example"))
    store.write_now(lambda tx: mailbox.begin(tx, "old", now))
    store.copy_into(copy, now.timestamp(), lambda: False)
    store.write_now(lambda tx: edits.set_setting(tx, "relay.url", "https://new.example"))
    store.write_now(lambda tx: mailbox.begin(tx, "new", now))
    store.close()
    backups.put_back(store.path, KEY, copy)
    with Store.open(store.path, KEY) as restored:
        assert restored.read_now(lambda opened: reads.setting(opened, "relay.url")) == "https://new.example"
        assert restored.read_now(mailbox_reads.cursor) == "new"
