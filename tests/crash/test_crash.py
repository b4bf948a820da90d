"""The power goes at any moment: what was acknowledged is there, and nothing is half there."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.crash.__main__ import crash
from tests.crash.disk import Disk
from tests.crash.judge import NAME, judge_each
from tests.crash.trace import (
    Acknowledged,
    Cut,
    Opened,
    Removed,
    Renamed,
    Synced,
    Written,
    acts_of,
    may_trace,
    record,
)
from tests.crash.upgrading import content_of
from tests.storage.make_sample import sample_path

if TYPE_CHECKING:
    from pathlib import Path

traced = pytest.mark.skipif(not may_trace(), reason="strace is not here, or may not look")
STATES = 300
UPGRADES = int(os.environ.get("OBDESK_CRASHED_UPGRADES", "20"))
FOLDER = "/profile"


@traced
@pytest.mark.timeout(300)
def test_F38_no_power_cut_loses_what_was_acknowledged_or_tears_a_commit() -> None:
    acts, verdicts = crash(STATES, seed=7, days=6)

    assert acts > 500
    assert verdicts.begun > STATES // 2
    assert verdicts.complaints == ()


@traced
@pytest.mark.timeout(300)
def test_a_log_that_is_not_synced_with_each_commit_is_found_out() -> None:
    _, verdicts = crash(50, seed=7, synchronous="NORMAL", days=2)

    assert any("an acknowledged commit is lost" in complaint for complaint in verdicts.complaints)


@traced
@pytest.mark.timeout(300)
def test_F51_no_power_cut_in_an_upgrade_loses_the_ledger(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    profile.mkdir()
    path = profile / NAME
    shutil.copy(sample_path(1), path)
    old = path.read_bytes()
    acts = acts_of(record(tmp_path, "tests.crash.upgrading"), profile)
    expected = content_of(path)
    rng = random.Random(7)  # noqa: S311 - chance, not secrets
    moments = [rng.randint(0, len(acts)) for _ in range(UPGRADES)]

    def complaint(folder: Path, disk: Disk) -> str:
        found = folder / NAME
        if not found.exists():
            return "the file is gone"
        if disk.acknowledged >= 0 and not (folder / f"{NAME}.v1.bak").exists():
            return "the backup is gone"
        return "" if content_of(found) == expected else "something is missing"

    verdicts = judge_each(Disk({str(path): old}), acts, moments, 7, complaint)

    assert any(isinstance(act, Renamed) for act in acts)
    assert verdicts.complaints == ()


def _found(acts: list[object], tries: int = 200) -> set[tuple[tuple[str, bytes], ...]]:
    """Return all that may be found after some acts."""
    found = set()
    for seed in range(tries):
        disk = Disk()
        for act in acts:
            disk.do(act)  # type: ignore[arg-type]
        left = disk.after_a_crash(random.Random(seed))  # noqa: S311 - chance, not secrets
        found.add(tuple(sorted(left.items())))
    return found


def _made(name: str = "a") -> list[object]:
    path = f"{FOLDER}/{name}"
    return [Opened(path, makes=True, empties=False), Written(path, 0, b"one"), Synced(path), Synced(FOLDER)]


def test_what_is_synced_is_kept_and_what_is_not_may_be_or_not() -> None:
    path = f"{FOLDER}/a"

    assert _found(_made()) == {((path, b"one"),)}
    later = [*_made(), Written(path, 3, b"two"), Written(path, 6, b"3")]
    kept = {b"one", b"onetwo", b"onetwo3", b"one\0\0\x003"}
    assert {content for [(_, content)] in _found(later)} == kept
    assert {content for [(_, content)] in _found([*later, Synced(path)])} == {b"onetwo3"}
    assert {content for [(_, content)] in _found([*_made(), Cut(path, 1)])} == {b"one", b"o"}


def test_a_long_write_may_be_torn_between_its_sectors_and_nowhere_else() -> None:
    path = f"{FOLDER}/a"
    found = _found([*_made(), Written(path, 0, b"x" * 1024)])

    contents = {content for [(_, content)] in found}
    assert b"x" * 512 in contents
    assert all(content[:512] in {b"one", b"x" * 512, b"one" + bytes(509)} for content in contents)


def test_a_name_is_safe_only_when_its_folder_is() -> None:
    old, new = f"{FOLDER}/a", f"{FOLDER}/b"
    renamed = [*_made(), Renamed(old, new)]

    assert _found(_made()[:-1]) == {(), ((old, b"one"),)}
    assert _found(renamed) == {((old, b"one"),), ((new, b"one"),)}
    assert _found([*renamed, Synced(FOLDER)]) == {((new, b"one"),)}
    assert _found([*_made(), Removed(old)]) == {(), ((old, b"one"),)}


def test_an_acknowledgement_counts_and_changes_nothing() -> None:
    disk = Disk()
    disk.do(Acknowledged(4, "digest"))

    assert disk.acknowledged == 4
    assert disk.after_a_crash(random.Random(7)) == {}  # noqa: S311 - chance, not secrets
