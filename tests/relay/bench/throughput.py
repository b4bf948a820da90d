"""Signed deliveries, answered after a durable commit, beside a bare endpoint on the same kind of store."""

from __future__ import annotations

from functools import partial

import httpx
from nacl.public import PrivateKey

from obdesk.relay.protocol import to_text
from tests.benchmarks.figures import Figure
from tests.relay.bench.load import Taken, send
from tests.relay.bench.stage import Stage, deliveries, run, source, staged
from tests.relay.server.served import Served, operated

ROUNDS = 5
CONNECTIONS = 64
TARGET = 0.5
"""Within 2 times."""


def measure(many: int) -> list[Figure]:
    """Return the figures at so many deliveries a round."""
    return [_of("sqlite", many), _of("redis", many)]


def _of(kind: str, many: int) -> Figure:
    with staged(kind) as ours, staged(kind) as theirs, ours.relay() as served, theirs.bare() as port:
        path = source(ours)
        _pair(ours, served)
        relay, bare = partial(_rate, served.port, path, many), partial(_rate, port, path, many)
        relay(), bare()
        # In turn, so that what else the machine does falls on both.
        rounds = [(relay(), bare()) for _ in range(ROUNDS)]
    middle = sorted(rounds, key=lambda pair: pair[0] / pair[1])[ROUNDS // 2]
    name = f"{kind}: signed deliveries with durable commit"
    return Figure(
        name, middle[0], "/s", middle[1], "bare endpoint, same write", TARGET, higher_is_better=True
    )


def _rate(port: int, path: str, many: int) -> float:
    taken: Taken = run(send(port, iter(deliveries(path, many)), CONNECTIONS))
    assert taken.statuses == {200: many}, taken.statuses
    return taken.rate


def _pair(stage: Stage, served: Served) -> None:
    flags = ("pair", "--source", "home", "--key-file", str(stage.folder / "key"))
    code = operated(stage.url, *flags).strip()
    told = {"publicKey": to_text(bytes(PrivateKey.generate().public_key)), "code": code}
    assert httpx.post(f"{served.where}/v1/devices", json=told).status_code == 200
