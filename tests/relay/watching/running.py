"""A relay as an operator runs it: a process of its own, commands beside it, an aggregator that delivers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from obdesk.simulator.hooks.send import sign
from tests.arch.tree import ROOT
from tests.e2e.processes import ended
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SECRET = "sim_wh_secret_7Qk"
PUBLIC_URL = "https://relay.example.org"


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Relay:
    """A relay in a folder, on a port that stays the same when it is started again."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """By the names of the environment, without their beginning."""
    command: tuple[str, ...] = (sys.executable, "-P", "-m", "obdesk", "relay")
    python_path: str = str(ROOT)
    port: int = field(default_factory=free_port)

    @property
    def log(self) -> Path:
        """What it wrote on its standard error."""
        return self.folder / "relay.log"

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def surroundings(self) -> dict[str, str]:
        """Return the environment of the process and of its operator."""
        told = {
            "STORE": f"sqlite:///{self.folder / 'relay.sqlite'}",
            "LISTEN": f"127.0.0.1:{self.port}",
            "PUBLIC_URL": PUBLIC_URL,
            **self.settings,
        }
        return {
            **os.environ,
            "PYTHONPATH": self.python_path,
            **{f"OBDESK_RELAY_{name}": value for name, value in told.items()},
        }

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run it while the block runs; it answers when the block begins."""
        with (
            self.log.open("ab") as log,
            subprocess.Popen(
                [*self.command, "serve"], env=self.surroundings(), stdout=subprocess.DEVNULL, stderr=log
            ) as process,
            ended(process),
        ):
            until("the relay to answer", lambda: self._answers(process))
            yield process

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, self.log.read_text("utf-8")
        try:
            return httpx.get(f"{self.address}/readyz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def operate(self, *words: str, told: str = "") -> list[str]:
        """Run an operator's command and return its lines."""
        done = subprocess.run(
            [*self.command, *words],
            env=self.surroundings(),
            input=told,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def add_source(self, name: str = "home") -> dict[str, str]:
        """Make a source and return the path of each event."""
        lines = self.operate("add-source", name, "--personal", "--secret-stdin", told=f"{SECRET}\n")
        paths = [line.removeprefix(PUBLIC_URL) for line in lines]
        return {path.rpartition("/")[2]: path for path in paths}


def signed(path: str, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery that is signed now."""
    date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"BI-Signature-Date": date, "BI-Signature": sign(SECRET, path, date, body)}


def body_of(payload: int, **more: Any) -> bytes:
    """Return what the aggregator posts after a sync."""
    told = {
        "user": {"id": 6120},
        "connection": {"id": 311, "state": None},
        "id_webhook_data": payload,
        **more,
    }
    return json.dumps(told).encode()
