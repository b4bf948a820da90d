"""What an export says: every live row once, amounts to the last decimal, dates and words as they are."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from obdesk.domain.digits import decimal_text
from obdesk.domain.filters import Sort, TransactionFilter
from obdesk.domain.ids import AccountId
from obdesk.domain.money import MINOR_MAX
from obdesk.storage.queries.export import BLOCK_ROWS, COLUMNS
from tests.export.ledger import DINARS, EUROS, YEN, Ledger, parsed, sums

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_row_tells_all_that_is_known(ledger: Ledger) -> None:
    transaction = ledger.add(
        booked_on="2026-03-02",
        done_on="2026-02-28",
        value_on="2026-03-03",
        amount_minor=-123456,
        original_minor=-150000,
        original_currency="JPY",
        counterparty="ACME",
    )
    ledger.edit(transaction, note='the "big" one', category="Travel")

    (row,) = ledger.exported()

    assert row == {
        "id": str(transaction),
        "account_id": "1",
        "account": "Compte courant",
        "iban": "FR7630006000011234567890189",
        "bank": "Banque d'Essai",
        "state": "booked",
        "booked_date": "2026-03-02",
        "purchase_date": "2026-02-28",
        "value_date": "2026-03-03",
        "amount": "-1234.56",
        "currency": "EUR",
        "original_amount": "-150000",
        "original_currency": "JPY",
        "payee": "Boulangerie",
        "label": "CARTE 2802 BOULANGERIE",
        "category": "Travel",
        "note": 'the "big" one',
        "counterparty": "ACME",
        "provider": "powens",
        "provider_id": str(900_000 + transaction),
        "data_as_of": "2026-03-17T08:30:00Z",
    }
    assert tuple(row) == COLUMNS


def test_an_amount_has_the_decimals_of_its_currency(ledger: Ledger) -> None:
    ledger.add(account_id=EUROS, amount_minor=-5)
    ledger.add(account_id=YEN, amount_minor=-1500)
    ledger.add(account_id=DINARS, amount_minor=1)
    ledger.add(account_id=EUROS, amount_minor=0)

    by_account = {(row["account_id"], row["amount"]) for row in ledger.exported()}

    assert by_account == {("1", "-0.05"), ("1", "0.00"), ("2", "-1500"), ("3", "0.001")}


def test_a_pending_row_without_an_amount_has_an_empty_cell(ledger: Ledger) -> None:
    ledger.add(pending=True, amount_minor=None)

    (row,) = ledger.exported()

    assert (row["state"], row["amount"], row["currency"], row["label"]) == (
        "pending", "", "EUR", "CARTE 2802 BOULANGERIE",
    )  # fmt: skip


def test_a_deleted_row_is_left_out(ledger: Ledger) -> None:
    ledger.add(label="gone", deleted_at=1)
    ledger.add(label="here")

    assert [row["label"] for row in ledger.exported()] == ["here"]


def test_the_person_s_account_name_is_used(ledger: Ledger) -> None:
    ledger.connection.execute("INSERT INTO account_edits VALUES (1, 'Household', NULL, 0)")
    ledger.add()

    assert [row["account"] for row in ledger.exported()] == ["Household"]


def test_rows_come_in_the_order_and_the_choice_of_the_filter(ledger: Ledger) -> None:
    ledger.add(booked_on="2026-01-05", amount_minor=300)
    ledger.add(booked_on="2026-02-05", amount_minor=-100, account_id=DINARS)
    ledger.add(booked_on="2026-03-05", amount_minor=200)

    newest_first = [row["booked_date"] for row in ledger.exported()]
    by_amount = [row["amount"] for row in ledger.exported(TransactionFilter(sort=Sort.AMOUNT))]
    in_winter = ledger.exported(
        TransactionFilter(date_to=date(2026, 2, 28), accounts=frozenset({AccountId(EUROS)}))
    )

    assert newest_first == ["2026-03-05", "2026-02-05", "2026-01-05"]
    assert by_amount == ["3.00", "2.00", "-0.100"]
    assert [row["booked_date"] for row in in_winter] == ["2026-01-05"]


def test_nothing_to_export_is_a_file_with_a_header(ledger: Ledger) -> None:
    stream = io.BytesIO()

    report = ledger.export(stream)

    assert stream.getvalue() == ",".join(COLUMNS).encode() + b"\r\n"
    assert (report.path, report.rows, report.bytes_written) == ("-", 0, len(stream.getvalue()))


def test_every_line_ends_with_crlf_and_the_mark_comes_only_when_asked(ledger: Ledger, tmp_path: Path) -> None:
    ledger.add_many([{"label": f"row {n}"} for n in range(3)])
    plain, marked = tmp_path / "plain.csv", tmp_path / "marked.csv"

    ledger.export(plain)
    report = ledger.export(marked, bom=True)

    assert plain.read_bytes().count(b"\r\n") == plain.read_bytes().count(b"\n") == 4
    assert marked.read_bytes() == b"\xef\xbb\xbf" + plain.read_bytes()
    assert (report.rows, report.bytes_written) == (3, marked.stat().st_size)


def test_many_blocks_hold_every_row_once_and_in_order(ledger: Ledger) -> None:
    count = 3 * BLOCK_ROWS + 7
    ids = ledger.add_many(
        [{"booked_on": f"20{10 + n % 15}-01-01", "amount_minor": n, "payee": f"é{n}"} for n in range(count)]
    )
    told: list[tuple[int, int]] = []
    stream = io.BytesIO()

    ledger.export(stream, progress=lambda done, total: told.append((done, total)))

    rows = parsed(stream.getvalue())
    assert sorted(int(row["id"]) for row in rows) == ids
    assert [(row["booked_date"], int(row["id"])) for row in rows] == sorted(
        ((row["booked_date"], int(row["id"])) for row in rows), reverse=True
    )
    assert sums(rows) == {"EUR": Decimal(sum(range(count))) / 100}
    assert told[-1] == (count, count)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


_AMOUNT = st.integers(-MINOR_MAX, MINOR_MAX)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([EUROS, YEN, DINARS]), _AMOUNT), max_size=20))
def test_amounts_read_back_to_the_same_sums(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("sums"))
    exponents = {EUROS: ("EUR", 2), YEN: ("JPY", 0), DINARS: ("TND", 3)}
    wanted: dict[str, Decimal] = {}
    facts: list[dict[str, Any]] = []
    for account, minor in rows:
        code, exponent = exponents[account]
        wanted[code] = wanted.get(code, Decimal(0)) + Decimal(decimal_text(minor, exponent))
        facts.append({"account_id": account, "amount_minor": minor})
    ledger.add_many(facts)

    found = ledger.exported()
    ledger.connection.close()

    assert sums(found) == wanted
