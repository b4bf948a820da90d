"""Exchanging the token once a month: wherever it is interrupted, the token in use works."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import ActionNeeded, Fetched, RetryLater
from obdesk.providers.powens.provider import PowensProvider
from obdesk.providers.powens.tokens import ROTATE_EVERY, user_token_name
from tests.providers.conftest import ID_USER, TOKEN
from tests.providers.scripted import answer, answer_json, error, html

if TYPE_CHECKING:
    from tests.providers.conftest import Bench, Benches
    from tests.providers.scripted import Answer, Asked

pytestmark = pytest.mark.anyio


class Aggregator:
    """Makes tokens, takes those that are valid, forgets those that are revoked."""

    def __init__(self) -> None:
        self.valid = [TOKEN]
        self.made = 0
        self.spoilt: dict[str, Answer] = {}

    def __call__(self, asked: Asked) -> Answer:
        end = asked.path.rpartition("/2.0")[2]
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if end == "/auth/renew":
            self.made += 1
            self.valid.append(f"token-{self.made}")
            return self.spoilt.get(end) or answer_json({"access_token": self.valid[-1]})
        if bearer not in self.valid:
            return error("unauthorized", 401)
        if end in self.spoilt:
            return self.spoilt[end]
        if end == "/auth/token":
            self.valid.remove(bearer)
            return answer(b"", status=204)
        return answer_json({"connections": [], "total": 0})


def kept(b: Bench) -> dict[str, object]:
    found: dict[str, object] = json.loads(b.tokens.kept[user_token_name(b.settings)])
    return found


def again(b: Bench) -> PowensProvider:
    """Start the program anew with what is kept."""
    return PowensProvider(b.settings, b.tokens, b.clock, rng=b.provider._rng, sleep=b.naps, limits=b.limits)


async def aged(b: Bench) -> None:
    """Let a token be known, and grow old."""
    assert await b.provider.rotate_token() == Fetched(False)
    b.clock.advance(ROTATE_EVERY.total_seconds() * 1.2)


async def test_a_token_is_exchanged_about_once_a_month(bench: Benches) -> None:
    aggregator = Aggregator()
    async with bench.before(aggregator) as b:
        assert await b.provider.rotate_token() == Fetched(False), "its age is not known, so it starts now"
        days = 0
        while await b.provider.rotate_token() == Fetched(False):
            b.clock.advance(86_400)
            days += 1
        assert 24 <= days <= 37
        assert aggregator.valid == ["token-1"], "the old one is revoked"
        assert await b.provider.connections() == Fetched(())
        assert await again(b).connections() == Fetched(())
    assert kept(b) == {"token": "token-1", "id_user": ID_USER, "rotate_at": kept(b)["rotate_at"]}


@pytest.mark.parametrize("writes", range(4))
async def test_at_no_point_of_an_exchange_is_there_no_token_that_works(bench: Benches, writes: int) -> None:
    aggregator = Aggregator()
    async with bench.before(aggregator) as b:
        await aged(b)
        put, left = b.tokens.put, writes

        def put_then_die(name: str, value: str) -> None:
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            put(name, value)

        b.tokens.put = put_then_die  # type: ignore[method-assign]
        died = False
        try:
            await b.provider.rotate_token()
        except KeyboardInterrupt:
            died = True
        assert died == (writes < 3)
        b.tokens.put = put  # type: ignore[method-assign]
        assert kept(b)["token"] in aggregator.valid
        second = again(b)
        assert await second.connections() == Fetched(())
        assert b.server.count("POST", "/auth/renew") == 1, "it worked without another"
        while kept(b)["token"] == TOKEN or len(kept(b)) > 3:
            await second.rotate_token()
        assert kept(b)["token"] in aggregator.valid
        assert TOKEN not in aggregator.valid
        await second.aclose()


async def test_a_new_token_that_does_not_work_is_not_used(bench: Benches) -> None:
    aggregator = Aggregator()
    aggregator.spoilt["/auth/renew"] = answer_json({"access_token": "never-good"})
    async with bench.before(aggregator) as b:
        await aged(b)
        outcome = await b.provider.rotate_token()
        assert isinstance(outcome, ActionNeeded)
        assert kept(b)["token"] == TOKEN
        assert await b.provider.connections() == Fetched(())
        assert await b.provider.rotate_token() == Fetched(False), "not again at once"


async def test_an_exchange_waits_while_the_aggregator_is_down(bench: Benches) -> None:
    aggregator = Aggregator()
    aggregator.spoilt = {"/users/me/connections": html(503), "/auth/token": html(503)}
    async with bench.before(aggregator) as b:
        await aged(b)
        assert isinstance(await b.provider.rotate_token(), RetryLater)
        assert (kept(b)["token"], kept(b)["following"]) == (TOKEN, "token-1")
        del aggregator.spoilt["/users/me/connections"]
        assert await b.provider.rotate_token() == Fetched(True)
        assert aggregator.made == 1
        assert (kept(b)["token"], kept(b)["former"]) == ("token-1", TOKEN), "to be revoked later"
        aggregator.spoilt.clear()
        assert await b.provider.rotate_token() == Fetched(False)
        assert aggregator.valid == ["token-1"]
        assert "former" not in kept(b)


async def test_without_a_secret_or_a_user_nothing_is_exchanged(bench: Benches) -> None:
    async with bench.before(Aggregator(), secret=False) as b:
        await aged(b)
        assert await b.provider.rotate_token() == ActionNeeded(Condition.PROVIDER_REFUSES, "no_client_secret")
    async with bench.before(Aggregator(), user=False) as b:
        assert await b.provider.rotate_token() == Fetched(False)
        assert b.server.asked == []


async def test_a_token_that_somebody_saw_is_replaced_and_all_others_revoked_with_it(bench: Benches) -> None:
    aggregator = Aggregator()
    async with bench.before(aggregator) as b:
        assert await b.provider.replace_token() == Fetched(None)
        assert b.server.asked[-1].json["revoke_previous"] is True
        assert kept(b)["token"] == "token-1"
        aggregator.valid = ["token-1"]
        assert await b.provider.connections() == Fetched(())
    async with bench.before(aggregator, secret=False) as b:
        refused = ActionNeeded(Condition.PROVIDER_REFUSES, "no_client_secret")
        assert await b.provider.replace_token() == refused
    async with bench.before(aggregator, user=False) as b:
        refused = ActionNeeded(Condition.PROVIDER_REFUSES, "token_refused")
        assert await b.provider.replace_token() == refused
    aggregator.spoilt["/auth/renew"] = html(503)
    async with bench.before(aggregator) as b:
        assert isinstance(await b.provider.replace_token(), RetryLater)
        assert kept(b)["token"] == TOKEN


async def test_a_token_that_another_process_exchanged_is_taken_over(bench: Benches) -> None:
    aggregator = Aggregator()
    async with bench.before(aggregator) as b:
        second = again(b)
        assert await second.connections() == Fetched(())
        await aged(b)
        assert await b.provider.rotate_token() == Fetched(True)
        assert await second.connections() == Fetched(())
        assert aggregator.made == 1
        await second.aclose()


async def test_the_answers_tell_how_far_our_clock_is_behind(bench: Benches) -> None:
    def dated(hours: float, **more: str) -> Answer:
        then = bench.clock.now() + timedelta(hours=hours)
        date = then.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return answer_json({"connections": [], "total": 0}, headers={"Date": date, **more})

    told = [dated(5), dated(0.05), dated(-48)]
    async with bench.before(lambda _: told.pop(0)) as b:
        for behind in (timedelta(hours=5), timedelta(0), timedelta(hours=-48)):
            await b.provider.connections()
            assert b.provider.clock_behind == behind
