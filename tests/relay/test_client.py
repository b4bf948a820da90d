"""The desktop's side of HTTP to a relay, over real sockets: every answer becomes one of a closed set."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.mailbox import Trouble, trouble_text
from obdesk.relay import client as client_module
from obdesk.relay.client import ANSWER_BYTES_MAX, Failed, RelayClient, usable_url
from obdesk.relay.protocol import Page, Paired, Pairing, UserToken
from tests.providers.authorities import Authority
from tests.providers.scripted import answer, answer_json, html, in_turn, scripted

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.providers.scripted import Answer, ScriptedServer, Writer

pytestmark = pytest.mark.anyio
TOKEN = "tokenmarker" + "x" * 32
CURSOR = "A" * 22 + ":7"
PAGE = {"entries": [], "cursor": CURSOR, "peers": 2}
PAIRED = {"token": TOKEN, "ticket": "ticketmarker", "cursor": CURSOR, "isShared": True, "offersUsers": True}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def before(
    *answers: Answer, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[RelayClient, ScriptedServer]]:
    """Give a client before a server that says what it is told to."""
    async with scripted(in_turn(*answers), tls=tls) as server:
        client = RelayClient(f"{server.scheme}://127.0.0.1:{server.port}")
        try:
            yield client, server
        finally:
            await client.aclose()


async def pulled(*answers: Answer, tls: ssl.SSLContext | None = None) -> Page | Failed:
    async with before(*answers, tls=tls) as (client, _):
        return await client.pull(TOKEN, CURSOR, wait_s=0)


async def test_it_pairs_pulls_acknowledges_and_leaves_as_the_protocol_says() -> None:
    answers = (
        answer_json(PAIRED),
        answer_json(PAGE),
        answer(b"", status=204, kind=None),
        answer(b"", status=204),
    )
    async with before(*answers) as (client, server):
        paired = await client.pair(Pairing("key", code="code", user_code="single"))
        page = await client.pull(TOKEN, CURSOR, wait_s=25)
        assert await client.ack(TOKEN, CURSOR) is None
        assert await client.leave(TOKEN) is None
    assert paired == Paired(TOKEN, "ticketmarker", CURSOR, is_shared=True, offers_users=True)
    assert page == Page((), CURSOR, 2)
    pairing, pull, ack, leave = server.asked
    assert (pairing.method, pairing.path) == ("POST", "/v1/devices")
    assert pairing.json == {"publicKey": "key", "code": "code", "ticket": None, "userCode": "single"}
    assert "authorization" not in pairing.headers
    assert (pull.method, pull.path) == ("GET", "/v1/mailbox/events")
    assert pull.query == {"after": [CURSOR], "limit": ["100"], "wait": ["25"]}
    assert (ack.method, ack.path, ack.json) == ("POST", "/v1/mailbox/ack", {"upto": CURSOR})
    assert (leave.method, leave.path, leave.body) == ("DELETE", "/v1/devices/me", b"")
    assert {each.headers["authorization"] for each in (pull, ack, leave)} == {f"Bearer {TOKEN}"}


async def test_a_user_is_asked_for_once_and_never_again_by_itself() -> None:
    busy = answer_json({}, 503)
    async with before(busy, answer_json({"token": "t", "user": "6120", "ticket": "new"})) as (client, server):
        assert await client.user(TOKEN, renew=False) == Failed(Trouble.DOWN)
        assert len(server.asked) == 1
        assert await client.user(TOKEN, renew=True) == UserToken("t", "6120", "new")
    assert [each.json for each in server.asked] == [{"renew": False}, {"renew": True}]


PROBLEM = json.dumps({"title": "Not here", "status": 404, "detail": "Nothing."}).encode()


def problem(status: int, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(PROBLEM, status=status, kind="application/problem+json", headers=named)


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        pytest.param(problem(404), Failed(Trouble.UNKNOWN), id="nobody it knows"),
        pytest.param(problem(401), Failed(Trouble.UNKNOWN), id="likewise"),
        pytest.param(problem(410), Failed(Trouble.UNKNOWN), id="removed"),
        pytest.param(problem(403), Failed(Trouble.REFUSED), id="refused"),
        pytest.param(problem(422), Failed(Trouble.REFUSED), id="not understood"),
        pytest.param(problem(429, Retry_After="7"), Failed(Trouble.BUSY, 7.0), id="later, in seconds"),
        pytest.param(problem(429, Retry_After="0"), Failed(Trouble.BUSY, 1.0), id="at once is a second"),
        pytest.param(problem(503, Retry_After="9" * 99), Failed(Trouble.DOWN, 3_600.0), id="absurdly late"),
        pytest.param(problem(503, Retry_After="-5"), Failed(Trouble.DOWN), id="nonsense"),
        pytest.param(problem(503, Retry_After="\xb2"), Failed(Trouble.DOWN), id="a digit that is none"),
        pytest.param(html(404), Failed(Trouble.NOT_A_RELAY), id="a proxy that does not find it"),
        pytest.param(html(), Failed(Trouble.NOT_A_RELAY), id="a portal"),
        pytest.param(html(502), Failed(Trouble.DOWN), id="a proxy without a relay behind it"),
        pytest.param(
            answer(b"", status=307, headers={"Location": "http://127.0.0.1:1/"}),
            Failed(Trouble.NOT_A_RELAY),
            id="sent elsewhere",
        ),
        pytest.param(answer_json({}), Failed(Trouble.NOT_A_RELAY), id="another shape"),
        pytest.param(answer_json([1]), Failed(Trouble.NOT_A_RELAY), id="no object"),
        pytest.param(answer(b"{"), Failed(Trouble.NOT_A_RELAY), id="cut short"),
        pytest.param(answer(b"[" * 100_000), Failed(Trouble.NOT_A_RELAY), id="very deep"),
        pytest.param(answer_json(PAGE | {"cursor": "x"}), Failed(Trouble.NOT_A_RELAY), id="no cursor"),
        pytest.param(answer_json(PAGE | {"peers": "2"}), Failed(Trouble.NOT_A_RELAY), id="another type"),
        pytest.param(
            answer_json(PAGE | {"entries": [{"cursor": CURSOR, "sealed": ""}] * 101}),
            Failed(Trouble.NOT_A_RELAY),
            id="more than was asked for",
        ),
        pytest.param(
            answer(b" " * (ANSWER_BYTES_MAX + 1)), Failed(Trouble.NOT_A_RELAY), id="larger than any page"
        ),
        pytest.param(
            answer(b"x", headers={"Content-Encoding": "gzip"}), Failed(Trouble.NOT_A_RELAY), id="packed"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", Failed(Trouble.DOWN), id="hung up in the head"),
        pytest.param(answer(b"{}", length=99), Failed(Trouble.DOWN), id="hung up in the body"),
        pytest.param(b"220 smtp ready\r\n", Failed(Trouble.DOWN), id="no HTTP at all"),
    ],
)
async def test_whatever_is_answered_means_one_of_a_few_things(told: bytes, meant: Failed) -> None:
    assert await pulled(told) == meant


async def test_a_relay_that_drips_or_stays_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_SILENCE_S", 0.1)
    monkeypatch.setattr(client_module, "_TOTAL_S", 0.3)

    async def silent(_: Writer, over: asyncio.Event) -> None:
        await over.wait()

    async def drips(writer: Writer, over: asyncio.Event) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\nContent-Type: application/json\r\n\r\n")
        while not over.is_set():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert await pulled(silent) == Failed(Trouble.DOWN)
    assert await pulled(drips) == Failed(Trouble.DOWN)


async def test_nobody_there_is_offline() -> None:
    client = RelayClient("http://127.0.0.1:9")
    assert await client.pull(TOKEN, CURSOR, wait_s=0) == Failed(Trouble.OFFLINE)
    assert await client.pair(Pairing("key", code="code")) == Failed(Trouble.OFFLINE)
    assert await client.ack(TOKEN, CURSOR) == Failed(Trouble.OFFLINE)
    await client.aclose()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own store decides")
async def test_only_a_relay_that_the_system_vouches_for_gets_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = Authority(tmp_path, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.path))
    assert await pulled(answer_json(PAGE), tls=trusted.server()) == Page((), CURSOR, 2)
    stranger = Authority(tmp_path, "stranger").server()
    async with before(answer_json(PAGE), tls=stranger) as (client, server):
        assert await client.pull(TOKEN, CURSOR, wait_s=0) == Failed(Trouble.UNTRUSTED)
    assert server.asked == []


async def test_neither_tokens_nor_addresses_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("httpx", "httpcore.connection", "httpcore.http11", "obdesk"):
        caplog.set_level(logging.DEBUG, name)
    await pulled(answer_json(PAGE))
    await pulled(problem(404))
    assert TOKEN not in caplog.text
    assert "mailbox" not in caplog.text
    assert "127.0.0.1" not in caplog.text


@pytest.mark.parametrize(
    "flaw", [{"token": ""}, {"token": "a b"}, {"token": "é"}, {"ticket": "x" * 513}, {"cursor": "nowhere"}]
)
async def test_a_pairing_that_cannot_be_kept_is_none(flaw: dict[str, Any]) -> None:
    async with before(answer_json(PAIRED | flaw)) as (client, _):
        assert await client.pair(Pairing("key", code="code")) == Failed(Trouble.NOT_A_RELAY)


@pytest.mark.parametrize("flaw", [{"token": ""}, {"user": "me"}, {"user": "9" * 19}, {"ticket": "x" * 513}])
async def test_a_user_that_cannot_be_kept_is_none(flaw: dict[str, Any]) -> None:
    told = {"token": "t", "user": "6120", "ticket": "new"} | flaw
    async with before(answer_json(told)) as (client, _):
        assert await client.user(TOKEN, renew=False) == Failed(Trouble.NOT_A_RELAY)


@pytest.mark.parametrize(
    ("typed", "used"),
    [
        (" https://relay.example.org/ ", "https://relay.example.org"),
        ("https://example.org:8443/relay", "https://example.org:8443/relay"),
        ("http://127.0.0.1:8700", "http://127.0.0.1:8700"),
        ("http://localhost:8700", "http://localhost:8700"),
        ("http://relay.example.org", None),
        ("relay.example.org", None),
        ("https://", None),
        ("https://me:secret@relay.example.org", None),
        ("https://relay.example.org/?a=b", None),
        ("https://relay.example.org/#a", None),
        ("https://relay example.org", None),
        ("https://relay.example.org:port", None),
        ("https://[::1", None),
        ("file:///etc/passwd", None),
    ],
)
def test_only_addresses_that_nobody_can_listen_at_are_used(typed: str, used: str | None) -> None:
    assert usable_url(typed) == used


def test_every_trouble_has_its_words_and_one_button() -> None:
    told = [trouble_text(each) for each in Trouble]
    assert len({each.title for each in told}) == len(Trouble)
    assert all(each.cause.endswith(".") and "{host}" in each.cause for each in told)
