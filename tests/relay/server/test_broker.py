"""Proving whose a device is, and making users, at a real aggregator (the simulator) over real HTTP."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from nacl.public import PrivateKey

from obdesk.relay.protocol import Paired, SourceKind, UserToken, to_text
from obdesk.relay.server.aggregator import Aggregator, FailedError, RefusedError, UnsureError
from obdesk.relay.server.keys import hashed
from obdesk.relay.server.metrics import Metrics
from obdesk.relay.server.store import Broker, BrokerStep
from obdesk.simulator.options import Options
from obdesk.simulator.server import Simulator, running
from tests.relay.places import SqlitePlace
from tests.relay.server.kit import NOT_FOUND, Desk, Kit, connection_synced, kit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from obdesk.relay.server.store import Source
    from tests.relay.places import Place


@pytest.fixture(scope="module")
def served() -> Iterator[Simulator]:
    with running(Simulator(options=Options(history_days=30))) as simulator:
        yield simulator


@pytest.fixture
def bank(served: Simulator) -> Simulator:
    """Give an aggregator that knows nobody."""
    served.reset()
    return served


def broker(bank: Simulator, tmp_path: Path, **more: Any) -> dict[str, Any]:
    """Return the settings of a relay that makes users."""
    secret = tmp_path / "client-secret"
    secret.write_text(f"{bank.client_secret}\n")
    return {"api_url": bank.api_url, "client_id": bank.client_id, "client_secret_file": secret, **more}


async def user_of(bank: Simulator) -> tuple[str, str]:
    """Make a user with an application of their own, and return a token and the id."""
    told = {"client_id": bank.client_id, "client_secret": bank.client_secret}
    async with httpx.AsyncClient(base_url=bank.api_url) as http:
        made = (await http.post("/auth/init", json=told)).json()
    return made["auth_token"], str(made["id_user"])


async def code_of(bank: Simulator, token: str) -> str:
    async with httpx.AsyncClient(base_url=bank.api_url, headers={"Authorization": f"Bearer {token}"}) as http:
        return str((await http.get("/auth/token/code", params={"type": "singleAccess"})).json()["code"])


async def pair(relay: Kit, source: Source, user_code: str, code: str | None = None) -> httpx.Response:
    private = PrivateKey.generate()
    told = {
        "publicKey": to_text(bytes(private.public_key)),
        "code": code or await relay.code(source),
        "userCode": user_code,
    }
    answer = await relay.http.post("/v1/devices", json=told)
    answer.extensions["private"] = bytes(private)
    return answer


def desk_of(relay: Kit, answer: httpx.Response) -> Desk:
    assert answer.status_code == 200, answer.text
    paired = msgspec.json.decode(answer.content, type=Paired)
    return Desk(relay.http, answer.extensions["private"], paired, paired.cursor)


async def wish(desk: Desk, *, renew: bool = False) -> httpx.Response:
    return await desk.ask("POST", "/v1/users", json={"renew": renew})


def calls(relay: Kit) -> dict[str, int]:
    return {
        f"{sample.labels['call']} {sample.labels['outcome']}": int(sample.value)
        for family in relay.metrics.broker_calls.collect()
        for sample in family.samples
        if sample.name.endswith("_total") and sample.value
    }


async def test_a_single_use_code_proves_whose_a_device_is_and_is_spent(place: Place, bank: Simulator) -> None:
    async with kit(place, api_url=bank.api_url) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        token, user = await user_of(bank)
        user_code = await code_of(bank, token)
        desk = desk_of(relay, await pair(relay, crowd, user_code))
        await relay.deliver(crowd, connection_synced(user=user, payload=1))
        code = await relay.code(crowd)
        second = await pair(relay, crowd, user_code, code)
        third = await pair(relay, crowd, await code_of(bank, token), code)

        assert len(await desk.hints()) == 1
        assert (second.status_code, second.json()["title"]) == (403, "User not proved")
        assert third.status_code == 200, "the pairing code stayed good"
        assert (await desk_of(relay, third).page()).peers == 2
        assert calls(relay) == {"me done": 2, "me refused": 1}


async def test_a_device_without_a_user_proves_it_later_with_its_ticket(place: Place, bank: Simulator) -> None:
    async with kit(place, api_url=bank.api_url) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        desk = await relay.desk(crowd)
        token, user = await user_of(bank)
        public = to_text(bytes(PrivateKey(desk.private_key).public_key))
        told = {"publicKey": public, "ticket": desk.paired.ticket, "userCode": await code_of(bank, token)}
        answer = await relay.http.post("/v1/devices", json=told)
        await relay.deliver(crowd, connection_synced(user=user, payload=1))

        assert answer.status_code == 200
        assert answer.json()["token"] == desk.paired.token
        assert len(await desk.hints()) == 1


async def test_a_user_is_made_once_and_its_token_passes_through(
    place: Place, bank: Simulator, tmp_path: Path
) -> None:
    async with kit(place, **broker(bank, tmp_path)) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        desk = await relay.desk(crowd)
        assert desk.paired.offers_users
        no_user = await wish(desk, renew=True)
        made = msgspec.json.decode((await wish(desk)).content, type=UserToken)
        again = msgspec.json.decode((await wish(desk)).content, type=UserToken)
        renewed = msgspec.json.decode((await wish(desk, renew=True)).content, type=UserToken)
        await relay.deliver(crowd, connection_synced(user=made.user, payload=1))

        assert no_user.status_code == 409
        assert len(bank.world.users) == 1
        assert made.user == again.user == renewed.user == str(next(iter(bank.world.users)))
        assert len({made.token, again.token, renewed.token}) == 3
        for each in (made, again, renewed):
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {each.token}"}) as http:
                assert (await http.get(f"{bank.api_url}/users/me")).json()["id"] == int(made.user)
        assert len(await desk.hints()) == 1
        assert calls(relay) == {"init done": 1, "renew done": 2}


async def test_of_wishes_at_once_one_makes_a_user(place: Place, bank: Simulator, tmp_path: Path) -> None:
    async with kit(place, **broker(bank, tmp_path)) as relay:
        desk = await relay.desk(await relay.source("crowd", SourceKind.SHARED))
        answers = await asyncio.gather(*(wish(desk) for _ in range(5)))

        assert len(bank.world.users) == 1
        assert {answer.status_code for answer in answers} <= {200, 409}
        assert (await wish(desk)).status_code == 200


async def test_a_ticket_given_with_a_user_brings_back_the_user_after_the_store_was_lost(
    place: Place, bank: Simulator, tmp_path: Path
) -> None:
    settings = broker(bank, tmp_path)
    async with kit(place, **settings) as relay:
        desk = await relay.desk(await relay.source("crowd", SourceKind.SHARED))
        made = msgspec.json.decode((await wish(desk)).content, type=UserToken)
    async with kit(SqlitePlace(tmp_path / "another.db"), **settings) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        public = to_text(bytes(PrivateKey(desk.private_key).public_key))
        answer = await relay.http.post("/v1/devices", json={"publicKey": public, "ticket": made.ticket})
        desk.http = relay.http
        await relay.deliver(crowd, connection_synced(user=made.user, payload=1))
        renewed = await wish(desk, renew=True)

        assert answer.status_code == 200
        assert len((await desk.page()).entries) == 1
        assert renewed.json()["user"] == made.user
        assert len(bank.world.users) == 1


async def test_no_token_code_secret_or_user_stays_in_the_store_or_comes_into_a_log(
    bank: Simulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store = tmp_path / "store"
    store.mkdir()
    bank.world.users.clear()
    async with kit(SqlitePlace(store / "relay.db"), **broker(bank, tmp_path)) as relay:
        crowd = await relay.source("crowd", SourceKind.SHARED)
        token, user = await user_of(bank)
        user_code = await code_of(bank, token)
        caplog.clear()  # what the aggregator's client of this test said
        claimed = desk_of(relay, await pair(relay, crowd, user_code))
        made = msgspec.json.decode((await wish(await relay.desk(crowd))).content, type=UserToken)
        renewed = msgspec.json.decode((await wish(claimed, renew=True)).content, type=UserToken)
        marks = [user_code, token, made.token, renewed.token, bank.client_secret, renewed.ticket]
    kept = b"".join(path.read_bytes() for path in store.rglob("*"))

    assert renewed.user == user
    assert [mark for mark in marks if mark.encode() in kept or mark in caplog.text] == []
    long_ids = [each for each in (user, made.user) if len(each) >= 4]
    assert [each for each in long_ids if each.encode() in kept] == []


async def test_without_a_broker_there_is_no_such_address(place: Place, bank: Simulator) -> None:
    async with kit(place, api_url=bank.api_url) as relay:
        desk = await relay.desk(await relay.source("crowd", SourceKind.SHARED))
        answer = await wish(desk)
        assert (answer.status_code, answer.content) == (404, NOT_FOUND)


async def test_a_personal_source_has_no_users_to_make(place: Place, bank: Simulator, tmp_path: Path) -> None:
    async with kit(place, **broker(bank, tmp_path)) as relay:
        desk = await relay.desk(await relay.source())
        answer = await wish(desk)
        assert (answer.status_code, answer.content) == (404, NOT_FOUND)
        assert not desk.paired.offers_users
        assert not bank.world.users


async def test_credentials_that_are_refused_make_nothing_and_may_be_mended(
    place: Place, bank: Simulator, tmp_path: Path
) -> None:
    settings = broker(bank, tmp_path)
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    async with kit(place, **{**settings, "client_secret_file": wrong}) as relay:
        desk = await relay.desk(await relay.source("crowd", SourceKind.SHARED))
        refused = await wish(desk)
        device = await relay.store.device_of(hashed(desk.paired.token))
        assert device is not None
        assert (refused.status_code, refused.json()["title"]) == (502, "The aggregator refused")
        assert await relay.store.broker(device.id) == Broker()
    async with kit(place, **settings) as relay:
        desk.http = relay.http
        assert (await wish(desk)).status_code == 200


class Line:
    """A wire that breaks before or after the aggregator has heard."""

    def __init__(self, *, breaks: str) -> None:
        self.breaks = breaks
        self.calls: list[str] = []

    def transport(self) -> httpx.AsyncBaseTransport:
        """Return what an HTTP client sends through."""
        inner = httpx.AsyncHTTPTransport()
        line = self

        class Broken(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                line.calls.append(request.url.path)
                if line.breaks == "before":
                    raise httpx.ConnectError("refused", request=request)
                response = await inner.handle_async_request(request)
                if line.breaks == "after":
                    await response.aread()
                    raise httpx.ReadError("reset", request=request)
                return response

            async def aclose(self) -> None:
                await inner.aclose()

        return Broken()


@asynccontextmanager
async def asking(bank: Simulator, line: Line) -> AsyncIterator[Aggregator]:
    credentials = (bank.client_id, bank.client_secret)
    aggregator = Aggregator(
        bank.api_url, Metrics(), credentials=credentials, transport=line.transport(), time_s=5
    )
    try:
        yield aggregator
    finally:
        await aggregator.close()


async def test_what_was_never_sent_made_nothing_and_what_was_is_unsure(bank: Simulator) -> None:
    async with asking(bank, Line(breaks="before")) as aggregator:
        with pytest.raises(FailedError):
            await aggregator.make_user()
        assert not bank.world.users
    line = Line(breaks="after")
    async with asking(bank, line) as aggregator:
        with pytest.raises(UnsureError):
            await aggregator.make_user()
        assert len(bank.world.users) == 1
        with pytest.raises(UnsureError):
            await aggregator.renew(str(next(iter(bank.world.users))))
        with pytest.raises(FailedError):
            await aggregator.whose("a code")
        assert line.calls == ["/2.0/auth/init", "/2.0/auth/renew", "/2.0/users/me"], "nothing is sent twice"


async def test_a_user_whose_making_has_an_unknown_end_is_not_made_again_until_the_operator_says_so(
    place: Place, bank: Simulator, tmp_path: Path
) -> None:
    async with kit(place, **broker(bank, tmp_path)) as relay:
        desk = await relay.desk(await relay.source("crowd", SourceKind.SHARED))
        device = await relay.store.device_of(hashed(desk.paired.token))
        assert device is not None
        bank.control.run("POST", "/faults", {"route": "POST .*/auth/init", "kind": "reset"})
        answers = [await wish(desk), await wish(desk), await wish(desk, renew=True)]

        assert [answer.status_code for answer in answers] == [409] * 3
        assert {answer.json()["title"] for answer in answers} == {"Not known whether a user was made"}
        assert await relay.store.broker(device.id) == Broker(BrokerStep.BEGUN)
        assert len(bank.world.users) == 1
        await relay.operator.forget_user(device.id)
        assert (await wish(desk)).status_code == 200
        assert len(bank.world.users) == 2


@pytest.mark.parametrize(
    ("status", "body", "raised"),
    [
        (302, b"", RefusedError),
        (401, b"{}", RefusedError),
        (429, b"{}", FailedError),
        (500, b"{}", UnsureError),
        (503, b"<html>", UnsureError),
        (200, b"<html>", UnsureError),
        (200, b'{"auth_token":"x"}', UnsureError),
        (200, b'{"auth_token":"x","id_user":"../7"}', UnsureError),
        (200, b" " * 70_000, UnsureError),
    ],
)
async def test_answers_to_the_making_of_a_user_that_are_none(
    status: int, body: bytes, raised: type[Exception]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "acme.example"
        headers = {"Location": "https://evil.example/"}
        return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers)

    transport = httpx.MockTransport(answer)
    metrics = Metrics()
    aggregator = Aggregator(
        "https://acme.example/2.0", metrics, credentials=("1", "s"), transport=transport, time_s=5
    )
    with pytest.raises(raised):
        await aggregator.make_user()
    await aggregator.close()


async def test_an_aggregator_that_is_silent_is_given_up() -> None:
    async def silent(request: httpx.Request) -> httpx.Response:
        del request
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    aggregator = Aggregator(
        "https://acme.example/2.0", Metrics(), transport=httpx.MockTransport(silent), time_s=0.05
    )
    with pytest.raises(FailedError):
        await aggregator.whose("a code")
    await aggregator.close()
