"""Transactions: what each field becomes, which rows are kept, and that nothing a server sends raises."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.digits import decimal_text
from obdesk.domain.money import MINOR_MAX
from obdesk.domain.remote import PageRows, RemoteTransaction, RowProblem
from obdesk.providers.powens.rows import decode_rows

PARIS = ZoneInfo("Europe/Paris")
EXPONENTS = {1801: 2, 1802: 0}

SAMPLE: dict[str, Any] = {
    "id": 700412, "id_account": 1801, "application_date": "2026-01-13", "date": "2026-01-14",
    "datetime": None, "vdate": None, "rdate": "2026-01-13", "bdate": "2026-01-14", "value": -23.9,
    "gross_value": None, "type": "card", "original_wording": "CARTE 13/01 LIBRAIRIE DU PORT BREST CB*1111",
    "simplified_wording": "LIBRAIRIE DU PORT BREST", "wording": "My own words", "categories": [],
    "coming": False, "active": True, "last_update": "2026-01-14 05:11:58", "deleted": None,
    "original_value": None, "original_currency": None, "card": "1111", "counterparty": None,
    "informations": {}, "nopurge": False,
}  # fmt: skip


def decode(*rows: object) -> PageRows:
    """Return what becomes of rows."""
    return decode_rows(json.dumps(rows).encode(), EXPONENTS, PARIS)


def decode_text(*rows: str) -> PageRows:
    """Return what becomes of rows given as raw JSON."""
    return decode_rows(f"[{','.join(rows)}]".encode(), EXPONENTS, PARIS)


def one(**more: object) -> RemoteTransaction:
    """Return the sample with some fields changed, which must be kept without a problem."""
    page = decode(SAMPLE | more)
    assert page.problems == ()
    [row] = page.rows
    return row


def refusal(**more: object) -> RowProblem:
    """Return why the sample with some fields changed is not kept."""
    page = decode(SAMPLE | more)
    assert page.rows == ()
    [problem] = page.problems
    return problem


def test_a_row_with_all_that_a_bank_tells() -> None:
    row = one(
        vdate="2026-01-15",
        original_value=-26.0,
        original_currency={"id": "USD", "symbol": "$", "precision": 2},
        categories=[{"code": "home_improvement", "parent_code": "leisure"}],
        counterparty={"label": "SAS EXEMPLE", "account_identification": "FR7698765432109876543210917"},
    )

    assert row == RemoteTransaction(
        provider_id=700412,
        account_provider_id=1801,
        pending=False,
        booked_on="2026-01-14",
        done_on="2026-01-13",
        value_on="2026-01-15",
        amount_minor=-2390,
        label="CARTE 13/01 LIBRAIRIE DU PORT BREST CB*1111",
        payee="LIBRAIRIE DU PORT BREST",
        kind="card",
        category="home improvement",
        card="1111",
        counterparty="SAS EXEMPLE",
        counterparty_account="FR7698765432109876543210917",
        original_minor=-2600,
        original_currency="USD",
        original_exponent=2,
        deleted=False,
        updated="2026-01-14 05:11:58",
    )
    assert type(row) is RemoteTransaction


def test_a_row_with_as_little_as_possible() -> None:
    page = decode({"id": 1, "id_account": 1802, "date": "2026-01-14", "value": 5000})

    [row] = page.rows
    assert row.amount_minor == 5_000
    assert (row.label, row.payee, row.kind, row.card, row.updated) == ("", "", "unknown", "", "")


def test_a_pending_row_may_have_no_amount_yet_but_a_booked_one_may_not() -> None:
    assert one(coming=True, value=None).amount_minor is None
    assert one(coming=True, value=None).pending
    assert refusal(value=None) == RowProblem("no_amount", "700412", "value", 1801)


def test_a_deleted_row_is_kept_even_when_little_is_left_of_it() -> None:
    assert one(deleted="2026-02-02 05:10:00").deleted
    assert one(deleted="2026-02-02 05:10:00", last_update=None).updated == "2026-02-02 05:10:00"
    row = one(deleted="2026-02-02 05:10:00", value=None, date=None, rdate=None)
    assert row.deleted
    assert row.booked_on == "2026-02-02"
    assert one(deleted="2026-02-02 05:10:00", value=0.001).amount_minor is None


@pytest.mark.parametrize("value", [-23.9, "-23.9", "-23.90", "-2.39e1"])
def test_amounts_come_as_numbers_or_strings(value: object) -> None:
    assert one(value=value).amount_minor == -2_390


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0.001", "amount_too_fine"),
        ("-23.900000000000000000000000000000000001", "amount_too_fine"),
        ("1e-400", "amount_too_fine"),
        ("1e400", "amount_too_large"),
        ("9" * 5_000, "amount_too_large"),
        ('"NaN"', "amount_too_large"),
        ('"-Infinity"', "amount_too_large"),
        ('"twelve"', "odd_field"),
        ("true", "odd_field"),
        ("[1]", "odd_field"),
        ("1e99999999999999999999", "odd_field"),
    ],
    ids=lambda text: text[:20],
)
def test_an_amount_that_cannot_be_kept_exactly_is_a_problem_of_its_row_alone(text: str, problem: str) -> None:
    good = json.dumps(SAMPLE | {"id": 5})
    bad = json.dumps(SAMPLE).replace("-23.9", text)

    page = decode_text(good, bad, good.replace('"id": 5', '"id": 6'))

    assert [row.provider_id for row in page.rows] == [5, 6]
    [found] = page.problems
    assert (found.kind, found.subject, found.account_provider_id) == (problem, "700412", 1801)
    assert text[:20] not in found.detail


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("id", None, "no_id"),
        ("id", 0, "no_id"),
        ("id", -4, "no_id"),
        ("id", 2**63, "no_id"),
        ("id", "x", "odd_field"),
        ("id", 1.5, "odd_field"),
        ("id_account", None, "no_id"),
        ("id_account", 9999, "unknown_account"),
        ("date", None, "no_date"),
        ("date", "2026-02-30", "no_date"),
        ("date", "2026-W03-3", "no_date"),
        ("date", "20260114", "no_date"),
        ("date", "tomorrow", "no_date"),
        ("date", 20260114, "no_date"),
        ("date", {}, "odd_field"),
        ("coming", "perhaps", "odd_field"),
        ("deleted", True, "odd_field"),
    ],
)
def test_a_row_that_would_say_something_else_is_not_kept(field: str, value: object, kind: str) -> None:
    assert refusal(**{field: value}).kind == kind


def test_numbers_and_flags_come_as_strings_and_strings_as_numbers() -> None:
    row = one(id="700412", id_account="1801", coming="true", card=1111, type="order", value="12")

    assert row.provider_id == 700412
    assert row.pending
    assert row.card == "1111"
    assert row.amount_minor == 1_200


@pytest.mark.parametrize("coming", [0, 1, "false", "true"])
def test_flags_come_as_numbers(coming: object) -> None:
    assert one(coming=coming).pending is (coming in {1, "true"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("counterparty", []),
        ("categories", {"code": "x"}),
        ("original_currency", [7]),
        ("simplified_wording", ["a"]),
        ("rdate", {}),
    ],
)
def test_a_lesser_field_that_makes_no_sense_is_left_out_and_told(field: str, value: object) -> None:
    page = decode(SAMPLE | {field: value})

    [row] = page.rows
    assert row.amount_minor == -2_390
    assert page.problems == (RowProblem("odd_field", "700412", field, 1801),)


def test_an_original_amount_that_cannot_be_kept_is_left_out_and_told() -> None:
    page = decode(SAMPLE | {"original_value": 1.234, "original_currency": {"id": "USD"}})

    [row] = page.rows
    assert (row.original_minor, row.original_currency) == (None, "")
    assert page.problems == (RowProblem("odd_field", "700412", "original_value", 1801),)


@pytest.mark.parametrize("row", ["7", "null", "[]", '"x"', '{"id": 1'])
def test_what_is_no_object_is_unreadable(row: str) -> None:
    page = decode_rows(f"[{row}, {json.dumps(SAMPLE)}]".encode(), EXPONENTS, PARIS)

    if row.startswith("{"):
        assert page == PageRows((), ())  # such a page is refused before it is taken apart
    else:
        assert [each.provider_id for each in page.rows] == [700412]
        assert page.problems == (RowProblem("unreadable", "", "row 1 of its page"),)


def test_bytes_that_are_no_text_lose_their_field_alone() -> None:
    body = json.dumps([SAMPLE, SAMPLE | {"id": 5}]).encode().replace(b"LIBRAIRIE DU PORT", b"\xff\xfe", 1)

    page = decode_rows(body, EXPONENTS, PARIS)

    assert [row.provider_id for row in page.rows] == [700412, 5]
    assert [problem.detail for problem in page.problems] == ["original_wording"]


def test_twins_are_both_kept_and_the_same_row_twice_too() -> None:
    page = decode(SAMPLE, SAMPLE | {"id": 5}, SAMPLE)

    assert [row.provider_id for row in page.rows] == [700412, 5, 700412]


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("RENT\u202e000,1\u202c", "RENT000,1"),
        ("A\x00B\x1b[31mC\x7f\x9b", "AB[31mC"),
        ("two\r\nlines\tand a tab", "two  lines and a tab"),
        ("no\u00a0break", "no break"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("<b>bold</b> &amp; 'quoted'", "<b>bold</b> &amp; 'quoted'"),
        ("Café Ωmega 東京 😀", "Café Ωmega 東京 😀"),
        ("x" * 100_000, "x" * 512),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_labels_lose_what_could_deceive_and_nothing_else(raw: str, kept: str) -> None:
    row = one(original_wording=raw, simplified_wording=raw)

    assert row.label == row.payee == kept


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("loan_payment", "loan_repayment"),
        ("card_summary", "summary_card"),
        ("something_new", "something_new"),
    ],
)
def test_kinds_have_one_name_and_new_ones_are_kept(old: str, new: str) -> None:
    assert one(type=old).kind == new


@pytest.mark.parametrize(
    ("stamp", "kept"),
    [
        ("2026-01-14 05:11:58", "2026-01-14 05:11:58"),
        ("2026-01-14T05:11:58.250000", "2026-01-14 05:11:58"),
        ("2026-01-14T04:11:58Z", "2026-01-14 05:11:58"),
        ("2026-01-14T00:11:58-04:00", "2026-01-14 05:11:58"),
        ("yesterday", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_update_stamps_sort_as_text(stamp: str | None, kept: str) -> None:
    assert one(last_update=stamp).updated == kept


def test_days_may_come_with_a_time() -> None:
    row = one(date="2026-01-14 00:00:00", vdate="2026-01-15T00:00:00", rdate="never")

    assert (row.booked_on, row.value_on, row.done_on) == ("2026-01-14", "2026-01-15", None)


@given(minor=st.integers(-MINOR_MAX, MINOR_MAX), exponent=st.integers(0, 4), quoted=st.booleans())
def test_money_is_exact_from_text_to_minor_units_and_back(minor: int, exponent: int, quoted: bool) -> None:  # noqa: FBT001 - Hypothesis chooses
    text = decimal_text(minor, exponent)
    value = f'"{text}"' if quoted else text
    row = f'{{"id": 1, "id_account": 7, "date": "2026-01-14", "value": {value}}}'

    page = decode_rows(f"[{row}]".encode(), {7: exponent}, PARIS)

    [kept] = page.rows
    assert kept.amount_minor == minor
    assert decimal_text(kept.amount_minor, exponent) == text


@given(value=st.decimals(allow_nan=False, allow_infinity=False))
def test_an_amount_is_kept_exactly_or_not_at_all(value: Decimal) -> None:
    row = f'{{"id": 1, "id_account": 1801, "date": "2026-01-14", "value": "{value}"}}'

    page = decode_text(row)

    if page.rows:
        [kept] = page.rows
        assert kept.amount_minor is not None
        assert Decimal(kept.amount_minor).scaleb(-2) == value
    else:
        assert page.problems


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["2026-01-14", "2026-01-14 05:11:58", "1801", "-23.90", "EUR"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
"""Any JSON, with a liking for what looks nearly right."""


@given(
    rows=st.lists(
        JSON
        | st.dictionaries(st.sampled_from(sorted(SAMPLE)), JSON, max_size=12).map(lambda odd: SAMPLE | odd),
        max_size=5,
    )
)
def test_each_row_becomes_a_row_or_a_problem(rows: list[object]) -> None:
    page = decode(*rows)

    assert len(page.rows) + len(page.problems) >= len(rows)
    assert len(page.rows) <= len(rows)
    for row in page.rows:
        assert 0 < row.provider_id < 2**63
        assert row.account_provider_id in EXPONENTS
        assert (row.amount_minor is not None) or row.pending or row.deleted
        assert len(row.booked_on) == len("2026-01-14")
        assert all(text.isprintable() for text in row if isinstance(text, str))
    for problem in page.problems:
        assert problem.kind
        assert problem.detail
