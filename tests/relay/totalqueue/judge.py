"""What was confirmed against what came out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from obdesk.relay.protocol import DIRTY, Hint
from tests.relay.totalqueue.town import lane_and_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.relay.totalqueue.town import Post, Target


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A delivery that was answered with 2xx, and when its first try began."""

    post: Post
    sent_at_us: int


@dataclass(slots=True)
class Heard:
    """All that one device read."""

    hints: dict[int, tuple[int, Hint]] = field(default_factory=dict)
    """Payload id: the number in the mailbox, and the hint."""
    dirties: int = 0
    dirty_at_us: int = 0
    """When the last hint came that stands for all before it."""
    twice: set[int] = field(default_factory=set)
    """Payload ids that came with two numbers: what a second delivery had an effect of its own."""

    def hear(self, seq: int, hint: Hint) -> None:
        """Take note of a hint; the same number may be read any number of times."""
        if hint.event == DIRTY or hint.payload_id is None:
            self.dirties += 1
            self.dirty_at_us = max(self.dirty_at_us, hint.received_at_us)
            return
        if self.hints.setdefault(hint.payload_id, (seq, hint))[0] != seq:
            self.twice.add(hint.payload_id)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What went wrong, in words; nothing should have."""

    lost: tuple[str, ...]
    misrouted: tuple[str, ...]
    doubled: tuple[str, ...]
    folded: int
    """How many were confirmed and are known by a later hint of the same connection, or by one for all."""
    dirties: int
    """How many hints were read that stand for all."""


def judge(
    lanes: Sequence[Target], confirmed: Sequence[Confirmed], heard: Mapping[str, Heard], sent: frozenset[int]
) -> Verdict:
    """Return what was lost, came to a wrong device or came twice.

    A delivery came out where its own hint was read, or a later one of the same connection (it folded), or
    one that stands for all that came before it.
    """
    folded = 0
    lost: list[str] = []
    latest = {name: _latest(each) for name, each in heard.items()}
    for each in confirmed:
        post = each.post
        for name in lanes[post.lane].desks:
            if post.payload_id in heard[name].hints:
                continue
            index, received_at_us = latest[name].get((post.lane, post.connection), (-1, 0))
            is_folded = index > post.index and received_at_us >= each.sent_at_us
            if is_folded or heard[name].dirty_at_us >= each.sent_at_us:
                folded += 1
            else:
                lost.append(f"{post} never came to {name}")
    doubled = [f"payload {payload} twice at {name}" for name, each in heard.items() for payload in each.twice]
    dirties = sum(each.dirties for each in heard.values())
    return Verdict(tuple(lost), tuple(_misrouted(lanes, heard, sent)), tuple(doubled), folded, dirties)


def _latest(heard: Heard) -> dict[tuple[int, str], tuple[int, int]]:
    """Return for each connection of a lane the place and time of the last hint about it."""
    latest: defaultdict[tuple[int, str], tuple[int, int]] = defaultdict(lambda: (-1, 0))
    for payload_id, (_, hint) in heard.hints.items():
        lane, index = lane_and_index(payload_id)
        key = lane, hint.connection or ""
        latest[key] = max(latest[key], (index, hint.received_at_us))
    return dict(latest)


def _misrouted(lanes: Sequence[Target], heard: Mapping[str, Heard], sent: frozenset[int]) -> Iterator[str]:
    for name, each in heard.items():
        for payload_id in each.hints:
            lane, _ = lane_and_index(payload_id)
            if payload_id not in sent:
                yield f"payload {payload_id}, which nobody sent, came to {name}"
            elif name not in lanes[lane].desks:
                yield f"payload {payload_id} of {lanes[lane]} came to {name}"
