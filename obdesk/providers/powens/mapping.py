"""Powens' connections, accounts and connectors as values of ours. Pure; whatever comes, nothing raises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import AccountKind, AccountState
from obdesk.domain.money import (
    NO_CURRENCY,
    AmountTooLargeError,
    Currency,
    FinerThanCurrencyError,
    minor_of,
)
from obdesk.domain.remote import Connector, RemoteAccount, RemoteConnection
from obdesk.providers.powens.labels import color_of, label_of, sentence_of
from obdesk.providers.powens.states import condition_of_state
from obdesk.providers.powens.times import instant_of
from obdesk.providers.powens.wire import (
    AccountWire,
    ConnectionWire,
    ConnectorWire,
    CurrencyWire,
    NamedWire,
    Row,
)

if TYPE_CHECKING:
    from datetime import datetime, tzinfo
    from decimal import Decimal

STUCK_AFTER = timedelta(days=3)
"""Banks are read once a day; without a planned try, three days are no delay any more."""

ID_MAX = 2**63 - 1  # what one SQLite integer holds
_EXPONENT_MAX = 18
_CODE_LENGTH_MAX = 12

_KINDS: dict[str, AccountKind] = {
    "checking": AccountKind.CHECKING,
    "joint": AccountKind.CHECKING,
    "card": AccountKind.CARD,
    **dict.fromkeys(("loan", "mortgage", "consumercredit", "revolvingcredit"), AccountKind.LOAN),
    **dict.fromkeys(
        ("savings", "deposit", "livret_a", "livret_b", "ldds", "lep", "cel", "pel", "csl", "cat"),
        AccountKind.SAVINGS,
    ),
    **dict.fromkeys(
        (
            "market", "pea", "lifeinsurance", "capitalisation", "crowdlending", "real_estate",
            "article83", "madelin", "pee", "per", "perco", "perp", "rsp",
        ),
        AccountKind.INVESTMENT,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """When and in which zone answers are read."""

    now: datetime
    zone: tzinfo


def connection_of(row: Row[ConnectionWire], moment: Moment) -> RemoteConnection | None:
    """Return a connection, or None when it does not say which one it is."""
    wire, odd = row
    if not is_id(wire.id):
        return None
    as_of = instant_of(wire.last_update, moment.zone)
    consent_until = _consent_expires_at(wire, moment.zone)
    next_try_at = instant_of(wire.next_try, moment.zone)
    state = wire.state or wire.error or ""
    active = wire.active is not False
    condition = condition_of_state(state)
    if "state" in odd:
        condition = Condition.UNKNOWN_STATE
    elif condition is Condition.NEEDS_SCA and consent_until is not None and consent_until <= moment.now:
        condition = Condition.CONSENT_EXPIRED
    elif condition is Condition.OK and as_of is None:
        condition = Condition.NEVER_SYNCED
    elif condition is Condition.OK and active and next_try_at is None:
        condition = Condition.STUCK if _is_old(as_of, moment.now) else condition
    connector = wire.connector or ConnectorWire()
    return RemoteConnection(
        provider_id=str(wire.id),
        connector_id=label_of(wire.connector_uuid or connector.uuid, 64) or str(wire.id_connector or ""),
        bank=label_of(connector.name, 100) or f"Bank {wire.id_connector or wire.id}",
        color=color_of(connector.color),
        condition=condition,
        provider_state=label_of(state, 64),
        bank_message=sentence_of(wire.error_message),
        active=active,
        created_at=instant_of(wire.created, moment.zone),
        data_as_of=as_of,
        consent_expires_at=consent_until,
        next_try_at=next_try_at,
    )


def is_id(value: int | None) -> bool:
    """Tell whether a number can be an id of theirs."""
    return value is not None and 0 < value <= ID_MAX


def _is_old(as_of: datetime | None, now: datetime) -> bool:
    return as_of is not None and now - as_of > STUCK_AFTER


def _consent_expires_at(wire: ConnectionWire, zone: tzinfo) -> datetime | None:
    """Return the earliest end of consent of the sources in use; no webhook ever announces it."""
    ends = [instant_of(source.access_expire, zone) for source in wire.sources or () if not source.disabled]
    return min((end for end in ends if end is not None), default=None)


def account_of(row: Row[AccountWire], connection_id: str, moment: Moment) -> RemoteAccount | None:
    """Return an account, or None when it does not say which one it is.

    An amount that cannot be kept exactly is left out and the account says BAD_ANSWER, rather than show a
    rounded balance.
    """
    wire, odd = row
    if wire.id is None or not is_id(wire.id):
        return None
    currency = currency_of(wire.currency)
    balance, balance_is_good = _amount(wire.balance, currency)
    coming, coming_is_good = _amount(wire.coming, currency)
    condition = condition_of_state(wire.error)
    if not (balance_is_good and coming_is_good) or {"balance", "coming"} & set(odd):
        condition = Condition.BAD_ANSWER
    parent = wire.id_parent if is_id(wire.id_parent) else None
    return RemoteAccount(
        provider_id=wire.id,
        connection_provider_id=connection_id,
        parent_provider_id=parent,
        name=label_of(wire.name or wire.original_name, 200),
        kind=_kind_of(wire.type),
        state=_account_state(row),
        iban=label_of(wire.iban, 64).replace(" ", "").upper(),
        number=label_of(wire.number, 64),
        currency=currency,
        balance_minor=balance,
        coming_minor=coming,
        data_as_of=instant_of(wire.last_update, moment.zone),
        condition=condition,
    )


def _account_state(row: Row[AccountWire]) -> AccountState:
    """Return GONE for an account that left the bank, DISABLED for one the person does not share."""
    wire, odd = row
    if wire.deleted or "deleted" in odd:
        return AccountState.GONE
    return AccountState.DISABLED if wire.disabled or "disabled" in odd else AccountState.ACTIVE


def _kind_of(kind: NamedWire | str | None) -> AccountKind:
    name = kind.name if isinstance(kind, NamedWire) else kind
    return _KINDS.get((name or "").lower(), AccountKind.OTHER)


def currency_of(wire: CurrencyWire | str | None) -> Currency:
    """Return a currency from its object or its bare code."""
    code = wire.id if isinstance(wire, CurrencyWire) else wire
    precision = wire.precision if isinstance(wire, CurrencyWire) else None
    fits = precision is not None and 0 <= precision <= _EXPONENT_MAX
    plain = code.strip().upper() if code else ""
    if not (plain.isascii() and plain.isalnum() and len(plain) <= _CODE_LENGTH_MAX):
        plain = NO_CURRENCY
    return Currency.of(plain, provider_exponent=precision if fits else None)


def _amount(value: Decimal | None, currency: Currency) -> tuple[int | None, bool]:
    if value is None:
        return None, True
    try:
        return minor_of(value, currency.exponent), True
    except (FinerThanCurrencyError, AmountTooLargeError):
        return None, False


def connector_of(row: Row[ConnectorWire]) -> Connector | None:
    """Return a bank that can be linked, or None for one that is hidden, unnamed or holds no accounts."""
    wire, _ = row
    name, uuid = label_of(wire.name, 100), label_of(wire.uuid, 64)
    can = {capability.lower() for capability in wire.capabilities or ()}
    if not name or not uuid or wire.hidden or (can and not can & {"bank", "bankwealth"}):
        return None
    countries = tuple(country.id.upper() for country in wire.countries or () if country.id)
    return Connector(uuid, name, color_of(wire.color), countries, bool(wire.restricted))
