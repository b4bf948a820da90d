"""What one write has to do: what is added, what is changed, what is gone, and what is unsure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obdesk.domain.ledger import KnownTransaction
    from obdesk.domain.remote import RemoteTransaction


class Likeness(NamedTuple):
    """How alike two rows are: 0 to 100, and the keys that were compared."""

    score: int
    why: tuple[str, ...]
    """Words from `obdesk.domain.suggestions`."""


class Unsure(NamedTuple):
    """A row that goes and a row that comes, too alike to be nothing and too unlike to be one."""

    stored: KnownTransaction
    remote: RemoteTransaction
    likeness: Likeness


class Withheld(NamedTuple):
    """An account of which too much would vanish at once: how many rows of how many."""

    missing: int
    total: int


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the person's merges and splits taught, as pairs of wordings by account."""

    same: frozenset[tuple[int, str, str]] = frozenset()
    different: frozenset[tuple[int, str, str]] = frozenset()


@dataclass(slots=True)
class Plan:
    """What one write has to do; lists are filled by `reconcile` and never changed afterwards."""

    added: list[RemoteTransaction] = field(default_factory=list)
    changed: list[tuple[KnownTransaction, RemoteTransaction]] = field(default_factory=list)
    booked: list[tuple[KnownTransaction, RemoteTransaction]] = field(default_factory=list)
    """Pending rows that came back booked under another id."""
    moved: list[tuple[KnownTransaction, RemoteTransaction]] = field(default_factory=list)
    """Rows that came back as they were, or nearly, under another id."""
    removed: list[KnownTransaction] = field(default_factory=list)
    unsure: list[Unsure] = field(default_factory=list)
    stamped: list[tuple[KnownTransaction, RemoteTransaction]] = field(default_factory=list)
    """Rows that say the same under a newer stamp: no change, but older answers must not undo it."""
    unchanged: int = 0
    freed: list[tuple[int, int]] = field(default_factory=list)
    """(Account id, provider id) of former ids that are told by a newer word as operations of their own."""
    joined: list[tuple[KnownTransaction, int]] = field(default_factory=list)
    """Rows that the person made of two, and the provider ids under which the other one comes now."""
    shared: list[RemoteTransaction] = field(default_factory=list)
    """Rows that came under an id which the same answer gives to another operation."""
    withheld: dict[int, Withheld] = field(default_factory=dict)
    """By account id: rows that are missing and stay all the same, until an answer says so again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The part of the ledger that an answer is matched against."""

    known: Mapping[tuple[int, int], KnownTransaction] = field(default_factory=dict)
    """Rows by (account id, provider id), for every id that came."""
    former: Mapping[tuple[int, int], KnownTransaction] = field(default_factory=dict)
    """Rows by ids under which they were known before, as far as these came."""
    joined: frozenset[int] = frozenset()
    """Of these, the ids of rows that the person made of two: both ids are theirs, whatever is told."""
    pending: tuple[KnownTransaction, ...] = ()
    """All live pending rows of the accounts that a complete answer speaks of."""
    missing: tuple[KnownTransaction, ...] = ()
    """Live booked rows that a complete answer lacks although its days cover them."""
    deleted: tuple[KnownTransaction, ...] = ()
    """Rows that are gone and carry the person's words: they are looked for under new ids."""
    twins: tuple[tuple[KnownTransaction, KnownTransaction], ...] = ()
    """Rows that the person made of two, and those that went into them and do not come under a known id."""
    live_rows: Mapping[int, int] = field(default_factory=dict)
    """By account id: how many live booked rows the days of a complete answer cover."""
    bulk_from: Mapping[int, str] = field(default_factory=dict)
    """By account id, where much is missing: the day from which on more than a single row came."""
    hidden: frozenset[int] = frozenset()
    """Accounts of which a row came that nobody can name: none of theirs is gone for being missing."""
    lessons: Lessons = field(default_factory=Lessons)
    renumbered: frozenset[int] = frozenset()
    """Accounts that came under other ids: with them the ids of all their rows may be others."""
    confirmed: frozenset[int] = frozenset()
    """Accounts of which an earlier complete answer already said that most rows are gone."""
