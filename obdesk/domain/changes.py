"""What a commit changed: kinds and ids, never rows. Screens that are touched read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

IDS_MAX = 10_000


class Kind(Enum):
    """The kinds of things a screen may show."""

    CONNECTIONS = "connections"
    ACCOUNTS = "accounts"
    BALANCES = "balances"
    TRANSACTIONS = "transactions"
    EDITS = "edits"
    RUNS = "runs"
    PROBLEMS = "problems"
    SETTINGS = "settings"
    RELAY = "relay"
    """How the relay is, and what came through it."""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """The ids touched per kind; `None` stands for "many, read again whatever you show"."""

    touched: Mapping[Kind, frozenset[int] | None] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: Kind, ids: Iterable[int]) -> ChangeSet:
        """Return a change of `ids` of one kind; no ids is no change, very many become "many"."""
        found = frozenset(ids)
        if not found:
            return cls()
        return cls({kind: found if len(found) <= IDS_MAX else None})

    @classmethod
    def many(cls, kind: Kind) -> ChangeSet:
        """Return a change of one kind whose ids are too many to name."""
        return cls({kind: None})

    def touches(self, *kinds: Kind) -> bool:
        """Tell whether any of `kinds` changed."""
        return any(kind in self.touched for kind in kinds)

    def merge(self, other: ChangeSet) -> ChangeSet:
        """Return both changes as one."""
        merged = dict(self.touched)
        for kind, ids in other.touched.items():
            mine = merged.get(kind, frozenset())
            both = None if mine is None or ids is None else mine | ids
            merged[kind] = both if both is None or len(both) <= IDS_MAX else None
        return ChangeSet(merged)

    def __bool__(self) -> bool:
        return bool(self.touched)
