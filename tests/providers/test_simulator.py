"""The whole client against a whole API over real HTTP: the simulator, which shares no code with it."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import AccountState
from obdesk.domain.outcomes import ActionNeeded, Fetched
from obdesk.providers.powens.pages import TransactionPage
from obdesk.providers.powens.provider import PowensProvider
from obdesk.providers.powens.settings import PowensSettings
from obdesk.providers.powens.tokens import client_secret_name, user_token_name
from obdesk.simulator.clock import Clock
from obdesk.simulator.server import Simulator, running
from tests.fakes import SOME_MORNING
from tests.providers.conftest import Naps, Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from obdesk.domain.outcomes import Failure
    from obdesk.domain.remote import RemoteAccount, RemoteTransaction
    from tests.fakes import FrozenClock

pytestmark = pytest.mark.anyio

OLDEST = date(2020, 1, 1)
TEST_CONNECTOR = "338178e6-3d01-564f-9a7b-52ca442459bf"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Give a simulator whose time stands still on some morning."""
    with running(Simulator(clock=Clock(SOME_MORNING, frozen=True))) as served:
        yield served


class Desk:
    """A provider before the simulator, with the moves of a person at the bank's page."""

    def __init__(self, simulator: Simulator, clock: FrozenClock) -> None:
        self.simulator = simulator
        self.settings = PowensSettings(
            simulator.api_url, simulator.webview_url, simulator.domain, simulator.client_id
        )
        self.tokens = Tokens()
        self.tokens.put(client_secret_name(self.settings), simulator.client_secret)
        rng = random.Random(7)  # noqa: S311 - chance, not secrets
        self.provider = PowensProvider(self.settings, self.tokens, clock, rng=rng, sleep=Naps(clock))

    async def link(self, choice: str = "par") -> str:
        """Log in at the test bank, share all accounts, and return the connection's id."""
        outcome = await self.provider.link_url(
            redirect_uri="http://127.0.0.1:47611/callback",
            state="n",
            language="en",
            connector_id=TEST_CONNECTOR,
        )
        assert isinstance(outcome, Fetched)
        [code] = parse_qs(urlsplit(outcome.value).query)["code"]
        async with httpx.AsyncClient(base_url=self.simulator.api_url) as person:
            fresh = await person.post(
                "/auth/token/access",
                json={
                    "client_id": self.simulator.client_id,
                    "client_secret": self.simulator.client_secret,
                    "code": code,
                },
            )
            person.headers["Authorization"] = f"Bearer {fresh.json()['access_token']}"
            made = await person.post(
                "/users/me/connections",
                json={"connector_uuid": TEST_CONNECTOR, "website": choice, "login": "1", "password": "1234"},
            )
            assert made.status_code in {200, 201, 202}, made.text
            connection = str(made.json()["id"])
            found = await person.get(f"/users/me/connections/{connection}/accounts?all")
            ids = ",".join(str(account["id"]) for account in found.json()["accounts"])
            if ids:
                shared = await person.put(
                    f"/users/me/connections/{connection}/accounts/{ids}?all", json={"disabled": False}
                )
                assert shared.status_code == 200, shared.text
        return connection

    async def rows(
        self, connection: str, accounts: tuple[RemoteAccount, ...], since: str | None = None
    ) -> list[RemoteTransaction]:
        """Return all rows of a connection, which must come without a failure or a problem."""
        found: list[RemoteTransaction] = []
        exponents = {account.provider_id: account.currency.exponent for account in accounts}
        async for page in self.provider.transactions(connection, since=since, oldest=OLDEST):
            assert isinstance(page, TransactionPage), page
            decoded = page.decode(exponents)
            assert decoded.problems == ()
            found += decoded.rows
        return found


@asynccontextmanager
async def at_desk(simulator: Simulator, clock: FrozenClock) -> AsyncIterator[Desk]:
    """Open a desk."""
    desk = Desk(simulator, clock)
    async with desk.provider:
        yield desk


async def accounts_of(desk: Desk, connection: str) -> tuple[RemoteAccount, ...]:
    """Return the accounts of a connection."""
    outcome = await desk.provider.accounts(connection)
    assert isinstance(outcome, Fetched)
    return outcome.value


async def test_from_linking_to_erasing(simulator: Simulator, clock: FrozenClock) -> None:
    async with at_desk(simulator, clock) as desk:
        assert await desk.provider.connections() == Fetched(())
        connection = await desk.link()

        listed = await desk.provider.connections()
        assert isinstance(listed, Fetched)
        [linked] = listed.value
        assert (linked.provider_id, linked.connector_id) == (connection, TEST_CONNECTOR)
        assert linked.condition is Condition.OK
        assert linked.data_as_of == SOME_MORNING
        assert linked.consent_expires_at
        assert linked.bank

        accounts = await accounts_of(desk, connection)
        assert accounts
        assert all(account.state is AccountState.ACTIVE for account in accounts)
        assert any(account.balance_minor for account in accounts)

        rows = await desk.rows(connection, accounts)
        assert len(rows) > 100
        assert len({row.provider_id for row in rows}) == len(rows)
        assert {row.account_provider_id for row in rows} <= {account.provider_id for account in accounts}

        newest = max(row.updated for row in rows)
        cursor = desk.provider.cursor_after(newest, None)
        assert cursor
        again = await desk.rows(connection, accounts, since=cursor)
        assert 0 < len(again) <= len(rows)

        assert await desk.provider.unlink(connection) == Fetched(None)
        assert await desk.provider.unlink(connection) == Fetched(None)
        assert await desk.provider.connections() == Fetched(())


