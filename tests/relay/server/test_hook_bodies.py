"""Bodies of deliveries: compressed, too large, too slow."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import secrets
import time
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.relay.server.bodies import NotGzipError, Room, inflated
from obdesk.relay.server.limits import Places, Rate
from obdesk.relay.server.store import Gzip
from tests.relay.server.kit import connection_synced, kit, signed_headers

if TYPE_CHECKING:
    from tests.relay.places import Place


@pytest.mark.parametrize(
    ("mode", "signs", "status"),
    [
        (Gzip.OFF, "plain", 415),
        (Gzip.OFF, "packed", 415),
        (Gzip.SIGNED_PLAIN, "plain", 200),
        (Gzip.SIGNED_PLAIN, "packed", 401),
        (Gzip.SIGNED_COMPRESSED, "packed", 200),
        (Gzip.SIGNED_COMPRESSED, "plain", 401),
    ],
)
async def test_compressed_bodies_are_taken_as_the_source_was_set_up(
    place: Place, mode: Gzip, signs: str, status: int
) -> None:
    async with kit(place) as relay:
        home = await relay.source(gzip=mode)
        desk = await relay.desk(home)
        path, body = relay.path(home), connection_synced(payload=1)
        packed = gzip.compress(body)
        signed = signed_headers(path, body if signs == "plain" else packed, relay.clock())
        headers = {**signed, "Content-Encoding": "gzip"}
        answer = await relay.http.post(path, content=packed, headers=headers)

        assert answer.status_code == status
        assert len(await desk.hints()) == (status == 200)
        plain = await relay.deliver(home, connection_synced(payload=2))
        assert plain.status_code == 200, "a body that is not compressed is taken as it is"


async def test_other_encodings_are_refused(place: Place) -> None:
    async with kit(place) as relay:
        home = await relay.source(gzip=Gzip.SIGNED_PLAIN)
        for encoding in ("br", "deflate", "gzip, gzip", "x"):
            answer = await relay.deliver(home, b"{}", Content_Encoding=encoding)
            assert answer.status_code == 415
        identity = await relay.deliver(home, b"{}", Content_Encoding="identity")
        assert identity.status_code == 200


@pytest.mark.parametrize("mode", [Gzip.SIGNED_PLAIN, Gzip.SIGNED_COMPRESSED])
async def test_a_gzip_bomb_is_never_inflated_past_the_limit(place: Place, mode: Gzip) -> None:
    async with kit(place, body_kib=64) as relay:
        home = await relay.source(gzip=mode)
        path = relay.path(home)
        bomb = gzip.compress(bytes(8 * 2**20))
        assert len(bomb) < 64 * 1024
        signed = signed_headers(path, bomb, relay.clock())
        answer = await relay.http.post(path, content=bomb, headers={**signed, "Content-Encoding": "gzip"})
        broken = gzip.compress(b'{"id":1}')[:-9]
        signed = signed_headers(path, broken, relay.clock())
        cut = await relay.http.post(path, content=broken, headers={**signed, "Content-Encoding": "gzip"})

        assert answer.status_code == 413
        assert cut.status_code == 400
        assert relay.fates() == {"too_large": 1, "malformed": 1}


async def test_a_body_beyond_the_limit_is_refused_whether_or_not_its_length_is_told(place: Place) -> None:
    async with kit(place, body_kib=1) as relay:
        home = await relay.source()

        async def endless() -> Any:
            for _ in range(40):
                yield b"x" * 100

        told = await relay.deliver(home, b"x" * 1025)
        path = relay.path(home)
        headers = signed_headers(path, b"", relay.clock())
        untold = await relay.http.post(path, content=endless(), headers=headers)
        fits = await relay.deliver(home, b"x" * 1024)

        assert [each.status_code for each in (told, untold, fits)] == [413, 413, 200]


async def test_a_body_that_does_not_come_is_given_up(sqlite_place: Place) -> None:
    async with kit(sqlite_place, body_s=0.05) as relay:
        home = await relay.source()

        async def never() -> Any:
            yield b"{"
            await asyncio.get_running_loop().create_future()

        path = relay.path(home)
        headers = signed_headers(path, b"", relay.clock())
        answer = await relay.http.post(path, content=never(), headers=headers)

        assert (answer.status_code, answer.json()["title"]) == (408, "Body too slow")
        assert relay.fates() == {"too_slow": 1}


async def test_a_sender_that_hangs_up_gets_no_answer_and_leaves_nothing(sqlite_place: Place) -> None:
    async with kit(sqlite_place) as relay:
        home = await relay.source()
        desk = await relay.desk(home)
        path = relay.path(home)
        answers: list[Any] = []
        headers = signed_headers(path, b"{}", relay.clock()).items()
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": path, "raw_path": path.encode(),
            "query_string": b"", "client": ("192.0.2.7", 1),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        }  # fmt: skip
        told = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

        async def receive() -> Any:
            return next(told)

        async def send(message: Any) -> None:
            answers.append(message)

        await relay.app(scope, receive, send)
        assert answers == []
        assert await desk.hints() == []


FAR = "198.51.100.7"


async def test_bodies_that_fill_the_memory_are_refused_before_others_are_hurt(sqlite_place: Place) -> None:
    proxies = Places.parse(["192.0.2.0/24"])
    async with kit(sqlite_place, body_kib=1, trusted_proxies=proxies, failures=Rate(1, 5)) as relay:
        loud, calm = await relay.source("loud"), await relay.source("calm")
        desk = await relay.desk(loud)
        gate = asyncio.Event()
        started = asyncio.Semaphore(0)

        async def held() -> Any:
            yield b"x" * 1_000
            started.release()
            await gate.wait()
            yield b"x"

        async def send(number: int) -> int:
            path = relay.path(loud)
            headers = signed_headers(path, b"%d" % number, relay.clock())
            return (
                await relay.http.post(path, content=held(), headers={**headers, "X-Forwarded-For": FAR})
            ).status_code

        # A source may hold four of the largest bodies, of sixteen in all; one network two of the four.
        sent = [asyncio.ensure_future(send(number)) for number in range(2)]
        for _ in sent:
            await started.acquire()
        third = [await relay.deliver(loud, b"x" * 900, X_Forwarded_For=FAR) for _ in range(6)]
        honest = await relay.deliver(loud, connection_synced(payload=1))
        other = await relay.deliver(calm, connection_synced(payload=1), X_Forwarded_For=FAR)
        gate.set()

        assert [each.status_code for each in third] == [503] * 5 + [429], "who fills it counts as a forger"
        assert third[0].headers["retry-after"] == "5"
        assert (honest.status_code, other.status_code) == (200, 200)
        assert len(await desk.hints()) == 1
        assert await asyncio.gather(*sent) == [401] * 2
        assert (await relay.deliver(loud, connection_synced(payload=2))).status_code == 200


async def test_who_sends_bodies_that_do_not_come_is_told_to_wait(sqlite_place: Place) -> None:
    async with kit(sqlite_place, body_s=0.01, failures=Rate(1, 2)) as relay:
        home = await relay.source()
        path = relay.path(home)

        async def never() -> Any:
            yield b"{"
            await asyncio.get_running_loop().create_future()

        async def send() -> int:
            headers = signed_headers(path, b"", relay.clock())
            return (await relay.http.post(path, content=never(), headers=headers)).status_code

        assert [await send() for _ in range(3)] == [408, 408, 429]


def _seconds(body: bytes) -> float:
    began_s = time.thread_time()
    with Room(2**30, 2**30).taken("one", b"1") as share, contextlib.suppress(NotGzipError):
        inflated(body, bytes_max=16 * 2**20, share=share)
    return time.thread_time() - began_s


def test_a_body_of_many_compressed_pieces_costs_no_more_than_a_plain_one() -> None:
    size = 4 * 2**20
    piece = gzip.compress(b"")
    plain = gzip.compress(secrets.token_bytes(size), 1)
    empty = gzip.compress(b"")[:10] + b"\x00\x00\x00\xff\xff" * (size // 5)

    usual_s = min(_seconds(plain) for _ in range(3))
    assert min(_seconds(piece * (size // len(piece))) for _ in range(2)) < 20 * usual_s
    assert min(_seconds(empty) for _ in range(2)) < 20 * usual_s


async def test_a_body_in_a_few_compressed_pieces_is_one_body(sqlite_place: Place) -> None:
    async with kit(sqlite_place) as relay:
        home = await relay.source(gzip=Gzip.SIGNED_PLAIN)
        desk = await relay.desk(home)
        path, body = relay.path(home), connection_synced(payload=1)
        pieces = gzip.compress(body[:9]) + gzip.compress(b"") + gzip.compress(body[9:])
        headers = {**signed_headers(path, body, relay.clock()), "Content-Encoding": "gzip"}
        taken = await relay.http.post(path, content=pieces, headers=headers)
        bomb = gzip.compress(b"") * 1_000
        many = await relay.http.post(path, content=bomb, headers=headers)

        assert (taken.status_code, many.status_code) == (200, 400)
        assert len(await desk.hints()) == 1
