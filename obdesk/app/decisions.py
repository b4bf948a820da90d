"""What a person can decide about what the banks told: a part of the commands of every front end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import date

    from obdesk.domain.ids import AccountId, RunId, TransactionId
    from obdesk.domain.suggestions import MergeId, SuggestionId


class Decisions(Protocol):
    """The person's word on rows, on findings, and on whole syncs; each can be taken back."""

    async def revert_run(self, run_id: RunId) -> None:
        """Take a whole sync back; the next one reads everything again, the person's words stay."""
        ...

    async def merge(self, kept: TransactionId, other: TransactionId) -> MergeId:
        """Make two transactions one, which can be undone; what the person wrote on either stays."""
        ...

    async def split(self, merge_id: MergeId) -> None:
        """Undo a merge, to the letter."""
        ...

    async def accept_suggestion(self, suggestion: SuggestionId) -> MergeId:
        """Make the two transactions of a suggestion one."""
        ...

    async def refuse_suggestion(self, suggestion: SuggestionId) -> None:
        """Keep the two transactions of a suggestion apart, and do not ask again."""
        ...

    async def settle_problem(self, problem_id: int, *, settled: bool = True) -> None:
        """Keep that a finding is right as it is, and is told no more; or tell it again."""
        ...

    async def settle_days(self, account_id: AccountId, first: date, last: date) -> None:
        """Keep that nothing is missing in days that no answer covers."""
        ...
