"""Several workers over one Redis: any of them takes any request, and one that dies is replaced."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
from nacl.public import PrivateKey

from obdesk.relay.protocol import to_text
from obdesk.relay.server.app import wall_clock_us
from tests.relay.server.kit import connection_synced, signed_headers
from tests.relay.server.served import Served, add_source, operate, operated, serving, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relay.redis_server import RedisServer


def workers_of(served: Served) -> set[int]:
    """Return the processes below a relay."""
    told = f"/proc/{served.pid}/task/{served.pid}/children"
    with open(told, encoding="ascii") as children:  # noqa: PTH123 - the kernel's, not a file
        return {int(pid) for pid in children.read().split()}


def test_a_delivery_at_one_worker_wakes_a_desktop_that_waits_at_another_and_a_killed_one_is_replaced(
    redis: RedisServer, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("A" * 43 + "\n")
    paths = add_source(redis.url, key_file=str(key))
    code = operated(redis.url, "pair", "--source", "home", "--key-file", str(key)).strip()
    with (
        serving(redis.url, tmp_path, "--workers", "2", "--key-file", str(key)) as served,
        ThreadPoolExecutor(8) as threads,
    ):
        public = to_text(bytes(PrivateKey.generate().public_key))
        paired = httpx.post(f"{served.where}/v1/devices", json={"publicKey": public, "code": code}).json()
        headers = {"Authorization": f"Bearer {paired['token']}"}
        events = f"{served.where}/v1/mailbox/events"

        def pull(after: str) -> dict[str, object]:
            answer = httpx.get(events, params={"after": after, "wait": 20}, headers=headers, timeout=30)
            found: dict[str, object] = answer.json()
            return found

        def deliver(payload: int) -> int:
            path, body = paths["CONNECTION_SYNCED"], connection_synced(payload, payload=payload)
            sent = signed_headers(path, body, wall_clock_us())
            return httpx.post(f"{served.where}{path}", content=body, headers=sent).status_code

        # Each request is a connection of its own, and whichever worker is free takes it.
        cursor = paired["cursor"]
        for payload in range(3):
            waiting = threads.submit(pull, cursor)
            assert deliver(payload) == 200
            page = waiting.result(25)
            assert page["entries"]
            cursor = page["cursor"]
        first = workers_of(served)
        os.kill(min(first), signal.SIGKILL)
        until(served, lambda: len(workers_of(served) - {min(first)}) == 2)
        assert deliver(7) == 200
        assert pull(cursor)["entries"]


def test_a_worker_that_dies_while_redis_is_down_is_started_until_redis_is_back(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("A" * 43 + "\n")
    add_source(own_redis.url, key_file=str(key))
    with serving(own_redis.url, tmp_path, "--workers", "2", "--key-file", str(key)) as served:

        def ready() -> bool:
            with suppress(httpx.HTTPError):
                return httpx.get(f"{served.where}/readyz", timeout=20).status_code == 200
            return False

        until(served, ready)
        first = workers_of(served)
        own_redis.kill()
        os.kill(min(first), signal.SIGKILL)
        until(served, lambda: "cannot be reached" in served.log.read_text())
        os.kill(max(first), signal.SIGKILL)
        own_redis.start()
        until(served, ready)
        assert not workers_of(served) & first


def test_workers_that_cannot_start_end_the_whole(redis: RedisServer, tmp_path: Path) -> None:
    key = tmp_path / "key"
    flags = ("serve", "--workers", "2", "--key-file", str(key), "--listen", "127.0.0.1:0")
    code, _out, err = operate(redis.url, *flags)

    assert code == 1
    assert str(key) in err
