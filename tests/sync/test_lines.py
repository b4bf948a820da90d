"""The lines of a commit to the letter: with them a sync is told, and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.commits import ChangeLine, Subject, What, observed_text
from obdesk.domain.ledger import KnownTransaction, facts_of
from obdesk.sync.commits import (
    account_lines,
    balance_lines,
    connection_lines,
    text_of,
    transaction_lines,
)
from tests.seed import row

if TYPE_CHECKING:
    from obdesk.domain.remote import RemoteTransaction

BEFORE, AFTER = "2026-11-24 05:11:58", "2026-11-25 06:00:00"
ACCOUNT: dict[str, object] = {"state": "active", "provider_id": 1801, "name": "one", "data_as_of": 1}


def stored(remote: RemoteTransaction, *, deleted: bool = False) -> KnownTransaction:
    return KnownTransaction(7, 1, remote.provider_id, deleted, remote.updated, facts_of(remote))


def changed(
    before: RemoteTransaction, after: RemoteTransaction, *, deleted: bool = False
) -> dict[str, tuple[What, str | None, str | None]]:
    lines = transaction_lines([(stored(before, deleted=deleted), after)], [], {})
    assert {(line.subject, line.subject_id) for line in lines} <= {(Subject.TRANSACTION, 7)}
    return {line.field: (line.what, line.old, line.new) for line in lines}


def test_each_fact_that_the_bank_changed_has_its_line_and_no_other_has() -> None:
    after = row(1, label="B", amount_minor=-100, updated=AFTER)
    assert changed(row(1, label="A"), after) == {
        "label": (What.CHANGED, "A", "B"),
        "amount_minor": (What.CHANGED, "-2390", "-100"),
        "provider_updated": (What.CHANGED, BEFORE, AFTER),
    }
    assert changed(row(1), row(1)) == {}


def test_a_reservation_that_books_under_another_number_is_booked() -> None:
    assert changed(row(1, pending=True), row(2, updated=AFTER)) == {
        "pending": (What.BOOKED, "1", "0"),
        "provider_id": (What.BOOKED, "1", "2"),
        "provider_updated": (What.BOOKED, BEFORE, AFTER),
    }


def test_a_row_is_numbered_anew_where_only_its_number_is_another() -> None:
    assert changed(row(1), row(2)) == {"provider_id": (What.RENUMBERED, "1", "2")}
    still_pending = changed(row(1, pending=True), row(1, pending=True, label="B"))
    assert {what for what, *_ in still_pending.values()} == {What.CHANGED}
    unbooked = changed(row(1), row(1, pending=True))
    assert unbooked == {"pending": (What.CHANGED, "0", "1")}


def test_a_row_that_comes_back_is_restored_whatever_else_happened_to_it() -> None:
    assert changed(row(1, pending=True), row(2), deleted=True) == {
        "pending": (What.RESTORED, "1", "0"),
        "provider_id": (What.RESTORED, "1", "2"),
        "deleted": (What.RESTORED, "1", "0"),
    }


def test_a_row_that_goes_says_by_whose_word() -> None:
    gone = stored(row(1))
    assert transaction_lines([], [gone], {7: AFTER}) == [
        ChangeLine(Subject.TRANSACTION, 7, What.REMOVED, "deleted", "0", "1"),
        ChangeLine(Subject.TRANSACTION, 7, What.REMOVED, "provider_updated", BEFORE, AFTER),
    ]
    assert transaction_lines([], [gone], {8: AFTER})[1].new == "", "nobody withdrew it; it was missing"
    both = transaction_lines([(stored(row(1)), row(1, label="B"))], [gone], {})
    assert [line.what for line in both] == [What.CHANGED, What.REMOVED, What.REMOVED]


def test_an_account_that_came_has_one_line_and_hides_no_other() -> None:
    assert account_lines({2: ACCOUNT}, {1: ACCOUNT, 2: {**ACCOUNT, "name": "two", "data_as_of": 9}}) == [
        ChangeLine(Subject.ACCOUNT, 1, What.ADDED, "", None, None),
        ChangeLine(Subject.ACCOUNT, 2, What.CHANGED, "data_as_of", "1", "9"),
        ChangeLine(Subject.ACCOUNT, 2, What.CHANGED, "name", "one", "two"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ({}, {"state": "gone", "provider_id": 2}, What.REMOVED),
        ({"state": "gone"}, {"state": "disabled", "provider_id": 2}, What.RESTORED),
        ({"state": "gone"}, {"state": "gone", "provider_id": 2}, What.RENUMBERED),
        ({"state": "disabled"}, {"provider_id": 2}, What.RENUMBERED),
        ({"state": "disabled"}, {}, What.CHANGED),
    ],
)
def test_what_happened_to_an_account_in_one_word(
    before: dict[str, Any], after: dict[str, Any], what: What
) -> None:
    told = account_lines({1: ACCOUNT | before}, {1: ACCOUNT | after})
    assert {line.what for line in told} == {what}


def test_a_balance_has_a_line_where_it_is_new_or_another() -> None:
    before = {(1, "EUR", "2026-11-23"): (100, 5), (1, "EUR", "2026-11-24"): (200, 6)}
    after = {
        (1, "EUR", "2026-11-23"): (100, 5),
        (1, "EUR", "2026-11-24"): (200, 7),
        (2, "USD", "2026-11-24"): (300, 8),
    }
    assert balance_lines(before, after) == [
        ChangeLine(
            Subject.BALANCE, 1, What.CHANGED, "2026-11-24", observed_text(200, 6), observed_text(200, 7)
        ),
        ChangeLine(Subject.BALANCE, 2, What.ADDED, "2026-11-24", None, observed_text(300, 8)),
    ]


def test_of_a_link_its_clocks_are_worth_no_line() -> None:
    link: dict[str, object] = {
        "bank": "A", "condition": "ok", "active": 1, "consent_expires_at": None, "asked_at": 1,
    }  # fmt: skip
    other: dict[str, object] = {
        "bank": "B", "condition": "stuck", "active": 0, "consent_expires_at": 5, "asked_at": 2,
    }  # fmt: skip
    assert connection_lines(3, link, other) == [
        ChangeLine(Subject.CONNECTION, 3, What.CHANGED, "bank", "A", "B"),
        ChangeLine(Subject.CONNECTION, 3, What.CHANGED, "condition", "ok", "stuck"),
        ChangeLine(Subject.CONNECTION, 3, What.CHANGED, "active", "1", "0"),
        ChangeLine(Subject.CONNECTION, 3, What.CHANGED, "consent_expires_at", None, "5"),
    ]


def test_a_value_is_told_as_its_column_holds_it() -> None:
    values = (None, True, False, 0, "", -5)
    assert [text_of(each) for each in values] == [None, "1", "0", "0", "", "-5"]
