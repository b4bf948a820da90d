"""One process syncs a profile; the others are told who."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obdesk.app.locks import SyncHeldError, sync_lock
from obdesk.domain.errors import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes import FrozenClock

_HOLDER = """
import sys
from pathlib import Path
from obdesk.app.locks import sync_lock
from tests.fakes import FrozenClock
with sync_lock(Path(sys.argv[1]), FrozenClock(), "obdesk sync"):
    print("holding", flush=True)
    sys.stdin.readline()
print("released", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path / "sync.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        yield process
        process.kill()


def test_F43_a_second_process_is_told_who_holds_it(
    tmp_path: Path, clock: FrozenClock, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(SyncHeldError) as refused, sync_lock(tmp_path / "sync.lock", clock, "me"):
        pass
    assert refused.value.cause == (
        f"obdesk sync (process {holder.pid}) has been syncing since 2026-03-17T08:30:00+00:00."
    )
    assert refused.value.action is Action.WAIT


def test_the_lock_is_free_when_its_holder_has_ended(
    tmp_path: Path, clock: FrozenClock, holder: subprocess.Popen[str]
) -> None:
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "released\n"
    with sync_lock(tmp_path / "sync.lock", clock, "me"):
        pass


def test_F43_the_lock_is_gone_with_a_process_that_was_killed(
    tmp_path: Path, clock: FrozenClock, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    holder.wait()
    with sync_lock(tmp_path / "sync.lock", clock, "me"):
        told = json.loads((tmp_path / "sync.lock.holder").read_text())
        assert (told["who"], told["pid"]) == ("me", os.getpid()), "not the dead one's note"


@pytest.mark.parametrize("note", ["", "{}", "no json", '{"who": 1}', "[]", "null"])
def test_a_note_that_cannot_be_read_still_gives_a_sentence(
    tmp_path: Path, clock: FrozenClock, holder: subprocess.Popen[str], note: str
) -> None:
    assert holder.poll() is None
    (tmp_path / "sync.lock.holder").write_text(note)
    with pytest.raises(SyncHeldError) as refused, sync_lock(tmp_path / "sync.lock", clock, "me"):
        pass
    assert refused.value.cause == "Another obdesk is syncing this profile."


def test_a_note_that_cannot_be_written_does_not_keep_anybody_from_syncing(
    tmp_path: Path, clock: FrozenClock
) -> None:
    (tmp_path / "sync.lock.holder").mkdir()
    with sync_lock(tmp_path / "sync.lock", clock, "me"):
        pass


def test_the_lock_is_given_back_after_a_failure(tmp_path: Path, clock: FrozenClock) -> None:
    with pytest.raises(ValueError, match="mine"), sync_lock(tmp_path / "sync.lock", clock, "me"):
        raise ValueError("mine")
    with sync_lock(tmp_path / "sync.lock", clock, "me"):
        pass
    assert not (tmp_path / "sync.lock.holder").exists()
