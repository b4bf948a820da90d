"""Beside a transaction that may be one with another, or was made one: why, and the person's word on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obdesk.domain.suggestions import Merge, Suggestion, why_text
from obdesk.domain.texts import tr
from obdesk.gui import format as fmt
from obdesk.gui.transactions.aside import Aside

if TYPE_CHECKING:
    from obdesk.domain.entities import TransactionRow
    from obdesk.domain.ids import TransactionId


class Twin(Aside[Suggestion]):
    """The likeliest other half of the transaction that is shown."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._one = self._offer(tr("It is one"), tr("These two are one transaction"), self._accept)
        self._offer(tr("They are two"), tr("These two are different transactions"), self._refuse)

    def _heading(self) -> str:
        return tr("Perhaps the same transaction")

    async def _find(self, shown: TransactionId) -> Suggestion | None:
        return next(iter(await self._reads.suggestions(shown)), None)

    def _rows_of(self, found: Suggestion, shown: TransactionId) -> tuple[TransactionRow, ...]:
        return (found.kept if found.other.id == shown else found.other,)

    def _why_of(self, found: Suggestion) -> str:
        return tr("What speaks for it: {why}. {score} of 100.", why=why_text(found), score=found.score)

    async def _accept(self, found: Suggestion) -> None:
        await self._commands.accept_suggestion(found.id)

    async def _refuse(self, found: Suggestion) -> None:
        await self._commands.refuse_suggestion(found.id)


class Joined(Aside[Merge]):
    """The two that the transaction that is shown stands for; of several merges the last one."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._offer(tr("Split again"), tr("Make two transactions of it again"), self._split)

    def _heading(self) -> str:
        return tr("Made of two")

    async def _find(self, shown: TransactionId) -> Merge | None:
        return next(iter(await self._reads.merges(shown)), None)

    def _rows_of(self, found: Merge, shown: TransactionId) -> tuple[TransactionRow, ...]:
        del shown  # it may say the same as either
        return found.kept, found.other

    def _why_of(self, found: Merge) -> str:
        made_on = fmt.local(found.at, self._locale).date()
        return tr("Made one on {day}.", day=fmt.day_month_year(made_on, self._locale))

    async def _split(self, found: Merge) -> None:
        await self._commands.split(found.id)
