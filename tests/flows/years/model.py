"""The reference: what the ledger must be, said from the banks' truth and the person's own words alone.

Small and slow on purpose. It knows no identity but the operation's, so whatever names and ids came along
the way, the ledger has to have found out by itself.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from obdesk.domain.freshness import FreshnessState
from obdesk.sync import policy

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.storage.engine import Connection
    from tests.flows.years.bank import Account, Bank, Link, Operation


class Row(NamedTuple):
    """What the ledger must say of one operation."""

    account: str
    """The account's IBAN: its identity towards the person."""
    provider_id: int
    day: str
    label: str
    pending: bool
    minor: int
    currency: str


@dataclass(slots=True)
class Told:
    """What the person wrote, by operation; only what was acknowledged."""

    notes: dict[int, str] = field(default_factory=dict)
    places: dict[int, tuple[int, bool]] = field(default_factory=dict)


TOO_MANY = "I3 too many"


def expected(link: Link) -> set[Row]:
    """Return the rows that a ledger in step with the bank holds."""
    return {_row(account, each) for account in link.accounts for each in account.live}


def _row(account: Account, each: Operation) -> Row:
    return Row(
        account.iban,
        each.provider_id,
        each.day.isoformat(),
        each.label,
        each.pending,
        each.minor,
        account.currency,
    )


_ROWS = (
    "SELECT a.iban, t.provider_id, t.booked_on, t.label, t.pending, t.amount_minor, a.currency "
    "FROM transactions t JOIN accounts a ON a.id = t.account_id JOIN connections c ON c.id = a.connection_id "
    "WHERE t.deleted_at IS NULL AND a.state = 'active' AND c.provider_id = ?"
)


def shown(opened: Connection, link_id: int) -> list[Row]:
    """Return the rows that the ledger holds."""
    rows = opened.execute(_ROWS, (str(link_id),)).fetchall()
    return [Row(row[0], row[1], row[2], row[3], bool(row[4]), row[5], row[6]) for row in rows]


def in_step(opened: Connection, link: Link, *, complete: bool) -> list[str]:
    """I3, I4: after a clean sync the ledger says what the bank says, each operation once.

    Ids that ceased to be listed without a word may linger until a complete answer shows it.
    """
    held = shown(opened, link.id)
    counted = Counter((row.account, row.provider_id) for row in held)
    found = [f"I4 row {place} is there {n} times" for place, n in counted.items() if n > 1]
    wanted, have = expected(link), set(held)
    missing = wanted - have
    extra = have - wanted
    if not complete:
        extra = {row for row in extra if row.provider_id not in link.silent_since}
    found += [f"I3 missing {row[1:]}" for row in sorted(missing)]
    found += [f"{TOO_MANY} {row[1:]}" for row in sorted(extra)]
    return found + (_balances(opened, link) if not missing else [])


def doubts(opened: Connection, link: Link) -> bool:
    """Tell whether the ledger says that it does not believe yet how many rows were missing."""
    asked = (
        "SELECT count(*) FROM problems p JOIN connections c ON c.id = p.connection_id "
        "WHERE c.provider_id = ? AND p.kind = 'many_rows_missing'"
    )
    return bool(opened.execute(asked, (str(link.id),)).fetchone()[0])


def _balances(opened: Connection, link: Link) -> list[str]:
    rows = opened.execute(
        "SELECT a.iban, a.balance_minor, a.currency FROM accounts a JOIN connections c "
        "ON c.id = a.connection_id WHERE a.state = 'active' AND c.provider_id = ?",
        (str(link.id),),
    ).fetchall()
    wanted = sorted((each.iban, each.balance_minor(), each.currency) for each in link.accounts)
    held = sorted((row[0], row[1], row[2]) for row in rows)
    return [] if held == wanted else [f"I3 balances are {held}, the bank says {wanted}"]


def words_kept(opened: Connection, told: Told) -> list[str]:
    """I1, I5: every acknowledged word of the person is there, once."""
    kept = Counter(row[0] for row in opened.execute("SELECT note FROM transaction_edits").fetchall())
    lost = [note for note in told.notes.values() if kept[note] != 1]
    return [f"I5 {note} is there {kept[note]} times" for note in lost]


