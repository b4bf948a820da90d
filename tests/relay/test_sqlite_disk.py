"""Disks that fail a relay: nothing is confirmed that is not flushed, and it heals without a restart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from tests.crash.trace import may_trace
from tests.relay.places import NOON_US, SqlitePlace, a_device, a_source, mail, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]
_SYNCS = "fsync,fdatasync"
_WRITES = "pwrite64,write"


class Story:
    """The program, and a disk that fails it for a while."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.relay.store_story", str(path)],
            cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __call__(self, order: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        return self._line()

    @contextmanager
    def failing(self, calls: str, error: str, path: Path) -> Iterator[None]:
        """Let some system calls on the files beside a path fail."""
        files = [part for suffix in ("", "-wal", "-shm") for part in ("-P", f"{path}{suffix}")]
        inject = ["-e", f"trace={calls}", "-e", f"inject={calls}:error={error}"]
        tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(self._process.pid), *files, *inject, "-o", os.devnull],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert tracer.stderr is not None
        while "attached" not in (said := tracer.stderr.readline()):
            assert said, "strace ended"
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
            tracer.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.mark.skipif(not may_trace(), reason="system calls are failed by strace")
@pytest.mark.parametrize(
    ("calls", "error", "sentence"),
    [
        (_SYNCS, "EIO", "the store's file cannot be used"),
        (_WRITES, "EIO", "the store's file cannot be used"),
        (_WRITES, "ENOSPC", "the disk of the store is full"),
        (_WRITES, "EROFS", "the store's file"),
    ],
)
async def test_a_disk_that_fails_is_told_and_used_again_once_it_works(
    tmp_path: Path, calls: str, error: str, sentence: str
) -> None:
    path = tmp_path / "relay.db"
    with Story(path) as story:
        assert story("deliver one") == "stored"
        with story.failing(calls, error, path):
            assert story("deliver two").startswith(sentence)
            assert story("deliver two").startswith(sentence)
            assert "one" in story("waiting"), "reading goes on"
        # A disk that could not flush may have written all the same; then the second try is known again.
        assert story("deliver two") in {"stored", "duplicate"}
        assert story("deliver three") == "stored"
    async with SqlitePlace(path).store() as store:
        assert await texts(store, a_device("laptop", a_source())) == ["one", "two", "three"]
        await store.deliver(a_source().id, None, [mail(a_device("laptop", a_source()))], NOON_US)
