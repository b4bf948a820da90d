"""Days that no answer covers are found, shown, narrowed and closed; quiet accounts have none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.entities import AccountKind
from obdesk.domain.ids import ConnectionId
from obdesk.storage.queries import accounts
from obdesk.storage.queries import connections as reads
from obdesk.storage.store import Store
from obdesk.storage.writes import connections
from obdesk.sync.examine import examine
from obdesk.sync.holes import hole_of, narrowed
from obdesk.sync.saving import record, save
from tests.seed import KEY, NOW, SeedPage, answer_of, remote_account, remote_connection, row
from tests.storage.files import checked
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from obdesk.domain.remote import RemoteAccount, RemoteTransaction

pytestmark = pytest.mark.anyio
LINK = ConnectionId(1)
HOME = date(2026, 1, 10)


def day(n: int) -> date:
    return HOME + timedelta(days=n)


@pytest.mark.parametrize(
    ("away", "came", "expected"),
    [
        (90, [], None),
        (120, [], (1, 29)),
        (120, [40], (1, 29)),
        (120, [20], (1, 19)),
        (120, [5], None),
        (120, [0, -3], (1, 29)),
        (91, [], None),
        (92, [], (1, 1)),
    ],
)
async def test_what_lies_between_the_last_covered_day_and_what_came(
    away: int, came: list[int], expected: tuple[int, int] | None
) -> None:
    found = hole_of(HOME, day(away), [day(n) for n in came])
    assert found == (None if expected is None else (day(expected[0]), day(expected[1])))


async def test_rows_that_come_later_narrow_a_hole_and_then_close_it() -> None:
    hole = (day(1), day(29))
    assert narrowed(hole, [day(40), day(0)]) == hole
    assert narrowed(hole, [day(25), day(20)]) == (day(1), day(19))
    assert narrowed(hole, [day(14)]) is None
    assert narrowed(hole, [day(15)]) == (day(1), day(14)), "few accounts move more often than that"
    assert narrowed(hole, [day(1)]) is None
    assert narrowed(hole, [day(29)]) == (day(1), day(28))


class Ledger:
    """A store that is asked after long absences."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.write_now(lambda tx: connections.adopt(tx, "powens", remote_connection(), NOW))

    async def take(
        self,
        away: int,
        *rows: RemoteTransaction,
        balance_minor: int | None = 0,
        kind: AccountKind = AccountKind.CHECKING,
    ) -> ChangeSet:
        now = NOW + timedelta(days=away)
        account: RemoteAccount = replace(
            remote_account(1801, "one", kind=kind), balance_minor=balance_minor, data_as_of=now
        )
        answer = answer_of(LINK, [account], [SeedPage(rows)], series="delta", asked_at=now)

        def write(tx: Any) -> None:
            record(tx, answer, save(tx, answer), outcome_of(LINK), now)

        self.store.write_now(write)
        return await examine(self.store, LINK, now)

    def holes(self) -> list[tuple[str, str, str]]:
        return self.store.read_now(
            lambda opened: list(opened.execute("SELECT from_day, to_day, state FROM holes ORDER BY id"))
        )

    def shown(self) -> tuple[date, date] | None:
        (link,) = self.store.read_now(reads.connections, NOW, timedelta(hours=4))
        (account,) = self.store.read_now(accounts.accounts, NOW)
        assert link.missing_days == (account.missing[0][:2] if account.missing else None)
        return link.missing_days


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    with Store.open(tmp_path / "a.db", KEY) as store:
        yield Ledger(store)
        checked(store)


async def test_F30_days_that_a_long_absence_lost_are_shown_until_an_answer_covers_them(
    ledger: Ledger,
) -> None:
    await ledger.take(0, row(1, on="2026-11-23", amount_minor=-5), balance_minor=1_000)
    assert ledger.shown() is None
    late = row(2, on="2027-03-01", amount_minor=-7, label="LATE")
    await ledger.take(120, late, balance_minor=500)
    lost = (date(2026, 11, 25), date(2026, 12, 23))
    assert ledger.shown() == lost
    await ledger.take(120, late, row(5, on="2027-03-10", amount_minor=-1, label="E"), balance_minor=500)
    assert ledger.shown() == lost, "rows of other days say nothing of these"
    await ledger.take(121, late, row(3, on="2026-12-20", amount_minor=-3, label="C"), balance_minor=500)
    assert ledger.shown() == (lost[0], date(2026, 12, 19))
    await ledger.take(122, row(4, on="2026-11-26", amount_minor=-490, label="D"), balance_minor=500)
    assert ledger.shown() is None
    assert [state for *_, state in ledger.holes()] == ["covered"]


async def test_F30_where_balances_agree_across_the_absence_nothing_is_missing(ledger: Ledger) -> None:
    await ledger.take(0, row(1, on="2026-11-23", amount_minor=-5), balance_minor=1_000)
    late = row(2, on="2027-03-01", amount_minor=-7, label="LATE")
    told = await ledger.take(120, late, balance_minor=993)
    assert told == ChangeSet.of(Kind.BALANCES, [1])
    assert ledger.shown() is None
    assert [state for *_, state in ledger.holes()] == ["proved"]


async def test_F30_balances_that_agreed_before_an_absence_prove_nothing_of_it(ledger: Ledger) -> None:
    await ledger.take(0, row(1, on="2026-11-23", amount_minor=-5), balance_minor=1_000)
    for days in (1, 2):
        await ledger.take(days, balance_minor=1_000)
    late = row(2, on="2027-03-01", amount_minor=-7, label="LATE")
    await ledger.take(122, late, balance_minor=500)
    assert [state for *_, state in ledger.holes()] == ["open"]


async def test_F30_a_single_balance_proves_nothing_of_an_absence_before_it(ledger: Ledger) -> None:
    await ledger.take(0, row(1, on="2026-11-23"), balance_minor=None)
    await ledger.take(120, row(2, on="2027-03-01", label="LATE"), balance_minor=500)
    assert [state for *_, state in ledger.holes()] == ["open"]


async def test_F30_what_a_card_misses_no_balance_proves(ledger: Ledger) -> None:
    await ledger.take(0, row(1, on="2026-11-23"), kind=AccountKind.CARD)
    late = row(2, on="2027-03-01", label="LATE")
    for days in (120, 121):
        await ledger.take(days, late, kind=AccountKind.CARD)
    assert [state for *_, state in ledger.holes()] == ["open"]


async def test_a_short_absence_or_a_quiet_card_leaves_no_hole(ledger: Ledger) -> None:
    await ledger.take(0, row(1, on="2026-11-23"), balance_minor=5)
    await ledger.take(80, balance_minor=999)
    assert ledger.holes() == []
    await ledger.take(81, balance_minor=999, kind=AccountKind.CARD)
    await ledger.take(200, balance_minor=999, kind=AccountKind.CARD)
    assert ledger.holes() == []
