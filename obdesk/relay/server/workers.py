"""Several workers on one socket: processes of their own, each started again when it dies."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

_LOOK_S: Final = 0.2
"""How often is looked whether a worker died."""
_AGAIN_S: Final = 1.0
"""A worker that died is not started again sooner than this after it was started."""
_ENDING_S: Final = 15.0
_ENDS: Final = (signal.SIGINT, signal.SIGTERM)


class Workers:
    """The parent of some workers, until it is asked to end."""

    def __init__(self, command: Sequence[str], count: int, listener: socket.socket) -> None:
        """`command` starts one; the numbers of the socket and of the worker are added to it."""
        self._command = [*command, "--socket-fd", str(listener.fileno()), "--worker"]
        self._count = count
        self._listener = listener
        self._ended = threading.Event()
        self._started: dict[subprocess.Popen[bytes], tuple[int, float]] = {}

    def run(self) -> int:
        """Keep all workers up until SIGTERM or SIGINT; return 1 where one cannot even start."""
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

    def _start(self, number: int) -> None:
        command = [*self._command, str(number)]
        worker = subprocess.Popen(command, pass_fds=[self._listener.fileno()])  # noqa: S603 - ourselves
        self._started[worker] = (number, time.monotonic())

    def _tend(self) -> bool:
        """Start dead workers again, and tell whether there is any use in that."""
        for worker, (number, started_s) in list(self._started.items()):
            code = worker.poll()
            if code is None:
                continue
            if code == 1 and time.monotonic() - started_s < _AGAIN_S * 5:
                return False  # it said why
            if time.monotonic() - started_s >= _AGAIN_S:
                del self._started[worker]
                self._start(number)
        return True

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
