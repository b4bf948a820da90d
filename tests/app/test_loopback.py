"""The browser's way back: one port, one path, one answer, and nothing for anybody else."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from obdesk.app.loopback import PORTS, Loopback, PortsTakenError, listening
from obdesk.domain import texts

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from typing import Any

STATE = "s3cret-state-of-this-attempt"
FRENCH = {"You can close this tab": "Vous pouvez fermer cet onglet"}


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


async def send(port: int, raw: bytes) -> str:
    """Send bytes as a client would and return the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    try:
        answer = await reader.read()
    except ConnectionResetError:
        answer = b""
    writer.close()
    return answer.decode()


def get(port: int, target: str, *, host: str | None = None, extra: str = "", method: str = "GET") -> bytes:
    named = host or f"127.0.0.1:{port}"
    return f"{method} {target} HTTP/1.1\r\nHost: {named}\r\n{extra}\r\n".encode()


def port_of(loopback: Loopback) -> int:
    return int(loopback.redirect_uri.rpartition(":")[2].partition("/")[0])


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on, where other tests may have those of the program."""
    with ExitStack() as taken:
        probes = [taken.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [probe.getsockname()[1] for probe in probes]


@pytest.fixture
def _in_french() -> Iterator[None]:
    texts.install("fr", FRENCH)
    yield
    texts.install("en", {})


def test_the_right_answer_comes_back_whole_and_the_port_closes() -> None:
    async def story() -> None:
        async with listening() as loopback, asyncio.TaskGroup() as tasks:
            port = port_of(loopback)
            assert port in PORTS
            waiting = tasks.create_task(loopback.wait(STATE))
            page = await send(port, get(port, f"/callback?connection_id=311&state={STATE}"))
            assert page.startswith("HTTP/1.1 200")
            assert "You can close this tab" in page
            assert "311" not in page
            assert STATE not in page
            assert await waiting == f"http://127.0.0.1:{port}/callback?connection_id=311&state={STATE}"
            assert not is_open(port)

    run(story())


@pytest.mark.usefixtures("_in_french")
def test_the_page_speaks_french() -> None:
    async def story() -> None:
        async with listening() as loopback, asyncio.TaskGroup() as tasks:
            port = port_of(loopback)
            tasks.create_task(loopback.wait(STATE))
            page = await send(port, get(port, f"/callback?state={STATE}"))
            assert '<html lang="fr">' in page
            assert "Vous pouvez fermer cet onglet" in page

    run(story())


def test_a_cancelled_login_comes_back_too_and_its_page_says_so() -> None:
    async def story() -> None:
        async with listening() as loopback, asyncio.TaskGroup() as tasks:
            port = port_of(loopback)
            waiting = tasks.create_task(loopback.wait(STATE))
            page = await send(port, get(port, f"/callback?error=access_denied&state={STATE}"))
            assert "Nothing was linked" in page
            assert "error=access_denied" in str(await waiting)

    run(story())


@pytest.mark.parametrize(
    "raw",
    [
        get(0, "/callback?state=wrong"),
        get(0, "/callback"),
        get(0, f"/callback?state={STATE}&state={STATE}"),
        get(0, f"/callback?state={STATE}x"),
        get(0, f"/callback/?state={STATE}"),
        get(0, f"//callback?state={STATE}"),
        get(0, f"/CALLBACK?state={STATE}"),
        get(0, f"/other?state={STATE}"),
        get(0, f"/callback?state={STATE}", method="POST"),
        get(0, f"/callback?state={STATE}", method="HEAD"),
        get(0, f"/callback?state={STATE}", host="evil.example"),
        get(0, f"/callback?state={STATE}", host="localhost:PORT"),
        get(0, f"http://127.0.0.1:PORT/callback?state={STATE}"),
        get(0, f"/callback?state={STATE}", extra="Sec-Fetch-Dest: image\r\n"),
        get(0, f"/callback?state={STATE}", extra="Sec-Fetch-Dest: iframe\r\n"),
        get(0, f"/callback?state={STATE}", extra=f"X: {'y' * 9_000}\r\n"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GARBAGE\r\n\r\n",
        b"GET /callback HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=range(19),
)
def test_anything_else_is_refused_and_the_right_answer_still_comes_through(raw: bytes) -> None:
    async def story() -> None:
        async with listening() as loopback, asyncio.TaskGroup() as tasks:
            port = port_of(loopback)
            waiting = tasks.create_task(loopback.wait(STATE))
            here = raw.replace(b"127.0.0.1:0", f"127.0.0.1:{port}".encode()).replace(b"PORT", b"%d" % port)
            answer = await send(port, here)
            assert "200" not in answer.partition("\r\n")[0]
            assert STATE not in answer
            assert not waiting.done()
            await send(port, get(port, f"/callback?state={STATE}"))
            assert await waiting is not None

    run(story())


def test_a_prefix_of_the_state_is_no_state() -> None:
    async def story() -> None:
        async with listening() as loopback, asyncio.TaskGroup() as tasks:
            port = port_of(loopback)
            waiting = tasks.create_task(loopback.wait(STATE))
            for end in range(len(STATE)):
                await send(port, get(port, f"/callback?state={STATE[:end]}"))
            assert not waiting.done()
            waiting.cancel()

    run(story())


def test_ten_thousand_guesses_never_succeed() -> None:
    async def story() -> None:
        async with listening() as loopback, asyncio.TaskGroup() as tasks:
            port = port_of(loopback)
            waiting = tasks.create_task(loopback.wait(STATE))

            async def guess(first: int) -> None:
                for number in range(first, first + 1_250):
                    answer = await send(port, get(port, f"/callback?state=guess-{number}"))
                    assert answer.startswith("HTTP/1.1 400")

            async with asyncio.TaskGroup() as guessers:
                for lane in range(8):
                    guessers.create_task(guess(lane * 1_250))
            assert not waiting.done()
            waiting.cancel()

    run(story())


def test_an_answer_is_taken_once() -> None:
    async def story() -> None:
        async with listening() as loopback, asyncio.TaskGroup() as tasks:
            port = port_of(loopback)
            waiting = tasks.create_task(loopback.wait(STATE))
            both = await asyncio.gather(
                *(send(port, get(port, f"/callback?connection_id={n}&state={STATE}")) for n in (1, 2))
            )
            assert sorted(answer[9:12] for answer in both if answer) in (["200"], ["200", "400"])
            assert await waiting is not None

    run(story())


def test_before_an_attempt_is_open_no_answer_is_right() -> None:
    async def story() -> None:
        async with listening() as loopback:
            port = port_of(loopback)
            assert (await send(port, get(port, "/callback?state="))).startswith("HTTP/1.1 400")

    run(story())


def test_the_port_closes_when_nobody_comes_back() -> None:
    async def story() -> None:
        async with listening() as loopback:
            port = port_of(loopback)
            assert await loopback.wait(STATE, timeout_s=0.05) is None
            assert not is_open(port)

    run(story())


def test_a_slow_client_does_not_keep_the_others_out() -> None:
    async def story() -> None:
        async with listening() as loopback, asyncio.TaskGroup() as tasks:
            port = port_of(loopback)
            waiting = tasks.create_task(loopback.wait(STATE))
            slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
            for _, writer in slow:
                writer.write(b"GET /callback?sta")
            await send(port, get(port, f"/callback?state={STATE}"))
            assert await waiting is not None
            for _, writer in slow:
                writer.close()

    run(story())


def test_a_taken_port_is_passed_over_and_three_taken_ports_are_said() -> None:
    async def story() -> None:
        ports = free_ports(3)
        async with listening(ports) as first, listening(ports) as second, listening(ports) as third:
            assert [port_of(each) for each in (first, second, third)] == ports
            with pytest.raises(PortsTakenError) as caught:
                async with listening(ports):
                    pass
        assert ", ".join(map(str, ports)) in caught.value.cause
        assert caught.value.next_step

    run(story())


def test_it_listens_on_this_computer_only() -> None:
    async def story() -> None:
        async with listening() as loopback:
            host, _ = loopback._socket.getsockname()
            assert host == "127.0.0.1"

    run(story())
