"""What the Refresh button says of the reads that are left, and when they grow again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from obdesk.app.i18n import use_language
from obdesk.domain.conditions import Condition
from obdesk.domain.freshness import FreshnessState
from obdesk.domain.ids import ConnectionId
from obdesk.domain.limits import UNATTENDED_MAX, Budget
from obdesk.gui.shell.allowance import allowance_of, only_you_until
from obdesk.gui.shell.present import summary_of
from tests.gui.household import ACCOUNTS, CONNECTIONS, ENGLISH, FIRST, FRENCH, NOW

if TYPE_CHECKING:
    from obdesk.domain.entities import Connection
    from tests.gui.theme_fixtures import Shown

ALPES, NORDIC, PORT = CONNECTIONS
"""Who waits for the person, who is down, who is well."""


def _left(link: Connection, left: int, resets_in: timedelta | None = timedelta(hours=2)) -> Connection:
    return replace(link, budget=Budget(left, UNATTENDED_MAX, None if resets_in is None else NOW + resets_in))


def test_the_button_says_what_each_bank_has_left_the_least_first_and_when_it_grows() -> None:
    said = allowance_of([_left(PORT, 3), _left(NORDIC, 1, timedelta(hours=15))], NOW, ENGLISH)

    assert said.splitlines() == [
        "Refreshing yourself is always possible.",
        "Reads we may ask for without you, left as of 11:58:",
        "Nordic One: 1 of 4, one more tomorrow 02:58",
        "Banque du Port: 3 of 4, one more today 13:58",
    ]


def test_a_bank_that_was_not_read_has_all_of_it_and_nothing_to_wait_for() -> None:
    assert allowance_of([_left(PORT, 4, None)], NOW, ENGLISH).endswith("\nBanque du Port: 4 of 4")


def test_a_bank_that_waits_for_its_person_is_said_not_to_be_asked() -> None:
    said = allowance_of(CONNECTIONS, NOW, ENGLISH)

    assert "Crédit des Alpes: is asked again once you renew access" in said.splitlines()
    assert said.startswith("Refreshing yourself is always possible.\n")


def test_where_no_bank_may_be_asked_pressing_still_reads_what_the_aggregator_has() -> None:
    assert allowance_of([ALPES], NOW, ENGLISH).splitlines() == [
        "Refresh asks no bank at the moment: it reads what the aggregator has already.",
        "Crédit des Alpes: is asked again once you renew access",
    ]


def test_an_aggregator_that_slows_us_down_is_named_with_its_time_and_no_longer_than_that() -> None:
    slowed = replace(PORT, condition=Condition.PROVIDER_BUSY, next_run_at=NOW + timedelta(minutes=10))
    past = replace(slowed, next_run_at=NOW)

    assert allowance_of([slowed], NOW, ENGLISH).splitlines() == [
        "Refresh may not be let through at the moment.",
        "Banque du Port: the aggregator wants us to wait until 12:08",
    ]
    assert allowance_of([past], NOW, ENGLISH).startswith("Refreshing yourself is always possible.")


def test_what_refresh_leaves_out_is_left_out_and_many_banks_are_counted() -> None:
    many = [replace(PORT, id=ConnectionId(number), bank=f"Bank {number}") for number in range(1, 8)]
    paused, gone = replace(PORT, paused=True), replace(PORT, condition=Condition.GONE)

    assert allowance_of(many, NOW, ENGLISH).splitlines()[2:] == [
        "Bank 1: 4 of 4", "Bank 2: 4 of 4", "Bank 3: 4 of 4", "Bank 4: 4 of 4", "and 3 more banks",
    ]  # fmt: skip
    assert allowance_of([paused, gone], NOW, ENGLISH) == ""
    assert allowance_of((), NOW, ENGLISH) == ""


def test_with_nothing_left_anywhere_the_toolbar_says_until_when_only_the_person_reads() -> None:
    fresh = [a for a in ACCOUNTS if a.freshness.state is FreshnessState.FRESH]
    used = [_left(PORT, 1, timedelta(hours=3)), _left(NORDIC, 0)]

    assert only_you_until(used, NOW) == NOW + timedelta(hours=2)
    assert (
        summary_of(fresh, used, 0, NOW, ENGLISH).text == "All fresh · without you we ask no bank before 13:58"
    )


def test_one_bank_with_a_read_left_is_enough_to_say_nothing_and_who_is_not_asked_does_not_count() -> None:
    assert only_you_until([_left(PORT, 2), _left(NORDIC, 0)], NOW) is None
    assert only_you_until([_left(PORT, 0), ALPES], NOW) == NOW + timedelta(hours=2)
    assert only_you_until([ALPES], NOW) is None


def test_it_is_said_in_french() -> None:
    use_language("fr")
    said = allowance_of([_left(PORT, 3), ALPES], NOW, FRENCH)

    assert said.splitlines()[-2:] == [
        "Lectures possibles sans vous, restantes à 11:58\u00a0:",
        "Banque du Port\u00a0: 3 sur 4, une de plus aujourd’hui 13:58",
    ]


def test_the_button_tells_eyes_and_ears_and_follows_the_hour(shown: Shown) -> None:
    refresh = shown.window.toolbar.refresh
    shown.window.show_first(replace(FIRST, connections=(_left(PORT, 3),)))
    first = refresh.accessibleDescription()
    shown.clock.advance(60)
    shown.window.show_first(replace(FIRST, connections=(_left(replace(PORT, bank="<b>Port</b>"), 2),)))

    assert first.endswith("Banque du Port: 3 of 4, one more today 13:58")
    assert "left as of 11:59:\n<b>Port</b>: 2 of 4" in refresh.accessibleDescription()
    assert "<br>&lt;b&gt;Port&lt;/b&gt;: 2 of 4" in refresh.toolTip()
    assert refresh.toolTip().startswith("<qt>Refresh all banks (Ctrl+R)<br>Refreshing yourself")
