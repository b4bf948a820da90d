"""Banks behind an aggregator, with the truth of all that ever happened there.

An `Operation` is one thing that a person did. The ids, dates, amounts and wordings under which the
aggregator tells it change; the operation stays, so that nothing is doubled or lost can be decided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from tests.flows.years.clockwork import BEGINNING
from tests.flows.years.telling import ZONE, body_of

if TYPE_CHECKING:
    from tests.flows.years.clockwork import SimClock
    from tests.flows.years.faults import Dice

CONSENT = timedelta(days=180)
HISTORY_DAYS = 45
_KINDS = (
    "CAFE", "PAIN", "LIVRES", "VELO", "FLEURS", "MARCHE", "THEATRE", "GARAGE", "POSTE", "MUSEE", "PIANO",
    "JARDIN", "BRICO", "COIFFURE",
)  # fmt: skip
_PLACES = (
    "BREST", "NANTES", "VANNES", "LORIENT", "QUIMPER", "RENNES", "DINAN", "MORLAIX", "PONTIVY", "AURAY",
    "CARNAC", "ROSCOFF",
)  # fmt: skip
_CURRENCIES = {"EUR": 2, "JPY": 0, "TND": 3, "USD": 2}
_QUIET_DAYS = 14
"""An unlike wording near a pending row would leave nothing but luck to tell which row it became."""


@dataclass(slots=True, eq=False)
class Operation:
    """One thing that happened, and how it is told at the moment."""

    number: int
    account: Account
    provider_id: int
    day: date
    minor: int
    label: str
    pending: bool
    kind: str = "card"
    deleted: datetime | None = None
    updated: datetime = BEGINNING
    former: list[int] = field(default_factory=list)
    twin_of: int | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Ghost:
    """A former id of an operation that is still listed, as a deleted row."""

    provider_id: int
    day: date
    updated: datetime
    body: bytes


@dataclass(slots=True, eq=False)
class Account:
    """An account; its number with the bank never changes, the aggregator's id may."""

    key: str
    provider_id: int
    currency: str
    kind: str
    iban: str
    opening_minor: int
    operations: list[Operation] = field(default_factory=list)
    ghosts: list[Ghost] = field(default_factory=list)
    last_use: dict[str, date] = field(default_factory=dict)

    @property
    def exponent(self) -> int:
        """Return the decimals of its amounts."""
        return _CURRENCIES[self.currency]

    @property
    def live(self) -> list[Operation]:
        """Return what counts."""
        return [each for each in self.operations if each.deleted is None]

    def balance_minor(self) -> int:
        """Return what the bank says it holds."""
        return self.opening_minor + sum(each.minor for each in self.live if not each.pending)


@dataclass(slots=True, eq=False)
class Link:
    """A connection to one bank."""

    id: int
    accounts: list[Account]
    consent_until: datetime
    created: datetime
    read_at: datetime
    books: str
    """How pending rows become booked: `same_id`, `told` (the old id is deleted) or `silent` (it is gone)."""
    page_rows: int
    state: str | None = None
    mends_at: datetime | None = None
    silent_since: dict[int, datetime] = field(default_factory=dict)
    """Ids that ceased to be listed without a word, and when: only a full answer shows that."""


@dataclass(frozen=True, slots=True)
class Call:
    """The bank was asked at the wish of the application."""

    at: datetime
    link_id: int
    attended: bool


