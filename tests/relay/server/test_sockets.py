"""A relay at its socket: slow, large, compressed and garbled requests, and the end of the process."""

from __future__ import annotations

import gzip
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from nacl.public import PrivateKey

from obdesk.relay.protocol import to_text
from obdesk.relay.server.app import wall_clock_us
from tests.relay.server.kit import connection_synced, signed_headers
from tests.relay.server.served import Served, add_source, pairing_code, serving
from tests.relay.server.wire import answer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = """
head_s = 0.4
body_s = 0.4
body_kib = 1024
head_kib = 16
failures = "1000/100000"
connections = 50
"""


class Place:
    """A relay with a source, and what is needed to deliver to it."""

    def __init__(self, served: Served, paths: dict[str, str], token: str, cursor: str) -> None:
        self.served, self.paths, self.token, self.cursor = served, paths, token, cursor

    def request(
        self, body: bytes, more: str = "", *, length: int | None = None, signed: bytes | None = None
    ) -> bytes:
        """Return a signed delivery as it goes over the wire."""
        path = self.paths["CONNECTION_SYNCED"]
        headers = signed_headers(path, body if signed is None else signed, wall_clock_us())
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        told = f"Content-Length: {len(body) if length is None else length}\r\n" if length != -1 else ""
        return f"POST {path} HTTP/1.1\r\nHost: relay\r\n{lines}{told}{more}\r\n".encode()

    def said(self, *parts: bytes) -> tuple[int, bytes]:
        """Send bytes over a new connection and return the status and body of the answer."""
        with self.served.connect() as wire:
            for part in parts:
                wire.sendall(part)
            return answer_of(wire)

    def pulled(self) -> int:
        """Return how many hints wait."""
        with httpx.Client(base_url=self.served.where) as http:
            headers = {"Authorization": f"Bearer {self.token}"}
            page = http.get("/v1/mailbox/events", params={"after": self.cursor}, headers=headers).json()
        self.cursor = page["cursor"]
        return len(page["entries"])


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("relay")
    store = f"sqlite:///{folder / 'relay.sqlite'}"
    config = folder / "relay.toml"
    config.write_text(SETTINGS)
    paths = add_source(store)
    code = pairing_code(store)
    with serving(store, folder, "--config", str(config)) as served:
        key = to_text(bytes(PrivateKey.generate().public_key))
        paired = httpx.post(f"{served.where}/v1/devices", json={"publicKey": key, "code": code}).json()
        yield Place(served, paths, paired["token"], paired["cursor"])


def test_a_delivery_over_a_real_socket(relay: Place) -> None:
    body = connection_synced(1, payload=time.time_ns())

    assert relay.said(relay.request(body), body) == (200, b"{}")
    assert relay.pulled() == 1


def test_headers_that_come_drop_by_drop_are_given_up(relay: Place) -> None:
    began_s = time.monotonic()
    with relay.served.connect() as wire:
        wire.sendall(b"POST /v1/hooks/a/b HTTP/1.1\r\nHost: relay\r\n")
        status, body = answer_of(wire)

    assert (status, json.loads(body)["title"]) == (408, "Headers too slow")
    assert time.monotonic() - began_s < 10


def test_a_connection_on_which_nothing_comes_is_given_up(relay: Place) -> None:
    with relay.served.connect() as wire:
        assert answer_of(wire)[0] == 408


def test_a_second_request_is_held_to_the_same_time(relay: Place) -> None:
    body = connection_synced(2, payload=time.time_ns())
    with relay.served.connect() as wire:
        wire.sendall(relay.request(body) + body)
        assert answer_of(wire)[0] == 200
        wire.sendall(b"GET /hea")
        assert answer_of(wire)[0] == 408
    relay.pulled()


def test_a_body_that_comes_drop_by_drop_is_given_up(relay: Place) -> None:
    assert relay.said(relay.request(b"x" * 100), b"x" * 10)[0] == 408
    assert relay.pulled() == 0


def test_a_slow_sender_holds_nobody_up(relay: Place) -> None:
    slow = [relay.served.connect() for _ in range(30)]
    try:
        for wire in slow:
            wire.sendall(relay.request(b"x" * 100) + b"x")
        body = connection_synced(3, payload=time.time_ns())
        began_s = time.monotonic()
        assert relay.said(relay.request(body), body)[0] == 200
        assert time.monotonic() - began_s < 5
    finally:
        for wire in slow:
            wire.close()
    assert relay.pulled() == 1


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 200_000,
    ],
    ids=["path", "header", "headers", "endless"],
)
def test_headers_that_are_too_large_are_refused(relay: Place, head: bytes) -> None:
    status, body = relay.said(head)

    assert (status, json.loads(body)["title"]) == (431, "Headers too large")


