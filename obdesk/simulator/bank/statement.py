"""The rows of one bank account, as a function of the seed and the day.

A row is booked on `day` and was ordered on `rday`; between the two the bank shows it as pending. So the
pending rows of today are the rows of the next few days that were already ordered, and they book by
themselves when the clock gets there. Nothing is stored but the rows that somebody added by hand.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import replace
from datetime import date
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from obdesk.simulator.bank.calendar import SUMMARY_FR, DueDays
from obdesk.simulator.dice import dice_from, seed_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obdesk.simulator.bank.accounts import BankAccount, Plan
    from obdesk.simulator.bank.labels import Label

_SPREAD = 0x9E3779B97F4A7C15  # an odd constant that makes neighbouring days unlike each other


class Row(NamedTuple):
    """One operation at the bank; `label` is an index into the statement's labels, days are ordinals."""

    day: int
    rday: int
    minor: int
    label: int


def last_business_day(day: int) -> int:
    """Return the last weekday of the month that `day` lies in."""
    when = date.fromordinal(day)
    last = date(when.year + when.month // 12, when.month % 12 + 1, 1).toordinal() - 1
    return last - max(0, (last - 1) % 7 - 4)


def _deferred(label: Label) -> Label:
    simple = label.simple.removesuffix(" {town}")
    return replace(label, kind="deferred_card", original=f"FACTURE CARTE DU {{dmy}} {simple}", pending=None)


def _everyday(plan: Plan) -> list[Label]:
    if not plan.deferred:
        return list(plan.shops)
    return [_deferred(label) for label in plan.shops if label.kind == "card"]


class Statement:
    """The rows of one account from `first_day` on, without end.

    `history` asks for an exact number of rows up to `today`; without it the account is as busy as its
    plan says. `settles` is the statement of the deferred card that this account pays each month.
    """

    def __init__(self, account: BankAccount, seed: int, first_day: int, settles: Statement | None) -> None:
        self.account = account
        self.first_day = first_day
        self.settles = settles
        self.extras: list[Row] = []
        self.labels = _everyday(account.plan)
        self._seed = seed_of(seed, "statement", account.number)
        self._choices = [(label.low, label.high, label.lag_days, label.round_to) for label in self.labels]
        weights = list(accumulate(label.weight for label in self.labels))
        self._cumulative = [weight / weights[-1] for weight in weights]
        self._dues = DueDays(account.plan.dues)
        self._fixed: dict[str, int] = {}
        self._history = 0
        self._history_end = first_day - 1
        self._opening_minor: int | None = None

    def label_index(self, label: Label) -> int:
        """Return the index of `label`, adding it when this statement has not printed it yet."""
        if label.original not in self._fixed:
            self._fixed[label.original] = len(self.labels)
            self.labels.append(label)
        return self._fixed[label.original]

    def fill_history(self, rows: int, today: int) -> None:
        """Make exactly `rows` rows visible on `today`, booked and pending together."""
        pending = 0 if self.account.plan.deferred else len(list(self.pending_on(today)))
        wanted = max(0, rows - pending)
        counts = [len(self._fixed_rows(day)) for day in range(self.first_day, today + 1)]
        fixed = sum(counts)
        while fixed > wanted and counts:
            fixed -= counts.pop(0)
            self.first_day += 1
        self._history, self._history_end = wanted - fixed, today

    def booked_on(self, day: int) -> list[Row]:
        """Return the rows booked on ordinal `day`, in the bank's own order."""
        if day < self.first_day:
            return []
        if self.account.plan.deferred:
            return self._settled_on(day)
        return [*self._fixed_rows(day), *self._everyday_rows(day, day, self._count_on(day))]

    def booked_until(self, today: int) -> Iterator[Row]:
        """Yield every row booked from the first day to `today`, extras left aside."""
        for day in range(self.first_day, today + 1):
            yield from self.booked_on(day)

    def pending_on(self, today: int) -> Iterator[tuple[tuple[int, int], Row]]:
        """Yield rows ordered by `today` that book later, each with a key that stays with it."""
        look_ahead = 35 if self.account.plan.deferred else 4
        for day in range(today + 1, today + look_ahead + 1):
            for position, row in enumerate(self.booked_on(day)):
                if row.rday <= today:
                    yield (day, position), row

    def opening_minor(self, total: int) -> int:
        """Return the balance before the first row; the first import, of `total`, fixes it for good."""
        if self._opening_minor is None:
            self._opening_minor = self.account.plan.balance_minor - total
        return self._opening_minor

    def add_extra(self, row: Row) -> None:
        """Let the bank know one more row; the next sync will find it."""
        self.extras.append(row)

    def random_row(self, number: int, today: int, *, pending: bool) -> Row:
        """Return an everyday row that happened today, pending for a day or already booked."""
        rng = dice_from(self._seed ^ ((number + 1) * _SPREAD & 0xFFFF_FFFF_FFFF))
        label, minor, _lag = self._draw(rng.random)
        return Row(today + (1 if pending else 0), today, minor, label)

    def _count_on(self, day: int) -> int:
        if self._history_end >= day:
            position, days = day - self.first_day, self._history_end - self.first_day + 1
            return (position + 1) * self._history // days - position * self._history // days
        if not self.labels:
            return 0
        whole, rest = divmod(self.account.plan.per_100_days, 100)
        return whole + (dice_from(self._seed ^ (day * 7_919)).random() * 100 < rest)

    def _draw(self, random: Callable[[], float]) -> tuple[int, int, int]:
        chosen = bisect(self._cumulative, random())
        low, high, lag_days, step = self._choices[chosen]
        near, far = (low, high) if low >= 0 else (high, low)
        skew = random()
        minor = near + int((far - near) * skew * skew * skew)
        if step > 1:
            minor = round(minor / step) * step or near
        return chosen, minor, int(random() * (lag_days + 1))

    def _everyday_rows(self, day: int, booked: int, count: int) -> list[Row]:
        if not count or not self._choices:
            return []
        random = dice_from(self._seed ^ (day * _SPREAD & 0xFFFF_FFFF_FFFF)).random
        rows = []
        for _ in range(count):
            label, minor, lag_days = self._draw(random)
            rows.append(Row(booked, day - lag_days, minor, label))
        return rows

    def _fixed_rows(self, day: int) -> list[Row]:
        plan = self.account.plan
        rows = []
        for due in self._dues.on(day):
            spread = dice_from(self._seed ^ day).randint(-due.spread, due.spread) if due.spread else 0
            rows.append(Row(day, day, due.minor + spread, self.label_index(due.label)))
        if plan.coffee and day % 11 == 3:
            coffee = Row(day, day - 1, plan.coffee.low, self.label_index(plan.coffee))
            rows += [coffee, coffee]
        if self.settles and day == last_business_day(day):
            minor = sum(row.minor for row in self.settles.booked_on(day))
            if minor:
                rows.append(Row(day, day, minor, self.label_index(SUMMARY_FR)))
        return rows

    def _settled_on(self, day: int) -> list[Row]:
        if day != last_business_day(day):
            return []
        first = last_business_day(date.fromordinal(day).replace(day=1).toordinal() - 1) + 1
        rows: list[Row] = []
        for bought in range(max(first, self.first_day), day + 1):
            rows += [
                row._replace(rday=bought) for row in self._everyday_rows(bought, day, self._count_on(bought))
            ]
        return rows
