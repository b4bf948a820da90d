"""A program of a story, told what to do line by line, and a disk that fails it for a while."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOT = Path(__file__).parents[2]
SYNCS = "fsync,fdatasync"


class Story:
    """The program; it says that it is ready, and then one line for each order."""

    def __init__(self, module: str, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(path)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
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
    def failing(self, calls: str, error: str = "EIO", files: Sequence[Path] = ()) -> Iterator[None]:
        """Let some system calls of the program fail: those on some files, or all."""
        watched = [part for file in files for part in ("-P", str(file))]
        inject = ["-e", f"trace={calls}", "-e", f"inject={calls}:error={error}"]
        tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(self._process.pid), *watched, *inject, "-o", os.devnull],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        if "attached" not in said:
            tracer.wait()
            pytest.skip(f"this machine lets no running program be traced: {said.strip()}")
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
            tracer.stderr.close()

    def kill(self) -> None:
        """Let it die at once."""
        self._process.kill()
        self.end()

    def end(self) -> int:
        """Let it come to its end, as no further order comes; return its exit code."""
        self._process.communicate(timeout=30)
        return self._process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.kill()
