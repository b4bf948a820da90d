"""What a connection may be held for, and how much may be sent on it, whichever library reads it."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.relay.server.served import Served, add_source, serving
from tests.relay.server.wire import answer_of, rest_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

SETTINGS = """
head_s = 1.5
body_s = 1.5
failures = "{failures}"
"""
TO_NOBODY = b"POST /v1/hooks/nobody/USER_SYNCED HTTP/1.1\r\nHost: relay\r\n"
CHUNKED = TO_NOBODY + b"Transfer-Encoding: chunked\r\n\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n"


@pytest.fixture(scope="module", params=["httptools", "h11"])
def reader(request: pytest.FixtureRequest) -> str:
    """Name a library that reads requests."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, reader: str) -> Iterator[Served]:
    """Run a relay that limits nobody."""
    with _running(tmp_path_factory.mktemp("relay"), reader, "1000/100000") as served:
        yield served


@pytest.fixture
def strict(tmp_path: Path, reader: str) -> Iterator[Served]:
    """Run a relay that lets nobody guess more often than five times."""
    with _running(tmp_path, reader, "0.001/5") as served:
        yield served


def _running(folder: Path, reader: str, failures: str) -> AbstractContextManager[Served]:
    store, config = f"sqlite:///{folder / 'relay.sqlite'}", folder / "relay.toml"
    config.write_text(SETTINGS.format(failures=failures))
    add_source(store)
    return serving(store, folder, "--config", str(config), h11=reader == "h11")


