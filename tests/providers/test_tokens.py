"""How the one user is made, kept and found again: never twice, never at another host."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import ActionNeeded, Broken, Fetched, RetryLater
from obdesk.providers.powens.tokens import RENEW_PAUSE_S, client_secret_name, user_token_name
from obdesk.secrets.tokens import _NAME
from tests.providers.conftest import ID_USER, PATIENT, QUICK, SECRET, TOKEN
from tests.providers.scripted import answer, answer_json, error, html, in_turn

if TYPE_CHECKING:
    from obdesk.domain.outcomes import Outcome
    from tests.providers.conftest import Bench, Benches
    from tests.providers.scripted import Answer, Asked, Script, Writer

pytestmark = pytest.mark.anyio

NEW_TOKEN = "another+token/="
CODE = "COj_wSf+PuY0Z/7F0Ig6G=="


def api(*, init: Answer | None = None, renew: Answer | None = None, good: str = NEW_TOKEN) -> Script:
    """Serve an API that accepts one token."""

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("/auth/init"):
            return init or answer_json({"auth_token": good, "type": "permanent", "id_user": ID_USER})
        if asked.path.endswith("/auth/renew"):
            return renew or answer_json({"access_token": good, "token_type": "Bearer"})
        if asked.headers.get("authorization") != f"Bearer {good}":
            return error("unauthorized", 401)
        if asked.path.endswith("/auth/token/code"):
            return answer_json({"code": CODE, "type": "temporary", "access": "single", "expires_in": 1800})
        return answer_json({"connections": [], "total": 0})

    return script


async def link(b: Bench) -> Outcome[str]:
    """Ask for the address of the linking page."""
    return await b.provider.link_url(
        redirect_uri="http://127.0.0.1:47611/callback", state="nonce", language="fr_FR", connector_id=None
    )


async def test_the_first_link_makes_the_user_and_keeps_token_and_id(bench: Benches) -> None:
    async with bench.before(api(), user=False) as b:
        outcome = await link(b)
        assert await b.provider.connections() == Fetched(())

    assert isinstance(outcome, Fetched)
    url = urlsplit(outcome.value)
    assert url.path == "/2.0/webview/fr/connect"
    assert parse_qs(url.query)["code"] == [CODE]
    assert "+" not in url.query
    init = b.server.asked[0]
    assert init.json == {"client_id": "70012345", "client_secret": SECRET}
    assert "authorization" not in init.headers
    kept = json.loads(b.tokens.kept[user_token_name(b.settings)])
    assert (kept["token"], kept["id_user"]) == (NEW_TOKEN, ID_USER)


async def test_a_user_that_is_there_is_used_again(bench: Benches) -> None:
    async with bench.before(api(good=TOKEN)) as b:
        assert isinstance(await link(b), Fetched)

    assert b.server.count("POST", "/auth/init") == 0


async def _silence(_: Writer, over: asyncio.Event) -> None:
    await over.wait()


async def _hang_up(writer: Writer, _: asyncio.Event) -> None:
    writer.transport.abort()


@pytest.mark.parametrize(
    "bad",
    [
        _silence,
        _hang_up,
        html(502),
        html(503),
        answer_json({}, 429, {"Retry-After": "1"}),
        error("bug", 500),
        error("unauthorized", 401),
        error("invalid_client", 403),
        html(200),
        answer(b'{"auth_token": '),
        answer(b"[]"),
        answer_json({"auth_token": "with\nnewline", "id_user": 1}),
        answer_json({"auth_token": NEW_TOKEN, "type": "permanent"}),
        answer_json({"auth_token": NEW_TOKEN, "type": "temporary", "id_user": 5, "expires_in": 1800}),
    ],
    ids=range(14),
)
async def test_a_user_is_asked_for_exactly_once_whatever_comes_back(bench: Benches, bad: Answer) -> None:
    limits = QUICK if bad is _silence else PATIENT
    async with bench.before(api(init=bad), user=False, limits=limits) as b:
        outcome = await link(b)

    assert not isinstance(outcome, Fetched)
    assert b.server.count("POST", "/auth/init") == 1
    assert len(b.server.asked) == 1
    assert user_token_name(b.settings) not in b.tokens.kept


async def test_links_begun_together_share_one_user(bench: Benches) -> None:
    async with bench.before(api(), user=False) as b:
        outcomes = await asyncio.gather(link(b), link(b), link(b))

    assert all(isinstance(outcome, Fetched) for outcome in outcomes)
    assert b.server.count("POST", "/auth/init") == 1


async def test_a_user_is_not_lost_when_the_store_fails_once(bench: Benches) -> None:
    async with bench.before(api(), user=False) as b:
        b.tokens.refusals = 1
        with pytest.raises(OSError, match="locked"):
            await link(b)
        assert isinstance(await link(b), Fetched)

    assert b.server.count("POST", "/auth/init") == 1
    assert json.loads(b.tokens.kept[user_token_name(b.settings)])["id_user"] == ID_USER


async def test_without_a_secret_nothing_is_sent(bench: Benches) -> None:
    async with bench.before(api(), user=False, secret=False) as b:
        assert await link(b) == ActionNeeded(Condition.PROVIDER_REFUSES, "no_client_secret")

    assert b.server.asked == []


async def test_without_a_user_there_are_no_connections_and_nothing_is_sent(bench: Benches) -> None:
    async with bench.before(api(), user=False) as b:
        assert await b.provider.connections() == Fetched(())
        assert await b.provider.accounts("311") == ActionNeeded(Condition.PROVIDER_REFUSES, "no_user")

    assert b.server.asked == []


async def test_a_kept_user_that_cannot_be_read_is_not_replaced(bench: Benches) -> None:
    async with bench.before(api()) as b:
        b.tokens.put(user_token_name(b.settings), "{")
        assert await link(b) == ActionNeeded(Condition.PROVIDER_REFUSES, "stored_user_unreadable")

    assert b.server.asked == []


async def test_a_refused_token_is_renewed_for_the_same_user_and_the_call_repeated(bench: Benches) -> None:
    async with bench.before(api()) as b:
        assert await b.provider.connections() == Fetched(())
        assert await b.provider.connections() == Fetched(())

    paths = [asked.path.removeprefix("/2.0") for asked in b.server.asked]
    assert paths == ["/users/me/connections", "/auth/renew", "/users/me/connections", "/users/me/connections"]
    assert b.server.asked[1].json == {
        "grant_type": "client_credentials",
        "client_id": "70012345",
        "client_secret": SECRET,
        "id_user": ID_USER,
        "revoke_previous": False,
    }
    kept = json.loads(b.tokens.kept[user_token_name(b.settings)])
    assert (kept["token"], kept["id_user"]) == (NEW_TOKEN, ID_USER)


async def test_calls_refused_together_renew_once(bench: Benches) -> None:
    async with bench.before(api()) as b:
        outcomes = await asyncio.gather(*(b.provider.connections() for _ in range(5)))

    assert outcomes == [Fetched(())] * 5
    assert b.server.count("POST", "/auth/renew") == 1


async def test_a_renewed_token_that_is_refused_too_is_not_renewed_in_a_loop(bench: Benches) -> None:
    refused = ActionNeeded(Condition.PROVIDER_REFUSES, "unauthorized")
    async with bench.before(api(renew=answer_json({"access_token": "never+good="}))) as b:
        assert await b.provider.connections() == refused
        for _ in range(3):
            outcome = await b.provider.connections()
            assert isinstance(outcome, ActionNeeded)
            assert outcome.condition is Condition.PROVIDER_REFUSES
        assert b.server.count("POST", "/auth/renew") == 1

        b.clock.advance(RENEW_PAUSE_S)
        await b.provider.connections()
        assert b.server.count("POST", "/auth/renew") == 2


async def test_a_refused_token_without_a_secret_needs_the_person(bench: Benches) -> None:
    async with bench.before(api(), secret=False) as b:
        assert await b.provider.connections() == ActionNeeded(Condition.PROVIDER_REFUSES, "token_refused")

    assert len(b.server.asked) == 1


@pytest.mark.parametrize(
    ("renew", "expected"),
    [
        (error("badCredentials", 401), ActionNeeded(Condition.PROVIDER_REFUSES, "badcredentials")),
        (html(503), RetryLater(Condition.PROVIDER_DOWN, None, "http_503")),
        (answer(b"{}"), Broken(Condition.BAD_ANSWER, "auth/renew answered no token")),
    ],
)
async def test_a_renewal_that_fails_is_sent_once_and_keeps_the_user(
    bench: Benches, renew: Answer, expected: object
) -> None:
    async with bench.before(api(renew=renew)) as b:
        assert await b.provider.connections() == expected

    assert b.server.count("POST", "/auth/renew") == 1
    assert json.loads(b.tokens.kept[user_token_name(b.settings)])["token"] == TOKEN


async def test_a_missing_right_is_not_cured_by_another_token(bench: Benches) -> None:
    async with bench.before(in_turn(error("forbidden", 403))) as b:
        await b.provider.connections()

    assert b.server.count("POST", "/auth/renew") == 0


async def test_names_differ_between_hosts_and_applications_and_fit_the_vault(bench: Benches) -> None:
    async with bench.before(api()) as b:
        elsewhere = replace(b.settings, api_url="https://acme.biapi.pro/2.0")
        other = replace(b.settings, client_id="7")
        names = {
            make(each)
            for make in (user_token_name, client_secret_name)
            for each in (b.settings, elsewhere, other)
        }

    assert len(names) == 6
    assert all(_NAME.fullmatch(name) for name in names)


async def test_an_expired_page_is_renewed_with_a_fresh_code(bench: Benches) -> None:
    async with bench.before(api(good=TOKEN)) as b:
        outcome = await b.provider.renew_url(
            "311", redirect_uri="https://obdesk.invalid/callback", state="n", language="en", reset=True
        )

    assert isinstance(outcome, Fetched)
    query = parse_qs(urlsplit(outcome.value).query)
    assert query["connection_id"] == ["311"]
    assert query["reset_credentials"] == ["true"]
    assert b.server.asked[0].query == {"type": ["singleAccess"]}
