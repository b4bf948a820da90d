"""Whatever is the matter has a cause, a side, what happens next, and one thing to do about it."""

from __future__ import annotations

import pytest

from obdesk.app.i18n import use_language
from obdesk.domain import texts
from obdesk.domain.conditions import (
    Condition,
    Side,
    explain,
    freshness_of,
    heals_alone,
    needs_you,
    side_of,
)
from obdesk.domain.errors import Action, action_label
from obdesk.domain.freshness import FreshnessState
from tests.fakes import SOME_MORNING

every = pytest.mark.parametrize("condition", list(Condition))


@every
def test_every_condition_is_told_in_whole_sentences(condition: Condition) -> None:
    told = explain(condition, "Banque du Port")
    assert told.condition is condition
    for text in (told.title, told.cause, told.next_step):
        assert text
        assert "{" not in text
    assert told.cause.endswith(".")
    assert told.next_step.endswith(".")
    assert action_label(told.action)


@every
def test_the_bank_is_named_unless_it_has_no_part_in_it(condition: Condition) -> None:
    ours = {
        Condition.PROVIDER_DOWN,
        Condition.PROVIDER_BUSY,
        Condition.PROVIDER_REFUSES,
        Condition.OFFLINE,
        Condition.COMING_BACK,
    }
    assert ("Banque du Port" in explain(condition, "Banque du Port").title) == (condition not in ours)


@every
def test_no_condition_is_a_dead_end(condition: Condition) -> None:
    assert explain(condition, "x").action is not Action.NONE
    assert heals_alone(condition) or condition in {
        found for found in Condition if explain(found, "x").action is not Action.WAIT
    }


@every
def test_who_must_act_is_said_the_same_everywhere(condition: Condition) -> None:
    told = explain(condition, "x")
    assert told.side is side_of(condition)
    assert told.heals_alone is heals_alone(condition)
    if told.side is Side.YOU:
        assert needs_you(condition)
        assert not told.heals_alone
        assert ("is not asked" in told.next_step) is (told.action is not Action.REFRESH)
    if needs_you(condition):
        assert freshness_of(condition) is FreshnessState.NEEDS_YOU


def test_only_a_bank_that_answers_may_look_fresh() -> None:
    assert [condition for condition in Condition if freshness_of(condition) is None] == [Condition.OK]


def test_a_wrong_password_is_never_tried_again_by_itself() -> None:
    assert not heals_alone(Condition.WRONG_PASSWORD)
    assert explain(Condition.WRONG_PASSWORD, "x").action is Action.RENEW


def test_the_next_try_is_named_where_there_is_one() -> None:
    told = explain(Condition.BANK_DOWN, "x", next_try=SOME_MORNING, when="at 9:30")
    assert told.next_step == "We try again by ourselves, next at at 9:30."
    assert explain(Condition.BANK_DOWN, "x").next_step == "We try again by ourselves."
    assert "alone" in explain(Condition.UNKNOWN_STATE, "x", next_try=SOME_MORNING, when="9:30").next_step


def test_sentences_are_read_in_the_language_in_use() -> None:
    texts.install("fr", {"{bank} answers": "{bank} répond"})
    assert explain(Condition.OK, "Banque du Port").title == "Banque du Port répond"


@every
def test_both_languages_tell_every_condition(condition: Condition) -> None:
    english = explain(condition, "Banque du Port")
    use_language("fr")
    french = explain(condition, "Banque du Port")
    if not texts.tr("We try again by ourselves.").startswith("We"):
        assert french.title != english.title
        assert french.cause != english.cause
    assert ("Banque du Port" in french.title) == ("Banque du Port" in english.title)


def test_plurals_follow_the_language() -> None:
    def counted(n: int) -> str:
        return texts.trn("{n} account", "{n} accounts", n)

    assert [counted(n) for n in (0, 1, 2)] == ["0 accounts", "1 account", "2 accounts"]
    texts.install("fr", {"{n} account": "{n} compte", "{n} accounts": "{n} comptes"})
    assert [counted(n) for n in (0, 1, 2)] == ["0 compte", "1 compte", "2 comptes"]