def resident(pid: int) -> int:
    """Return the bytes of memory a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4_096


def test_what_comes_after_a_body_is_not_kept(relay: Served) -> None:
    before = resident(relay.pid)
    with relay.connect() as wire:
        wire.sendall(CHUNKED)
        assert answer_of(wire)[0] == 404
        try:
            wire.sendall(b"0\r\n")
            for _ in range(128):  # 8 MB
                wire.sendall(b"Authorization: x\r\n" * 3_450)
            is_open = True
        except (BrokenPipeError, ConnectionResetError):
            is_open = False

    assert resident(relay.pid) - before < 24 * 2**20
    assert not is_open


def test_one_endless_line_after_a_body_is_not_kept(relay: Served) -> None:
    with relay.connect() as wire:
        wire.sendall(CHUNKED + b"0\r\nX: ")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            wire.sendall(b"x" * (64 * 2**20))


def test_a_body_in_pieces_with_something_after_it_is_a_body(relay: Served) -> None:
    piece = b"8000\r\n" + b"x" * 32_768 + b"\r\n"
    told = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with relay.connect() as wire:
        wire.sendall(b"POST /v1/devices HTTP/1.1\r\nHost: relay\r\n" + told)
        wire.sendall(b"2\r\n{}\r\n" + b"0\r\nX-Sum: 1\r\n\r\n")
        assert answer_of(wire)[0] == 400, "all of it was read"
        wire.sendall(CHUNKED + piece * 8 + b"0\r\nX-Sum: 1\r\n\r\n")
        assert answer_of(wire)[0] == 404
        wire.sendall(HEALTH)
        assert answer_of(wire)[0] == 200


@pytest.mark.parametrize(
    "more",
    [b"x", b"x" * 100, b"x" * 100 + b"\r\n"],
    ids=["a byte of the body", "the body", "the body and a line"],
)
def test_nobody_holds_a_connection_by_what_was_answered_already(relay: Served, more: bytes) -> None:
    with relay.connect() as wire:
        wire.sendall(TO_NOBODY + b"Content-Length: 100\r\n\r\n")
        assert answer_of(wire)[0] == 404
        wire.sendall(more)
        assert b"200 OK" not in rest_of(wire), "it is closed long before an idle one would be"


def test_empty_lines_hold_no_connection(relay: Served) -> None:
    with relay.connect() as wire:
        wire.sendall(HEALTH)
        assert answer_of(wire)[0] == 200
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            _drip(wire, b"\r\n")


def test_drops_of_a_body_that_was_answered_hold_no_connection(relay: Served) -> None:
    with relay.connect() as wire:
        wire.sendall(TO_NOBODY + b"Content-Length: 1000000\r\n\r\n")
        assert answer_of(wire)[0] == 404
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            _drip(wire, b"x")


def _drip(wire: socket.socket, drop: bytes) -> None:
    """Send drops for 20 s, or until they are not taken any more."""
    pause = threading.Event()
    for _ in range(400):
        wire.sendall(drop)
        pause.wait(0.05)


def test_what_was_refused_before_it_came_may_come_and_the_connection_goes_on(relay: Served) -> None:
    with relay.connect() as wire:
        wire.sendall(TO_NOBODY + b"Content-Length: 100\r\n\r\n")
        assert answer_of(wire)[0] == 404
        wire.sendall(b"x" * 100)
        wire.sendall(HEALTH)
        assert answer_of(wire)[0] == 200


def test_a_few_requests_at_once_are_answered_in_order(relay: Served) -> None:
    with relay.connect() as wire:
        wire.sendall((HEALTH + TO_NOBODY + b"Content-Length: 0\r\n\r\n") * 4 + LAST)
        told = rest_of(wire)

    assert re.findall(rb"HTTP/1.1 (\d+)", told) == [b"200", b"404"] * 4 + [b"200"]


def test_who_sends_more_and_more_without_waiting_is_closed(tmp_path: Path) -> None:
    # h11 reads no further than one request.
    with _running(tmp_path, "httptools", "1000/100000") as served, served.connect() as wire:
        wire.sendall(HEALTH * 1_000)
        assert rest_of(wire).count(b"HTTP/1.1") <= 17


def test_who_asks_too_often_without_waiting_is_closed_not_kept_waiting(strict: Served) -> None:
    with strict.connect() as wire:
        wire.sendall((TO_NOBODY + b"Content-Length: 0\r\n\r\n") * 12)
        told = rest_of(wire)

    assert told.count(b"HTTP/1.1 404") == 5
    assert told.count(b"HTTP/1.1 429") == 1
    assert b"connection: close" in told.lower()


def test_who_leaves_a_queue_behind_is_no_error(strict: Served) -> None:
    spent = TO_NOBODY + b"Content-Length: 0\r\n\r\n"
    with strict.connect() as wire:
        wire.sendall(spent * 5 + LAST)
        rest_of(wire)
    with strict.connect() as wire:
        wire.sendall(spent * 2)  # the first is held for a moment, and nobody is there any more
    pause = threading.Event()
    for _ in range(400):
        if _limited(strict):
            break
        pause.wait(0.05)

    assert _limited(strict)
    assert "a request failed" not in strict.log.read_text()


def _limited(served: Served) -> int:
    figures = httpx.get(f"{served.where}/metrics").text.splitlines()
    told = [line for line in figures if line.startswith("obdesk_relay_responses_total") and '"429"' in line]
    return sum(int(float(line.split()[-1])) for line in told)


def test_what_a_head_is_refused_with_is_described_wherever_it_was_going(relay: Served) -> None:
    described = httpx.get(f"{relay.where}/openapi.json").json()["paths"]
    heads = [b"Bad Header: a\r\n\r\n", b"X: " + b"a" * 100_000 + b"\r\n\r\n"]
    unended = [b"Host: relay\r\n"]  # it takes its time, so it is sent to one path alone
    for path, operations in described.items():
        for method, operation in operations.items():
            asked = f"{method.upper()} {path.format(capability='a', event='b')} HTTP/1.1\r\n".encode()
            for head in heads + unended:
                with relay.connect() as wire:
                    wire.sendall(asked + head)
                    status = answer_of(wire)[0]
                assert status in {400, 408, 431}
                assert {"400", "408", "431"} <= operation["responses"].keys()
            unended = []
