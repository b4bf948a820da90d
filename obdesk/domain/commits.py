"""A sync as a commit: what it changed, line by line, from what to what, and whether it can be undone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.texts import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.domain.entities import Run


class Subject(Enum):
    """What a line is about."""

    TRANSACTION = "transaction"
    ACCOUNT = "account"
    BALANCE = "balance"
    """A balance observed on a day; the subject's id is the account's, the field is the day."""
    CONNECTION = "connection"


class What(Enum):
    """What happened to it."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    RESTORED = "restored"
    BOOKED = "booked"
    RENUMBERED = "renumbered"
    """The same under another id of the provider's."""


class ChangeLine(NamedTuple):
    """One field that a sync changed; values are text as the column holds them, None where it holds none."""

    subject: Subject
    subject_id: int
    what: What
    field: str
    old: str | None
    new: str | None


class Tally(NamedTuple):
    """How many things of one kind had one thing happen to them; the field only where they changed."""

    subject: Subject
    what: What
    field: str
    n: int


class WhyNot(Enum):
    """Why a sync cannot be reverted."""

    REVERTED = "reverted"
    NOTHING = "nothing"
    NOT_NEWEST = "not_newest"
    ENDED = "ended"


_WHY_NOT = {
    WhyNot.REVERTED: mark("It has been reverted already."),
    WhyNot.NOTHING: mark("It changed nothing that could be taken back."),
    WhyNot.NOT_NEWEST: mark("A newer check of the same bank changed something; that one comes first."),
    WhyNot.ENDED: mark("The bank is no longer linked, so nothing could read the data again."),
}


def why_not_text(reason: WhyNot) -> str:
    """Return why a sync cannot be reverted, as a sentence."""
    return tr(_WHY_NOT[reason])


@dataclass(frozen=True, slots=True)
class Commit:
    """One sync and what it changed."""

    run: Run
    bank: str
    tallies: tuple[Tally, ...]
    why_not: WhyNot | None
    """Why it cannot be reverted; None where it can."""
    lines: tuple[ChangeLine, ...] = ()
    """In the order in which they were made; many may be left out (`lines_total` counts them all)."""
    lines_total: int = 0
    added: tuple[int, int] | None = None
    """The first and the last id of the transactions that came new."""

    @property
    def compared(self) -> int:
        """Return how many rows the answer and the ledger were compared in."""
        counts = self.run.counts
        return counts.new + counts.updated + counts.removed + counts.unchanged

    @property
    def mended(self) -> int:
        """Return how many of them were not as the bank says, and are now."""
        return self.compared - self.run.counts.unchanged


def observed_text(balance_minor: int, observed_at_ms: int) -> str:
    """Return an observed balance as a line keeps it: the amount, and when it was observed."""
    return f"{balance_minor}@{observed_at_ms}"


def observed_of(text: str) -> tuple[int, int]:
    """Return amount and moment (milliseconds since 1970) of an observed balance in a line."""
    minor, _, at_ms = text.partition("@")
    return int(minor), int(at_ms)


def sentences(new: int, tallies: Sequence[Tally]) -> tuple[str, ...]:
    """Return what a sync did in short words: `12 new`, `3 pending became booked`, `1 amount changed`."""
    told = [trn("1 new", "{n} new", new)] if new else []
    return (*told, *(_sentence(tally) for tally in tallies))


def _sentence(tally: Tally) -> str:
    match tally.subject:
        case Subject.TRANSACTION:
            return _of_transactions(tally)
        case Subject.ACCOUNT:
            return _of_accounts(tally)
        case Subject.BALANCE:
            return trn("{n} balance moved", "{n} balances moved", tally.n)
        case Subject.CONNECTION:
            return tr("the state of the link changed")


def _of_transactions(tally: Tally) -> str:
    n = tally.n
    match tally.what:
        case What.ADDED:
            return trn("1 new", "{n} new", n)
        case What.BOOKED:
            return trn("1 pending became booked", "{n} pending became booked", n)
        case What.REMOVED:
            return trn("1 removed", "{n} removed", n)
        case What.RESTORED:
            return trn("1 came back", "{n} came back", n)
        case What.RENUMBERED:
            return trn("{n} under a new number", "{n} under new numbers", n)
        case What.CHANGED:
            return _changed(tally.field, n)


def _changed(field: str, n: int) -> str:
    match field:
        case "amount_minor":
            return trn("{n} amount changed", "{n} amounts changed", n)
        case "booked_on" | "done_on" | "value_on":
            return trn("{n} date changed", "{n} dates changed", n)
        case "label" | "payee":
            return trn("{n} label changed", "{n} labels changed", n)
        case _:
            return trn("{n} detail changed", "{n} details changed", n)


def _of_accounts(tally: Tally) -> str:
    n = tally.n
    match tally.what:
        case What.ADDED:
            return trn("{n} new account", "{n} new accounts", n)
        case What.REMOVED:
            return trn("{n} account gone", "{n} accounts gone", n)
        case What.RESTORED | What.BOOKED | What.RENUMBERED | What.CHANGED:
            return trn("{n} account changed", "{n} accounts changed", n)


def tallied(lines: Sequence[ChangeLine]) -> tuple[Tally, ...]:
    """Count lines by what they tell: each thing once for each of its changes, in the order of the sets."""
    found: dict[tuple[Subject, What, str], set[int]] = {}
    for line in lines:
        told = _told_field(line)
        if told is not None:
            found.setdefault((line.subject, line.what, told), set()).add(line.subject_id)
    order = sorted(found, key=lambda key: (_SUBJECTS.index(key[0]), _WHATS.index(key[1]), key[2]))
    return tuple(Tally(*key, len(found[key])) for key in order)


def _told_field(line: ChangeLine) -> str | None:
    """Return the group of a line: changed transactions by field, all else as a whole; stamps tell nothing."""
    if line.subject is not Subject.TRANSACTION or line.what is not What.CHANGED:
        return ""
    if line.field == "provider_updated":
        return None
    for group in _GROUPS:
        if line.field in group:
            return group[0]
    return "other"


_SUBJECTS, _WHATS = list(Subject), list(What)
_GROUPS = (("amount_minor",), ("booked_on", "done_on", "value_on"), ("label", "payee"))
