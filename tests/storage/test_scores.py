"""What is counted of syncing is what was written down, and nothing where nothing was."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts, RunResult, Trigger
from obdesk.domain.limits import WINDOW, BreakerState, Budget
from obdesk.domain.money import Money
from obdesk.storage.queries.connections import runs
from obdesk.storage.queries.scores import scores
from obdesk.storage.store import Store
from tests.happenings import NORDIC, PORT, happened
from tests.seed import EUR, KEY, NOW, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.domain.scores import Scores


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "s.db", KEY)
    yield opened
    opened.close()


@pytest.fixture
def counted(store: Store) -> Scores:
    happened(store)
    return store.read_now(scores, NOW)


def test_runs_are_counted_by_result_by_cause_and_by_what_they_brought(counted: Scores) -> None:
    port, nordic = sorted(counted.connections, key=lambda each: each.connection_id)

    assert port.tally.results == {RunResult.UPDATED: 1, RunResult.UNCHANGED: 1}
    assert port.tally.failures == {}, "a failure of forty days ago is not of the last thirty"
    assert port.tally.counts == RunCounts(14, 3, 1, 824, 1)
    assert (port.tally.requests, port.tally.duration_s, port.tally.duration_max_s) == (8, 2.5, 1.9)
    assert nordic.tally.failures == {Condition.BANK_DOWN: 2}
    assert (nordic.failures_in_a_row, nordic.last_success_at) == (2, NOW - timedelta(hours=10))


def test_all_links_together_are_their_sum(counted: Scores) -> None:
    overall = counted.overall

    assert overall.runs == 5
    assert overall.results == {RunResult.UPDATED: 2, RunResult.UNCHANGED: 1, RunResult.RETRY_LATER: 2}
    assert overall.counts.new == 16
    assert overall.duration_max_s == 30.0


def test_the_budget_counts_unattended_accesses_of_the_last_day_only(counted: Scores) -> None:
    calls = {each.connection_id: each.calls for each in counted.connections}

    assert (calls[PORT].budget.left, calls[PORT].budget.of, calls[PORT].attended) == (3, 4, 1)
    assert calls[PORT].budget.resets_at == NOW - timedelta(hours=2) + WINDOW
    assert calls[NORDIC].budget == Budget(1, 4, NOW - timedelta(hours=23) + WINDOW)


def test_requests_breakers_and_tokens_are_told(counted: Scores) -> None:
    nordic = next(each for each in counted.connections if each.connection_id == NORDIC)

    assert (counted.requests_last_minute, counted.requests_last_hour) == (5, 12)
    assert nordic.breaker is not None
    assert (nordic.breaker.state, nordic.breaker.failures) == (BreakerState.OPEN, 5)
    assert {host: each.state for host, each in counted.hosts.items()} == {"api.example": BreakerState.CLOSED}
    assert (counted.token_renewals, counted.token_renewed_at) == (2, NOW - timedelta(days=3))


def test_the_queue_stands_in_the_order_of_its_work(counted: Scores) -> None:
    assert [(job.connection_id, job.trigger, job.running) for job in counted.queue] == [
        (PORT, Trigger.WEBHOOK, True),
        (NORDIC, Trigger.RETRY, False),
    ]


def test_what_is_open_is_told_with_its_bank(counted: Scores) -> None:
    port, nordic = sorted(counted.connections, key=lambda each: each.connection_id)

    assert (port.data_problems, port.duplicates, port.proofs_broken, port.holes) == (1, 1, 1, 0)
    assert (nordic.data_problems, nordic.duplicates, nordic.proofs_broken, nordic.holes) == (0, 0, 0, 1)
    assert [(each.kind, each.many) for each in counted.findings] == [("amount", 1)]
    assert counted.proofs.checked == 3
    broken = counted.proofs.broken[0]
    assert (broken.account_name, broken.first_bad_day, broken.gap) == (
        "Livret A", date(2026, 11, 19), Money(-4_600, EUR),
    )  # fmt: skip
    assert [(each.account_name, each.from_day) for each in counted.holes] == [
        ("Checking USD", date(2026, 7, 2))
    ]


def test_what_was_decided_and_what_was_removed_counts_no_more(store: Store) -> None:
    happened(store)
    store.write_now(lambda tx: tx.execute("UPDATE suggestions SET state = 'refused', decided_at = 1"))
    store.write_now(lambda tx: tx.execute("UPDATE connections SET removed_at = 1 WHERE id = 2"))

    found = store.read_now(scores, NOW)

    assert [each.connection_id for each in found.connections] == [PORT]
    assert (found.suggestions, found.holes) == ({}, ())


def test_a_ledger_without_traces_has_none(store: Store) -> None:
    fill(store, 3)

    found = store.read_now(scores, NOW)

    (port,) = found.connections
    assert (port.tally.runs, port.last_run_at, port.last_success_at, port.breaker) == (0, None, None, None)
    assert (port.calls.budget.left, port.calls.budget.resets_at) == (4, None)
    assert (found.queue, found.findings, found.holes, found.proofs.checked) == ((), (), (), 0)
    assert (found.token_renewals, found.token_renewed_at) == (0, None)


def test_an_empty_ledger_is_counted_too(store: Store) -> None:
    found = store.read_now(scores, NOW)

    assert (found.connections, found.overall.runs, found.overall.duration_max_s) == ((), 0, 0.0)


def test_a_run_tells_how_it_was_made(store: Store) -> None:
    happened(store)

    newest, before = store.read_now(lambda opened: runs(opened, None, 2))

    assert (newest.trigger, newest.asked_bank, newest.attempt) == (Trigger.WEBHOOK, True, 1)
    assert (before.attempt, before.detail, before.reverted_at) == (2, "websiteUnavailable", None)
