"""A connection's life at the bank: discovering accounts, syncs that work or fail, what falls due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.simulator.world import rows
from obdesk.simulator.world.entities import Account, Connection, LogEntry
from obdesk.simulator.world.events import Event
from obdesk.simulator.world.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obdesk.simulator.bank.accounts import BankAccount
    from obdesk.simulator.world.world import World

_DAY_S = 86_400
_SHORTEST_S = 60  # so that a zero in a switch cannot keep the clock from moving
NEEDS_PERSON = frozenset(
    {"SCARequired", "webauthRequired", "additionalInformationNeeded", "decoupled", "validating", "wrongpass"}
)
UNFINISHED = frozenset({"webauthRequired", "additionalInformationNeeded", "decoupled", "validating"})


def purge(world: World, connection: Connection) -> None:
    """Erase a connection whose login was never finished."""
    world.connections.pop(connection.id, None)


def discover(world: World, connection: Connection) -> list[Account]:
    """Find accounts at the bank that the connection does not know yet; they are born disabled."""
    known = {account.key for account in connection.accounts if account.deleted is None}
    found = []
    for bank_account in world.branch(connection).accounts:
        if bank_account.gone or bank_account.key in known:
            continue
        account = _born(world, connection, bank_account)
        connection.accounts.append(account)
        found.append(account)
    for account in found:
        parent = world.branch(connection).account(account.key).parent
        account.id_parent = next((item.id for item in connection.accounts if item.key == parent), None)
        world.emit(Event("ACCOUNT_FOUND", world.users[connection.id_user], connection, account))
    return found


def _born(world: World, connection: Connection, bank_account: BankAccount) -> Account:
    known = (connection.id_user, connection.connector.id, bank_account.key)
    if world.switches.recreated_ids or known not in world.account_ids:
        world.account_ids[known] = world.new_id("account")
    return Account(
        id=world.account_ids[known],
        id_connection=connection.id,
        id_user=connection.id_user,
        id_source=connection.sources[0].id,
        key=bank_account.key,
        kind=bank_account.plan.kind,
        original_name=bank_account.plan.original_name,
        name=bank_account.plan.name,
        currency=bank_account.plan.currency,
        number=bank_account.number,
        iban=bank_account.iban,
        bic=bank_account.bic,
        usage="PRIV",
        disabled=world.now,
    )


def enable(world: World, connection: Connection, accounts: Iterable[Account]) -> None:
    """Enable accounts, which is the person's consent, and import their rows now or a little later."""
    user = world.users[connection.id_user]
    for account in accounts:
        if account.disabled is None:
            continue
        account.disabled = None
        account.import_at = world.now + world.switches.import_delay_s
        world.emit(Event("ACCOUNT_ENABLED", user, connection, account))
    if world.switches.import_delay_s == 0:
        run_imports(world, connection)
    elif all(account.last_update is None for account in connection.accounts):
        # Until its first rows are there a connection counts as never synced.
        connection.last_update = None
        for source in connection.sources:
            source.last_update = None


def next_sync(world: World) -> int:
    """Return when a connection that is fine syncs by itself again."""
    return world.now + max(_SHORTEST_S, world.switches.auto_sync_period_s)


def disable(world: World, connection: Connection, account: Account) -> None:
    """Disable an account; its rows are erased."""
    if account.disabled is not None:
        return
    account.disabled = world.now
    account.balance_minor = account.last_update = account.import_at = None
    if world.switches.reenabled_ids:
        account.pending.clear()
    else:
        account.shelved = account.ledger
    account.ledger = Ledger()
    world.emit(Event("ACCOUNT_DISABLED", world.users[connection.id_user], connection, account))


def run_imports(world: World, connection: Connection) -> None:
    """Import the accounts whose turn has come and report the sync."""
    due = [item for item in connection.accounts if item.import_at is not None and item.import_at <= world.now]
    if not due:
        return
    fresh = {}
    for account in due:
        account.import_at = None
        if account.disabled is None:
            fresh[account.id] = rows.import_rows(world, connection, account)
    _succeed(world, connection, fresh)


