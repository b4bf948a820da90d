"""The activity in words: what its lines say from what was counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.app.reads import StoreReads
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunResult, SyncKind, Trigger
from obdesk.domain.ids import RunId
from obdesk.domain.limits import BreakerState
from obdesk.gui.activity.changes import LINES_MAX, Changes, more_line
from obdesk.gui.activity.matter import Way, way_text
from obdesk.gui.activity.matters import calls_of, matters_of, queue_of
from obdesk.gui.activity.present import (
    accounts_of,
    as_of_line,
    banks_of,
    details_of,
    kind_word,
    runs_of,
    totals_line,
    trigger_word,
)
from obdesk.gui.format import DASH, MINUS, NARROW_SPACE
from obdesk.gui.widgets.money import HIDDEN
from obdesk.gui.widgets.status import Glyph
from obdesk.storage.store import Store
from tests.fakes import FrozenClock
from tests.gui.household import ENGLISH
from tests.gui.household import run as made_run
from tests.happenings import NORDIC, PORT, happened
from tests.seed import KEY, NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.app.interface import Activity
    from obdesk.gui.activity.present import Line


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "s.db", KEY)
    yield opened
    opened.close()


@pytest.fixture
def activity(store: Store) -> Activity:
    happened(store)
    return asyncio.run(StoreReads(store, FrozenClock(NOW)).activity())


def texts(line: Line) -> list[str]:
    return [cell.text for cell in line.cells]


def banks(activity: Activity) -> Any:
    return {each.connection_id: each.bank for each in activity.scores.connections}


def test_each_run_says_when_who_what_why_and_how_long(activity: Activity) -> None:
    lines = runs_of(activity.runs, banks(activity), NOW, ENGLISH)

    assert texts(lines[0]) == [
        "12:58", "Banque du Port", "14 new, 3 changed, 1 removed, 1 not readable", "webhook", "what changed",
        f"0.6{NARROW_SPACE}s",
    ]  # fmt: skip
    assert (lines[0].glyph, lines[0].word) == (Glyph.FRESH, "new data")
    assert texts(lines[1])[2:4] == ["Nordic One does not answer, attempt 2", "retry"]
    assert (lines[1].glyph, lines[1].word) == (Glyph.DELAYED, "delayed")
    assert texts(lines[4])[2] == "412 rows compared, all equal"


@pytest.mark.parametrize("result", RunResult)
def test_every_result_has_a_glyph_a_word_and_a_sentence(result: RunResult) -> None:
    run = made_run(1, PORT, NOW, result, condition=Condition.BANK_DOWN)
    (line,) = runs_of([run], {PORT: "Bank"}, NOW, ENGLISH)

    assert line.word
    assert all(texts(line))
    assert line.word in line.sentence


def test_the_details_say_a_thing_once() -> None:
    run = made_run(1, PORT, NOW, RunResult.UNCHANGED)

    assert dict(details_of(run, "Bank", ENGLISH))["Result"] == "nothing new"


def test_a_run_that_was_taken_back_says_so(activity: Activity) -> None:
    run = replace(activity.runs[0], reverted_at=NOW)
    (line,) = runs_of([run], banks(activity), NOW, ENGLISH)

    assert texts(line)[2].startswith("taken back: 14 new")
    assert "Taken back" in dict(details_of(run, "Bank", ENGLISH))


def test_the_details_hold_everything_that_was_written_down(activity: Activity) -> None:
    details = dict(details_of(activity.runs[1], "Nordic One", ENGLISH))

    assert details["Result"] == "delayed · Nordic One does not answer, attempt 2"
    assert (details["Attempt"], details["Requests"], details["Code"]) == ("2", "3", "websiteUnavailable")
    assert details["Ended"] == "Tuesday 24 November 2026 11:00"
    assert details["Asked"] == "the aggregator"


def test_a_bank_in_trouble_stands_first_with_cause_and_next_question(activity: Activity) -> None:
    trouble, well = banks_of(activity.scores, NOW, ENGLISH)

    assert (trouble.key, trouble.glyph) == (NORDIC, Glyph.DELAYED)
    assert texts(trouble) == [
        "Nordic One", "delayed", "today 03:00", "3", "2 × Nordic One does not answer",
        "not before 13:30, after 5 failures in a row",
    ]  # fmt: skip
    assert texts(well) == ["Banque du Port", "answers", "today 12:58", "2", "none", "as planned"]


def test_no_bank_is_green_before_it_ever_answered(activity: Activity) -> None:
    port = activity.scores.connections[0]
    never = replace(port, last_success_at=None)
    (line,) = banks_of(replace(activity.scores, connections=(never,)), NOW, ENGLISH)

    assert (line.glyph, texts(line)[2]) == (Glyph.UNKNOWN, "none yet")


@pytest.mark.parametrize(
    ("state", "probe", "said"),
    [
        (BreakerState.CLOSED, False, "as planned"),
        (BreakerState.HALF_OPEN, True, "one request finds out"),
        (BreakerState.OPEN, False, "not before you act, after 5 failures in a row"),
    ],
)
def test_each_state_of_a_breaker_is_said(
    activity: Activity, state: BreakerState, said: str, *, probe: bool
) -> None:
    nordic = activity.scores.connections[1]
    assert nordic.breaker is not None
    breaker = replace(nordic.breaker, state=state, probe_at=NOW if probe else None)
    shown = replace(nordic, breaker=breaker, condition=Condition.OK)
    (line,) = banks_of(replace(activity.scores, connections=(shown,)), NOW, ENGLISH)

    assert texts(line)[-1] == said
    assert (line.glyph is Glyph.FRESH) == (state is BreakerState.CLOSED)


def test_a_paused_bank_is_paused_whatever_else(activity: Activity) -> None:
    paused = replace(activity.scores.connections[1], paused=True)
    (line,) = banks_of(replace(activity.scores, connections=(paused,)), NOW, ENGLISH)

    assert line.glyph is Glyph.PAUSED


def test_the_least_fresh_account_stands_first_with_both_clocks(activity: Activity) -> None:
    lines = accounts_of(activity.accounts, NOW, ENGLISH)

    assert texts(lines[0]) == ["Checking USD", "Nordic One", "delayed", "today 03:00", "today 12:31"]
    assert {line.glyph for line in lines[1:]} == {Glyph.FRESH}


def test_the_accesses_left_say_when_one_comes_back(activity: Activity) -> None:
    port, nordic = calls_of(activity.scores, NOW, ENGLISH)

    assert (port.left, port.note, port.tone) == ("3 of 4", "one more tomorrow 11:10", "")
    assert (nordic.left, nordic.tone) == ("1 of 4", "warning")


def test_the_queue_says_what_runs_what_is_next_and_what_waits(activity: Activity) -> None:
    running, later = queue_of(activity.scores, NOW, ENGLISH)
    waiting = replace(activity.scores.queue[1], not_before=NOW - timedelta(minutes=1))
    (due,) = queue_of(replace(activity.scores, queue=(waiting,)), NOW, ENGLISH)

    assert running.text == "running (webhook, what changed)"
    assert later.text == "15:00 (retry, what changed)"
    assert due.text == "next, waiting since 11:00 (retry, what changed)"


def test_everything_has_its_date_and_the_status_line_its_sum(activity: Activity) -> None:
    assert as_of_line(activity.scores, NOW, ENGLISH) == (
        "As of today 13:00; runs and failures since 25/10/2026"
    )
    assert totals_line(activity.scores, ENGLISH) == (
        "5 runs in 30 days · 2 with changes · 2 without an answer"
    )


def changed(store: Store, activity: Activity, hidden: str = "") -> list[list[str]]:
    found = asyncio.run(StoreReads(store, FrozenClock(NOW)).run_details(activity.runs[0].id))
    assert found is not None
    known = [row for row in found.rows if row.id != 9]
    made = Changes(known, activity.accounts, ENGLISH, hidden)
    assert more_line(found.commit, 14, ENGLISH) == ""
    return [texts(line) for line in made.lines(found.commit)]


def test_a_run_tells_line_by_line_what_was_and_what_is(store: Store, activity: Activity) -> None:
    lines = changed(store, activity)

    assert [line[0] for line in lines] == [
        "new", "new", "new", "now booked", "date", "amount", "gone", "back again", "number", "wording",
        "name", "new account", "balance", "state",
    ]  # fmt: skip
    by_word = {line[0]: line[1:] for line in lines}
    assert by_word["now booked"][1:] == ["announced", "in the balance"]
    assert by_word["date"][1:] == ["25/11/2026", "23/11/2026"]
    assert by_word["amount"][1:] == [f"{MINUS}€40.00", f"{MINUS}€46.00"]
    assert by_word["gone"][2] == DASH
    assert by_word["back again"][1] == DASH
    assert by_word["number"][1:] == ["10", "11"]
    assert by_word["wording"] == ["a row that is no longer known", "A", DASH]
    assert by_word["name"] == ["Compte courant", "Compte", "Compte courant"]
    assert by_word["balance"] == ["24 Nov · Compte courant", "€1,500.00", "€1,520.40"]
    assert by_word["state"] == ["Banque du Port", "Banque du Port does not answer", "Banque du Port answers"]


def test_amounts_of_changes_are_hidden_with_all_others(store: Store, activity: Activity) -> None:
    assert "€" not in str(changed(store, activity, HIDDEN))


def test_many_changes_say_how_many_more_there_are(store: Store, activity: Activity) -> None:
    found = asyncio.run(StoreReads(store, FrozenClock(NOW)).run_details(activity.runs[0].id))
    assert found is not None
    many = replace(found.commit, added=(1, 1_000), lines_total=0)

    assert more_line(many, LINES_MAX, ENGLISH) == "and about 970 more lines"


def test_a_run_that_is_no_longer_kept_has_no_details(store: Store) -> None:
    assert asyncio.run(StoreReads(store, FrozenClock(NOW)).run_details(RunId(77))) is None


def test_each_word_of_a_closed_set_is_said() -> None:
    words = [
        *map(trigger_word, Trigger),
        *map(kind_word, SyncKind),
        *map(way_text, Way),
    ]

    assert all(words)
    assert len(set(words)) == len(Trigger) + len(SyncKind) + len(Way)


def test_times_are_the_readers(activity: Activity) -> None:
    abroad = runs_of(activity.runs[:1], banks(activity), NOW, ENGLISH._replace(clock_24h=False))

    assert texts(abroad[0])[0] == f"12:58{NARROW_SPACE}pm"


def test_scores_without_links_have_no_lines(store: Store) -> None:
    empty = asyncio.run(StoreReads(store, FrozenClock(NOW)).activity())

    for made in (banks_of, queue_of, calls_of):
        assert made(empty.scores, NOW, ENGLISH) == ()
    assert matters_of(empty, NOW, ENGLISH) == ()
