"""The processes that are measured, and what is sent to them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import uvloop

from obdesk.relay.server.app import wall_clock_us
from tests.relay.places import SqlitePlace
from tests.relay.redis_server import RedisServer
from tests.relay.server.kit import SECRET, connection_synced, signed_headers
from tests.relay.server.served import Served, add_source, serving, surroundings

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

_T = TypeVar("_T")
CONNECTIONS = 16
"""So many connections of one user at banks: hints of the same one fold."""
WIDE = 'deliveries = "100000/10000000"\naddress = "100000/10000000"\ndevice = "1000/100000"\n'
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Stage:
    """An empty place for a store, in a folder of its own."""

    kind: str
    folder: Path
    url: str

    @contextmanager
    def relay(self, settings: str = WIDE) -> Iterator[Served]:
        """Run a relay on it."""
        config = self.folder / "relay.toml"
        config.write_text(settings)
        with serving(self.url, self.folder, "--config", str(config), environ=self.environ) as served:
            yield served

    @contextmanager
    def bare(self) -> Iterator[int]:
        """Run the bare endpoint on it and yield its port."""
        command = [sys.executable, "-P", "-m", "tests.relay.bench.bare", self.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings()) as process:
            assert process.stdout is not None
            try:
                yield int(process.stdout.readline().rpartition(":")[2])
            finally:
                process.terminate()

    @property
    def environ(self) -> dict[str, str]:
        """What the relay's processes find around them."""
        return {"OBDESK_RELAY_KEY_FILE": str(self.folder / "key")}


@contextmanager
def staged(kind: str) -> Iterator[Stage]:
    """Yield a place for a store of a kind, until the block ends."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="obdesk-bench-")))
        (folder / "key").write_text("A" * 43 + "\n")
        if kind == "redis":
            kept = folder / "redis"
            kept.mkdir()
            url = stack.enter_context(RedisServer(kept)).url
        else:
            url = f"sqlite:///{SqlitePlace(folder / 'relay.sqlite').path}"
        yield Stage(kind, folder, url)


def source(stage: Stage, name: str = "home", kind: str = "--personal") -> str:
    """Make a source and return the path for its synced connections."""
    key = str(stage.folder / "key")
    return add_source(stage.url, name, kind, key_file=key)["CONNECTION_SYNCED"]


def request(path: str, body: bytes, secret: str = SECRET) -> bytes:
    """Return a delivery as it goes over the wire."""
    lines = {
        "Host": "relay.example",
        "User-Agent": "Budgea API/2.0",
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        **signed_headers(path, body, wall_clock_us(), secret),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def deliveries(path: str, many: int, secret: str = SECRET) -> list[bytes]:
    """Return so many deliveries, each of a payload of its own."""
    return [
        request(path, connection_synced(300 + number % CONNECTIONS, payload=number), secret)
        for number, _ in zip(_numbers, range(many), strict=False)
    ]


def run(work: Coroutine[object, object, _T]) -> _T:
    """Run a coroutine on the loop that the relay runs on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
