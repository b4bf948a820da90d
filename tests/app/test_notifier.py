"""Events come in on the bus, notices go out to whoever shows them."""

from __future__ import annotations

from datetime import UTC, datetime

from obdesk.app.bus import Bus
from obdesk.app.events import ActionNeeded, Changed, Problem, SyncEnded, SyncStarted
from obdesk.app.notifier import Notifier
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunCounts, RunResult, Trigger
from obdesk.domain.errors import AppError
from obdesk.domain.ids import ConnectionId
from obdesk.domain.notices import Notice, NoticeKind
from obdesk.domain.syncing import SyncOutcome
from tests.domain.connections import a_connection

BANK = ConnectionId(7)
MORNING = datetime(2026, 3, 17, 8, tzinfo=UTC)


class Shelf:
    """A presenter that keeps what it was given."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def show(self, notice: Notice) -> None:
        self.notices.append(notice)

    @property
    def kinds(self) -> list[NoticeKind]:
        return [notice.kind for notice in self.notices]


def ended(result: RunResult, condition: Condition) -> SyncEnded:
    counts = RunCounts(new=123456)
    outcome = SyncOutcome(BANK, "Alpina", Trigger.SCHEDULE, result, condition, counts, 5, MORNING, 1.5)
    return SyncEnded(outcome)


def listening(shelf: Shelf, *connections: ConnectionId) -> Bus:
    bus = Bus()
    bus.listen(Notifier(shelf, [a_connection(each, Condition.OK) for each in connections]).hear)
    return bus


def test_an_error_a_repeat_and_a_recovery_on_the_bus() -> None:
    shelf = Shelf()
    bus = listening(shelf)
    for _ in range(3):
        bus.publish(ended(RunResult.RETRY_LATER, Condition.BANK_DOWN))
    for _ in range(3):
        bus.publish(ended(RunResult.UNCHANGED, Condition.OK))
    assert shelf.kinds == [NoticeKind.SYNC_ERROR, NoticeKind.RECOVERED]
    assert "Alpina" in shelf.notices[0].title


def test_F67_a_sync_that_brings_news_is_not_a_notice_and_amounts_never_are() -> None:
    shelf = Shelf()
    bus = listening(shelf)
    bus.publish(SyncStarted(BANK, Trigger.SCHEDULE, MORNING))
    bus.publish(ended(RunResult.UPDATED, Condition.OK))
    bus.publish(Changed(ChangeSet.of(Kind.TRANSACTIONS, [1])))
    assert shelf.notices == []


def test_an_action_told_by_two_events_is_one_notice() -> None:
    shelf = Shelf()
    bus = listening(shelf, BANK)
    bus.publish(ActionNeeded(BANK, Condition.NEEDS_SCA))
    bus.publish(ended(RunResult.ACTION_NEEDED, Condition.NEEDS_SCA))
    assert shelf.kinds == [NoticeKind.ACTION_NEEDED]
    assert "Banque du Port" in shelf.notices[0].title


def test_a_problem_of_the_whole_program_is_shown() -> None:
    shelf = Shelf()
    bus = listening(shelf)
    bus.publish(Problem(AppError(title="The disk is full", cause="It is.", next_step="Free some space.")))
    assert [notice.title for notice in shelf.notices] == ["The disk is full"]
