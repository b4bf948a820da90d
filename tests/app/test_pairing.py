"""Being a device of a relay: becoming one, leaving, and what is done about a token that it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nacl.public import PrivateKey

from obdesk.app.events import Problem
from obdesk.app.mailbox import Looked, Step
from obdesk.app.pairing import RelayAddressError, RelayAnswerError, RelayCodeError
from obdesk.app.tokens import DatabaseTokens
from obdesk.domain.errors import Action
from obdesk.domain.mailbox import MailboxState
from tests.flows.mailroom import CODE, URL

if TYPE_CHECKING:
    from tests.app.post import Post

pytestmark = pytest.mark.anyio


async def test_a_code_makes_this_computer_a_device_of_the_relay(post: Post) -> None:
    told = await post.house.app.commands.pair_relay(f" {URL}/ ", f" {CODE}\n")
    assert (told.host, told.is_shared, told.offers_users) == ("127.0.0.1:9", False, False)
    status = await post.status()
    assert (status.state, status.pulled_at, status.peers) == (MailboxState.NEW, None, 1)
    assert await post.house.app.reads.setting("relay.url") == URL
    assert await post.look() == Looked(Step.QUIET)
    status = await post.status()
    assert (status.state, status.pulled_at) == (MailboxState.CONNECTED, post.house.clock.now())


@pytest.mark.parametrize(
    ("url", "code", "error"),
    [
        ("http://relay.example.org", CODE, RelayAddressError),
        ("", CODE, RelayAddressError),
        (URL, " ", RelayCodeError),
        (URL, "x" * 201, RelayCodeError),
        (URL, "über", RelayCodeError),
        (URL, "a-wrong-code", RelayAnswerError),
    ],
)
async def test_what_cannot_be_a_relay_or_its_code_is_said_and_changes_nothing(
    post: Post, url: str, code: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as told:
        await post.house.app.commands.pair_relay(url, code)
    assert told.value.title  # type: ignore[attr-defined]
    assert "secret" not in str(told.value)
    assert await post.house.app.reads.relay() is None
    assert await post.house.app.reads.setting("relay.url") == ""


async def test_a_pairing_whose_answer_was_lost_is_the_same_device_when_it_is_tried_again(post: Post) -> None:
    post.room.loses_answers = True
    for _ in range(2):
        with pytest.raises(RelayAnswerError):
            await post.house.app.commands.pair_relay(URL, CODE)
    (box,) = post.room.boxes.values()
    post.room.loses_answers = False
    await post.house.app.commands.pair_relay(URL, CODE)
    device = await post.house.app.commands._pairings.device()
    assert device is not None
    assert bytes(PrivateKey(device.private_key).public_key) == box.public_key
    assert len(post.room.boxes) == 1
    assert "relay/pairing" not in DatabaseTokens(post.house.store).names()


async def test_leaving_makes_both_sides_forget(post: Post) -> None:
    await post.paired()
    assert await post.house.app.commands.leave_relay()
    assert post.room.boxes == {}
    assert post.room.tokens == {}
    assert not any("relay" in name for name in DatabaseTokens(post.house.store).names())
    assert await post.house.app.reads.relay() is None
    assert await post.look() == Looked(Step.NO_RELAY)


async def test_leaving_a_relay_that_is_down_forgets_it_here(post: Post) -> None:
    await post.paired()
    post.room.is_down = True
    assert not await post.house.app.commands.leave_relay()
    assert await post.house.app.reads.relay() is None


async def test_pairing_anew_leaves_the_earlier_device(post: Post) -> None:
    await post.paired()
    post.room.codes.add("another-code")
    await post.house.app.commands.pair_relay(URL, "another-code")
    assert len(post.room.boxes) == 1, "or it would count as a second computer for ever"
    assert (await post.look()).step is Step.AGAIN
    assert (await post.look()).step is Step.QUIET
    assert (await post.status()).state is MailboxState.CONNECTED


async def test_nothing_of_a_device_is_shown_where_it_is_printed(post: Post) -> None:
    await post.paired()
    device = await post.house.app.commands._pairings.device()
    assert device is not None
    for secret in (device.credentials.token, device.credentials.ticket, device.credentials.private_key):
        assert secret not in repr(device)


async def test_a_token_that_a_relay_saw_is_replaced_and_every_earlier_one_is_dead(post: Post) -> None:
    await post.house.linked()
    await post.paired()
    post.room.bearer_seen_at_us = post.room.now_us()
    await post.look()
    assert (await post.status()).bearer_seen_at == post.house.clock.now()
    await post.look()
    (problem,) = post.house.heard(Problem)
    assert isinstance(problem, Problem)
    assert problem.error.action is Action.SHOW_RELAY
    seen = post.house.person()
    await post.house.app.commands.replace_token()
    assert not (await post.status()).exposed
    async with seen:
        assert (await seen.get("/users/me/connections")).status_code in {401, 403}
    (outcome,) = await post.house.sync()
    assert outcome.requests > 0
    await post.look()
    assert not (await post.status()).exposed
    scores = await post.house.app.reads.scores()
    assert scores.token_renewals == 1


async def test_a_token_that_was_replaced_is_no_alarm_after_pairing_anew_with_the_same_relay(
    post: Post,
) -> None:
    await post.house.linked()
    await post.paired()
    post.room.bearer_seen_at_us = post.room.now_us()
    await post.look()
    await post.house.app.commands.replace_token()
    await post.house.app.commands.leave_relay()
    post.room.codes.add("another-code")
    await post.house.app.commands.pair_relay(URL, "another-code")
    await post.look()
    await post.look()
    assert not (await post.status()).exposed
    post.house.pass_time(1)
    post.room.bearer_seen_at_us = post.room.now_us()
    await post.look()
    assert (await post.status()).exposed, "another one"
