"""A town: simulated banks over real HTTP, one person's ledger in a real file, and the truth to compare."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

import httpx

from obdesk.domain.entities import Trigger
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.outcomes import Fetched
from obdesk.providers.powens.provider import PowensProvider
from obdesk.providers.powens.settings import PowensSettings
from obdesk.providers.powens.tokens import client_secret_name
from obdesk.simulator.clock import Clock
from obdesk.simulator.options import Options
from obdesk.simulator.server import Simulator
from obdesk.storage.queries import accounts, connections, transactions
from obdesk.storage.store import Store
from obdesk.sync.engine import Engine
from tests.providers.conftest import Naps, Tokens
from tests.seed import KEY

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.entities import Connection, DataProblem, TransactionRow
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.remote import RemoteConnection
    from obdesk.domain.syncing import Step, SyncOutcome
    from tests.fakes import FrozenClock

INTERVAL = timedelta(hours=4)
TEST_CONNECTOR = "338178e6-3d01-564f-9a7b-52ca442459bf"
Row = tuple[str, str, bool, Decimal | None]
"""What a row says: booking date, label, whether it is pending, and its amount."""


def small_simulator(clock: FrozenClock, *, seed: int = 7) -> Simulator:
    """Return a simulator whose time stands still and whose history is short."""
    return Simulator(clock=Clock(clock.now(), frozen=True), options=Options(seed=seed, history_days=40))


class Bankside:
    """The moves behind the counter, over the simulator's control endpoint."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._http = httpx.Client(base_url=simulator.control_url, timeout=30)

    def close(self) -> None:
        self._http.close()

    def tell(self, path: str, **body: Any) -> Any:
        answer = self._http.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def faults(self, *rules: dict[str, Any]) -> None:
        answer = self._http.post("/faults", json=list(rules))
        assert answer.status_code == 200, answer.text

    def mend(self) -> None:
        self._http.delete("/faults")

    def remove(self, connection: str) -> None:
        assert self._http.delete(f"/connections/{connection}").status_code == 200

    def requests(self) -> list[str]:
        seen = self._http.get("/requests").json()["requests"]
        return [each["request"] for each in seen]

    def truth(self) -> dict[str, dict[str, Any]]:
        """Return every connection by its id, with all that is so."""
        text = self._http.get("/truth").text
        users = json.loads(text, parse_float=Decimal)["users"]
        return {str(each["id"]): each for user in users for each in user["connections"]}

    def live_accounts(self, connection: str) -> list[dict[str, Any]]:
        return _live(self.truth()[connection])

    def live_rows(self, connection: str) -> dict[int, Row]:
        """Return what a person at the bank's counter would be told, by row id."""
        return _rows(self.live_accounts(connection))


def _live(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in connection["accounts"] if not each["disabled"] and not each["deleted"]]


def _rows(accounts_told: list[dict[str, Any]]) -> dict[int, Row]:
    return {
        row["id"]: (row["date"], row["original_wording"], row["coming"], _decimal(row["value"]))
        for account in accounts_told
        for row in account["transactions"]
        if not row["deleted"]
    }


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


