"""Whatever befalls a relay: the schedule goes on, nothing is lost, and nobody is alarmed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from obdesk.app.events import Problem
from obdesk.app.mailbox import ANNOUNCE_EVERY_S, BACKOFF_MAX_S, HOPELESS_S, Looked, Step
from obdesk.app.tokens import DatabaseTokens
from obdesk.domain.entities import Trigger
from obdesk.domain.mailbox import MailboxState, Trouble
from tests.flows.mailroom import URL

if TYPE_CHECKING:
    from tests.app.post import Post

pytestmark = pytest.mark.anyio


async def test_F57_a_relay_that_is_down_is_tried_ever_more_rarely_and_nobody_is_alarmed(
    post: Post,
) -> None:
    await post.house.linked()
    await post.paired()
    post.room.is_down = True
    post.house.events.clear()
    began = post.house.clock.now()
    over = post.rests_until(lambda rests: len(rests) >= 40)
    async with post.running():
        await asyncio.wait_for(over.wait(), 20)
    assert all(0.5 <= each <= BACKOFF_MAX_S for each in post.rests)
    assert len(set(post.rests[10:])) > 20, "by chance, so that many do not come back together"
    assert max(post.rests) > 100
    status = await post.status()
    assert (status.state, status.trouble, status.since) == (MailboxState.UNREACHABLE, Trouble.OFFLINE, began)
    assert post.house.heard(Problem) == []
    post.house.pass_time(5 * 3_600)
    assert len(await post.house.app._syncs.sync_due(Trigger.SCHEDULE)) == 1, "the schedule goes on"
    post.room.is_down = False
    post.room.deliver(await post.link_there())
    await post.look()
    assert (await post.status()).state is MailboxState.CONNECTED
    assert post.triggers() == [Trigger.SCHEDULE, Trigger.WEBHOOK]


async def test_F57_the_network_s_return_ends_the_pause(post: Post) -> None:
    await post.paired()
    post.room.is_down = True
    pausing = post.rests_until(bool)
    async with post.running():
        await asyncio.wait_for(pausing.wait(), 20)
        post.room.is_down = False
        post.mailbox.wake()
        await post.until(lambda: post.state() is MailboxState.CONNECTED)


async def test_a_relay_that_says_when_is_asked_then(post: Post) -> None:
    await post.paired()
    post.room.busy_s = 77
    assert await post.look() == Looked(Step.FAILED, 77.0)
    assert (await post.status()).trouble is Trouble.BUSY


async def test_F58_a_relay_that_lost_its_store_is_told_who_we_are_and_all_is_asked_about(post: Post) -> None:
    await post.house.linked()
    await post.paired()
    post.follow()
    before = await post.house.app.commands._pairings.device()
    post.room.lose_everything()
    post.house.events.clear()
    assert await post.look() == Looked(Step.AGAIN)
    assert post.triggers() == [Trigger.WEBHOOK]
    after = await post.house.app.commands._pairings.device()
    assert before is not None
    assert after is not None
    assert after.credentials.token != before.credentials.token
    assert after.credentials.private_key == before.credentials.private_key
    assert (await post.look()).step is Step.QUIET
    post.room.deliver(await post.link_there())
    assert (await post.look()).step is Step.NEWS
    assert (await post.status()).state is MailboxState.CONNECTED


async def test_F58_one_that_loses_it_again_and_again_gets_no_storm_of_announcements(post: Post) -> None:
    await post.paired()
    post.room.lose_everything()
    assert (await post.look()).step is Step.AGAIN
    post.room.lose_everything()
    looked = await post.look()
    assert looked == Looked(Step.FAILED, ANNOUNCE_EVERY_S)
    assert (await post.status()).state is MailboxState.UNREACHABLE
    post.house.clock.advance(ANNOUNCE_EVERY_S)
    assert (await post.look()).step is Step.AGAIN


async def test_F59_a_relay_restored_from_a_copy_makes_us_ask_about_all(post: Post) -> None:
    await post.house.linked()
    await post.paired()
    post.follow()
    copied = post.room.copied()
    post.house.pass_time(3_600)
    post.room.deliver(await post.link_there())
    await post.look()
    post.room.restored(copied)
    post.house.events.clear()
    assert (await post.look()).step is Step.NEWS
    assert post.triggers() == [Trigger.WEBHOOK]
    assert (await post.look()).step is Step.QUIET


async def test_a_relay_that_threw_this_computer_out_is_left_alone_for_an_hour(post: Post) -> None:
    await post.paired()
    post.room.lose_everything()
    post.room.forgets_tickets = True
    assert (await post.look()).step is Step.HOPELESS
    assert (await post.status()).state is MailboxState.FORGOTTEN
    assert post.house.heard(Problem) == []
    post.house.clock.advance(HOPELESS_S)
    post.room.forgets_tickets = False
    assert (await post.look()).step is Step.AGAIN
    assert (await post.look()).step is Step.QUIET
    assert (await post.status()).state is MailboxState.CONNECTED


async def test_what_another_process_paired_anew_is_used_at_once(post: Post) -> None:
    await post.paired()
    post.room.codes.add("another-code")
    elsewhere = post.house.app.commands._pairings
    held = post.mailbox._device
    await elsewhere.pair(URL, "another-code")
    assert post.mailbox._device is held
    assert await post.look() == Looked(Step.AGAIN)
    assert await post.look() == Looked(Step.QUIET)
    assert not [each for each in post.room.asked if each == "POST /v1/devices"][2:], "nobody was announced"


async def test_secrets_that_are_gone_are_said_and_asked_for_again_later(post: Post) -> None:
    await post.paired()
    tokens = DatabaseTokens(post.house.store)
    (name,) = [each for each in tokens.names() if each.startswith("relay/")]
    kept = tokens.get(name)
    assert kept is not None
    for damaged in ("", "{}", '{"token": "a", "ticket": "b", "private_key": "short"}'):
        tokens.put(name, damaged)
        post.mailbox._device = None
        assert await post.mailbox._looked() == Looked(Step.FAILED)
        assert (await post.status()).state is MailboxState.LOCKED
    tokens.put(name, kept)
    assert await post.look() == Looked(Step.QUIET)
    assert (await post.status()).state is MailboxState.CONNECTED


async def test_F61_a_hint_sealed_to_somebody_else_is_counted_and_everything_is_read(
    post: Post,
) -> None:
    await post.house.linked()
    await post.paired()
    post.follow()
    (box,) = post.room.boxes.values()
    post.room.put(box, "x", b"poison" * 40)
    post.house.events.clear()
    assert (await post.look()).step is Step.NEWS
    assert post.triggers() == [Trigger.WEBHOOK]
    assert not box.waiting, "it is acknowledged, or it would come for ever"
    assert (await post.status()).unreadable == 1
