"""The world: every user, token, connection and account, and what falls due when time passes."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from obdesk.simulator.bank.branch import Branch, Branches
from obdesk.simulator.dice import dice
from obdesk.simulator.switches import Switches
from obdesk.simulator.world.entities import Account, Connection, Token, TokenKind, User
from obdesk.simulator.world.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obdesk.simulator.bank.statement import Statement
    from obdesk.simulator.clock import Clock
    from obdesk.simulator.options import Options
    from obdesk.simulator.world.events import Event

_BANK_ZONE = ZoneInfo("Europe/Paris")
_CONFIG = {
    "autosync.retry_wrongpass": "1",
    "biapi.allowed_origins": "",
    "biapi.manager.email": "",
    "connectors.default_auth_mechanism": "",
    "connectors.enable_new": "0",
    "connectors.sources.enable_new": "1",
    "oauth2.enabled": "1",
    "webhooks.alerts_frequency": "1",
    "webhooks.compressions.enabled": "0",
    "payment.max_amount": "0",
}
_FIRST_IDS = {
    "user": 6_120,
    "connection": 311,
    "source": 402,
    "account": 1_801,
    "row": 700_412,
    "log": 90_111,
}


class World:
    """The state behind the API.

    `now` is the logical instant: requests set it from the clock through `tick`, which first runs what
    fell due in between (automatic syncs, purges, delayed imports), each at its own instant.
    """

    def __init__(self, options: Options, clock: Clock, switches: Switches | None = None) -> None:
        self.options = options
        self.clock = clock
        self.switches = switches or Switches()
        self.now = clock.seconds()
        self.branches = Branches(options, self.today)
        self.users: dict[int, User] = {}
        self.connections: dict[int, Connection] = {}
        self.account_ids: dict[tuple[int, int, str], int] = {}
        self.tokens = Tokens(options.seed)
        self.redirect_uris = list(options.redirect_uris)
        self.listeners: list[Callable[[Event], None]] = []
        self.rng = dice(options.seed, "world")
        self.config: dict[str, str] = dict(_CONFIG)
        self.config_log: list[dict[str, str | None]] = []
        self.calendars: list[Callable[[], Iterator[tuple[int, Callable[[], None]]]]] = []
        self.plans: list[tuple[int, Callable[[], None]]] = []
        self._ids: defaultdict[str, int] = defaultdict(lambda: 1, _FIRST_IDS)

    @property
    def today(self) -> int:
        """The banks' calendar day, as an ordinal."""
        return datetime.fromtimestamp(self.now, UTC).astimezone(_BANK_ZONE).toordinal()

    def new_id(self, kind: str) -> int:
        """Return the next id of a kind of object."""
        value = self._ids[kind]
        self._ids[kind] += 1
        return value

    def emit(self, event: Event) -> None:
        """Tell every listener that something happened."""
        for listener in self.listeners:
            listener(event)

    def branch(self, connection: Connection) -> Branch:
        """Return the bank of a connection."""
        return self.branches.branch(connection.connector)

    def statement(self, connection: Connection, account: Account) -> Statement:
        """Return the bank's own record of an account."""
        return self.branch(connection).statements[account.key]

    def connections_of(self, user: User) -> list[Connection]:
        """Return a user's connections, oldest first."""
        return [connection for connection in self.connections.values() if connection.id_user == user.id]

    def accounts_of(self, user: User) -> list[Account]:
        """Return a user's accounts, disabled and vanished ones included."""
        return [account for connection in self.connections_of(user) for account in connection.accounts]

    def account(self, account_id: int) -> tuple[Connection, Account] | None:
        """Return an account by its id, with its connection."""
        for connection in self.connections.values():
            for account in connection.accounts:
                if account.id == account_id:
                    return connection, account
        return None

    def find_row(self, row_id: int) -> tuple[Account, int] | None:
        """Return the account and slot of a row by its id."""
        for connection in self.connections.values():
            for account in connection.accounts:
                slot = account.ledger.slot(row_id)
                if slot is not None:
                    return account, slot
        return None

    def tick(self) -> None:
        """Run everything that fell due since the last call, in order, then stand at the clock's instant."""
        target = self.clock.seconds()
        while True:
            due = min(self._due(target), key=lambda item: item[0], default=None)
            if due is None:
                break
            self.now = max(self.now, due[0])
            due[1]()
        self.now = max(self.now, target)

    def plan(self, at: int, action: Callable[[], None]) -> None:
        """Have something happen by itself at an instant."""
        self.plans.append((at, action))

    def _run_plan(self, plan: tuple[int, Callable[[], None]]) -> None:
        self.plans.remove(plan)
        plan[1]()

    def _due(self, target: int) -> Iterator[tuple[int, Callable[[], None]]]:
        for plan in self.plans:
            if plan[0] <= target:
                yield plan[0], partial(self._run_plan, plan)
        for user in self.users.values():
            if user.purge_at is not None and user.purge_at <= target:
                yield user.purge_at, partial(self.forget_user, user)
        for calendar in self.calendars:
            for item in calendar():
                if item[0] <= target:
                    yield item

    def forget_user(self, user: User) -> None:
        """Erase a user with everything that hangs on it."""
        for connection in self.connections_of(user):
            del self.connections[connection.id]
        self.tokens.revoke_user(user.id)
        self.users.pop(user.id, None)

    def issue_code(self, user: User) -> str:
        """Return a code that can be exchanged for a permanent token of the user."""
        return self.tokens.issue(TokenKind.CODE, user.id, self.now).value

    def token_user(self, token: Token) -> User | None:
        """Return the user a token speaks for."""
        return None if token.id_user is None else self.users.get(token.id_user)
