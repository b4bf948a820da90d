"""Linking: the redirect is only a hint; what the aggregator lists is the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.app.events import Changed
from obdesk.app.interface import LinkChannel, LinkResult
from obdesk.app.provider import NotConfiguredError
from obdesk.domain.changes import Kind
from obdesk.domain.conditions import Condition
from obdesk.domain.ids import ConnectionId

if TYPE_CHECKING:
    from obdesk.app.interface import LinkTicket
    from tests.app.house import House

pytestmark = pytest.mark.anyio


def _back(ticket: LinkTicket, **told: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in {"state": ticket.state, **told}.items())
    return f"{ticket.redirect_uri}?{query}"


async def test_a_linked_bank_is_adopted_and_told(house: House) -> None:
    ticket = await house.ticket()
    connection = await house.at_the_bank()
    report = await house.app.commands.finish_link(ticket, _back(ticket, connection_id=connection))
    assert report.result is LinkResult.LINKED
    (linked,) = await house.app.reads.connections()
    assert report.connections == (linked.id,)
    assert linked.provider_id == connection
    assert linked.bank in report.sentence
    assert any(
        event.changes.touches(Kind.CONNECTIONS) for event in house.events if isinstance(event, Changed)
    )


async def test_an_answer_with_another_state_adopts_nothing(house: House) -> None:
    ticket, other = await house.ticket(), await house.ticket()
    connection = await house.at_the_bank()
    report = await house.app.commands.finish_link(ticket, _back(other, connection_id=connection))
    assert (report.result, report.connections) == (LinkResult.FAILED, ())
    assert "did not belong" in report.sentence
    assert await house.app.reads.connections() == ()


async def test_an_answer_is_taken_once(house: House) -> None:
    ticket = await house.ticket()
    connection = await house.at_the_bank()
    address = _back(ticket, connection_id=connection)
    assert (await house.app.commands.finish_link(ticket, address)).result is LinkResult.LINKED
    assert (await house.app.commands.finish_link(ticket, address)).result is LinkResult.FAILED


async def test_a_redirect_that_got_lost_is_noticed_by_asking(house: House) -> None:
    ticket = await house.ticket()
    assert (await house.app.commands.finish_link(ticket, None)).result is LinkResult.NOTHING_YET
    await house.at_the_bank()
    report = await house.app.commands.finish_link(ticket, None)
    assert report.result is LinkResult.LINKED
    assert len(await house.app.reads.connections()) == 1


async def test_a_redirect_that_claims_a_link_that_is_not_there_is_not_believed(house: House) -> None:
    ticket = await house.ticket()
    report = await house.app.commands.finish_link(ticket, _back(ticket, connection_id="4711"))
    assert (report.result, report.connections) == (LinkResult.FAILED, ())
    assert await house.app.reads.connections() == ()


async def test_who_cancels_is_told_that_nothing_happened(house: House) -> None:
    ticket = await house.ticket()
    report = await house.app.commands.finish_link(ticket, _back(ticket, error="access_denied"))
    assert report.result is LinkResult.CANCELLED
    assert "Nothing was linked" in report.sentence


async def test_an_attempt_that_took_too_long_has_ended_but_loses_no_bank(house: House) -> None:
    ticket = await house.ticket()
    connection = await house.at_the_bank()
    house.pass_time(16 * 60)
    report = await house.app.commands.finish_link(ticket, _back(ticket, connection_id=connection))
    assert report.result is LinkResult.EXPIRED
    await house.sync()
    assert [each.provider_id for each in await house.app.reads.connections()] == [connection]


async def test_renewing_says_what_became_of_it(house: House) -> None:
    link = await house.linked()
    house.bank.tell("/sca")
    await house.sync()
    ticket = await house.app.commands.begin_renew(link, LinkChannel.EMBEDDED)
    assert ticket.renews == link
    assert (await house.app.commands.finish_link(ticket, None)).result is LinkResult.NOTHING_YET
    failed = await house.app.commands.finish_link(ticket, _back(ticket))
    assert (failed.result, failed.connections) == (LinkResult.FAILED, (link,))
    (before,) = await house.app.reads.connections()
    house.bank.tell(f"/connections/{before.provider_id}/state", state=None)
    again = await house.app.commands.begin_renew(link, LinkChannel.EMBEDDED)
    renewed = await house.app.commands.finish_link(again, _back(again))
    assert (renewed.result, renewed.connections) == (LinkResult.RENEWED, (link,))
    assert "as they were" in renewed.sentence
    (outcome,) = await house.sync()
    assert outcome.condition is Condition.OK


async def _consent(house: House, ends_in_days: int) -> None:
    (linked,) = await house.app.reads.connections()
    house.bank.tell(f"/connections/{linked.provider_id}/consent", expires_in_s=ends_in_days * 86_400)


async def test_before_the_consent_ends_only_a_later_end_tells_that_access_was_renewed(house: House) -> None:
    link = await house.linked()
    await _consent(house, ends_in_days=5)
    ticket = await house.app.commands.begin_renew(link, LinkChannel.BROWSER)
    for _ in range(2):
        assert (await house.app.commands.finish_link(ticket, None)).result is LinkResult.NOTHING_YET
    await _consent(house, ends_in_days=4)
    assert (await house.app.commands.finish_link(ticket, None)).result is LinkResult.NOTHING_YET
    await _consent(house, ends_in_days=180)
    renewed = await house.app.commands.finish_link(ticket, None)
    assert (renewed.result, renewed.connections) == (LinkResult.RENEWED, (link,))
    later = await house.app.commands.begin_renew(link, LinkChannel.BROWSER)
    assert (await house.app.commands.finish_link(later, None)).result is LinkResult.NOTHING_YET


async def test_a_bank_in_need_that_is_well_again_was_renewed_though_no_page_came_back(
    house: House,
) -> None:
    link = await house.linked()
    (linked,) = await house.app.reads.connections()
    house.bank.tell("/sca")
    ticket = await house.app.commands.begin_renew(link, LinkChannel.EMBEDDED)
    for state in ("SCARequired", "validating", "websiteUnavailable"):
        house.bank.tell(f"/connections/{linked.provider_id}/state", state=state)
        assert (await house.app.commands.finish_link(ticket, None)).result is LinkResult.NOTHING_YET, state
    house.bank.tell(f"/connections/{linked.provider_id}/state", state=None)
    assert (await house.app.commands.finish_link(ticket, None)).result is LinkResult.RENEWED


async def test_where_no_end_of_consent_is_told_only_the_page_that_comes_back_says_renewed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obdesk.providers.powens.mapping._consent_expires_at", lambda *_told: None)
    link = await house.linked()
    ticket = await house.app.commands.begin_renew(link, LinkChannel.EMBEDDED)
    await _consent(house, ends_in_days=180)
    assert (await house.app.commands.finish_link(ticket, None)).result is LinkResult.NOTHING_YET
    assert (await house.app.commands.finish_link(ticket, _back(ticket))).result is LinkResult.RENEWED


@pytest.mark.parametrize(
    ("error", "result"), [("access_denied", LinkResult.CANCELLED), ("server_error", LinkResult.FAILED)]
)
async def test_a_renewal_whose_page_ends_badly_says_that_access_was_not_renewed(
    house: House, error: str, result: LinkResult
) -> None:
    link = await house.linked()
    ticket = await house.app.commands.begin_renew(link, LinkChannel.BROWSER)
    report = await house.app.commands.finish_link(ticket, _back(ticket, error=error))
    assert report.result is result
    assert "not renewed" in report.sentence
    assert "linked" not in report.sentence


async def test_renewing_a_link_that_is_gone_says_so(house: House) -> None:
    link = await house.linked()
    ticket = await house.app.commands.begin_renew(link, LinkChannel.BROWSER)
    house.bank.remove((await house.app.reads.connections())[0].provider_id)
    report = await house.app.commands.finish_link(ticket, _back(ticket))
    assert report.result is LinkResult.FAILED
    assert "no longer linked" in report.sentence
    with pytest.raises(Exception, match="does not exist"):
        await house.app.commands.begin_renew(ConnectionId(99), LinkChannel.EMBEDDED)


async def test_two_attempts_never_share_a_state_and_the_address_carries_it(house: House) -> None:
    tickets = [await house.ticket() for _ in range(5)]
    assert len({ticket.state for ticket in tickets}) == 5
    assert all(len(ticket.state) >= 32 and ticket.state in ticket.url for ticket in tickets)


async def test_without_an_aggregator_there_is_a_way_to_set_one_up(house: House) -> None:
    for key in ("powens.api_url", "powens.domain"):
        await house.app.commands.set_setting(key, "")
    await house.app._providers.reset()
    with pytest.raises(NotConfiguredError, match="No aggregator"):
        await house.ticket()


async def test_banks_can_be_listed_before_anything_is_linked(house: House) -> None:
    banks = await house.app.commands.connectors()
    assert len(banks) >= 3
    assert all(each.name and each.id for each in banks)
