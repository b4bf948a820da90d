"""Opening what a crash left with the real program, and judging whether anything promised is missing."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from obdesk.domain.errors import ObdeskError
from obdesk.storage.store import Store
from tests.crash.disk import Disk
from tests.crash.trace import Acknowledged
from tests.crash.workload import digest_of
from tests.seed import KEY
from tests.storage.files import check_search_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from obdesk.storage.tx import Tx
    from tests.crash.trace import Act

NAME = "ledger.db"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """How many crashes were judged, and what was wrong after which."""

    states: int
    begun: int
    """In how many of them the file was there."""
    complaints: tuple[str, ...]


def judge(acts: Sequence[Act], moments: Sequence[int], seed: int) -> Verdicts:
    """Crash once at each moment, the number of acts done, and judge what is found."""
    digests = [act.digest for act in acts if isinstance(act, Acknowledged)]
    return judge_each(
        Disk(), acts, moments, seed, lambda folder, disk: _complaint(folder, disk.acknowledged, digests)
    )


def judge_each(
    disk: Disk,
    acts: Sequence[Act],
    moments: Sequence[int],
    seed: int,
    complaint_of: Callable[[Path, Disk], str],
) -> Verdicts:
    """Crash once at each moment; `complaint_of` says what is wrong in the folder, or nothing."""
    done, begun = 0, 0
    complaints: list[str] = []
    with _scratch() as folder:
        for number, moment in enumerate(sorted(moments)):
            while done < moment:
                disk.do(acts[done])
                done += 1
            found = disk.after_a_crash(random.Random(f"{seed} {number} {moment}"))  # noqa: S311 - chance, not secrets
            _lay_out(folder, found)
            begun += (folder / NAME).exists()
            if complaint := complaint_of(folder, disk):
                complaints.append(f"after {moment} acts (seed {seed}, state {number}): {complaint}")
    return Verdicts(len(moments), begun, tuple(complaints))


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Yield a folder in memory where there is one: a crash is made of bytes, not of a disk."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder inside it gets a name of its own
    with tempfile.TemporaryDirectory(prefix="obdesk-crash-", dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


def _lay_out(folder: Path, files: Mapping[str, bytes]) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    for path, content in files.items():
        (folder / Path(path).name).write_bytes(content)


def _complaint(folder: Path, acknowledged: int, digests: Sequence[str]) -> str:
    """Return what is wrong with what the next start finds; empty when all is well."""
    path = folder / NAME
    if not path.exists():
        return "the file is gone" if acknowledged >= 0 else ""
    try:
        with Store.open(path, KEY) as store:
            digest = store.read_now(digest_of)
            return _damage(store) or _loss(digest, acknowledged, digests)
    except ObdeskError as error:
        return f"it does not open: {type(error).__name__}"


def _damage(store: Store) -> str:
    def look(tx: Tx) -> str:
        check_search_index(tx)
        rows = tx.rows("PRAGMA integrity_check(1)") + tx.rows("PRAGMA foreign_key_check")
        return "" if rows == [("ok",)] else f"damaged: {rows[0][0]}"

    damage = store.write_now(look)
    connection = store._writer._connection
    assert connection is not None
    # What is read past the log must be whole as well, but only once the log is in the file.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    pages = connection.execute("PRAGMA cipher_integrity_check").fetchall()
    return damage or ("pages do not verify" if pages else "")


def _loss(digest: str, acknowledged: int, digests: Sequence[str]) -> str:
    """Compare with what was promised: all that was acknowledged, and at most the commit under way."""
    if digest in digests[max(0, acknowledged) : acknowledged + 2]:
        return ""
    return "an acknowledged commit is lost" if digest in digests else "a commit is torn"
