"""Several workers on one socket: processes of their own, each started again when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

_LOOK_S: Final = 0.2
"""How often is looked whether a worker died."""
_AGAIN_S: Final = 1.0
"""A worker that died is not started again sooner than this after it was started."""
_AGAIN_MAX_S: Final = 30.0
"""One that cannot start while the store is down is tried again later and later, but not later than this."""
_ENDING_S: Final = 15.0
_ENDS: Final = (signal.SIGINT, signal.SIGTERM)


class Workers:
    """The parent of some workers, until it is asked to end."""

    def __init__(self, command: Sequence[str], count: int, listener: socket.socket) -> None:
        """`command` starts one; the numbers of the socket and of the worker are added to it."""
        self._hears, self._tells = os.pipe()
        os.set_blocking(self._hears, False)
        told = ["--socket-fd", str(listener.fileno()), "--ready-fd", str(self._tells), "--worker"]
        self._command = [*command, *told]
        self._count = count
        self._listener = listener
        self._was_ready = False
        self._failures: Counter[int] = Counter()
        """How often each worker failed since one was ready."""
        self._ended = threading.Event()
        self._started: dict[subprocess.Popen[bytes], tuple[int, float]] = {}

    def run(self) -> int:
        """Keep all workers up until SIGTERM or SIGINT; return 1 where not even the first ones can start."""
        kept = {number: signal.signal(number, lambda *_: self._ended.set()) for number in _ENDS}
        try:
            for number in range(self._count):
                self._start(number)
            while not self._ended.wait(_LOOK_S):
                if not self._tend():
                    return 1
            return 0
        finally:
            self._end()
            for number, handler in kept.items():
                signal.signal(number, handler)
            os.close(self._hears)
            os.close(self._tells)

    def _start(self, number: int) -> None:
        command = [*self._command, str(number)]
        worker = subprocess.Popen(command, pass_fds=[self._listener.fileno(), self._tells])  # noqa: S603 - ourselves
        self._started[worker] = (number, time.monotonic())

    def _tend(self) -> bool:
        """Start dead workers again, and tell whether there is any use in that."""
        self._listen()
        for worker, (number, started_s) in list(self._started.items()):
            code = worker.poll()
            if code is None:
                continue
            if code == 1 and not self._was_ready:
                return False  # it said why
            if time.monotonic() - started_s >= self._pause_s(number):
                del self._started[worker]
                self._failures[number] += code == 1
                self._start(number)
        return True

    def _listen(self) -> None:
        """Hear that a worker is ready: what keeps the next one from starting then will pass."""
        with suppress(BlockingIOError):
            if os.read(self._hears, 64):
                self._was_ready = True
                self._failures.clear()

    def _pause_s(self, number: int) -> float:
        return min(_AGAIN_MAX_S, _AGAIN_S * 2.0 ** min(self._failures[number], 10))

    def _end(self) -> None:
        for worker in self._started:
            worker.terminate()
        deadline_s = time.monotonic() + _ENDING_S
        for worker in self._started:
            try:
                worker.wait(max(0.1, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def command(arguments: Sequence[str]) -> list[str]:
    """Return what starts a worker with the same arguments."""
    return [sys.executable, "-P", "-m", "obdesk", "relay", "serve", *arguments]


def teller(number: int | None) -> Callable[[], object]:
    """Return what tells the parent, at the other end of a pipe, that a worker is ready."""
    return (lambda: None) if number is None else (lambda: os.write(number, b"."))
