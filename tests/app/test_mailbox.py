"""The loop that looks into a relay's mailbox: hints are read at once, and nothing is asked without end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.app.bootstrap import App, OpenProfile
from obdesk.app.events import Changed
from obdesk.app.locks import alone
from obdesk.app.mailbox import OTHERS_S, PULLS_MAX, PULLS_WITHIN_S, Looked, Step
from obdesk.domain.changes import Kind
from obdesk.domain.entities import Trigger
from obdesk.domain.mailbox import NOTED_EVERY, MailboxState
from obdesk.storage.queries import jobs
from obdesk.storage.queries import mailbox as reads
from obdesk.storage.store import Store
from tests.flows.mailroom import CODE, URL
from tests.seed import KEY

if TYPE_CHECKING:
    from tests.app.post import Post
    from tests.guards import ExpectsLog

pytestmark = pytest.mark.anyio


async def test_a_hint_is_read_at_once_and_acknowledged_after_it_is_kept(post: Post) -> None:
    await post.house.linked()
    await post.paired()
    post.house.events.clear()
    order: list[str] = []
    post.follow()
    write = post.house.store.write

    async def writing(unit: Any, **more: Any) -> Any:
        order.append("write")
        return await write(unit, **more)

    post.house.store.write = writing  # type: ignore[method-assign]
    post.room.deliver(await post.link_there())
    post.room.asked.clear()
    assert await post.look() == Looked(Step.NEWS)
    assert post.triggers() == [Trigger.WEBHOOK]
    assert order[0] == "write"
    assert post.room.asked == ["GET /v1/mailbox/events", "POST /v1/mailbox/ack"]
    assert all(not box.waiting for box in post.room.boxes.values())
    status = await post.status()
    assert (status.hints, status.waiting, status.delivered_at) == (1, 0, post.house.clock.now())


async def test_F39_what_cannot_be_kept_is_not_acknowledged_and_comes_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = await post.house.linked()
    await post.paired()
    post.room.deliver(await post.link_there())
    post.room.asked.clear()
    with monkeypatch.context() as patched:
        patched.setattr("obdesk.sync.door.put", _fails)
        with pytest.raises(RuntimeError):
            await post.look()
    assert post.room.asked == ["GET /v1/mailbox/events"]
    await post.look()
    assert [each.job.connection_id for each in post.house.store.read_now(jobs.waiting)] == [link]


def _fails(*_unused: object) -> None:
    raise RuntimeError("the disk is full")


async def test_F39_an_acknowledgement_that_is_lost_changes_nothing(post: Post) -> None:
    await post.house.linked()
    await post.paired()
    post.follow()
    acknowledge = post.room._acknowledge
    post.room._acknowledge = lambda *_unused: None  # type: ignore[method-assign]
    post.room.deliver(await post.link_there())
    post.house.events.clear()
    await post.look()
    assert await post.look() == Looked(Step.QUIET), "the cursor is kept here"
    post.room._acknowledge = acknowledge  # type: ignore[method-assign]
    post.room.restored(post.room.copied())  # all of it is handed over once more
    await post.look()
    assert post.triggers() == [Trigger.WEBHOOK] * 2
    assert post.house.store.read_now(jobs.queue_state).depth == 0


async def test_the_loop_hears_within_a_moment_and_shows_it(post: Post) -> None:
    await post.house.linked()
    await post.paired()
    post.house.events.clear()
    async with post.running():
        post.room.deliver(await post.link_there())
        await post.until(lambda: post.triggers() == [Trigger.WEBHOOK])
    changed = [event for event in post.house.heard(Changed) if isinstance(event, Changed)]
    assert any(event.changes.touches(Kind.RELAY) for event in changed)


async def test_F26_a_link_that_nobody_knows_is_looked_for_and_read(post: Post) -> None:
    await post.house.ticket()  # makes the user
    await post.paired()
    post.follow()
    there = await post.house.at_the_bank()  # the browser never came back
    post.room.deliver(there, "ACCOUNT_FOUND")
    await post.look()
    assert await post.link_there() == there
    assert post.triggers() == [Trigger.WEBHOOK]
    assert post.house.store.read_now(reads.parked) == ()


async def test_F26_one_that_is_not_there_yet_is_looked_for_again_by_the_clock(post: Post) -> None:
    await post.house.linked()
    await post.paired()
    post.follow()
    post.room.deliver("99999")
    asked = len(post.house.bank.requests())
    await post.look()
    assert len(post.house.bank.requests()) == asked + 1, "one question, and no sync"
    there = await post.house.at_the_bank()
    post.house.store.write_now(lambda tx: tx.execute("UPDATE parked_hints SET provider_id = ?", (there,)))
    post.house.pass_time(60)
    post.house.app._background._tick()
    await post.settled()
    assert len(await post.house.app.reads.connections()) == 1, "not sooner than that"
    post.house.pass_time(120)
    post.house.app._background._tick()
    await post.settled()
    assert len(await post.house.app.reads.connections()) == 2


async def test_in_quiet_hours_a_hint_waits_and_so_does_looking(post: Post) -> None:
    await post.house.linked()
    await post.paired()
    post.follow()
    local = post.house.clock.now().astimezone()
    await post.house.app.commands.set_setting("sync.quiet_from", f"{local:%H:%M}")
    await post.house.app.commands.set_setting(
        "sync.quiet_to", f"{local.replace(hour=(local.hour + 3) % 24):%H:%M}"
    )
    post.room.deliver(await post.link_there())
    post.room.deliver("99999")
    asked = len(post.house.bank.requests())
    assert (await post.look()).step is Step.NEWS
    assert len(post.house.bank.requests()) == asked
    assert (await post.status()).waiting == 1
    assert (await post.status()).parked == 1


async def test_where_another_process_syncs_a_hint_waits_for_the_schedule(post: Post) -> None:
    await post.house.linked()
    await post.paired()
    post.follow()
    with alone(post.house.app.profile.sync_lock):
        post.room.deliver(await post.link_there())
        await post.look()
    assert (await post.status()).waiting == 1
    await post.house.app._syncs.sync_due(Trigger.SCHEDULE)
    assert (await post.status()).waiting == 0


async def test_a_quiet_mailbox_writes_a_note_every_quarter_of_an_hour_and_not_more(post: Post) -> None:
    await post.paired()
    noted = (await post.status()).pulled_at
    post.house.events.clear()
    post.house.clock.advance(NOTED_EVERY.total_seconds() / 2)
    await post.look()
    assert (await post.status()).pulled_at == noted
    assert post.house.events == []
    post.house.clock.advance(NOTED_EVERY.total_seconds() / 2)
    await post.look()
    assert (await post.status()).pulled_at == post.house.clock.now()
    post.house.clock.advance(2 * NOTED_EVERY.total_seconds() + 1)
    assert (await post.status()).state is MailboxState.IDLE, "nobody has pulled for long"


async def test_paused_nothing_is_pulled_until_it_goes_on(post: Post) -> None:
    await post.paired()
    async with post.running():
        await post.house.app.commands.set_setting("sync.paused", "on")
        while post.mailbox._seen != (URL, True):  # noqa: ASYNC110 - the loop tells nobody that it rests
            await asyncio.sleep(0)
        assert (await post.status()).state is MailboxState.PAUSED
        post.room.asked.clear()
        post.room.deliver("99999")
        await asyncio.sleep(0)
        assert post.room.asked == []
        await post.house.app.commands.set_setting("sync.paused", "off")
        await post.until(lambda: bool(post.house.store.read_now(reads.parked)))


async def test_a_relay_set_up_while_the_window_is_open_is_asked_at_once(post: Post) -> None:
    async with post.running():
        await post.house.app.commands.pair_relay(URL, CODE)
        await post.until(lambda: post.state() is MailboxState.CONNECTED)


async def test_a_relay_that_answers_at_once_and_for_ever_is_not_asked_without_end(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post.paired()
    over = post.rests_until(bool)

    async def at_once(_seconds: int) -> None:
        """Say that there is nothing, without waiting for news."""

    monkeypatch.setattr(post.room, "_news_within", at_once)
    post.room.asked.clear()
    async with post.running():
        await asyncio.wait_for(over.wait(), 20)
    assert len(post.room.asked) == PULLS_MAX
    assert post.rests == [PULLS_WITHIN_S]


async def test_only_one_process_pulls_and_another_takes_over_when_it_ends(post: Post) -> None:
    await post.paired()
    post.room.asked.clear()
    rested = post.rests_until(bool)
    with alone(post.house.app.profile.mailbox_lock):
        post.mailbox.start(lambda: None)
        await asyncio.wait_for(rested.wait(), 20)
        assert post.room.asked == []
        assert post.rests == [OTHERS_S]
    post.mailbox.wake()
    post.room.deliver("99999")
    await post.until(lambda: bool(post.house.store.read_now(reads.parked)))
    await post.mailbox.close()


async def test_a_mistake_of_ours_is_logged_and_the_loop_goes_on(
    post: Post, expects_log: ExpectsLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    expects_log("the mailbox was not read: ZeroDivisionError")
    await post.paired()

    def mistaken(*_unused: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(post.room, "_pull", mistaken)
        assert await post.mailbox._looked() == Looked(Step.FAILED)
    assert await post.look() == Looked(Step.QUIET)


async def test_quitting_ends_a_long_poll_at_once(post: Post) -> None:
    await post.paired()
    app = post.house.app
    post.mailbox.start(lambda: None)
    await post.until(lambda: post.state() is MailboxState.CONNECTED)
    async with asyncio.timeout(5):
        await app.close()
    again = OpenProfile(app.profile, Store.open(app.profile.database, KEY), None)
    async with App(again, clock=post.house.clock) as opened:  # the file is free, and so is the lock
        assert await opened.reads.relay() is not None
        with alone(app.profile.mailbox_lock) as ours:
            assert ours
