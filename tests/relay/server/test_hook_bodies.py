"""Bodies of deliveries: compressed, too large, too slow."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Any

import pytest

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


async def test_bodies_that_fill_the_memory_are_refused_before_others_are_hurt(sqlite_place: Place) -> None:
    async with kit(sqlite_place, body_kib=1) as relay:
        loud, calm = await relay.source("loud"), await relay.source("calm")
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
            return (await relay.http.post(path, content=held(), headers=headers)).status_code

        # A source may hold four of the largest bodies, of sixteen in all.
        sent = [asyncio.ensure_future(send(number)) for number in range(4)]
        for _ in sent:
            await started.acquire()
        fifth = await relay.deliver(loud, b"x" * 900)
        other = await relay.deliver(calm, connection_synced(payload=1))
        gate.set()

        assert (fifth.status_code, fifth.headers["retry-after"]) == (503, "5")
        assert other.status_code == 200
        assert await asyncio.gather(*sent) == [401] * 4
        assert (await relay.deliver(loud, b"x" * 900)).status_code == 200
