"""A profile filled through the real write path, as large as a test or a benchmark wants it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from obdesk.app.bootstrap import OpenProfile
from obdesk.app.profile import profile_of
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import AccountKind, AccountState
from obdesk.domain.money import Currency
from obdesk.domain.remote import PageRows, RemoteAccount, RemoteConnection, RemoteTransaction
from obdesk.storage.store import Store
from obdesk.storage.writes import connections
from obdesk.sync.saving import Answer, Saved, save

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from obdesk.providers.base import TransactionPage
    from obdesk.storage.tx import Tx

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = hashlib.sha256(b"a key for tests").digest()
PAGE_ROWS = 1000
EUR, USD = Currency.of("EUR"), Currency.of("USD")

_SHOPS = (
    "MONOPRIX 4012 BREST", "CARREFOUR CITY PARIS", "LIBRAIRIE DU PORT BREST", "SNCF INTERNET PARIS",
    "BOULANGERIE DU QUAI", "PHARMACIE DES QUAIS", "UBER *TRIP HELP.UBER.COM", "CINEMA LUX", "FNAC.COM",
    "CAFÉ DE LA MARINE", "TESCO STORES 3297", "STARBUCKS LONDON", "DECATHLON BREST", "PICARD SURGELES",
    "TOTAL ENERGIES 1123", "AMAZON EU SARL", "LEROY MERLIN",
)  # fmt: skip


@dataclass(frozen=True)
class SeedPage:
    """A page of made rows, by the protocol of a provider's page."""

    rows: tuple[RemoteTransaction, ...]
    total: int | None = None

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(repr(self.rows).encode()).digest()

    def decode(self, exponents: Mapping[int, int]) -> PageRows:
        return PageRows(tuple(row for row in self.rows if row.account_provider_id in exponents), ())


def remote_connection(
    provider_id: str = "311",
    bank: str = "Banque du Port",
    *,
    condition: Condition = Condition.OK,
    color: str = "#2B6CB0",
    now: datetime = NOW,
) -> RemoteConnection:
    return RemoteConnection(
        provider_id=provider_id,
        connector_id="uuid-" + provider_id,
        bank=bank,
        color=color,
        condition=condition,
        provider_state="",
        bank_message="",
        active=True,
        created_at=now - timedelta(days=28),
        data_as_of=now - timedelta(minutes=29),
        consent_expires_at=now + timedelta(days=152),
        next_try_at=now + timedelta(hours=20),
    )


def remote_account(
    provider_id: int = 1801,
    name: str = "Compte courant",
    *,
    connection: str = "311",
    kind: AccountKind = AccountKind.CHECKING,
    currency: Currency = EUR,
    balance_minor: int | None = 152_040,
    state: AccountState = AccountState.ACTIVE,
    now: datetime = NOW,
    parent: int | None = None,
) -> RemoteAccount:
    return RemoteAccount(
        provider_id=provider_id,
        connection_provider_id=connection,
        parent_provider_id=parent,
        name=name,
        kind=kind,
        state=state,
        iban="FR7612345678901234567890185" if kind is AccountKind.CHECKING else "",
        number=str(provider_id).rjust(11, "0"),
        currency=currency,
        balance_minor=balance_minor,
        coming_minor=None,
        data_as_of=now - timedelta(minutes=29),
        condition=Condition.OK,
    )


def row(
    provider_id: int = 700_412,
    *,
    account: int = 1801,
    on: str = "2026-11-23",
    amount_minor: int | None = -2_390,
    label: str = "CARTE 22/11 LIBRAIRIE DU PORT BREST CB*1111",
    payee: str = "LIBRAIRIE DU PORT BREST",
    pending: bool = False,
    deleted: bool = False,
    updated: str = "2026-11-24 05:11:58",
    category: str = "",
    kind: str = "card",
) -> RemoteTransaction:
    return RemoteTransaction(
        provider_id=provider_id,
        account_provider_id=account,
        pending=pending,
        booked_on=on,
        done_on=on,
        value_on=None,
        amount_minor=amount_minor,
        label=label,
        payee=payee,
        kind=kind,
        category=category,
        card="1111",
        counterparty="",
        counterparty_account="",
        original_minor=None,
        original_currency="",
        original_exponent=2,
        deleted=deleted,
        updated=updated,
    )


def answer_of(
    connection_id: int,
    accounts: list[RemoteAccount],
    pages: Sequence[TransactionPage],
    *,
    remote: RemoteConnection | None = None,
    series: str = "full",
    asked_at: datetime = NOW,
) -> Answer:
    from obdesk.domain.ids import ConnectionId

    return Answer(
        connection_id=ConnectionId(connection_id),
        remote=remote or remote_connection(),
        accounts=accounts,
        pages=pages,
        series=series,
        asked_at=asked_at,
        previous_cursor=None,
        next_cursor=lambda stamps, previous: stamps or previous,
    )


def made_rows(
    count: int, *, account_ids: tuple[int, ...] = (1801, 1802, 1803), seed: int = 7
) -> Iterator[RemoteTransaction]:
    """Yield rows newest first, spread over accounts and about 20 a day (more when there are many)."""
    rng = Random(seed)  # noqa: S311 - made data, not a secret
    per_day = max(3, count // 3650)
    for n in range(count):
        day = date(2026, 11, 23) - timedelta(days=n // per_day)
        shop = rng.choice(_SHOPS)
        income = rng.random() < 0.06
        amount = rng.randint(20_000, 260_000) if income else -rng.randint(150, 16_000)
        label = f"VIR SEPA RECU SAS EXEMPLE {n}" if income else f"CARTE {day:%d/%m} {shop} CB*{n % 10000:04d}"
        yield row(
            10_000_000 + count - n,
            account=account_ids[n % len(account_ids)],
            on=day.isoformat(),
            amount_minor=amount,
            label=label,
            payee="SAS EXEMPLE" if income else shop,
            pending=n < 4,
            kind="transfer" if income else "card",
        )


def fill(store: Store, rows: int) -> Saved:
    """Fill an open store with three accounts of one bank and `rows` transactions."""

    def write(tx: Tx) -> Saved:
        connection_id = connections.adopt(tx, "powens", remote_connection(), NOW)
        accounts = [
            remote_account(1801, "Compte courant"),
            remote_account(1802, "Livret A", kind=AccountKind.SAVINGS, balance_minor=544_868),
            remote_account(1803, "Compte joint", balance_minor=231_007),
        ]
        return save(tx, answer_of(connection_id, accounts, list(pages_of(rows))))

    return store.write_now(write)


def pages_of(rows: int) -> Iterator[SeedPage]:
    batch: list[RemoteTransaction] = []
    for made in made_rows(rows):
        batch.append(made)
        if len(batch) == PAGE_ROWS:
            yield SeedPage(tuple(batch), rows)
            batch = []
    if batch:
        yield SeedPage(tuple(batch), rows)


def seeded_profile(folder: Path, rows: int) -> OpenProfile:
    """Make a profile with a raw key (no keyring) and `rows` transactions; the caller closes it."""
    profile = profile_of(folder, "seeded")
    profile.prepare()
    store = Store.open(profile.database, KEY)
    fill(store, rows)
    return OpenProfile(profile, store, None)


def reopened(folder: Path) -> OpenProfile:
    """Open a seeded profile again."""
    profile = profile_of(folder, "seeded")
    return OpenProfile(profile, Store.open(profile.database, KEY), None)
