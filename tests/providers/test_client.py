"""What may come back over the wire instead of an answer, and what becomes of it."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import socket
import tracemalloc
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import ActionNeeded, Broken, Fetched, RetryLater
from obdesk.providers.powens.client import Client, Limits, Patience
from obdesk.providers.powens.errors import RETRY_AFTER_MAX_S, retry_after_s
from obdesk.providers.powens.settings import PowensSettings
from tests.fakes import SOME_MORNING
from tests.providers.conftest import QUICK, TOKEN, Naps
from tests.providers.scripted import HTML, answer, answer_json, error, html, in_turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.fakes import FrozenClock
    from tests.providers.conftest import Benches
    from tests.providers.scripted import Answer, Writer

pytestmark = pytest.mark.anyio

GZIP = {"Content-Encoding": "gzip"}
NOTHING = {"connections": [], "total": 0}
OFFLINE, DOWN, BUSY = Condition.OFFLINE, Condition.PROVIDER_DOWN, Condition.PROVIDER_BUSY


async def test_a_good_answer_comes_with_the_bearer_and_asks_for_json(bench: Benches) -> None:
    async with bench.before(in_turn(answer_json(NOTHING))) as b:
        assert await b.provider.connections() == Fetched(())

    [asked] = b.server.asked
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["accept"] == "application/json"
    assert asked.path == "/2.0/users/me/connections"
    assert b.provider.requests == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_F01_a_passing_failure_of_a_read_is_tried_again_after_a_random_pause(
    bench: Benches, status: int
) -> None:
    async with bench.before(in_turn(error("bug", status), html(status), answer_json(NOTHING))) as b:
        assert await b.provider.connections() == Fetched(())

    assert b.provider.requests == 3
    first, second = b.naps.taken
    assert 0.0 <= first <= 1.0
    assert 0.0 <= second <= 2.0


async def test_an_internal_error_that_speaks_of_the_bank_is_not_asked_again_at_once(bench: Benches) -> None:
    async with bench.before(in_turn(error("rateLimiting", 500), answer_json(NOTHING))) as b:
        assert await b.provider.connections() == RetryLater(Condition.BANK_THROTTLES, None, "ratelimiting")

    assert b.provider.requests == 1


async def test_tries_are_bounded_in_number(bench: Benches) -> None:
    async with bench.before(in_turn(html(503))) as b:
        assert await b.provider.connections() == RetryLater(DOWN, None, "http_503")

    assert b.provider.requests == b.limits.tries == 4


async def test_tries_are_bounded_in_time(bench: Benches) -> None:
    busy = answer_json({}, 429, {"Retry-After": "55"})
    async with bench.before(in_turn(busy), limits=Limits(tries=100)) as b:
        assert await b.provider.connections() == RetryLater(BUSY, 55.0, "http_429")

    assert b.naps.taken == [55.0, 55.0]  # a third pause would pass the 150 seconds of a call


async def test_F03_a_wish_to_wait_is_honoured(bench: Benches) -> None:
    busy = answer_json({}, 429, {"Retry-After": "17"})
    async with bench.before(in_turn(busy, answer_json(NOTHING))) as b:
        assert await b.provider.connections() == Fetched(())

    assert b.naps.taken == [17.0]


@pytest.mark.parametrize(
    ("header", "after_s"),
    [
        ("31536000", RETRY_AFTER_MAX_S),
        ("9" * 5_000, RETRY_AFTER_MAX_S),
        ("3600", 3_600.0),
        (format_datetime(SOME_MORNING + timedelta(hours=2), usegmt=True), 7_200.0),
    ],
)
async def test_F03_a_wish_for_a_long_wait_goes_back_to_who_asked(
    bench: Benches, header: str, after_s: float
) -> None:
    async with bench.before(in_turn(answer_json({}, 429, {"Retry-After": header}))) as b:
        assert await b.provider.connections() == RetryLater(BUSY, after_s, "http_429")

    assert b.naps.taken == []
    assert b.provider.requests == 1


@pytest.mark.parametrize("header", ["soon", "-5", "NaN", "1e9", "", "1.5", "٣"])
def test_F03_a_senseless_wish_to_wait_is_no_wish(header: str) -> None:
    assert retry_after_s(header, SOME_MORNING) is None


@pytest.mark.parametrize("header", ["0", "Tue, 17 Mar 2026 08:00:00 GMT"])
def test_F03_a_wish_to_come_back_at_once_or_earlier_is_a_second(header: str) -> None:
    assert retry_after_s(header, SOME_MORNING) == 1.0


@pytest.mark.parametrize("status", [200, 302, 307, 401, 403, 404, 407, 511])
async def test_F56_a_page_of_html_is_not_the_api_speaking(bench: Benches, status: int) -> None:
    async with bench.before(in_turn(html(status))) as b:
        found = await b.provider.connections()
        unlinked = await b.provider.unlink("311")

    for outcome in (found, unlinked):
        assert isinstance(outcome, RetryLater)
        assert outcome.condition in {OFFLINE, DOWN}
    # Nobody may make us give our secret away for another token, either.
    assert b.server.count("POST", "/auth/renew") == 0
    assert b.provider.requests <= 2


async def test_a_redirect_is_never_followed_nor_taken_for_an_answer(bench: Benches) -> None:
    elsewhere = {"Location": "http://127.0.0.1:1/2.0/users/me/connections"}
    async with bench.before(in_turn(answer_json(NOTHING, 302, elsewhere))) as b:
        assert await b.provider.connections() == Broken(Condition.BAD_ANSWER, "HTTP 302")

    assert b.provider.requests == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"connections": [',
        b"",
        b"[]",
        b"null",
        b'{"connections": null}',
        b'{"connections": {}}',
        b'{"somethings": []}',
        b'{"connections": [NaN]}',
        b'{"connections": []} and more',
        b'{"connections": [], "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        '{"connections": []}'.encode("utf-16"),
        b"\xff\xfe\xfd",
        HTML,
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_json_of_another_shape_is_a_bad_answer(bench: Benches, body: bytes) -> None:
    async with bench.before(in_turn(answer(body))) as b:
        outcome = await b.provider.connections()

    assert isinstance(outcome, Broken)
    assert outcome.condition is Condition.BAD_ANSWER
    assert b.provider.requests == 1


async def test_another_kind_of_content_is_a_bad_answer(bench: Benches) -> None:
    async with bench.before(in_turn(answer(b'{"connections": []}', kind="text/plain"))) as b:
        assert isinstance(await b.provider.connections(), Broken)


async def test_a_body_cut_short_is_read_again(bench: Benches) -> None:
    cut = answer(b'{"connections"', length=400)
    async with bench.before(in_turn(cut, answer_json(NOTHING))) as b:
        assert await b.provider.connections() == Fetched(())


async def test_gzip_is_unpacked(bench: Benches) -> None:
    packed = answer(gzip.compress(b'{"connections": []}'), headers={"Content-Encoding": "gzip"})
    async with bench.before(in_turn(packed)) as b:
        assert await b.provider.connections() == Fetched(())

    assert b.server.asked[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b'{"connections": [' + b" " * 2_000_000 + b"]}"), "gzip"),
        (b'{"connections": [' + b" " * 2_000_000 + b"]}", "identity"),
        (gzip.compress(gzip.compress(b'{"connections": []}')), "gzip, gzip"),
        (gzip.compress(b'{"connections": []}')[:-9], "gzip"),
        (gzip.compress(b'{"connections": []}') * 2, "gzip"),
        (b'{"connections": []}', "gzip"),
        (b'{"connections": []}', "br"),
    ],
    ids=["bomb", "endless", "nested", "cut", "doubled", "not packed", "not offered"],
)
async def test_F06_bodies_that_are_packed_badly_or_too_large_are_refused(
    bench: Benches, body: bytes, encoding: str
) -> None:
    limits = Limits(wire_bytes=1_000_000, decoded_bytes=1_000_000)
    script = in_turn(answer(body, headers={"Content-Encoding": encoding}))
    async with bench.before(script, limits=limits) as b:
        outcome = await b.provider.connections()

    assert isinstance(outcome, Broken)
    assert b.provider.requests == 1


async def test_F06_a_bomb_is_never_unfolded_whole(bench: Benches) -> None:
    bomb = answer(gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"})
    async with bench.before(in_turn(bomb), limits=Limits(decoded_bytes=1_000_000)) as b:
        tracemalloc.start()
        try:
            assert isinstance(await b.provider.connections(), Broken)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert peak < 10_000_000


async def _drip(writer: Writer, over: asyncio.Event) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while not over.is_set():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def _silence(_: Writer, over: asyncio.Event) -> None:
    await over.wait()


async def _hang_up(writer: Writer, _: asyncio.Event) -> None:
    writer.transport.abort()


@pytest.mark.parametrize("bad", [_drip, _silence], ids=["slow drip", "silence"])
async def test_F05_an_answer_that_does_not_end_in_time_is_given_up(bench: Benches, bad: Answer) -> None:
    limits = Limits(read=Patience(silence_s=0.1, total_s=0.15), tries=2)
    async with bench.before(in_turn(bad), limits=limits) as b, asyncio.timeout(5):
        assert await b.provider.connections() == RetryLater(DOWN, None, "timeout")

    assert b.provider.requests == 2


async def test_F06_an_answer_in_drips_is_given_up_and_not_asked_for_again_at_once(bench: Benches) -> None:
    limits = Limits(rate_after_s=0.1, rate_min_bytes_s=1_024)
    async with bench.before(in_turn(_drip), limits=limits) as b, asyncio.timeout(5):
        assert await b.provider.connections() == RetryLater(DOWN, None, "timeout")

    assert b.provider.requests == 1


async def test_F06_a_slow_answer_that_keeps_a_pace_is_read(bench: Benches) -> None:
    limits = Limits(rate_after_s=0.05, rate_min_bytes_s=50)
    body = json.dumps(NOTHING).encode()

    async def steadily(writer: Writer, _: asyncio.Event) -> None:
        writer.write(answer(body)[: -len(body)])
        for letter in body:
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(0.002)

    async with bench.before(in_turn(steadily), limits=limits) as b, asyncio.timeout(5):
        assert await b.provider.connections() == Fetched(())


async def _endless(writer: Writer, over: asyncio.Event) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not over.is_set():
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


async def _reset_inside(writer: Writer, _: asyncio.Event) -> None:
    writer.write(answer(b'{"connections": [', length=4_000))
    await writer.drain()
    writer.transport.abort()


@pytest.mark.parametrize(
    "bad",
    [_drip, _endless, _reset_inside, answer(gzip.compress(b" " * 2**22), headers=GZIP), html(503)],
    ids=["drip", "endless", "reset inside", "bomb", "portal"],
)
async def test_F05_no_socket_is_left_open_after_an_answer_that_went_wrong(
    bench: Benches, bad: Answer
) -> None:
    limits = Limits(read=Patience(0.2, 0.3), tries=2, wire_bytes=2**20, decoded_bytes=2**20)
    async with bench.before(in_turn(bad), limits=limits) as b, asyncio.timeout(10):
        for _ in range(3):
            assert not isinstance(await b.provider.connections(), Fetched)
        # The server sees the other end of each: all of them have been hung up on.
        await b.server.idle()
        b.server.script = in_turn(answer_json(NOTHING))
        assert await b.provider.connections() == Fetched(())


async def test_F06_an_endless_body_is_left_at_its_limit(bench: Benches) -> None:
    async with bench.before(in_turn(_endless), limits=Limits()) as b, asyncio.timeout(30):
        tracemalloc.start()
        try:
            outcome = await b.provider.connections()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert outcome == Broken(Condition.BAD_ANSWER, "the answer is too large")
    assert peak < 3 * 2**24  # the 16 MiB allowed on the wire, and the same again in pieces


async def test_F05_a_connection_that_is_reset_is_tried_again(bench: Benches) -> None:
    async with bench.before(in_turn(_hang_up, answer_json(NOTHING))) as b:
        assert await b.provider.connections() == Fetched(())


async def test_F05_a_read_that_is_cancelled_ends_at_once_and_the_next_one_works(bench: Benches) -> None:
    async with bench.before(in_turn(_silence, answer_json(NOTHING))) as b:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await b.provider.connections()
        assert await b.provider.connections() == Fetched(())


@asynccontextmanager
async def _client(api_url: str, clock: FrozenClock) -> AsyncIterator[Client]:
    settings = PowensSettings(api_url, "https://webview.invalid", "acme", "70012345")
    client = Client(settings, clock=clock, rng=random.Random(7), sleep=Naps(clock), limits=QUICK)  # noqa: S311 - chance, not secrets
    yield client
    await client.aclose()


async def test_F56_nobody_listening_is_not_taken_for_being_offline(clock: FrozenClock) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with _client(f"http://127.0.0.1:{unused.getsockname()[1]}/2.0", clock) as client:
            reply = await client.send("GET", "/users/me")

    assert reply.failure == RetryLater(DOWN)


async def test_F56_a_name_that_is_not_found_is_being_offline(clock: FrozenClock) -> None:
    async with _client("https://acme.invalid/2.0", clock) as client:
        reply = await client.send("GET", "/users/me")

    assert reply.failure == RetryLater(OFFLINE, None, "name_not_found")


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("wrongPass", 400, ActionNeeded(Condition.WRONG_PASSWORD, "wrongpass")),
        ("SCARequired", 409, ActionNeeded(Condition.NEEDS_SCA, "scarequired")),
        ("websiteUnavailable", 400, RetryLater(Condition.BANK_DOWN, None, "websiteunavailable")),
        ("rateLimiting", 400, RetryLater(Condition.BANK_THROTTLES, None, "ratelimiting")),
        ("tooManySync", 409, RetryLater(BUSY, None, "toomanysync")),
        ("bug", 500, RetryLater(Condition.PROVIDER_FAULT, None, "bug")),
        ("somethingNew", 500, RetryLater(Condition.PROVIDER_FAULT, None, "somethingnew")),
        ("forbidden", 403, ActionNeeded(Condition.PROVIDER_REFUSES, "forbidden")),
        ("somethingNew", 403, ActionNeeded(Condition.PROVIDER_REFUSES, "somethingnew")),
        ("notSupported", 400, Broken(Condition.NOT_SUPPORTED, "HTTP 400 notsupported")),
        ("missingParameter", 400, Broken(Condition.BAD_ANSWER, "HTTP 400 missingparameter (request 42)")),
        ("<b>FR7612345678901234567890185</b>", 418, Broken(Condition.BAD_ANSWER, "HTTP 418 (request 42)")),
    ],
)
async def test_an_error_of_the_api_is_told_by_its_code_first(
    bench: Benches, code: str, status: int, expected: object
) -> None:
    async with bench.before(in_turn(error(code, status))) as b:
        assert await b.provider.connections() == expected


async def test_the_banks_message_is_passed_on_without_its_address(bench: Benches) -> None:
    message = "Votre code est erroné, voir https://bank.example/?token=s3cret merci"
    async with bench.before(in_turn(error("wrongpass", 400, message=message))) as b:
        outcome = await b.provider.connections()

    assert isinstance(outcome, ActionNeeded)
    assert outcome.bank_message == "Votre code est erroné, voir … merci"
