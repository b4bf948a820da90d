"""What is open in words: each finding with its account, its rows, what explains it, and where it leads."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.app.i18n import use_language
from obdesk.app.reads import StoreReads
from obdesk.domain import texts
from obdesk.domain.entities import DataProblem
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.findings import ABOUT_ACCOUNTS, ABOUT_TWO_ACCOUNTS, SUSPECTED
from obdesk.domain.ids import AccountId
from obdesk.domain.proofs import Candidate, Cause
from obdesk.gui.activity.findings import findings_of, more_findings
from obdesk.gui.activity.matter import Way
from obdesk.gui.activity.matters import matters_of
from obdesk.gui.format import MINUS
from obdesk.gui.widgets.money import HIDDEN
from obdesk.storage.columns import to_ms
from obdesk.storage.store import Store
from obdesk.storage.writes import connections
from tests.fakes import FrozenClock
from tests.gui.household import ENGLISH, FRENCH
from tests.happenings import PORT, happened
from tests.seed import KEY, NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.app.interface import Activity
    from obdesk.gui.activity.matter import Matter
    from obdesk.storage.tx import Tx


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s.db", KEY) as opened:
        happened(opened)
        yield opened


@pytest.fixture(autouse=True)
def _english_after() -> Iterator[None]:
    yield
    texts.install("en", {})


def read(store: Store, **how: int) -> Activity:
    return asyncio.run(StoreReads(store, FrozenClock(NOW)).activity(**how))


def found(kind: str, subject: str = "", detail: str = "", account: int | None = 1) -> DataProblem:
    return DataProblem(9, PORT, None if account is None else AccountId(account), NOW, kind, subject, detail)


def told(activity: Activity, *problems: DataProblem, rows: Any = ()) -> list[Matter]:
    return list(findings_of(replace(activity, problems=problems, rows=tuple(rows)), NOW, ENGLISH))


def test_what_is_open_has_a_sentence_a_date_and_a_button(store: Store) -> None:
    matters = matters_of(read(store), NOW, ENGLISH)
    hole = "2 Jul 2026 to 24 Aug 2026"

    assert [(each.text, each.seen, each.way) for each in matters] == [
        (
            f"Livret A: rows and balance part on 19 Nov 2026, by {MINUS}€46.00.",
            "found today 12:58",
            Way.ROWS,
        ),
        (
            f"Checking USD: nothing covers {hole}. Renewing access may bring the missing days.",
            "found today 12:58",
            Way.RENEW,
        ),
        (
            "Banque du Port: 1 pair of rows may be one operation. You decide.",
            "as of today 13:00",
            Way.PAIR,
        ),
        (
            "Compte courant: a row could not be read.",
            "number 77 at the aggregator, seen today 12:58",
            Way.BANKS,
        ),
    ]
    assert matters[-1].note.endswith("It is tried again with every check.")
    assert "€" not in matters_of(read(store), NOW, ENGLISH, hidden=HIDDEN)[0].text


def test_kept_rows_that_look_wrong_are_named_and_shown(store: Store) -> None:
    activity = read(store)
    rows = asyncio.run(StoreReads(store, FrozenClock(NOW)).transaction_rows([1, 2, 3]))
    one, other = replace(rows[0], payee="MONOPRIX"), replace(rows[0], id=rows[1].id, payee="MONOPRIX")
    twice, odd = told(
        activity,
        found("duplicate_suspected", f"transactions {one.id} {other.id}"),
        found("impossible_date", f"transaction {rows[2].id}"),
        rows=(one, other, replace(rows[2], payee="", label="A LABEL " * 20)),
    )

    assert twice.text == "Compte courant: a transaction may be there twice (MONOPRIX, 23 Nov 2026)."
    assert (twice.way, twice.rows) == (Way.ROWS, (one.id, other.id))
    day = one.booked_on
    assert twice.wanted == TransactionFilter(accounts=frozenset({AccountId(1)}), date_from=day, date_to=day)
    assert "(A LABEL A LABEL A LABEL A LABEL A LABEL…, " in odd.text, "a long label does not fill the card"
    assert odd.rows == (rows[2].id,)


def test_a_row_that_is_gone_by_now_leaves_its_account_to_look_at(store: Store) -> None:
    (gone,) = told(read(store), found("dates_apart", "transaction 99999"))

    assert gone.text == "Compte courant: the dates of a transaction lie years apart."
    assert (gone.way, gone.rows) == (Way.ROWS, ())
    assert gone.wanted == TransactionFilter(accounts=frozenset({AccountId(1)}))


def test_a_row_without_a_known_account_is_told_of_the_bank(store: Store) -> None:
    lost, nameless = told(
        read(store), found("unknown_account", "12", account=None), found("no_id", "", account=None)
    )

    assert lost.text == "Banque du Port: a row belongs to an account that is not shared."
    assert lost.seen == "number 12 at the aggregator, seen today 13:00"
    assert (nameless.seen, nameless.way) == ("seen today 13:00", Way.BANKS)


def test_what_is_found_about_accounts_names_them_and_shows_their_rows(store: Store) -> None:
    many, currency, successor, twice = told(
        read(store),
        found("many_rows_missing", "account 1", "14 of 20"),
        found("currency_changed", "account 1", "EUR to USD"),
        found("account_successor", "account 1", "account 2"),
        found("same_account_twice", "account 1", "account 4"),
    )

    assert many.text == "Compte courant: most rows of an account were missing from an answer (14 of 20 rows)."
    assert currency.text == "Compte courant: an account has another currency now (EUR before, USD now)."
    assert successor.text == "Livret A may continue Compte courant: same kind and currency."
    assert successor.note.startswith("One went and one of its kind came with the same answer.")
    assert successor.wanted == TransactionFilter(accounts=frozenset({AccountId(1), AccountId(2)}))
    assert twice.text == (
        "Compte courant (Banque du Port), Checking USD (Nordic One): an account is linked twice."
    )
    assert {each.way for each in (many, currency, successor, twice)} == {Way.ROWS}


def test_a_successor_under_the_same_iban_is_told_so(store: Store) -> None:
    activity = read(store)
    alike = tuple(replace(each, iban="FR76") for each in activity.accounts)
    (matter,) = told(replace(activity, accounts=alike), found("account_successor", "account 1", "account 2"))

    assert matter.text == "Livret A may continue Compte courant: same IBAN."


def test_an_account_that_was_erased_is_not_named(store: Store) -> None:
    (matter,) = told(read(store), found("account_successor", "account 1", "account 999"))

    assert matter.text == "Compte courant: a new account may replace one that is gone."


@pytest.mark.parametrize("kind", [*SUSPECTED, *ABOUT_ACCOUNTS, "no_date", "nobody knows"])
def test_every_kind_is_told_in_french(store: Store, kind: str) -> None:
    use_language("fr")
    subject = "transaction 1" if kind in SUSPECTED else "7"
    detail = "account 2" if kind in ABOUT_TWO_ACCOUNTS else ""
    activity = replace(read(store), problems=(found(kind, subject, detail),))
    (matter,) = findings_of(activity, NOW, FRENCH)

    assert kind.replace("_", " ") not in matter.text
    for english in ("row", "may", "transaction ", "account", "bank "):
        assert english not in matter.text


def test_ten_thousand_refused_rows_are_twenty_and_a_number(store: Store) -> None:
    def flood(tx: Tx) -> None:
        tx.executemany(
            "INSERT INTO problems(connection_id, account_id, seen_at, kind, subject, detail) "
            "VALUES (1, 1, ?, 'no_date', ?, '')",
            [(to_ms(NOW), str(1000 + n)) for n in range(10_000)],
        )

    store.write_now(
        lambda tx: tx.execute("INSERT INTO problems VALUES (NULL, 1, 1, 0, 'currency_changed', '', '', NULL)")
    )
    store.write_now(flood)
    activity = read(store)

    assert len(activity.problems) == 20
    assert activity.problems[0].kind == "currency_changed", "what is about kept data is not washed away"
    assert activity.problems[1].subject == "10999", "the newest first"
    assert more_findings(activity, ENGLISH) == "and 9,982 more findings"
    assert more_findings(replace(activity, problems=()), ENGLISH) == "and 10,002 more findings"


def test_the_findings_of_a_removed_bank_are_not_told(store: Store) -> None:
    store.write_now(lambda tx: connections.close(tx, PORT, NOW))
    activity = read(store)

    assert (activity.problems, more_findings(activity, ENGLISH)) == ((), "")


def test_a_broken_proof_tells_its_causes_with_their_rows_and_leads_there(store: Store) -> None:
    activity = read(store)
    rows = asyncio.run(StoreReads(store, FrozenClock(NOW)).transaction_rows([1, 2]))
    one, other = replace(rows[0], payee="MONOPRIX"), replace(rows[1], payee="LUX")
    proofs = activity.scores.proofs
    causes = (
        Candidate(Cause.HOLE),
        Candidate(Cause.DUPLICATE, (one.id, other.id)),
        Candidate(Cause.EXTRA, (77,)),
        Candidate(Cause.PAIR, (one.id, other.id)),
    )
    broken = replace(proofs.broken[0], candidates=causes)
    scores = replace(activity.scores, proofs=replace(proofs, broken=(broken,)))
    matter = matters_of(replace(activity, scores=scores, rows=(one, other)), NOW, ENGLISH)[0]

    assert matter.note.splitlines() == [
        "Days in between were never read.",
        "One transaction of this amount may be there twice (MONOPRIX, 23 Nov 2026 · LUX, 23 Nov 2026).",
        "A transaction of this amount is not in the bank's balance.",
    ]
    assert matter.rows == (one.id, other.id)
    assert matter.wanted is not None
    assert matter.wanted.accounts == {AccountId(2)}
    assert (matter.wanted.date_from, matter.wanted.date_to) == (broken.first_bad_day, None)


def test_a_gap_that_is_not_known_is_not_made_up(store: Store) -> None:
    activity = read(store)
    proofs = activity.scores.proofs
    unknown = replace(proofs, broken=(replace(proofs.broken[0], gap=None),))
    matter = matters_of(replace(activity, scores=replace(activity.scores, proofs=unknown)), NOW, ENGLISH)[0]

    assert matter.text == "Livret A: rows and balance part on 19 Nov 2026."
