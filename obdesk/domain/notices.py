"""What deserves a notification, and what was said already: pure, from condition to notice.

A person is told of a new trouble once, of something they have to do once, and of the recovery once.
Nothing new is never told. Texts come from `conditions.explain`, so no amount can be in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from obdesk.domain.conditions import Condition, explain, needs_you
from obdesk.domain.entities import RunResult
from obdesk.domain.errors import Action
from obdesk.domain.texts import tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from obdesk.domain.entities import Connection
    from obdesk.domain.errors import ObdeskError
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.syncing import SyncOutcome


DAY = timedelta(hours=24)


class NoticeKind(Enum):
    """The closed set of things a person is told when they are not looking."""

    SYNC_ERROR = "sync_error"
    ACTION_NEEDED = "action_needed"
    RECOVERED = "recovered"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell: two short texts, and the button that helps."""

    kind: NoticeKind
    title: str
    body: str
    action: Action
    connection_id: ConnectionId | None = None
    """The connection to open; None where the trouble is not one bank's."""


_SHARED = frozenset({Condition.PROVIDER_DOWN, Condition.PROVIDER_REFUSES})
"""Troubles of the aggregator: every bank reports them, the person hears of them once."""

_QUIET = frozenset({
    Condition.OFFLINE, Condition.PROVIDER_BUSY, Condition.VALIDATING, Condition.COMING_BACK,
})  # fmt: skip
"""No trouble worth a notification: the window's status line says it, and it passes."""

_WELL = frozenset({Condition.OK, Condition.NEVER_SYNCED})


@dataclass(frozen=True, slots=True)
class Told:
    """What the person was told about and has not recovered yet."""

    troubles: Mapping[ConnectionId, frozenset[Condition]] = field(default_factory=dict)
    """Per bank, each condition told of since it was last well."""
    shared: frozenset[Condition] = frozenset()
    shared_at: datetime | None = None
    """When the person was last told of an aggregator that is down."""
    problems: frozenset[str] = frozenset()
    """Titles of whole-program problems."""


def told_at_start(connections: Iterable[Connection]) -> Told:
    """Return what counts as told when the program starts: whatever was the matter already."""
    troubles: dict[ConnectionId, frozenset[Condition]] = {}
    shared: frozenset[Condition] = frozenset()
    for connection in connections:
        if connection.condition in _SHARED:
            shared |= {connection.condition}
        elif connection.condition not in _QUIET | _WELL:
            troubles[connection.id] = frozenset({connection.condition})
    return Told(troubles, shared)


def after_sync(told: Told, outcome: SyncOutcome) -> tuple[Told, Notice | None]:
    """Return what to tell after a sync, and the memory to keep; a cancelled sync says nothing."""
    if outcome.result is RunResult.CANCELLED:
        return told, None
    return after_condition(told, outcome.connection_id, outcome.bank, outcome.condition, outcome.started_at)


def after_condition(
    told: Told, connection_id: ConnectionId, bank: str, condition: Condition, at: datetime | None = None
) -> tuple[Told, Notice | None]:
    """Return what to tell when a bank is in `condition` at an instant, and the memory to keep."""
    if condition in _QUIET:
        return told, None
    if condition is Condition.NEVER_SYNCED:
        return told, None
    if condition is Condition.OK:
        return _recovery(told, connection_id, bank)
    if condition in _SHARED:
        return _shared_trouble(told, bank, condition, at)
    return _bank_trouble(told, connection_id, bank, condition)


def _shared_trouble(
    told: Told, bank: str, condition: Condition, at: datetime | None
) -> tuple[Told, Notice | None]:
    """Tell what the person has to do once, and that an aggregator is down at most once a day."""
    if condition is Condition.PROVIDER_DOWN and at is not None and told.shared_at is not None:
        if at - told.shared_at < DAY:
            return told, None
    elif condition in told.shared:
        return told, None
    kept = replace(told, shared=told.shared | {condition}, shared_at=at or told.shared_at)
    return kept, _trouble(None, bank, condition)


def after_consent(
    told: Told, connection_id: ConnectionId, bank: str, days_left: int
) -> tuple[Told, Notice | None]:
    """Return what to tell of a consent that ends, and the memory to keep."""
    if days_left == 0:
        return after_condition(told, connection_id, bank, Condition.CONSENT_EXPIRED)
    title = trn("Access to {bank} ends in {n} day", "Access to {bank} ends in {n} days", days_left, bank=bank)
    body = tr("Renewing takes a minute; everything goes on meanwhile, and nothing is lost.")
    return told, Notice(NoticeKind.ACTION_NEEDED, title, body, Action.RENEW, connection_id)


def after_problem(told: Told, error: ObdeskError) -> tuple[Told, Notice | None]:
    """Return what to tell of a whole-program problem, and the memory to keep: each title once."""
    if error.title in told.problems:
        return told, None
    notice = Notice(NoticeKind.PROBLEM, error.title, f"{error.cause} {error.next_step}", error.action)
    return replace(told, problems=told.problems | {error.title}), notice


def _bank_trouble(
    told: Told, connection_id: ConnectionId, bank: str, condition: Condition
) -> tuple[Told, Notice | None]:
    already = told.troubles.get(connection_id, frozenset())
    kept = replace(told, troubles={**told.troubles, connection_id: already | {condition}})
    if condition in already:
        return kept, None
    if already and not needs_you(condition):
        # A bank in trouble that fails another way is the same bad news; a new thing to do is not.
        return kept, None
    return kept, _trouble(connection_id, bank, condition)


def _recovery(told: Told, connection_id: ConnectionId, bank: str) -> tuple[Told, Notice | None]:
    mine = told.troubles.get(connection_id, frozenset())
    if not mine and not told.shared:
        return (replace(told, problems=frozenset()) if told.problems else told), None
    rest = {key: value for key, value in told.troubles.items() if key != connection_id}
    if mine:
        title = tr("{bank} is up to date again", bank=bank)
        body = tr("The trouble is over; nothing was lost.")
        notice = Notice(NoticeKind.RECOVERED, title, body, Action.NONE, connection_id)
    else:
        title = tr("The aggregator answers again")
        body = tr("Your banks are being read as before.")
        notice = Notice(NoticeKind.RECOVERED, title, body, Action.NONE)
    return Told(rest, shared_at=told.shared_at), notice


def _trouble(connection_id: ConnectionId | None, bank: str, condition: Condition) -> Notice:
    words = explain(condition, bank)
    kind = NoticeKind.ACTION_NEEDED if needs_you(condition) else NoticeKind.SYNC_ERROR
    return Notice(kind, words.title, f"{words.cause} {words.next_step}", words.action, connection_id)