def test_headers_are_counted_however_they_are_cut(relay: Place) -> None:
    with relay.served.connect() as wire:
        wire.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        try:
            for _ in range(40):
                wire.sendall(b"a" * 1_000)
        except (BrokenPipeError, ConnectionResetError):
            return
        assert answer_of(wire)[0] in {431, 0}


def test_a_body_of_64_megabytes_is_refused_before_it_has_come(relay: Place) -> None:
    status, body = relay.said(relay.request(b"", length=64 * 2**20))

    assert (status, json.loads(body)["title"]) == (413, "Body too large")


def test_an_endless_body_of_no_told_length_is_refused_and_costs_no_memory(relay: Place) -> None:
    before = resident(relay.served.pid)
    with relay.served.connect() as wire:
        wire.sendall(relay.request(b"", "Transfer-Encoding: chunked\r\n", length=-1))
        piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        try:
            for _ in range(1_024):  # 64 MB
                wire.sendall(piece)
            status = answer_of(wire)[0]
        except (BrokenPipeError, ConnectionResetError):
            status = 0

    assert status in {0, 413}
    assert resident(relay.served.pid) - before < 24 * 2**20
    assert relay.pulled() == 0


def resident(pid: int) -> int:
    """Return the bytes of memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4_096


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"-5\r\nabc\r\n0\r\n\r\n",
        b"5\r\nabcdefgh\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\n",
        b"\x00\xff",
    ],
)
def test_garbled_chunks_are_no_request(relay: Place, chunks: bytes) -> None:
    status, body = relay.said(relay.request(b"", "Transfer-Encoding: chunked\r\n", length=-1), chunks)

    assert status in {0, 400, 408}
    assert not body or json.loads(body)["status"] == status
    assert relay.pulled() == 0


@pytest.mark.parametrize(
    "text",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n\x00"],
)
def test_what_is_not_http_is_refused_with_a_document(relay: Place, text: bytes) -> None:
    status, body = relay.said(text)

    assert status in {0, 400, 404, 408}
    assert not body or json.loads(body)["status"] == status


def test_two_lengths_or_a_length_and_chunks_are_no_request(relay: Place) -> None:
    body = connection_synced(9, payload=time.time_ns())
    two = relay.request(body, f"Content-Length: {len(body) + 1}\r\n")
    both = relay.request(body, "Transfer-Encoding: chunked\r\n")

    assert relay.said(two, body)[0] in {0, 400}
    assert relay.said(both, b"0\r\n\r\n")[0] in {0, 400}
    assert relay.pulled() == 0


def test_an_upgrade_is_answered_as_any_other_request(relay: Place) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert relay.said(head)[0] == 200


def test_a_gzip_bomb_is_not_taken(relay: Place) -> None:
    bomb = gzip.compress(bytes(64 * 2**20))
    assert relay.said(relay.request(bomb, "Content-Encoding: gzip\r\n"), bomb)[0] == 415


def test_more_connections_than_allowed_are_closed_and_free_ones_work_again(relay: Place) -> None:
    wires = [relay.served.connect() for _ in range(60)]
    ended = 0
    for wire in wires:
        wire.settimeout(5)
        try:
            ended += not wire.recv(1)
        except ConnectionResetError:
            ended += 1
    for wire in wires:
        wire.close()
    body = connection_synced(4, payload=time.time_ns())

    assert ended >= 10
    assert relay.said(relay.request(body), body)[0] == 200
    relay.pulled()


def test_a_relay_that_is_asked_to_end_lets_the_desktops_go(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'relay.sqlite'}"
    add_source(store)
    code = pairing_code(store)
    answers: list[int] = []
    with serving(store, tmp_path) as served:
        key = to_text(bytes(PrivateKey.generate().public_key))
        paired = httpx.post(f"{served.where}/v1/devices", json={"publicKey": key, "code": code}).json()
        headers = {"Authorization": f"Bearer {paired['token']}"}
        asked = {"after": paired["cursor"], "wait": 25}

        def pull() -> None:
            with httpx.Client(timeout=30) as http:
                answer = http.get(f"{served.where}/v1/mailbox/events", params=asked, headers=headers)
                answers.append(answer.status_code)

        thread = threading.Thread(target=pull)
        thread.start()
        pause = threading.Event()
        while "long_polls 1.0" not in httpx.get(f"{served.where}/metrics").text:
            pause.wait(0.02)
        began_s = time.monotonic()
        served.process.terminate()
        thread.join(15)
        assert served.process.wait(15) == 0

    assert answers == [200]
    assert time.monotonic() - began_s < 8
