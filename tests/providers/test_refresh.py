"""Asking the bank now: one request that is never repeated, then watching until it has answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import ActionNeeded, Broken, Fetched, RetryLater
from obdesk.providers.powens.refresh import WATCH_CONFLICT_S, WATCH_DONE_S, WATCH_RUNNING_S
from tests.providers.conftest import PATIENT, QUICK
from tests.providers.scripted import answer, answer_json, error, html

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tests.providers.conftest import Bench, Benches
    from tests.providers.scripted import Answer, Asked, Script, Writer

pytestmark = pytest.mark.anyio

BEFORE, AFTER = "2026-03-16 05:00:00", "2026-03-17 09:30:00"


def connection(last_update: str = BEFORE, **more: object) -> dict[str, Any]:
    """Return a connection in good health."""
    healthy: dict[str, Any] = {
        "id": 311,
        "state": None,
        "last_update": last_update,
        "next_try": "2026-03-18 05:00:00",
        "active": True,
        "connector": {"name": "Banque du Port"},
        "sources": [],
    }
    return healthy | more


def bank(put: Answer, *seen: dict[str, Any]) -> Script:
    """Answer PUT with `put`, and GET with `seen` in turn: the first one is before, the last one for ever."""
    left = list(seen)

    def script(asked: Asked) -> Answer:
        if asked.method == "PUT":
            return put
        return answer_json(left.pop(0) if len(left) > 1 else left[0])

    return script


async def refresh(b: Bench, *, attended: bool = True) -> Condition:
    """Refresh and return the condition; the bank's name shows that the whole connection came."""
    outcome = await b.provider.refresh("311", attended=attended)
    assert isinstance(outcome, Fetched), outcome
    assert outcome.value.bank == "Banque du Port"
    return outcome.value.condition


async def test_a_sync_that_ends_with_the_call_needs_no_waiting(bench: Benches) -> None:
    put = answer_json(connection(AFTER))
    async with bench.before(bank(put, connection(), connection(AFTER))) as b:
        assert await refresh(b) is Condition.OK

    assert b.naps.taken == []
    assert [asked.method for asked in b.server.asked] == ["GET", "PUT", "GET"]


async def test_a_second_refresh_within_the_same_second_needs_no_waiting(bench: Benches) -> None:
    put = answer_json(connection(AFTER))
    async with bench.before(bank(put, connection(AFTER))) as b:
        assert await refresh(b) is Condition.OK

    assert b.naps.taken == []


@pytest.mark.parametrize(("attended", "word"), [(True, "true"), (False, "false")])
async def test_the_bank_is_told_whether_a_person_waits(bench: Benches, attended: bool, word: str) -> None:  # noqa: FBT001 - a parameter of the test
    async with bench.before(bank(answer_json({}), connection(), connection(AFTER))) as b:
        await refresh(b, attended=attended)

    assert b.server.asked[1].query == {"psu_requested": [word]}


@pytest.mark.parametrize(
    "put",
    [
        error("conflict", 409),
        answer_json({"connection": connection(), "message": "too recent"}),
        answer_json(connection(), 202),
        answer_json(connection()),
        html(504),
    ],
    ids=["conflict", "wrapped", "accepted", "done but not dated", "gateway gave up"],
)
async def test_a_sync_that_still_runs_is_watched_until_the_data_is_newer(bench: Benches, put: Answer) -> None:
    async with bench.before(bank(put, connection(), connection(), connection(), connection(AFTER))) as b:
        assert await refresh(b) is Condition.OK

    assert b.server.count("PUT", "/311") == 1
    assert len(b.naps.taken) == 2
    assert all(2.0 <= nap <= 5.0 for nap in b.naps.taken)


async def _silence(_: Writer, over: asyncio.Event) -> None:
    await over.wait()


async def test_a_call_that_times_out_is_watched_not_repeated(bench: Benches) -> None:
    answers = bank(_silence, connection(), connection(), connection(AFTER))
    async with bench.before(answers, limits=replace(PATIENT, bank=QUICK.bank)) as b:
        assert await refresh(b) is Condition.OK

    assert b.server.count("PUT", "/311") == 1


@pytest.mark.parametrize(
    ("put", "watch_s"),
    [
        (answer_json(connection()), WATCH_DONE_S),
        (error("conflict", 409), WATCH_CONFLICT_S),
        (answer_json({"connection": connection(), "message": "too recent"}), WATCH_CONFLICT_S),
        (answer_json(connection(), 202), WATCH_RUNNING_S),
    ],
    ids=["done", "conflict", "wrapped", "accepted"],
)
async def test_watching_ends_and_tells_what_is(bench: Benches, put: Answer, watch_s: float) -> None:
    async with bench.before(bank(put, connection())) as b:
        assert await refresh(b) is Condition.OK

    assert watch_s <= sum(b.naps.taken) < watch_s + 5.0


