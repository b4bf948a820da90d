"""Every listener hears every event in the order in which they happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.app.bus import Bus
from obdesk.app.events import ActionNeeded, Changed
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.ids import ConnectionId

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.app.events import Event

ONE, TWO, THREE = (ActionNeeded(ConnectionId(n), Condition.NEEDS_SCA) for n in (1, 2, 3))


def test_all_hear_all_in_order() -> None:
    bus, first, second = Bus(), [], []  # type: ignore[var-annotated]
    bus.listen(first.append)
    bus.listen(second.append)
    for event in (ONE, TWO):
        bus.publish(event)
    assert first == second == [ONE, TWO]


def test_an_event_raised_while_another_is_told_comes_after_it_for_everybody() -> None:
    bus = Bus()
    heard: list[Event] = []

    def answers(event: Event) -> None:
        if event is ONE:
            bus.publish(TWO)

    bus.listen(answers)
    bus.listen(heard.append)
    bus.publish(ONE)
    bus.publish(THREE)
    assert heard == [ONE, TWO, THREE]


def test_who_stopped_listening_hears_nothing() -> None:
    bus = Bus()
    heard: list[Event] = []
    stop = bus.listen(heard.append)
    bus.publish(ONE)
    stop()
    stop()
    bus.publish(TWO)
    assert heard == [ONE]


def test_who_stops_in_the_middle_does_not_keep_others_from_hearing() -> None:
    bus = Bus()
    heard: list[Event] = []
    stops: list[Callable[[], None]] = []

    def leaves(event: Event) -> None:
        del event
        stops[0]()

    stops.append(bus.listen(leaves))
    bus.listen(heard.append)
    bus.publish(Changed(ChangeSet.many(Kind.RUNS)))
    assert len(heard) == 1
