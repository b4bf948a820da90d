"""What a bank answers when it is asked holds until it was read with success.

The list of links may go on saying that all is well: its state is of the last read by the provider itself.
Believed, it would let a refused password be tried again by every check, until the bank locks the login.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from obdesk.domain.conditions import ASKED, Condition, mended_by_renewing, needs_you
from obdesk.domain.outcomes import ActionNeeded

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.outcomes import Outcome
    from obdesk.domain.remote import RemoteConnection
    from obdesk.storage.queries.limits import Told

_MARKS = {
    each: f"{ASKED}{each.value}"
    for each in Condition
    if mended_by_renewing(each) or each is Condition.ACTION_AT_BANK
}
_KEPT = {mark: condition for condition, mark in _MARKS.items()}
_SAME = timedelta(milliseconds=1)
"""As exactly as dates are kept."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a bank wants of its person, and how its link stood when it said so."""

    condition: Condition
    data_as_of: datetime | None
    consent_expires_at: datetime | None

    def upheld(self, remote: RemoteConnection) -> RemoteConnection:
        """Return how a link stands that is told now: refused still, unless what is told is newer."""
        renewed = not _are_same(remote.consent_expires_at, self.consent_expires_at)
        if renewed or _is_newer(remote.data_as_of, self.data_as_of) or needs_you(remote.condition):
            return remote
        return replace(remote, condition=self.condition, provider_state=_MARKS[self.condition])


def _are_same(one: datetime | None, other: datetime | None) -> bool:
    return not _is_newer(one, other) and not _is_newer(other, one)


def _is_newer(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one - other > _SAME)


def refusal_in(answer: Outcome[RemoteConnection], before: RemoteConnection) -> Refusal | None:
    """Return what a bank that was asked refused, if it did; `before` is how its link stood."""
    if not isinstance(answer, ActionNeeded) or answer.condition not in _MARKS:
        return None
    return Refusal(answer.condition, before.data_as_of, before.consent_expires_at)


def kept_refusal(told: Told) -> Refusal | None:
    """Return what a bank refused before, if that is what is kept of its link."""
    condition = _KEPT.get(told.provider_state)
    return None if condition is None else Refusal(condition, told.data_as_of, told.consent_expires_at)