class Bank:
    """All links of one person."""

    def __init__(self, clock: SimClock, dice: Dice, *, links: int = 1) -> None:
        self.clock = clock
        self.dice = dice
        self.rng = dice.rng
        self.calls: list[Call] = []
        self._next_id = 1_000
        self._next_number = 1
        self.links = {link.id: link for link in (self._linked(n) for n in range(links))}

    def _new_id(self) -> int:
        self._next_id += self.rng.randint(1, 3)
        return self._next_id

    def now(self) -> datetime:
        """Return the time, in the whole seconds that stamps have."""
        return self.clock.true_now().replace(microsecond=0)

    def _linked(self, number: int) -> Link:
        now = self.now()
        accounts = [
            Account(
                key=f"{number}-{n}",
                provider_id=self._new_id(),
                currency="EUR" if n == 0 else self.rng.choice(["EUR", "EUR", "JPY", "TND", "USD"]),
                kind="checking" if n == 0 else self.rng.choice(["savings", "card"]),
                iban=f"FR76MARKER{number:02}{n:02}0000000042",
                opening_minor=self.rng.randint(10_000, 500_000),
            )
            for n in range(self.rng.choice([1, 2, 2]))
        ]
        link = Link(
            id=self._new_id(),
            accounts=accounts,
            consent_until=now + CONSENT,
            created=now,
            read_at=now,
            books=self.rng.choice(["same_id", "told", "silent"]),
            page_rows=self.rng.choice([40, 100, 250]),
        )
        for account in accounts:
            for back in range(HISTORY_DAYS, 0, -1):
                if self.rng.random() < 0.5:
                    self.add(account, now.date() - timedelta(days=back))
        return link

    # What happens to operations

    def wording(self, account: Account, day: date) -> str:
        """Return a shop that was not met on the account lately."""
        while True:
            shop = f"{self.rng.choice(_KINDS)} {self.rng.choice(_PLACES)}"
            last = account.last_use.get(shop)
            if last is None or abs((day - last).days) > _QUIET_DAYS:
                account.last_use[shop] = day
                return shop

    def add(self, account: Account, day: date, *, pending: bool = False) -> Operation:
        """Let a new operation happen."""
        operation = Operation(
            number=self._next_number,
            account=account,
            provider_id=self._new_id(),
            day=day,
            minor=self.rng.choice([-1, -1, -1, 1]) * self.rng.randint(100, 90_000),
            label=f"CARTE {self.wording(account, day)}",
            pending=pending,
        )
        self._next_number += 1
        account.operations.append(operation)
        self.touch(operation)
        return operation

    def twin(self, original: Operation) -> Operation:
        """Let the very same thing happen once more on the same day."""
        operation = Operation(
            number=self._next_number,
            account=original.account,
            provider_id=self._new_id(),
            day=original.day,
            minor=original.minor,
            label=original.label,
            pending=original.pending,
            twin_of=original.twin_of or original.number,
        )
        original.twin_of = operation.twin_of
        self._next_number += 1
        original.account.operations.append(operation)
        self.touch(operation)
        return operation

    def touch(self, operation: Operation) -> None:
        """Stamp an operation and write it as the aggregator tells it."""
        operation.updated = self.now()
        operation.body = body_of(operation, operation.provider_id, operation.deleted)

    def mutate(self, operation: Operation) -> None:
        """Correct an amount, a wording or a date."""
        match self.rng.randrange(3):
            case 0:
                operation.minor += self.rng.choice([-1, 1]) * self.rng.randint(1, 5_000)
            case 1:
                operation.label += " CORRIGE"
            case _:
                operation.day -= timedelta(days=1)
        self.touch(operation)

    def delete(self, operation: Operation) -> None:
        """Withdraw an operation."""
        operation.deleted = self.now()
        self.touch(operation)

    def restore(self, operation: Operation) -> None:
        """Bring a withdrawn operation back."""
        operation.deleted = None
        self.touch(operation)

    def rename(self, link: Link, operation: Operation, *, told: bool) -> None:
        """Tell an operation under a new id; the old one is listed as deleted, or is gone without a word."""
        before, now = operation.provider_id, self.now()
        operation.former.append(before)
        if told:
            body = body_of(operation, before, now)
            operation.account.ghosts.append(Ghost(before, operation.day, now, body))
        else:
            link.silent_since[before] = now
        operation.provider_id = self._new_id()
        self.touch(operation)

    def book(self, link: Link, operation: Operation, today: date) -> None:
        """Let a pending operation become booked, as this bank does that."""
        if link.books != "same_id":
            self.rename(link, operation, told=link.books == "told")
        if operation.twin_of is None and self.dice.happens("data_pending_drift"):
            operation.minor = operation.minor * self.rng.randint(86, 114) // 100 or operation.minor
        operation.pending = False
        operation.day = min(today, operation.day + timedelta(days=self.rng.randint(0, 2)))
        self.touch(operation)
        self.dice.fired["data_pending_booked"] += 1

    def reissue(self, link: Link) -> None:
        """Tell an account and all its rows under new ids; its IBAN stays."""
        account = self.rng.choice(link.accounts)
        account.provider_id = self._new_id()
        account.ghosts.clear()
        for operation in account.operations:
            operation.former.append(operation.provider_id)
            operation.provider_id = self._new_id()
            self.touch(operation)

    # A day

    def pass_day(self) -> None:
        """Let a day's business happen, and the aggregator read the banks that let it."""
        today = self.now().astimezone(ZONE).date()
        for link in self.links.values():
            self._mend(link)
            self._trouble(link)
            if link.state is None:
                link.read_at = self.now()
                for account in link.accounts:
                    self._business(link, account, today)

    def _mend(self, link: Link) -> None:
        if link.mends_at is not None and self.now() >= link.mends_at:
            link.state, link.mends_at = None, None

    def _trouble(self, link: Link) -> None:
        if self.now() >= link.consent_until and link.state != "SCARequired":
            link.state, link.mends_at = "SCARequired", None
            self.dice.fired["bank_consent_over"] += 1
        if link.state is not None:
            return
        if self.dice.happens("bank_sca"):
            link.state = self.rng.choice(
                ["SCARequired", "webauthRequired", "decoupled", "additionalInformationNeeded"]
            )
        elif self.dice.happens("bank_wrongpass"):
            link.state = self.rng.choice(["wrongpass", "wrongPass"])
        elif self.dice.happens("bank_down"):
            link.state = self.rng.choice(["websiteUnavailable", "rateLimiting", "bug"])
            link.mends_at = self.now() + timedelta(hours=self.rng.randint(1, 60))
        elif self.dice.happens("bank_unknown_state"):
            link.state = "somethingNobodyHeardOf"
            link.mends_at = self.now() + timedelta(hours=self.rng.randint(1, 60))
        elif self.dice.happens("bank_reissue"):
            self.reissue(link)

    def _business(self, link: Link, account: Account, today: date) -> None:
        rng = self.rng
        for operation in [each for each in account.live if each.pending]:
            if (today - operation.day).days >= rng.randint(1, 4):
                self.book(link, operation, today)
        if rng.random() < 0.55:
            self.add(account, today - timedelta(days=rng.choice([0, 0, 1])), pending=rng.random() < 0.4)
        settled = [each for each in account.live[-40:] if not each.pending and each.twin_of is None]
        if settled:
            self._corrections(link, account, settled)

    def _corrections(self, link: Link, account: Account, settled: list[Operation]) -> None:
        rng, dice = self.rng, self.dice
        if dice.happens("data_mutation"):
            self.mutate(rng.choice(settled))
        if dice.happens("data_twins"):
            self.twin(rng.choice(settled[-5:]))
        if dice.happens("data_reid"):
            self.rename(link, rng.choice(settled), told=rng.random() < 0.5)
        if dice.happens("data_unknown_enum"):
            odd = rng.choice(settled)
            odd.kind = f"kind_nobody_heard_of_{rng.randint(1, 9)}"
            self.touch(odd)
        if dice.happens("data_currency_change"):
            self._change_currency(account)
        if dice.happens("data_deletion"):
            self.delete(rng.choice(settled))
        withdrawn = [each for each in account.operations[-60:] if each.deleted is not None]
        if withdrawn and dice.happens("data_restore"):
            self.restore(rng.choice(withdrawn))

    def _change_currency(self, account: Account) -> None:
        account.currency = self.rng.choice([each for each in _CURRENCIES if each != account.currency])
        for operation in account.operations:
            self.touch(operation)

    def shift(self, link: Link) -> None:
        """Let something move in a list while it is being read."""
        account = self.rng.choice(link.accounts)
        today = self.now().astimezone(ZONE).date()
        settled = [each for each in account.live if not each.pending and each.twin_of is None]
        if self.rng.random() < 0.6 or not settled:
            self.add(account, today)
        else:
            self.mutate(self.rng.choice(settled))

    # What the person does at the bank, and the application asks of it

    def renew(self, link: Link) -> None:
        """Give consent anew."""
        link.state, link.mends_at = None, None
        link.consent_until = self.now() + CONSENT
        link.read_at = self.now()

    def needs_person(self, link: Link) -> bool:
        """Tell whether a link waits for its person."""
        return link.state is not None and link.mends_at is None

    def refresh(self, link: Link, *, attended: bool) -> None:
        """Read the bank now because the application asked."""
        self.calls.append(Call(self.clock.true_now(), link.id, attended))
        if link.state is None:
            link.read_at = self.now()

    def rows(self, link: Link, since: datetime | None) -> list[bytes]:
        """Return the rows of a list in its order, deleted ones included."""
        listed: list[Operation | Ghost] = []
        for account in link.accounts:
            listed += [each for each in account.operations if since is None or each.updated > since]
            listed += [each for each in account.ghosts if since is None or each.updated > since]
        found = [(each.day, each.provider_id, each.body) for each in listed]
        found.sort(key=lambda each: (-each[0].toordinal(), each[1]))
        return [body for *_, body in found]
