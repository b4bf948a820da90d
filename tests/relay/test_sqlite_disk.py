"""Disks that fail a relay: nothing is confirmed that is not flushed, and it heals without a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.failing import SYNCS, Story
from tests.crash.trace import may_trace
from tests.relay.places import NOON_US, SqlitePlace, a_device, a_source, mail, texts

_WRITES = "pwrite64,write"


@pytest.mark.skipif(not may_trace(), reason="system calls are failed by strace")
@pytest.mark.parametrize(
    ("calls", "error", "sentence"),
    [
        (SYNCS, "EIO", "the store's file cannot be used"),
        (_WRITES, "EIO", "the store's file cannot be used"),
        (_WRITES, "ENOSPC", "the disk of the store is full"),
        (_WRITES, "EROFS", "the store's file"),
    ],
)
async def test_a_disk_that_fails_is_told_and_used_again_once_it_works(
    tmp_path: Path, calls: str, error: str, sentence: str
) -> None:
    path = tmp_path / "relay.db"
    files = [Path(f"{path}{suffix}") for suffix in ("", "-wal", "-shm")]
    with Story("tests.relay.store_story", path) as story:
        assert story("deliver one") == "stored"
        with story.failing(calls, error, files):
            assert story("deliver two").startswith(sentence)
            assert story("deliver two").startswith(sentence)
            assert "one" in story("waiting"), "reading goes on"
        # A disk that could not flush may have written all the same; then the second try is known again.
        assert story("deliver two") in {"stored", "duplicate"}
        assert story("deliver three") == "stored"
    async with SqlitePlace(path).store() as store:
        assert await texts(store, a_device("laptop", a_source())) == ["one", "two", "three"]
        await store.deliver(a_source().id, None, [mail(a_device("laptop", a_source()))], NOON_US)
