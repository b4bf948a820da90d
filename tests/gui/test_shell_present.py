"""What the frame of the window says, from values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from obdesk.app.i18n import use_language
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import Account, RunCounts, RunResult, Trigger
from obdesk.domain.freshness import FreshnessState
from obdesk.domain.ids import ConnectionId
from obdesk.domain.syncing import Step, SyncOutcome
from obdesk.gui.format import DASH, MINUS
from obdesk.gui.shell.fuzzy import score
from obdesk.gui.shell.present import (
    counts_line,
    counts_text,
    ended_line,
    groups_of,
    is_offline,
    last_check_line,
    running_line,
    subtotal,
    summary_of,
)
from obdesk.gui.widgets.status import Glyph, glyph_of
from tests.gui.household import (
    ACCOUNTS,
    ALPES,
    CONNECTIONS,
    DELAYED,
    ENGLISH,
    FRESH,
    NORDIC,
    NOW,
    PORT,
    USD,
    account,
    connection,
)


def _in_state(state: FreshnessState, number: int = 1) -> Account:
    return account(number, PORT, "Bank", "", "Account", 100, replace(FRESH, state=state))


def test_accounts_stand_under_their_bank_with_a_subtotal_and_closed_ones_last() -> None:
    groups = groups_of(ACCOUNTS, CONNECTIONS, (), NOW, ENGLISH)

    assert [(group.name, group.subtotal, group.closed) for group in groups] == [
        ("Banque du Port", "€6,904.18", False),
        ("Crédit des Alpes", "€12,310.07", False),
        ("Nordic One", "$1,204.55", False),
        ("Closed accounts", "", True),
    ]
    assert [row.name for row in groups[0].rows] == ["Compte courant", "Carte", "Livret A"]
    assert groups[0].rows[1].balance == f"{MINUS}€64.90"
    assert groups[0].rows[1].negative


def test_two_links_to_one_bank_are_two_groups() -> None:
    twice = [account(1, PORT, "Bank", "", "A", 1), account(2, NORDIC, "Bank", "", "B", 2)]

    assert len(groups_of(twice, (), (), NOW, ENGLISH)) == 2


def test_a_second_line_appears_only_where_something_is_wrong_and_once_per_bank() -> None:
    groups = groups_of(ACCOUNTS, CONNECTIONS, (), NOW, ENGLISH)
    notes = {row.name: row.note for group in groups for row in group.rows}

    assert notes == {
        "Compte courant": "",
        "Carte": "",
        "Livret A": "",
        "Compte joint": "Renew access · data to 22 Nov",
        "PEL": "",
        "Checking USD": "Delayed · next try 14:05",
        "Vieux livret": "",
    }


def test_a_consent_that_ends_soon_says_until_when() -> None:
    soon = connection(PORT, "Banque du Port", "", Condition.OK, FRESH, consent_days=9, accounts=3)
    row = groups_of(ACCOUNTS[:1], [soon], (), NOW, ENGLISH)[0].rows[0]

    assert row.glyph is Glyph.CONSENT_SOON
    assert row.note == "Renew by Thursday 3 Dec"


def test_old_data_says_both_clocks() -> None:
    stale = replace(DELAYED, state=FreshnessState.STALE, data_as_of=NOW - timedelta(days=5))
    row = groups_of([account(1, PORT, "Bank", "", "A", 1, stale)], (), (), NOW, ENGLISH)[0].rows[0]

    assert row.note == "Asked 2 h ago, bank data from Thu 19 Nov 11:58"


def test_a_running_sync_turns_the_glyph_of_its_accounts_alone() -> None:
    groups = groups_of(ACCOUNTS, CONNECTIONS, [NORDIC], NOW, ENGLISH)
    glyphs = {row.name: row.glyph for group in groups for row in group.rows}

    assert glyphs["Checking USD"] is Glyph.REFRESHING
    assert glyphs["Compte courant"] is Glyph.FRESH


def test_the_row_says_everything_to_a_screen_reader() -> None:
    row = groups_of(ACCOUNTS, CONNECTIONS, (), NOW, ENGLISH)[1].rows[0]

    for part in ("Compte joint", "Crédit des Alpes", "€2,310.07", "Needs you", "Renew access"):
        assert part in row.sentence


def test_a_missing_balance_makes_the_subtotal_unknown_rather_than_wrong() -> None:
    assert (
        subtotal([account(1, PORT, "B", "", "A", 100), account(2, PORT, "B", "", "C", None)], ENGLISH) == DASH
    )


def test_currencies_are_never_added_up() -> None:
    both = [account(1, PORT, "B", "", "A", 100), account(2, PORT, "B", "", "C", 250, currency=USD)]

    assert subtotal(both, ENGLISH) == "€1.00 + $2.50"


def test_the_summary_tells_the_worst_news() -> None:
    summary = summary_of(ACCOUNTS, CONNECTIONS, 0, NOW, ENGLISH)

    assert summary.glyph is Glyph.NEEDS_YOU
    assert summary.text == "2 of 6 accounts need you · next check 14:05"


def test_the_summary_is_calm_when_all_is_fresh() -> None:
    summary = summary_of(ACCOUNTS[:3], CONNECTIONS[2:], 0, NOW, ENGLISH)

    assert summary == (Glyph.FRESH, "All fresh · next check 15:58")


def test_the_summary_counts_what_runs_and_admits_to_having_nothing() -> None:
    assert summary_of(ACCOUNTS, CONNECTIONS, 2, NOW, ENGLISH).text == "Refreshing 2 banks"
    assert summary_of((), (), 0, NOW, ENGLISH) == (Glyph.UNKNOWN, "No account yet")


@pytest.mark.parametrize("state", FreshnessState)
def test_every_state_has_a_glyph_and_a_summary_and_only_fresh_is_called_fresh(state: FreshnessState) -> None:
    summary = summary_of([_in_state(state)], (), 0, NOW, ENGLISH)

    assert summary.text
    assert ("fresh" in summary.text) == (state is FreshnessState.FRESH)
    assert glyph_of(state).value == state.value


def test_offline_is_said_and_the_figures_stay() -> None:
    offline = [replace(CONNECTIONS[2], condition=Condition.OFFLINE)]

    assert is_offline(offline)
    assert "Offline" in summary_of(ACCOUNTS[:3], offline, 0, NOW, ENGLISH).text
    assert not is_offline(CONNECTIONS)


def test_the_status_line_agrees_in_french() -> None:
    account = ACCOUNTS[0]
    states = [FreshnessState.UNKNOWN] * 3 + [FreshnessState.AGEING] * 2 + [FreshnessState.STALE]
    accounts = [replace(account, freshness=replace(account.freshness, state=state)) for state in states]
    use_language("fr")
    try:
        counted = counts_line(accounts)
    finally:
        use_language("en")

    assert set(counted.split(" · ")) == {"3 d’état inconnu", "2 vieillissent", "1 ancien"}


def test_the_status_line_counts_the_states_and_tells_the_last_check() -> None:
    assert counts_line(ACCOUNTS) == "3 fresh · 1 delayed · 2 need you"
    assert last_check_line(CONNECTIONS, NOW, ENGLISH) == "Last check 11:56"
    assert last_check_line((), NOW, ENGLISH) == "Nothing asked yet"


@pytest.mark.parametrize("step", [None, *Step])
def test_every_step_of_a_sync_has_its_words(step: Step | None) -> None:
    line = running_line(PORT, "Banque du Port", step, 0, None, ENGLISH)

    assert "Banque du Port" in line.text
    assert line.running


def test_reading_counts_its_rows() -> None:
    line = running_line(PORT, "Banque du Port", Step.READING_TRANSACTIONS, 1_200, 3_400, ENGLISH)

    assert line.text == "Reading 1,200 of 3,400 rows of Banque du Port…"
    assert line.share == pytest.approx(1_200 / 3_400)


def _outcome(
    result: RunResult, condition: Condition = Condition.OK, counts: RunCounts | None = None
) -> SyncOutcome:
    return SyncOutcome(
        connection_id=ConnectionId(1),
        bank="Banque du Port",
        trigger=Trigger.PERSON,
        result=result,
        condition=condition,
        counts=counts or RunCounts(),
        requests=3,
        started_at=NOW,
        duration_s=0.4,
    )


def test_a_refresh_ends_in_new_figures() -> None:
    outcome = _outcome(RunResult.UPDATED, counts=RunCounts(new=3, updated=1))

    assert ended_line(outcome, None, NOW, ENGLISH).text == "Banque du Port: saved, 3 new, 1 changed"
    assert counts_text(_outcome(RunResult.UPDATED), ENGLISH) == "new balances"


def test_a_refresh_ends_in_a_reason_with_what_happens_next() -> None:
    delayed = ended_line(
        _outcome(RunResult.RETRY_LATER, Condition.BANK_DOWN), NOW + timedelta(hours=2), NOW, ENGLISH
    )
    waiting = ended_line(_outcome(RunResult.ACTION_NEEDED, Condition.NEEDS_SCA), None, NOW, ENGLISH)

    assert delayed.glyph is Glyph.DELAYED
    assert delayed.text.startswith("Banque du Port does not answer.")
    assert "13:58" in delayed.text
    assert waiting.glyph is Glyph.NEEDS_YOU
    assert "asks you to confirm access" in waiting.text


@pytest.mark.parametrize("result", RunResult)
def test_every_end_names_the_bank_and_runs_no_more(result: RunResult) -> None:
    line = ended_line(_outcome(result, Condition.BANK_DOWN), None, NOW, ENGLISH)

    assert "Banque du Port" in line.text
    assert not line.running


def test_typed_letters_find_commands_in_order_and_without_accents() -> None:
    names = ["Refresh all banks", "Refresh this account", "Keyboard shortcuts", "Thème foncé"]

    def best(typed: str) -> str:
        scored = [(value, name) for name in names if (value := score(typed, name)) is not None]
        return max(scored)[1]

    assert best("ref all") == "Refresh all banks"
    assert best("rta") == "Refresh this account"
    assert best("theme") == "Thème foncé"
    assert all(score("xyz", name) is None for name in names)


def test_the_household_is_what_these_tests_think_it_is() -> None:
    assert {each.connection_id for each in ACCOUNTS} == {PORT, ALPES, NORDIC, None}
