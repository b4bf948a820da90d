"""What a relay confirmed comes out: through a few kills here, through a hundred in tests.relay.totalqueue."""

from __future__ import annotations

import pytest

from obdesk.relay.protocol import DIRTY, Hint
from tests.relay.conftest import KINDS, need_redis
from tests.relay.totalqueue.judge import Confirmed, Heard, Verdict, judge
from tests.relay.totalqueue.run import run
from tests.relay.totalqueue.town import TARGETS, Post, Town

_SENT_US = 1_000
_POSTS = tuple(Post(0, index, "ACCOUNT_SYNCED", "5", "11") for index in range(3))
_LAPTOP, _DESKTOP = TARGETS[0].desks


@pytest.mark.parametrize("kind", KINDS)
async def test_F60_what_was_confirmed_comes_out_once_though_the_relay_is_killed(kind: str) -> None:
    if kind == "redis":
        need_redis()
    found = await run(kind, deliveries=400, kills=3, seed=7)

    assert found.verdict.lost == found.verdict.misrouted == found.verdict.doubled == ()
    assert (found.acknowledged, found.kills, found.epochs) == (400, 3, 1)
    assert found.is_good


def hint(post: Post, received_at_us: int = _SENT_US + 1) -> Hint:
    """Return the hint that a delivery becomes."""
    return Hint(post.event, received_at_us, post.connection, None, post.payload_id)


def heard(**told: list[tuple[int, Hint]]) -> dict[str, Heard]:
    """Return what each device read; those that are not named read nothing."""
    found = {name: Heard() for target in TARGETS for name in target.desks}
    for name, hints in (("laptop", told.get("laptop", [])), ("desktop", told.get("desktop", []))):
        for seq, each in hints:
            found[_LAPTOP if name == "laptop" else _DESKTOP].hear(seq, each)
    return found


def judged(read: dict[str, Heard], *posts: Post) -> Verdict:
    """Judge what was read of posts that were all confirmed."""
    confirmed = [Confirmed(post, _SENT_US) for post in posts]
    return judge(TARGETS, confirmed, read, frozenset(post.payload_id for post in posts))


def test_a_delivery_that_one_of_two_devices_never_read_is_found_lost() -> None:
    verdict = judged(heard(laptop=[(1, hint(_POSTS[0]))]), _POSTS[0])

    assert len(verdict.lost) == 1
    assert _DESKTOP in verdict.lost[0]


def test_a_delivery_counts_as_read_by_a_later_one_of_its_connection_and_by_no_earlier() -> None:
    both = [(1, hint(_POSTS[1]))]
    assert judged(heard(laptop=both, desktop=both), *_POSTS[:2]).lost == ()
    assert judged(heard(laptop=both, desktop=both), *_POSTS[:2]).folded == 2
    assert len(judged(heard(laptop=both, desktop=both), *_POSTS[1:]).lost) == 2
    other = [(1, hint(Post(0, 9, "ACCOUNT_SYNCED", "6", "11")))]
    assert len(judged(heard(laptop=other, desktop=other), _POSTS[0]).lost) == 2
    before = [(1, hint(_POSTS[1], _SENT_US - 1))]
    assert len(judged(heard(laptop=before, desktop=before), _POSTS[0]).lost) == 2


def test_a_hint_for_all_counts_for_what_was_posted_before_it() -> None:
    early, late = ([(1, Hint(DIRTY, _SENT_US + by_us))] for by_us in (-1, 1))
    assert judged(heard(laptop=late, desktop=late), _POSTS[0]).lost == ()
    assert len(judged(heard(laptop=early, desktop=early), _POSTS[0]).lost) == 2


def test_a_hint_at_a_strangers_device_is_found_misrouted() -> None:
    bens = Post(1, 0, "ACCOUNT_SYNCED", "7", "12")
    both = [(1, hint(_POSTS[0]))]
    verdict = judged(heard(laptop=[*both, (2, hint(bens))], desktop=both), _POSTS[0])
    assert len(verdict.misrouted) == 1
    read = heard(laptop=[*both, (2, hint(bens))], desktop=both)
    read["ben's laptop"].hear(1, hint(bens))
    assert len(judged(read, _POSTS[0], bens).misrouted) == 1


def test_a_payload_with_two_numbers_is_found_doubled_and_one_read_twice_is_not() -> None:
    once, twice = [(1, hint(_POSTS[0]))] * 2, [(1, hint(_POSTS[0])), (2, hint(_POSTS[0]))]
    assert judged(heard(laptop=once, desktop=once), _POSTS[0]).doubled == ()
    assert len(judged(heard(laptop=once, desktop=twice), _POSTS[0]).doubled) == 1


def test_most_deliveries_are_about_connections_of_their_own_and_the_same_seed_makes_the_same() -> None:
    posts = Town(3, lanes=10).posts(4, 500)

    assert list(posts) == list(Town(3, lanes=10).posts(4, 500)) != list(Town(4, lanes=10).posts(4, 500))
    connections = [post.connection for post in posts]
    alone = [connection for connection in connections if connections.count(connection) == 1]
    assert len(alone) > 350
    assert len({post.payload_id for post in posts}) == 500