class Town:
    """One person's ledger before one simulator."""

    def __init__(self, folder: Path, bank: Bankside, clock: FrozenClock) -> None:
        self.bank = bank
        self.clock = clock
        self.path = folder / "ledger.db"
        simulator = bank.simulator
        settings = PowensSettings(
            simulator.api_url, simulator.webview_url, simulator.domain, simulator.client_id
        )
        self.settings = settings
        tokens = self.tokens = Tokens()
        tokens.put(client_secret_name(settings), simulator.client_secret)
        self._rng = random.Random(7)  # noqa: S311 - chance, not secrets
        self.provider = PowensProvider(settings, tokens, clock, rng=self._rng, sleep=Naps(clock))
        self.store = Store.open(self.path, KEY)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.provider.aclose()
        self.store.close()

    @property
    def engine(self) -> Engine:
        return Engine(self.store, self.provider, self.clock, self._rng)

    def reopen(self) -> None:
        """Close the program and start it again."""
        self.store.close()
        self.store = Store.open(self.path, KEY)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.bank.tell("/clock", advance_s=seconds)

    async def link(self, choice: str = "par") -> str:
        """Log in at the test bank, share all accounts, and return the provider's id of the connection."""
        outcome = await self.provider.link_url(
            redirect_uri="http://127.0.0.1:47611/callback",
            state="n",
            language="en",
            connector_id=TEST_CONNECTOR,
        )
        assert isinstance(outcome, Fetched)
        user = await self.provider._source.current()
        assert isinstance(user, Fetched)
        async with httpx.AsyncClient(
            base_url=self.bank.simulator.api_url, headers={"Authorization": f"Bearer {user.value}"}
        ) as person:
            made = await person.post(
                "/users/me/connections",
                json={"connector_uuid": TEST_CONNECTOR, "website": choice, "login": "1", "password": "1234"},
            )
            connection = str(made.json()["id"])
            await self.enable(person, connection)
        return connection

    @staticmethod
    async def enable(person: httpx.AsyncClient, connection: str) -> None:
        found = await person.get(f"/users/me/connections/{connection}/accounts?all")
        if ids := ",".join(str(account["id"]) for account in found.json()["accounts"]):
            address = f"/users/me/connections/{connection}/accounts/{ids}?all"
            shared = await person.put(address, json={"disabled": False})
            assert shared.status_code == 200, shared.text

    async def discover(self) -> tuple[dict[str, RemoteConnection], ChangeSet]:
        found = await self.engine.discover()
        assert isinstance(found, tuple), found
        return found

    def local_id(self, connection: str) -> ConnectionId:
        return self.store.read_now(connections.known_ids, "powens")[connection]

    async def sync(
        self, connection: str, *, refresh: bool = False, trigger: Trigger = Trigger.SCHEDULE
    ) -> SyncOutcome:
        return (await self.sync_telling(connection, refresh=refresh, trigger=trigger))[0]

    async def sync_telling(
        self,
        connection: str,
        *,
        refresh: bool = False,
        trigger: Trigger = Trigger.SCHEDULE,
        steps: list[Step] | None = None,
    ) -> tuple[SyncOutcome, ChangeSet]:
        def progress(step: Step, done: int, total: int | None) -> None:
            del done, total
            if steps is not None:
                steps.append(step)

        return await self.engine.sync(
            self.local_id(connection), trigger, refresh_at_bank=refresh, progress=progress
        )

    async def linked(self, choice: str = "par") -> str:
        """Link a bank and read it for the first time."""
        connection = await self.link(choice)
        await self.discover()
        await self.sync(connection)
        return connection

    def checking(self, connection: str) -> int:
        """Return the bank's id of the everyday account."""
        live = self.bank.live_accounts(connection)
        return int(next(each["id"] for each in live if each["type"] == "checking"))

    def link_shown(self, connection: str) -> Connection:
        found = self.store.read_now(connections.connections, self.clock.now(), INTERVAL)
        return next(each for each in found if each.provider_id == connection)

    def due(self, at: datetime | None = None) -> tuple[int, ...]:
        return self.store.read_now(connections.due, at or self.clock.now(), INTERVAL)

    def problems(self) -> tuple[DataProblem, ...]:
        return self.store.read_now(connections.problems, 50)

    def shown(self) -> tuple[TransactionRow, ...]:
        return self.store.read_now(transactions.page, TransactionFilter(), 0, 1_000_000)

    def rows(self, connection: str) -> dict[int, Row]:
        """Return what the ledger shows of the live accounts of a connection, by the bank's row id."""

        def read(opened: Any) -> list[tuple[Any, ...]]:
            found: list[tuple[Any, ...]] = opened.execute(
                "SELECT t.provider_id, t.booked_on, t.label, t.pending, t.amount_minor, a.exponent "
                "FROM transactions t JOIN accounts a ON a.id = t.account_id JOIN connections c "
                "ON c.id = a.connection_id WHERE t.deleted_at IS NULL AND a.state = 'active' "
                "AND c.provider_id = ?",
                (connection,),
            ).fetchall()
            return found

        return {
            row[0]: (
                row[1],
                row[2],
                bool(row[3]),
                None if row[4] is None else Decimal(row[4]).scaleb(-row[5]),
            )
            for row in self.store.read_now(read)
        }

    def balances(self, connection: str) -> dict[int, Decimal]:
        wanted = self.local_id(connection)
        return {
            int(each.provider_id): each.balance.decimal()
            for each in self.store.read_now(accounts.accounts, self.clock.now())
            if each.connection_id == wanted and each.balance is not None and each.state.value == "active"
        }

    def tells_the_truth(self, connection: str) -> None:
        """Compare the ledger with the bank."""
        told = self.bank.live_accounts(connection)
        assert self.rows(connection) == _rows(told)
        assert self.balances(connection) == {
            each["id"]: Decimal(str(each["balance"])) for each in told if each["balance"] is not None
        }
