"""A real Redis for tests: a process with a folder of its own, which may be killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = shutil.which("redis-server")
SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
    "save": "",
}
_PATIENCE_S = 30
_KEPT = "appendonlydir"


class RedisServer:
    """A redis-server on a socket in a folder."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._settings = {**SETTINGS, **settings}
        self._process: subprocess.Popen[bytes] | None = None
        # The folders of tests have long names, and a socket's may have 107 characters.
        self._socket_folder = tempfile.mkdtemp(prefix="obdesk-redis-")
        self._socket = f"{self._socket_folder}/s"
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        """Start it and return once it answers."""
        assert PROGRAM is not None
        options = [part for name, value in self._settings.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [
                PROGRAM, "--port", "0", "--unixsocket", self._socket, "--dir", str(self._folder),
                "--loglevel", "warning", "--logfile", str(self._folder / "log"), *options,
            ],
        )  # fmt: skip
        give_up_s = time.monotonic() + _PATIENCE_S
        while self.say("PING") != "+PONG":
            assert self._process.poll() is None, (self._folder / "log").read_text("utf-8")
            assert time.monotonic() < give_up_s, "redis-server does not start"

    def say(self, *words: str) -> str:
        """Send a command, apart from all that is under test, and return the first line of the answer."""
        message = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
            end.settimeout(_PATIENCE_S)
            try:
                end.connect(self._socket)
                end.sendall(message.encode())
                return end.makefile("rb").readline().decode().strip()
            except OSError:
                return ""

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, by default as a power cut of the process would, and wait until it is gone."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait()

    def copy(self, to: Path) -> Path:
        """Copy what it keeps on the disk, as a backup does."""
        return shutil.copytree(self._folder / _KEPT, to)

    def put_back(self, copied: Path) -> None:
        """Let it find a copy when it starts."""
        shutil.rmtree(self._folder / _KEPT)
        shutil.copytree(copied, self._folder / _KEPT)

    def pause(self) -> None:
        """Let it do nothing until it goes on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it work again."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.go_on()
        self.kill()
        shutil.rmtree(self._socket_folder)
