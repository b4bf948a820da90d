"""Figures of several workers: each tells its own at an address of its own, where there is nothing else."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from obdesk.relay.server.limits import Places
from obdesk.relay.server.settings import Listen, SettingsError, load
from tests.e2e.waiting import until
from tests.relay.server.kit import NOT_FOUND, connection_synced, kit, signed_headers
from tests.relay.server.served import add_source, serving

if TYPE_CHECKING:
    from tests.relay.places import Place
    from tests.relay.redis_server import RedisServer

Samples = dict[tuple[str, ...], float]


def _ask(method: str, address: str, **given: object) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.request(method, address, **given)  # type: ignore[arg-type] # as httpx takes them


def _figures(address: str) -> Samples:
    """Return what one worker tells of itself; nothing while it does not answer."""
    try:
        answer = _ask("GET", f"{address}/metrics")
    except httpx.HTTPError:
        return {}
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def _start_of(address: str) -> float:
    return _figures(address).get(("process_start_time_seconds",), 0.0)


def _free_ports(count: int) -> int:
    """Return the first of some ports in a row on which nobody listens."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                others = [socket.create_server(("127.0.0.1", port + number)) for number in range(1, count)]
            except OSError:
                continue
            for other in others:
                other.close()
            return port


def _worker(parent: int, number: int) -> int:
    """Return the process of a worker."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()
    lines = {int(child): Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0") for child in children}
    (found,) = [child for child, words in lines.items() if words[-2] == str(number).encode()]
    return found


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="a process tells when it began on Linux alone")
def test_each_worker_is_scraped_for_itself_also_after_it_died(redis: RedisServer, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(secrets.token_urlsafe(32))
    path = add_source(redis.url, key_file=str(key))["CONNECTION_SYNCED"]
    port = _free_ports(2)
    first, second = (f"http://127.0.0.1:{port + number}" for number in range(2))
    flags = ("--workers", "2", "--key-file", str(key), "--metrics-listen", f"127.0.0.1:{port}")
    with serving(redis.url, tmp_path, *flags) as relay:
        began = [until("a worker to tell of itself", partial(_start_of, at)) for at in (first, second)]
        for number in range(20):
            body = connection_synced(payload=number)
            headers = signed_headers(path, body, time.time_ns() // 1_000)
            assert _ask("POST", f"{relay.where}{path}", content=body, headers=headers).status_code == 200
        dropped = ("obdesk_relay_deliveries_total", "dropped", "no_recipient")
        assert _figures(first)[dropped] + _figures(second)[dropped] == 20

        nothing = [
            _ask("GET", f"{relay.where}/metrics"),
            _ask("GET", f"{first}/readyz"),
            _ask("POST", f"{first}{path}", content=b"{}"),
        ]
        assert {(answer.status_code, answer.content) for answer in nothing} == {(404, NOT_FOUND)}

        os.kill(_worker(relay.pid, 1), signal.SIGKILL)
        until("the worker to be back", lambda: _start_of(second) > began[1])
        assert _figures(second)[dropped] == 0
        assert _start_of(first) == began[0]


async def test_one_worker_gives_figures_beside_all_else_and_several_do_not(sqlite_place: Place) -> None:
    near = Places.parse(["192.0.2.0/24"])
    async with kit(sqlite_place, metrics_from=near) as alone:
        assert (await alone.http.get("/metrics")).status_code == 200
    async with kit(sqlite_place, metrics_from=near, workers=2) as several:
        assert (await several.http.get("/metrics")).content == NOT_FOUND


async def test_an_address_for_figures_has_nothing_else(sqlite_place: Place) -> None:
    near, aside = Places.parse(["192.0.2.0/24"]), Listen("127.0.0.1", 9470)
    async with kit(sqlite_place, metrics_from=near, metrics_listen=aside) as relay:
        there = [await relay.http.get(f"http://relay.test:9470{path}") for path in ("/metrics", "/healthz")]
        here = [await relay.http.get(path) for path in ("/metrics", "/healthz")]

    assert [answer.status_code for answer in there] == [200, 404]
    assert [answer.status_code for answer in here] == [404, 200]


@pytest.mark.parametrize("where", ["unix:/run/relay", "127.0.0.1:0", "9470"])
def test_an_address_for_figures_is_a_host_and_a_port(where: str) -> None:
    with pytest.raises(SettingsError, match="HOST:PORT"):
        load({"metrics_listen": where}, environ={})
