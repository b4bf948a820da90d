"""Connections, accounts and connectors: what each field becomes, whatever comes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import AccountKind, AccountState
from obdesk.domain.money import Currency
from obdesk.domain.remote import Connector, RemoteAccount, RemoteConnection
from obdesk.providers.powens.labels import DEFAULT_COLOR, color_of, sentence_of
from obdesk.providers.powens.mapping import Moment, account_of, connection_of, connector_of
from obdesk.providers.powens.states import condition_of_state
from obdesk.providers.powens.wire import AccountWire, ConnectionWire, ConnectorWire, Reader, Row
from tests.providers.test_rows import JSON

T = TypeVar("T", bound=Struct)
NOW = datetime(2026, 2, 3, 12, tzinfo=UTC)
MOMENT = Moment(NOW, ZoneInfo("Europe/Paris"))

CONNECTION: dict[str, Any] = {
    "id": 311, "id_user": 6120, "id_connector": 40, "connector_uuid": "338178e6-3d01-564f-9a7b-52ca442459bf",
    "state": None, "error": None, "error_message": None, "last_update": "2026-02-03 05:12:09",
    "created": "2026-01-05 09:14:02", "active": True, "next_try": "2026-02-04 05:12:09",
    "connector": {"id": 40, "name": "Banque du Port", "color": "D22B2B"},
    "sources": [
        {"id": 402, "name": "openapi", "disabled": None, "access_expire": "2026-07-04 09:14:02"},
        {"id": 403, "name": "directaccess", "disabled": None, "access_expire": None},
        {"id": 404, "disabled": "2026-01-06 00:00:00", "access_expire": "2026-01-01 00:00:00"},
    ],
}  # fmt: skip
ACCOUNT: dict[str, Any] = {
    "id": 1801, "id_connection": 311, "id_parent": None, "number": "00012345678", "name": "Compte courant",
    "original_name": "CPTE CHEQUES", "balance": 1520.4, "coming": -64.9, "deleted": None, "disabled": None,
    "last_update": "2026-02-03 05:12:09", "iban": "FR76 1234 5678 9012 3456 7890 185", "type": "checking",
    "currency": {"id": "EUR", "symbol": "€", "precision": 2}, "bookmarked": 0, "error": None,
}  # fmt: skip


def _row(shape: type[T], value: object) -> Row[T]:
    row = Reader(shape).read(json.dumps(value).encode())
    assert row is not None
    return row


def connection(**more: object) -> RemoteConnection:
    """Return the sample connection with some fields changed."""
    made = connection_of(_row(ConnectionWire, CONNECTION | more), MOMENT)
    assert made is not None
    return made


def account(**more: object) -> RemoteAccount:
    """Return the sample account with some fields changed."""
    made = account_of(_row(AccountWire, ACCOUNT | more), "311", MOMENT)
    assert made is not None
    return made


def test_a_connection_in_good_health() -> None:
    assert connection() == RemoteConnection(
        provider_id="311",
        connector_id="338178e6-3d01-564f-9a7b-52ca442459bf",
        bank="Banque du Port",
        color="#D22B2B",
        condition=Condition.OK,
        provider_state="",
        bank_message="",
        active=True,
        created_at=datetime(2026, 1, 5, 8, 14, 2, tzinfo=UTC),
        data_as_of=datetime(2026, 2, 3, 4, 12, 9, tzinfo=UTC),
        consent_expires_at=datetime(2026, 7, 4, 7, 14, 2, tzinfo=UTC),
        next_try_at=datetime(2026, 2, 4, 4, 12, 9, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("state", "condition"),
    [
        ("SCARequired", Condition.NEEDS_SCA),
        ("webauthRequired", Condition.NEEDS_WEB_LOGIN),
        ("additionalInformationNeeded", Condition.NEEDS_CODE),
        ("decoupled", Condition.NEEDS_APP_APPROVAL),
        ("validating", Condition.VALIDATING),
        ("wrongpass", Condition.WRONG_PASSWORD),
        ("wrongPass", Condition.WRONG_PASSWORD),
        ("passwordExpired", Condition.PASSWORD_EXPIRED),
        ("actionNeeded", Condition.ACTION_AT_BANK),
        ("rateLimiting", Condition.BANK_THROTTLES),
        ("websiteUnavailable", Condition.BANK_DOWN),
        ("bug", Condition.PROVIDER_FAULT),
        ("notSupported", Condition.NOT_SUPPORTED),
        ("somethingNobodyHeardOf", Condition.UNKNOWN_STATE),
    ],
)
def test_each_state_has_its_condition(state: str, condition: Condition) -> None:
    found = connection(state=state)

    assert found.condition is condition
    assert found.provider_state == state
    assert connection(state=None, error=state).condition is condition  # the older name of the field


@given(st.text())
def test_a_state_is_never_taken_for_success(state: str) -> None:
    assert (condition_of_state(state) is Condition.OK) == (state == "")


def test_F08_a_state_that_is_no_text_is_unknown() -> None:
    assert connection(state={"code": "new"}).condition is Condition.UNKNOWN_STATE


def test_a_consent_that_is_over_is_told_from_a_mere_confirmation() -> None:
    over = [{"access_expire": "2026-02-03 12:59:59"}, {"access_expire": "2026-08-01 00:00:00"}]

    assert connection(state="SCARequired", sources=over).condition is Condition.CONSENT_EXPIRED
    assert connection(state="SCARequired").condition is Condition.NEEDS_SCA
    assert connection(state="wrongpass", sources=over).condition is Condition.WRONG_PASSWORD
    assert connection(state=None, sources=over).condition is Condition.OK


def test_a_connection_never_read_is_no_success() -> None:
    assert connection(last_update=None, next_try=None).condition is Condition.NEVER_SYNCED


def test_a_connection_is_stuck_when_nothing_is_planned_and_the_data_is_old() -> None:
    old = "2026-01-31 12:00:00"

    assert connection(next_try=None, last_update=old).condition is Condition.STUCK
    assert connection(next_try=None).condition is Condition.OK
    assert connection(last_update=old).condition is Condition.OK
    assert connection(next_try=None, last_update=old, active=False).condition is Condition.OK
    assert connection(next_try=None, last_update=old, state="bug").condition is Condition.PROVIDER_FAULT


def test_the_secret_address_inside_a_message_never_comes_out() -> None:
    message = "Redirecting to https://bank.example/authorize?secret=s3cret"

    assert connection(state="webauthRequired", error_message=message).bank_message == ""
    assert sentence_of("Voir www.bank.example ou app://open?t=1 !") == "Voir … ou … !"


def test_a_connection_with_as_little_as_possible() -> None:
    made = connection_of(_row(ConnectionWire, {"id": "311", "id_connector": 40}), MOMENT)

    assert made is not None
    assert made.provider_id == "311"
    assert (made.bank, made.connector_id, made.color) == ("Bank 40", "40", DEFAULT_COLOR)
    assert made.consent_expires_at is None


@pytest.mark.parametrize(
    ("text", "color"),
    [("D22B2B", "#D22B2B"), ("#0a0b0c", "#0A0B0C"), (None, DEFAULT_COLOR), ("red", DEFAULT_COLOR),
     ("D22B2B;background:url(x)", DEFAULT_COLOR), ("D22B2B\n", DEFAULT_COLOR)],
)  # fmt: skip
def test_a_color_is_a_color_or_grey(text: str | None, color: str) -> None:
    assert color_of(text) == color


def test_an_account_in_good_health() -> None:
    assert account() == RemoteAccount(
        provider_id=1801,
        connection_provider_id="311",
        parent_provider_id=None,
        name="Compte courant",
        kind=AccountKind.CHECKING,
        state=AccountState.ACTIVE,
        iban="FR7612345678901234567890185",
        number="00012345678",
        currency=Currency("EUR", 2),
        balance_minor=152_040,
        coming_minor=-6_490,
        data_as_of=datetime(2026, 2, 3, 4, 12, 9, tzinfo=UTC),
        condition=Condition.OK,
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("card", AccountKind.CARD),
        ({"id": 9, "name": "card"}, AccountKind.CARD),
        ("livret_a", AccountKind.SAVINGS),
        ("lep", AccountKind.SAVINGS),
        ("mortgage", AccountKind.LOAN),
        ("pea", AccountKind.INVESTMENT),
        ("lifeinsurance", AccountKind.INVESTMENT),
        ("unknown", AccountKind.OTHER),
        ("somethingNew", AccountKind.OTHER),
        (None, AccountKind.OTHER),
        (17, AccountKind.OTHER),
    ],
)
def test_kinds_of_accounts(kind: object, expected: AccountKind) -> None:
    assert account(type=kind).kind is expected


def test_disabled_is_the_persons_choice_and_deleted_the_banks() -> None:
    assert account(disabled="2026-01-05 09:14:02", balance=None).state is AccountState.DISABLED
    assert account(deleted="2026-01-05 09:14:02").state is AccountState.GONE
    assert account(deleted="2026-01-05 09:14:02", disabled="2026-01-05 09:14:02").state is AccountState.GONE


def test_a_balance_that_cannot_be_kept_exactly_is_not_shown() -> None:
    for balance in (1520.405, "1e400", "NaN", [1]):
        made = account(balance=balance)
        assert made.balance_minor is None
        assert made.condition is Condition.BAD_ANSWER
        assert made.coming_minor == -6_490


@pytest.mark.parametrize(
    ("currency", "balance", "expected", "minor"),
    [
        ({"id": "JPY", "precision": 2}, 1520, Currency("JPY", 0), 1_520),
        ({"id": "BTC", "precision": 8}, "0.00000001", Currency("BTC", 8), 1),
        ({"id": "chf"}, 1.05, Currency("CHF", 2), 105),
        ("USD", 1.05, Currency("USD", 2), 105),
        (None, 1.05, Currency("XXX", 2), 105),
        ({"id": "<script>"}, 1.05, Currency("XXX", 2), 105),
        ({"id": "ZZZ", "precision": 10**9}, 1.05, Currency("ZZZ", 2), 105),
    ],
)
def test_currencies(currency: object, balance: object, expected: Currency, minor: int) -> None:
    made = account(currency=currency, balance=balance, coming=None)

    assert made.currency == expected
    assert made.balance_minor == minor


def test_an_accounts_own_trouble_is_told() -> None:
    assert account(error="websiteUnavailable").condition is Condition.BANK_DOWN
    assert account(error="brandNew").condition is Condition.UNKNOWN_STATE


def test_a_card_knows_its_account() -> None:
    assert account(id_parent=1801).parent_provider_id == 1801
    assert account(id_parent=-1).parent_provider_id is None


def test_connectors_that_can_be_linked() -> None:
    bank: dict[str, Any] = {
        "id": 40,
        "uuid": "u-40",
        "name": "Banque du Port",
        "color": "d22b2b",
        "hidden": False,
        "restricted": True,
        "capabilities": ["bank", "profile"],
        "countries": [{"id": "fr", "name": "France"}, {"id": None}],
    }

    def read(**more: object) -> Connector | None:
        return connector_of(_row(ConnectorWire, bank | more))

    assert read() == Connector("u-40", "Banque du Port", "#D22B2B", ("FR",), restricted=True)
    assert read(hidden=True) is None
    assert read(capabilities=["document"]) is None
    assert read(capabilities=["bankwealth"]) is not None
    assert read(capabilities=None, restricted=None, countries=None) == Connector(
        "u-40", "Banque du Port", "#D22B2B", ()
    )
    assert read(uuid=None) is None
    assert read(name=None) is None


@given(
    odd=st.dictionaries(st.sampled_from(sorted(CONNECTION)), JSON, max_size=12),
    odd_account=st.dictionaries(st.sampled_from(sorted(ACCOUNT)), JSON, max_size=12),
)
def test_nothing_that_comes_raises(odd: dict[str, object], odd_account: dict[str, object]) -> None:
    made = connection_of(_row(ConnectionWire, CONNECTION | odd), MOMENT)
    assert made is None or made.provider_id.isdigit()
    assert made is None or made.bank
    if odd.get("state"):
        assert made is None or made.condition is not Condition.OK

    found = account_of(_row(AccountWire, ACCOUNT | odd_account), "311", MOMENT)
    assert found is None or 0 < found.provider_id < 2**63


def test_three_days_is_the_border_of_stuck() -> None:
    def at(age: timedelta) -> Condition:
        stamp = (NOW - age).astimezone(MOMENT.zone).strftime("%Y-%m-%d %H:%M:%S")
        return connection(next_try=None, last_update=stamp).condition

    assert at(timedelta(days=3)) is Condition.OK
    assert at(timedelta(days=3, seconds=1)) is Condition.STUCK
