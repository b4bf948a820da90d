"""What tests and demos do behind the scenes: rows appear, change and go, accounts vanish or renumber."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from obdesk.simulator.bank.labels import Label
from obdesk.simulator.bank.statement import Row
from obdesk.simulator.dice import dice
from obdesk.simulator.world import rows, syncing
from obdesk.simulator.world.ledger import Ledger

if TYPE_CHECKING:
    from obdesk.simulator.world.entities import Account, Connection
    from obdesk.simulator.world.world import World

_SURPRISE_CHANCE = 0.85


def add_surprises(world: World, connection: Connection) -> None:
    """Let a person who asks for a refresh find a row or two that just happened."""
    switches = world.switches
    busy = [
        item
        for item in connection.live_accounts()
        if item.kind == "checking" and item.last_update is not None
    ]
    last = max(connection.last_added or 0, connection.created)
    if not (switches.refresh_adds_rows and busy) or world.now - last < switches.refresh_rows_gap_s:
        return
    connection.last_added = world.now
    rng = dice(world.options.seed, "surprise", connection.id, connection.syncs)
    if rng.random() < _SURPRISE_CHANCE:
        add_random_rows(world, connection, rng.choice(busy), 1, pending=False)
        if rng.random() < 0.5:
            add_random_rows(world, connection, rng.choice(busy), 1, pending=True)


def add_random_rows(
    world: World, connection: Connection, account: Account, count: int, *, pending: bool
) -> None:
    """Let the bank know `count` more everyday rows of today; the next sync brings them."""
    statement = world.statement(connection, account)
    if not statement.account.plan.shops:
        return
    for _ in range(count):
        number = len(statement.extras) + world.today * 1_000
        statement.add_extra(statement.random_row(number, world.today, pending=pending))


def add_row(
    world: World,
    connection: Connection,
    account: Account,
    *,
    wording: str,
    minor: int,
    day: int,
    rday: int,
    kind: str,
) -> None:
    """Let the bank know one row in so many words; it is pending while `day` lies ahead."""
    statement = world.statement(connection, account)
    wording = wording.replace("{", "(").replace("}", ")")
    label = statement.label_index(Label(kind, wording, wording, 0, 0))
    statement.add_extra(Row(day, rday, minor, label))


def book_pending(world: World, connection: Connection, account: Account) -> int:
    """Book every pending row today, whatever its date; return how many."""
    ready = dict(account.pending)
    for key, (slot, row) in ready.items():
        account.pending[key] = (slot, row._replace(day=min(row.day, world.today)))
    return rows.book(world, connection, account, list(ready))


def renumber(world: World, connection: Connection, *, disabled: bool) -> None:
    """Give every account, and each of its rows, a new id; numbers and IBANs stay."""
    parents = {}
    for account in connection.accounts:
        parents[account.id] = account.id = world.new_id("account")
        live = account.disabled is None and account.deleted is None
        account.ledger = Ledger()
        if live and disabled:
            account.disabled, account.balance_minor = world.now, None
        elif live:
            rows.import_rows(world, connection, account)
    for account in connection.accounts:
        parent_key = world.branch(connection).account(account.key).parent
        account.id_parent = next((item.id for item in connection.accounts if item.key == parent_key), None)


def delete_row(world: World, account: Account, slot: int) -> None:
    """Withdraw a row at the bank."""
    account.ledger.delete(slot, world.now)
    _rebalance(world, account)


def undelete_row(world: World, account: Account, slot: int) -> None:
    """Bring a withdrawn row back."""
    account.ledger.undelete(slot, world.now)
    _rebalance(world, account)


def correct_row(
    world: World,
    account: Account,
    slot: int,
    *,
    minor: int | None = None,
    wording: str | None = None,
    day: int | None = None,
    kind: str | None = None,
) -> None:
    """Change a row after the fact, as banks do."""
    ledger = account.ledger
    if minor is not None:
        ledger.minors[slot] = minor
        ledger.note(slot).unknown_value = False
    if wording is not None:
        ledger.note(slot).original = wording
    if kind is not None:
        ledger.note(slot).kind = kind
    if day is not None:
        ledger.move(slot, day, ledger.rdays[slot])
    ledger.touch(slot, world.now)
    _rebalance(world, account)


def vanish(world: World, connection: Connection, account: Account, *, gone: bool) -> None:
    """Close an account at the bank, or open it again; the next sync notices."""
    world.branch(connection).account(account.key).gone = gone


def expire_consent(world: World, connection: Connection, in_s: int) -> None:
    """Let the bank's consent end in `in_s` seconds; the first sync after that meets SCARequired."""
    for source in connection.sources:
        source.access_expire = world.now + in_s


def set_state(
    world: World,
    connection: Connection,
    state: str | None,
    message: str | None = None,
    for_s: int | None = None,
    *,
    partial: bool = False,
) -> None:
    """Make a connection meet `state` at the bank now, as if a sync had just ended that way.

    None makes the bank friendly again and syncs. `for_s` ends the trouble by itself; `partial` lets
    every account but the last be synced all the same.
    """
    connection.pending_script = None
    if state is None:
        syncing.clear_trouble(connection)
    else:
        until = None if for_s is None else world.now + for_s
        syncing.set_trouble(connection, state, message, until, partial=partial)
    syncing.sync(world, connection)


def renumber_row(world: World, account: Account, slot: int) -> int:
    """Withdraw a row and bring the same operation back under a new id; returns the new slot."""
    ledger = account.ledger
    row = Row(ledger.days[slot], ledger.rdays[slot], ledger.minors[slot], ledger.labels[slot])
    note = ledger.notes.get(slot)
    ledger.delete(slot, world.now)
    kept = None if note is None else replace(note, deleted=None)
    return ledger.add(row, world.new_id("row"), world.now, kept)


def change_account(world: World, account: Account, facts: dict[str, str], off_minor: int) -> None:
    """Let the bank say other things about an account; `off_minor` sets its balance off from its rows."""
    for name, value in facts.items():
        setattr(account, name, value)
    account.opening_minor += off_minor
    _rebalance(world, account)


def _rebalance(world: World, account: Account) -> None:
    rows.update_balance(world, world.connections[account.id_connection], account)