def automatic_sync(world: World, connection: Connection) -> None:
    """Sync because the time has come, without the person."""
    sync(world, connection)


def sync(world: World, connection: Connection) -> None:
    """Fetch everything new from the bank, or fail with the state the bank insists on."""
    if _consent_over(world, connection):
        set_trouble(connection, "SCARequired")
    if connection.trouble_until is not None and connection.trouble_until <= world.now:
        clear_trouble(connection)
    if connection.trouble is not None:
        if connection.trouble_partial:
            _sync_most(world, connection)
        fail(world, connection, connection.trouble, connection.trouble_message)
        return
    _find_vanished(world, connection)
    discover(world, connection)
    new = {
        account.id: rows.pull_rows(world, connection, account)
        for account in connection.live_accounts()
        if account.import_at is None
    }
    _succeed(world, connection, new)


def _sync_most(world: World, connection: Connection) -> None:
    """Fetch every account but the last, as when one of several sources is in trouble."""
    for account in connection.live_accounts()[:-1]:
        if account.import_at is None:
            rows.pull_rows(world, connection, account)
            account.last_update = world.now


def fail(world: World, connection: Connection, state: str, message: str | None) -> None:
    """Record a sync that ended in `state`; the figures stay as they were."""
    connection.state, connection.error_message = state, message
    retry = (
        None if state in NEEDS_PERSON else world.now + max(_SHORTEST_S, world.switches.retry_after_failure_s)
    )
    if state == "wrongpass":
        retry = world.now + _DAY_S // 2
    _record(world, connection, retry)
    connection.sources[0].state = state
    world.emit(Event("CONNECTION_SYNCED", world.users[connection.id_user], connection))


def set_trouble(
    connection: Connection,
    state: str,
    message: str | None = None,
    until: int | None = None,
    *,
    partial: bool = False,
) -> None:
    """Make the bank insist on a state from now on; `partial` spares all accounts but the last."""
    connection.trouble_partial = partial
    connection.trouble, connection.trouble_message, connection.trouble_until = state, message, until


def clear_trouble(connection: Connection) -> None:
    """Make the bank friendly again."""
    connection.trouble = connection.trouble_message = connection.trouble_until = None


def _consent_over(world: World, connection: Connection) -> bool:
    return any(
        source.access_expire is not None and source.access_expire <= world.now and source.disabled is None
        for source in connection.sources
    )


def _find_vanished(world: World, connection: Connection) -> None:
    branch = world.branch(connection)
    for account in connection.accounts:
        if branch.account(account.key).gone and account.deleted is None:
            account.deleted = world.now


def _succeed(world: World, connection: Connection, new: dict[int, list[int]]) -> None:
    user = world.users[connection.id_user]
    connection.state = connection.error_message = connection.fields = connection.expire = None
    connection.last_update = world.now
    connection.syncs += 1
    for account in connection.live_accounts():
        if account.import_at is None:
            account.last_update, account.error = world.now, None
    for source in connection.sources:
        source.state, source.expire = None, None
        source.last_update = world.now
    _record(world, connection, next_sync(world))
    world.emit(Event("ACCOUNTS_FETCHED", user, connection))
    for account in connection.live_accounts():
        world.emit(Event("ACCOUNT_SYNCED", user, connection, account, {account.id: new.get(account.id, [])}))
    if world.switches.categories and any(new.values()):
        world.emit(Event("ACCOUNT_CATEGORIZED", user, connection, rows=new))
    world.emit(Event("CONNECTION_SYNCED", user, connection, rows=new))
    world.emit(Event("USER_SYNCED", user, connection, rows=new))


def _record(world: World, connection: Connection, next_try: int | None) -> None:
    connection.next_try = next_try if connection.active else None
    for source in connection.sources:
        source.next_try = connection.next_try
    observed = tuple(
        (account.id, account.balance_minor, account.ledger.coming_minor())
        for account in connection.live_accounts()
    )
    connection.logs.append(
        LogEntry(
            id=world.new_id("log"),
            start=world.now - 50,
            timestamp=world.now,
            error=connection.state,
            error_message=connection.error_message,
            accounts=observed,
            next_try=connection.next_try,
        )
    )
