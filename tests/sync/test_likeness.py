"""How alike two rows are: which words count, what a booking may change, and the reasons a person is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.ledger import KnownTransaction, facts_of
from obdesk.sync.reconcile.doubt import is_doubtful
from obdesk.sync.reconcile.likeness import (
    booking_likeness,
    drift_likeness,
    fingerprint,
    lesson_of,
    wording,
    words,
)
from obdesk.sync.reconcile.plan import Lessons
from tests.seed import row

if TYPE_CHECKING:
    from obdesk.domain.remote import RemoteTransaction

ACCOUNT = 1
NONE = Lessons()
SHOP = row(1, label="PORT BREST", amount_minor=-1_000, on="2026-11-10")


def known(remote: RemoteTransaction, account_id: int = ACCOUNT) -> KnownTransaction:
    return KnownTransaction(
        remote.provider_id, account_id, remote.provider_id, False, remote.updated, facts_of(remote)
    )


def test_formulas_of_a_bank_numbers_and_short_words_tell_no_shops_apart() -> None:
    formulas = "carte facture paiement achat card payment purchase prlv sepa vir virement"
    assert words(formulas.upper()) == words(formulas) == frozenset()
    assert words("CARTE 24/11 Café du LUX 4012 CB*1111") == {"cafe", "lux"}
    assert wording("VIR Zoé Petit") == wording("petit  ZOE") == "petit zoe"
    assert wording("CB  12") == "cb 12", "a label without such words is told by all it says"
    assert wording("CB 12") != wording("CB 13")


def test_a_lesson_holds_for_its_account_and_in_either_order() -> None:
    assert lesson_of(7, "PORT BREST", "LUX") == lesson_of(7, "LUX", "BREST PORT") == (7, "brest port", "lux")
    assert lesson_of(7, "LUX", "LUX") != lesson_of(8, "LUX", "LUX")


@pytest.mark.parametrize(
    "other",
    [
        {"pending": True},
        {"amount_minor": -999},
        {"booked_on": "2026-11-11"},
        {"done_on": "2026-11-11"},
        {"label": "PORT LILLE"},
        {"counterparty": "ZOE"},
    ],
)
def test_rows_that_differ_in_what_tells_operations_apart_are_no_twins(other: dict[str, Any]) -> None:
    assert fingerprint(ACCOUNT, facts_of(SHOP)) != fingerprint(ACCOUNT, facts_of(SHOP._replace(**other)))


def test_case_accents_and_spacing_make_no_other_operation() -> None:
    one, other = (
        facts_of(SHOP._replace(label=label, counterparty=party, category=label))
        for label, party in (("PORT  BREST", "ZOE"), (" Pórt Brest", "Zoé"))
    )
    assert fingerprint(ACCOUNT, one) == fingerprint(ACCOUNT, other)
    assert fingerprint(ACCOUNT, one) != fingerprint(2, one)


@pytest.mark.parametrize(
    ("reserved", "booked", "likeness"),
    [
        ({}, {}, (102, 0)),
        ({"label": "CARTE PORT BREST"}, {"label": "BREST PORT SUD"}, (102, 0)),
        ({"label": "PORT SUD"}, {}, (101, 0)),
        ({}, {"booked_on": "2026-11-20"}, (102, -10)),
        ({}, {"booked_on": "2026-11-21"}, None),
        ({}, {"booked_on": "2026-10-31"}, (102, -10)),
        ({}, {"label": "LUX", "booked_on": "2026-11-12"}, (100, -2)),
        ({}, {"label": "LUX", "booked_on": "2026-11-13"}, None),
        ({"amount_minor": None}, {"label": "PORT LILLE", "booked_on": "2026-11-14"}, (1, -4)),
        ({"amount_minor": None}, {"label": "LUX"}, None),
        ({}, {"amount_minor": None}, None),
        ({"amount_minor": None}, {"amount_minor": None}, (102, 0)),
        ({"amount_minor": None}, {"amount_minor": None, "label": "LUX", "booked_on": "2026-11-13"}, None),
        ({}, {"amount_minor": -750, "booked_on": "2026-11-11", "done_on": None}, (2, -1)),
        ({}, {"amount_minor": -1_333, "done_on": None}, (2, 0)),
        ({}, {"amount_minor": -1_334, "done_on": None}, None),
        ({}, {"amount_minor": -749, "done_on": None}, None),
        ({}, {"amount_minor": -950, "label": "PORT LILLE"}, None),
        ({}, {"amount_minor": -100, "booked_on": "2026-11-12"}, (2, -2)),
        ({}, {"amount_minor": -100, "label": "PORT LILLE"}, None),
        ({"done_on": None}, {"amount_minor": -100, "done_on": None}, None),
        ({}, {"amount_minor": 0}, None),
        ({}, {"amount_minor": 100}, None),
        ({}, {"amount_minor": -1_500}, None),
    ],
)
def test_how_likely_a_reservation_became_a_booked_row(
    reserved: dict[str, Any], booked: dict[str, Any], likeness: tuple[int, int] | None
) -> None:
    pending = facts_of(SHOP._replace(pending=True, **reserved))
    assert booking_likeness(pending, facts_of(SHOP._replace(**booked))) == likeness


@pytest.mark.parametrize(
    ("first", "other", "score", "why"),
    [
        ({}, {"label": "Port  Brest"}, 100, "amount date label"),
        ({}, {"booked_on": "2026-11-07"}, 70, "amount date_near label"),
        ({}, {"label": "PORT BREST SUD"}, 83, "amount date label_alike"),
        ({}, {"label": "LUX"}, 50, "amount date"),
        ({}, {"label": "LUX", "booked_on": "2026-11-13"}, 20, "amount date_near"),
        ({"counterparty": "ZOE"}, {"label": "LUX", "counterparty": "Zoé"}, 80, "amount date counterparty"),
        ({"counterparty": "ZOE"}, {"label": "LUX", "counterparty": "TOM"}, 50, "amount date"),
        (
            {"counterparty_account": "FR76"},
            {"counterparty_account": "FR76"},
            100,
            "amount date label counterparty",
        ),
        ({"counterparty_account": "FR76"}, {"counterparty_account": "FR77"}, 100, "amount date label"),
        ({}, {"amount_minor": -1_100}, 50, "date label"),
        ({}, {"amount_minor": -1_100, "booked_on": "2026-11-13"}, 50, "date_near label"),
        ({}, {"amount_minor": -1_100, "label": "PORT BREST SUD"}, 50, "date label_alike"),
    ],
)
def test_a_suggestion_names_all_that_two_rows_have_in_common(
    first: dict[str, Any], other: dict[str, Any], score: int, why: str
) -> None:
    found = drift_likeness(ACCOUNT, facts_of(SHOP._replace(**first)), facts_of(SHOP._replace(**other)), NONE)
    assert found is not None
    assert (found.score, " ".join(found.why)) == (score, why)


def test_what_the_person_said_of_two_wordings_counts_like_one_wording() -> None:
    lessons = Lessons(same=frozenset({lesson_of(ACCOUNT, "PORT BREST", "LUX")}))
    lux = facts_of(SHOP._replace(label="LUX", booked_on="2026-11-11"))
    found = drift_likeness(ACCOUNT, facts_of(SHOP), lux, lessons)
    assert found == (90, ("amount", "date_near", "lesson"))
    elsewhere = drift_likeness(2, facts_of(SHOP), lux, lessons)
    assert elsewhere == (40, ("amount", "date_near"))


@pytest.mark.parametrize(
    ("other", "score"),
    [
        ({"amount_minor": -1_333}, 70),
        ({"amount_minor": -1_334}, 50),
        ({"amount_minor": -750}, 70),
        ({"amount_minor": None}, None),
        ({"amount_minor": -1_333, "booked_on": "2026-11-11"}, 50),
        ({"amount_minor": -1_334, "booked_on": "2026-11-11"}, None),
        ({"amount_minor": -1_100, "booked_on": "2026-11-14"}, None),
        ({"amount_minor": -1_333, "label": "PORT BREST SUD NORD"}, 50),
        ({"amount_minor": -1_334, "label": "PORT BREST SUD NORD"}, None),
        ({"amount_minor": -1_100, "label": "PORT BREST SUD NORD EST"}, None),
        ({"amount_minor": -1_100, "label": "PORT BREST SUD", "booked_on": "2026-11-11"}, None),
        ({"amount_minor": -1_333, "label": "PORT BREST 22"}, 50),
        ({"amount_minor": -1_334, "label": "PORT BREST 22"}, None),
        ({"amount_minor": -1_100, "label": "PORT BREST 22", "booked_on": "2026-11-11"}, None),
        ({"amount_minor": -1_100, "label": "PORT LILLE"}, None),
    ],
)
def test_where_a_whole_account_is_numbered_anew_a_corrected_amount_is_believed(
    other: dict[str, Any], score: int | None
) -> None:
    came = facts_of(SHOP._replace(**other))
    found = drift_likeness(ACCOUNT, facts_of(SHOP), came, NONE, renumbered=True)
    assert (None if found is None else found.score) == score
    asked = drift_likeness(ACCOUNT, facts_of(SHOP), came, NONE)
    assert (None if asked is None else asked.score) == (None if score is None else 50)


SAME_WORDS = Lessons(same=frozenset({lesson_of(ACCOUNT, "PORT BREST", "LUX")}))


@pytest.mark.parametrize(
    ("came", "lessons", "doubtful"),
    [
        (SHOP._replace(provider_id=9), NONE, True),
        (SHOP._replace(provider_id=9, label="LUX"), NONE, True),
        (SHOP._replace(provider_id=9, label="LUX", booked_on="2026-11-11"), NONE, False),
        (SHOP._replace(provider_id=9, label="LUX", booked_on="2026-11-11"), SAME_WORDS, True),
        (SHOP._replace(provider_id=9, amount_minor=-1), NONE, True),
        (SHOP._replace(provider_id=9, amount_minor=-1, label="LUX"), NONE, False),
        (SHOP._replace(provider_id=9, pending=True), NONE, False),
    ],
)
def test_a_delta_is_not_believed_where_a_row_with_words_may_have_moved(
    came: RemoteTransaction, lessons: Lessons, *, doubtful: bool
) -> None:
    far = (ACCOUNT, SHOP._replace(provider_id=8, booked_on="2026-09-01"))
    worded = [known(SHOP), known(SHOP._replace(provider_id=2, booked_on="2026-10-01"))]
    for new in ([(ACCOUNT, came)], [far, (ACCOUNT, came)], [(ACCOUNT, came), far]):
        assert is_doubtful(new, (), (), worded, lessons) == doubtful
        assert is_doubtful(new, (), (), worded[::-1], lessons) == doubtful
    assert not is_doubtful([(2, came)], (), (), [known(SHOP)], lessons), "another account's"
    assert not is_doubtful([], (), (), [known(SHOP)], lessons)
    assert not is_doubtful([(ACCOUNT, came)], (), (), (), lessons)


def test_a_delta_is_not_believed_where_a_reservation_may_have_booked() -> None:
    waits, came = known(SHOP._replace(pending=True)), SHOP._replace(provider_id=9)
    far = known(SHOP._replace(provider_id=8, pending=True, booked_on="2026-10-01"))
    assert is_doubtful([(ACCOUNT, came)], (), [waits], (), NONE)
    assert is_doubtful([(ACCOUNT, came)], (), [far, waits], (), NONE)
    assert not is_doubtful([(ACCOUNT, came)], (), [far], (), NONE)
    again = came._replace(pending=True)
    assert is_doubtful([(ACCOUNT, again)], (), [waits], (), NONE), "it may be the same under another id"
    assert not is_doubtful([(ACCOUNT, again._replace(label="LUX"))], (), [waits], (), NONE)
    assert not is_doubtful([(2, came)], (), [waits], (), NONE)


def test_a_delta_is_not_believed_where_a_row_has_a_twin_on_its_day() -> None:
    came, other = SHOP._replace(provider_id=9), SHOP._replace(provider_id=8, label="LUX")
    assert is_doubtful([(ACCOUNT, other), (ACCOUNT, came)], [known(SHOP)], (), (), NONE)
    assert not is_doubtful([(ACCOUNT, other)], [known(SHOP)], (), (), NONE)
    assert not is_doubtful([(2, came)], [known(SHOP)], (), (), NONE)