async def test_a_refresh_brings_a_newer_date(simulator: Simulator, clock: FrozenClock) -> None:
    async with at_desk(simulator, clock) as desk:
        connection = await desk.link()
        simulator.clock.advance(3_600)
        clock.advance(3_600)

        outcome = await desk.provider.refresh(connection, attended=True)

        assert isinstance(outcome, Fetched)
        assert outcome.value.condition is Condition.OK
        assert outcome.value.data_as_of == clock.now()


@pytest.mark.parametrize("mode", ["accepted", "conflict", "wrapped"])
async def test_a_refresh_ends_in_every_mode_of_the_api(
    simulator: Simulator, clock: FrozenClock, mode: str
) -> None:
    async with at_desk(simulator, clock) as desk:
        connection = await desk.link()
        simulator.switches.put("sync_mode", mode)

        assert isinstance(await desk.provider.refresh(connection, attended=True), Fetched)


@pytest.mark.parametrize(
    ("choice", "condition"),
    [
        ("passwordExpired", Condition.PASSWORD_EXPIRED),
        ("actionNeeded", Condition.ACTION_AT_BANK),
        ("additionalInformationNeeded", Condition.NEEDS_CODE),
        ("shortDecoupled", Condition.NEEDS_APP_APPROVAL),
        ("webauthRequired", Condition.NEEDS_WEB_LOGIN),
    ],
)
async def test_what_the_bank_wants_is_told(
    simulator: Simulator, clock: FrozenClock, choice: str, condition: Condition
) -> None:
    async with at_desk(simulator, clock) as desk:
        await desk.link(choice)

        listed = await desk.provider.connections()

    assert isinstance(listed, Fetched)
    [linked] = listed.value
    assert linked.condition is condition
    assert "://" not in linked.bank_message


STYLES: list[dict[str, Any]] = [
    {"number_style": "string", "account_type_style": "object", "type_names": "old"},
    {"null_style": "absent", "currency_style": "id_only", "source_style": "nested"},
    {"links_style": "relative", "total_present": False, "empty_list_dates": "absent"},
    {"datetime_style": "iso", "links_key": "_link", "access_token_key": "token"},
    {"datetime_style": "iso_z", "naive_zone": "UTC", "request_id_style": "string"},
]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: next(iter(style)))
async def test_every_spelling_of_the_api_gives_the_same_rows(
    simulator: Simulator, clock: FrozenClock, style: dict[str, Any]
) -> None:
    async with at_desk(simulator, clock) as desk:
        connection = await desk.link()
        plain = await accounts_of(desk, connection)
        rows = await desk.rows(connection, plain)

        for name, value in style.items():
            simulator.switches.put(name, value)

        assert await accounts_of(desk, connection) == plain
        assert await desk.rows(connection, plain) == rows


async def test_a_lost_token_is_renewed_and_the_user_stays_the_same(
    simulator: Simulator, clock: FrozenClock
) -> None:
    async with at_desk(simulator, clock) as desk:
        connection = await desk.link()
        kept = desk.tokens.kept[user_token_name(desk.settings)]
    broken = Desk(simulator, clock)
    broken.tokens.kept[user_token_name(broken.settings)] = kept.replace('"token":"', '"token":"revoked')
    async with broken.provider:
        listed = await broken.provider.connections()

    assert isinstance(listed, Fetched)
    assert [each.provider_id for each in listed.value] == [connection]


async def test_an_account_that_is_no_longer_shared_says_so(simulator: Simulator, clock: FrozenClock) -> None:
    async with at_desk(simulator, clock) as desk:
        connection = await desk.link()
        first, *_ = await accounts_of(desk, connection)
        token = desk.tokens.kept[user_token_name(desk.settings)].split('"')[3]
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as person:
            await person.put(
                f"{simulator.api_url}/users/me/accounts/{first.provider_id}?all", json={"disabled": True}
            )

        states = {each.provider_id: each.state for each in await accounts_of(desk, connection)}

    assert states[first.provider_id] is AccountState.DISABLED


async def test_a_connection_that_was_never_there_is_gone(simulator: Simulator, clock: FrozenClock) -> None:
    async with at_desk(simulator, clock) as desk:
        await desk.link()
        pages: list[TransactionPage | Failure] = [
            page async for page in desk.provider.transactions("999999", since=None, oldest=OLDEST)
        ]

    assert [page for page in pages if not isinstance(page, ActionNeeded)] == []
    assert pages


async def test_connectors_of_a_country(simulator: Simulator, clock: FrozenClock) -> None:
    async with at_desk(simulator, clock) as desk:
        french = await desk.provider.connectors("FR")
        every = await desk.provider.connectors(None)

    assert isinstance(french, Fetched)
    assert isinstance(every, Fetched)
    assert len(every.value) >= len(french.value) > 0
    assert all(connector.color.startswith("#") for connector in every.value)
