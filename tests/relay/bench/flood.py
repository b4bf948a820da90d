"""An honest source while another floods the relay with all it has, signed, forged and misaddressed."""

from __future__ import annotations

import http.client
import multiprocessing
import threading
import time
from itertools import chain, cycle
from typing import TYPE_CHECKING

from tests.benchmarks.figures import Figure, percentile
from tests.relay.bench.load import send
from tests.relay.bench.memory import resident
from tests.relay.bench.stage import deliveries, request, run, source, staged
from tests.relay.server.kit import connection_synced, signed_headers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Event

CONNECTIONS = 256
P99_MS = 50.0
GAINED_MIB = 32.0
EVERY_S = 0.02
"""An honest delivery at each such moment."""
_BEGUN = 4_000
"""So many requests are a flood."""


def measure(honest: int) -> list[Figure]:
    """Return the figures for so many honest deliveries, with the limits that a relay has by itself."""
    with staged("sqlite") as stage, stage.relay("") as served:
        good, loud = source(stage), source(stage, "loud")
        calm_s = _latencies(served.port, good, honest // 4)
        before = resident(served.pid)
        spawn = multiprocessing.get_context("spawn")
        told: Queue[tuple[float, dict[int, int]]] = spawn.Queue()
        begun, over = spawn.Event(), spawn.Event()
        flooder = spawn.Process(target=_flood, args=(served.port, loud, begun, over, told))
        flooder.start()
        assert begun.wait(120), "there was no flood"
        flooded_s = _latencies(served.port, good, honest)
        over.set()
        rate, statuses = told.get(timeout=120)
        flooder.join()
        gained_mib = (resident(served.pid) - before) / 2**20
    assert statuses.get(429, 0) > statuses.get(200, 0), statuses
    peace, war = (percentile(each, 0.99) * 1000 for each in (calm_s, flooded_s))
    return [
        Figure("an honest source's p99 in peace", peace, "ms", None, "", P99_MS),
        Figure(f"its p99 while another sends {rate:,.0f}/s", war, "ms", None, "", P99_MS),
        Figure("memory that the flood left", max(gained_mib, 0.0), "MiB", None, "", GAINED_MIB),
    ]


def _latencies(port: int, path: str, many: int) -> list[float]:
    """Return how long honest deliveries took, sent at fixed moments however long those before took."""
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    taken: list[float] = []
    pause = threading.Event()
    began_s = time.perf_counter()
    for number in range(many):
        pause.wait(max(0.0, began_s + number * EVERY_S - time.perf_counter()))
        body = connection_synced(number % 16, payload=time.time_ns())
        headers = signed_headers(path, body, time.time_ns() // 1_000)
        sent_s = time.perf_counter()
        wire.request("POST", path, body, headers)
        answer = wire.getresponse()
        assert (answer.status, answer.read()) == (200, b"{}")
        taken.append(time.perf_counter() - sent_s)
    wire.close()
    return taken


def _flood(
    port: int, path: str, begun: Event, over: Event, told: Queue[tuple[float, dict[int, int]]]
) -> None:
    """Send until it is over."""
    forged = [request(path, connection_synced(n), "no secret") for n in range(200)]
    lost = [request(f"/v1/hooks/{n:043}/USER_SYNCED", b"{}") for n in range(200)]
    mixed = list(chain.from_iterable(zip(deliveries(path, 400), forged * 2, lost * 2, strict=True)))

    def endless() -> Iterator[bytes]:
        for number, each in enumerate(cycle(mixed)):
            if number == _BEGUN:
                begun.set()
            if number % 100 == 0 and over.is_set():
                return
            yield each

    taken = run(send(port, endless(), CONNECTIONS))
    told.put((taken.rate, taken.statuses))