_WORDS = (
    "SELECT e.note, t.provider_id FROM transaction_edits e JOIN transactions t ON t.id = e.transaction_id"
)
_ASKED = (
    "WITH RECURSIVE asked(note, id) AS ("
    "SELECT e.note, s.other_id FROM transaction_edits e "
    "JOIN suggestions s ON s.kept_id = e.transaction_id WHERE s.state = 'open' "
    "UNION SELECT asked.note, s.other_id FROM asked JOIN suggestions s ON s.kept_id = asked.id "
    "WHERE s.state = 'open') "
    "SELECT asked.note, t.provider_id FROM asked JOIN transactions t ON t.id = asked.id"
)
"""A row that one was asked about may change once more before the answer: then there are two questions."""
_IN_CLOSED_ACCOUNTS = (
    "SELECT e.note, a.iban, a.currency, EXISTS(SELECT 1 FROM problems p "
    "WHERE p.account_id = a.id AND p.kind = 'account_successor') FROM transaction_edits e "
    "JOIN transactions t ON t.id = e.transaction_id JOIN accounts a ON a.id = t.account_id "
    "WHERE a.state = 'gone'"
)


def words_in_place(opened: Connection, bank: Bank, told: Told) -> list[str]:
    """I5: a word is on the operation it was said about, under whatever id it is told now.

    Where nobody can know which operation that is, the person was asked, or the account that held it is there
    still, word and all: an IBAN that comes under a new id and in another currency is another account. That
    holds for an operation, too, which the bank had withdrawn from the one and shows again in the other; and
    it stays so when the bank takes that currency back later, if the person was told that the one account
    may have followed the other.
    """
    places = {row[0]: row[1] for row in opened.execute(_WORDS).fetchall()}
    asked = {(row[0], row[1]) for row in opened.execute(_ASKED).fetchall()}
    closed = {(row[0], row[1]): row[2:] for row in opened.execute(_IN_CLOSED_ACCOUNTS).fetchall()}
    found: list[str] = []
    for link in bank.links.values():
        for account in link.accounts:
            for each in account.live:
                note = told.notes.get(each.number)
                if note is None or each.twin_of is not None or places.get(note) == each.provider_id:
                    continue
                then, was_told = closed.get((note, account.iban), (account.currency, False))
                if (note, each.provider_id) in asked or then != account.currency or was_told:
                    continue
                found.append(f"I5 {note} is not on row {each.provider_id} but on {places.get(note)}")
    return found


def sums_are_apart(opened: Connection) -> list[str]:
    """I6: amounts are whole minor units, and every row is counted under one currency."""
    rows = opened.execute(
        "SELECT count(*) FROM transactions WHERE amount_minor IS NOT NULL "
        "AND typeof(amount_minor) <> 'integer'"
    ).fetchone()
    return [f"I6 {rows[0]} amounts are no integers"] if rows[0] else []


def honest(links: tuple[Any, ...], bank: Bank, read_at: dict[int, datetime], now: datetime) -> list[str]:
    """I15: nothing is called fresh that was not read with success lately."""
    found: list[str] = []
    for each in links:
        link = bank.links[int(each.provider_id)]
        last = read_at.get(link.id)
        if each.freshness.state is not FreshnessState.FRESH:
            continue
        if last is None or abs((now - last).total_seconds()) > 9 * 3_600:
            found.append(f"I15 link {link.id} is called fresh, read last {last}")
    return found


_DIGESTED = (
    "SELECT id, iban, state, balance_minor, currency FROM accounts ORDER BY 1",
    "SELECT id, provider_id, pending, booked_on, amount_minor, label, deleted_at FROM transactions",
    "SELECT transaction_id, note, category FROM transaction_edits ORDER BY 1",
)


def digest(opened: Connection) -> str:
    """Return a digest of all that a person may see in the ledger."""
    told = hashlib.sha256()
    for question in _DIGESTED:
        for row in opened.execute(question):
            told.update(repr(row).encode())
    return told.hexdigest()[:16]


def budget_kept(bank: Bank, background_attended: int) -> list[str]:
    """I10: at most four unattended accesses per link in any 24 hours, none that claims a person."""
    found = [f"I10 {background_attended} background calls claimed a person"] if background_attended else []
    for link_id in bank.links:
        times = [each.at for each in bank.calls if each.link_id == link_id and not each.attended]
        for first, fifth in zip(times, times[4:], strict=False):
            if (fifth - first).total_seconds() < 86_400:
                found.append(f"I10 link {link_id} was asked five times within a day of {first}")
    return found


def hints_bounded(hinted: list[tuple[float, ConnectionId]]) -> list[str]:
    """I10: however often hints come, a link is read because of them so many times within a time."""
    found: list[str] = []
    for link in {each for _, each in hinted}:
        times = [at_s for at_s, each in hinted if each == link]
        for most, window in policy.HINTED_MAX:
            for first, last in zip(times, times[most:], strict=False):
                if last - first < window.total_seconds():
                    found.append(f"I10 link {link} was read {most + 1} times within {window} by hints")
    return found[:3]
