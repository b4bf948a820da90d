"""The other side of the wire: what happens at the banks, and what is true there."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.stage import Stage
    from tests.simulator.person import Client

BANK = "Demo Institution"


class Aggregator:
    """Plays the banks through the simulator's control door."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def connection(self) -> dict[str, Any]:
        """Return the one link that a person made, with its accounts and rows."""
        (found,) = self._connections()
        assert isinstance(found, dict)
        return found

    def connections(self) -> int:
        """Return how many links there are."""
        return len(self._connections())

    def _connections(self) -> list[Any]:
        users = self._client.control("GET", "/truth")["users"]
        return [each for user in users for each in user["connections"]]

    def account(self, kind: str = "checking") -> dict[str, Any]:
        """Return an account by its kind."""
        found = next(each for each in self.connection()["accounts"] if each["type"] == kind)
        assert isinstance(found, dict)
        return found

    def spends(self, wording: str, value: str, *, heard: bool = False) -> None:
        """Let a card payment be booked; the next refresh brings it, or the aggregator has `heard` of it."""
        body = {"rows": [{"wording": wording, "value": value}], "sync": heard}
        self._client.control("POST", f"/accounts/{self.account()['id']}/transactions", body)

    def is_busy(self, rows: int) -> None:
        """Let a lot happen on the current account; the next refresh brings it."""
        body = {"count": rows, "sync": False}
        self._client.control("POST", f"/accounts/{self.account()['id']}/transactions", body)

    def is_in(self, state: str | None) -> None:
        """Let the bank be in a state; None mends it."""
        body = {"state": state, "for_s": None}
        self._client.control("POST", f"/connections/{self.connection()['id']}/state", body)

    def switches(self, **values: object) -> None:
        """Change how the aggregator behaves."""
        self._client.switch(**values)

    def posts_to(self, url: str, secret: str) -> None:
        """Let the aggregator post what it hears, each event to its address, signed."""
        self._client.control("POST", "/webhooks", {"url": url, "secret": secret})

    def requests(self) -> int:
        """Return how many requests have come in."""
        return len(self._client.control("GET", "/requests")["requests"])

    def rows(self) -> dict[str, tuple[str, Decimal | None]]:
        """Return state and amount of every row that is true, by its id."""
        return {
            str(row["id"]): (
                "pending" if row["coming"] else "booked",
                None if row["value"] is None else Decimal(str(row["value"])),
            )
            for account in self.connection()["accounts"]
            for row in account["transactions"]
            if not row["deleted"]
        }


def rows_of(stage: Stage) -> dict[str, tuple[str, Decimal | None]]:
    """Return what obdesk says of every row, read by a process of its own."""
    told = stage.command("transactions", "--json", "--limit", "1000000").json()["transactions"]
    found = {
        row["provider_ids"][0]: (row["state"], None if row["amount"] is None else Decimal(row["amount"]))
        for row in told
    }
    assert len(found) == len(told), "a row is there twice"
    return found


def refreshes(stage: Stage, banks: Aggregator, ask: Callable[[], None]) -> None:
    """Ask for a refresh and wait until a sync has come and gone."""
    before = banks.requests()
    ask()
    until("a question to the aggregator", lambda: banks.requests() > before)
    until("the end of the sync", lambda: not is_syncing(stage))


def is_syncing(stage: Stage) -> bool:
    """Tell whether somebody syncs the story's data, as another process can see it."""
    return (stage.data / "default" / "sync.lock.holder").exists()