@pytest.mark.parametrize(
    ("state", "condition"),
    [
        ("SCARequired", Condition.NEEDS_SCA),
        ("decoupled", Condition.NEEDS_APP_APPROVAL),
        ("wrongpass", Condition.WRONG_PASSWORD),
        ("rateLimiting", Condition.BANK_THROTTLES),
    ],
)
async def test_what_the_bank_wants_is_an_answer(bench: Benches, state: str, condition: Condition) -> None:
    put = answer_json(connection(state=state), 202)
    async with bench.before(bank(put, connection(), connection(state=state))) as b:
        assert await refresh(b) is condition

    assert b.naps.taken == []


async def test_a_state_from_before_is_not_the_answer_while_another_sync_runs(bench: Benches) -> None:
    trouble = connection(state="websiteUnavailable")
    async with bench.before(bank(error("conflict", 409), trouble, trouble, connection(AFTER))) as b:
        assert await refresh(b) is Condition.OK

    assert len(b.naps.taken) == 1


async def test_an_approval_on_its_way_is_waited_for(bench: Benches) -> None:
    checking = connection(state="validating")
    async with bench.before(bank(answer_json(checking, 202), connection(), checking, connection(AFTER))) as b:
        assert await refresh(b) is Condition.OK

    assert len(b.naps.taken) == 1


@pytest.mark.parametrize(
    ("put", "expected"),
    [
        (error("wrongpass", 400), ActionNeeded(Condition.WRONG_PASSWORD, "wrongpass")),
        (error("websiteUnavailable", 400), RetryLater(Condition.BANK_DOWN, None, "websiteunavailable")),
        (html(503), RetryLater(Condition.PROVIDER_DOWN, None, "http_503")),
        (html(200), RetryLater(Condition.OFFLINE, None, "captive_portal")),
        (answer_json({}, 429, {"Retry-After": "7"}), RetryLater(Condition.PROVIDER_BUSY, 7.0, "http_429")),
        (error("bug", 500), RetryLater(Condition.PROVIDER_FAULT, None, "bug")),
        (answer(b"", kind="text/plain", status=418), RetryLater(Condition.OFFLINE, None, "http_418")),
    ],
)
async def test_a_refusal_is_passed_on_and_the_bank_is_asked_once(
    bench: Benches, put: Answer, expected: object
) -> None:
    async with bench.before(bank(put, connection())) as b:
        assert await b.provider.refresh("311", attended=True) == expected

    assert b.server.count("PUT", "/311") == 1


async def test_a_connection_that_makes_no_sense_is_a_bad_answer(bench: Benches) -> None:
    async with bench.before(lambda _: answer(b'{"state": null}')) as b:
        assert isinstance(await b.provider.refresh("311", attended=True), Broken)

    assert b.server.count("PUT", "/311") == 0


@pytest.mark.parametrize(
    "deleted",
    [answer(b"", status=204, kind=None), answer_json({}), error("notFound", 404)],
    ids=["ended", "ended with a body", "already gone"],
)
async def test_a_link_that_is_gone_is_unlinked(bench: Benches, deleted: Answer) -> None:
    async with bench.before(lambda _: deleted) as b:
        assert await b.provider.unlink("311") == Fetched(None)

    assert [(asked.method, asked.path) for asked in b.server.asked] == [
        ("DELETE", "/2.0/users/me/connections/311")
    ]


async def test_F35_an_unlink_whose_answer_was_lost_ends_well(bench: Benches) -> None:
    answers: list[Callable[[], Answer]] = [lambda: html(502), lambda: error("notFound", 404)]
    async with bench.before(lambda _: answers.pop(0)()) as b:
        assert await b.provider.unlink("311") == Fetched(None)


async def test_an_unlink_that_fails_is_told(bench: Benches) -> None:
    async with bench.before(lambda _: error("connectionLocked", 409)) as b:
        outcome = await b.provider.unlink("311")

    assert outcome == RetryLater(Condition.PROVIDER_BUSY, None, "connectionlocked")


async def test_one_row_without_an_id_makes_the_list_of_links_unbelievable(bench: Benches) -> None:
    listed = {"connections": [connection(), {"state": None}]}
    async with bench.before(lambda _: answer_json(listed)) as b:
        untold = "1 of 2 connections cannot be told apart"
        assert await b.provider.connections() == Broken(Condition.BAD_ANSWER, untold)


async def test_one_odd_connector_costs_no_other(bench: Benches) -> None:
    connectors = [
        {"uuid": "u-1", "name": "A"},
        7,
        {"uuid": None},
        {"uuid": "u-2", "name": ["B"]},
        {"uuid": "u-3", "name": "C"},
    ]
    async with bench.before(lambda _: answer_json({"connectors": connectors}), user=False) as b:
        outcome = await b.provider.connectors("FR")

    assert isinstance(outcome, Fetched)
    assert [connector.id for connector in outcome.value] == ["u-1", "u-3"]
    assert b.server.asked[0].query["country_codes"] == ["FR"]
    assert "authorization" not in b.server.asked[0].headers
