"""Linking a bank as a story of events: every way in, every way out, and nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from obdesk.app.interface import LinkChannel, LinkReport, LinkResult, LinkTicket
from obdesk.domain.conditions import Condition
from obdesk.domain.ids import ConnectionId
from obdesk.domain.remote import RemoteConnection
from obdesk.gui.linking.flow import ASK_EVERY_S, ATTEMPT_S, FRUIT_WAIT_S, step
from obdesk.gui.linking.present import ending_title, step_line
from obdesk.gui.linking.stages import (
    Adopted,
    Adopting,
    AdoptingFailed,
    Ask,
    Asked,
    AtBank,
    BankChosen,
    BrowserWanted,
    CameBack,
    Cancel,
    Choosing,
    ClosePage,
    Confirmed,
    Done,
    Effect,
    Ended,
    Ending,
    Event,
    Explaining,
    Finish,
    FirstSync,
    FirstSyncEnded,
    Flow,
    LastQuestion,
    Leave,
    Left,
    OpenAttempt,
    OpenInBrowser,
    Opening,
    OpeningFailed,
    PageBroke,
    PageFault,
    Retry,
    ShowPage,
    StopListening,
    SyncFirst,
    Target,
    Ticked,
    TicketReady,
)

BANK = Target("Alpina Bank", connector_id="uuid-1")
EMBEDDED, BROWSER = LinkChannel.EMBEDDED, LinkChannel.BROWSER
LINKED = LinkReport(LinkResult.LINKED, (ConnectionId(5),), "Alpina Bank is linked.")
NOTHING = LinkReport(LinkResult.NOTHING_YET, (), "")
WELL = RemoteConnection("300", "", "Alpina Bank", "", Condition.OK, "", "", True, None, None, None, None)
BACK = "https://obdesk.invalid/callback?connection_id=311&state=s"


def ticket(channel: LinkChannel = EMBEDDED, known: frozenset[str] = frozenset({"300"})) -> LinkTicket:
    return LinkTicket(
        url="https://webview.powens.com/en/connect",
        redirect_uri="https://obdesk.invalid/callback",
        state="s",
        channel=channel,
        started_at=datetime(2026, 3, 17, 8, tzinfo=UTC),
        known=known,
    )


def walk(*events: Event, start: Flow | None = None) -> tuple[Flow, list[Effect]]:
    """Feed events in and collect every effect."""
    flow, done = start or Flow(), list[Effect]()
    for event in events:
        flow, effects = step(flow, event)
        done += effects
    return flow, done


def at_bank(channel: LinkChannel = EMBEDDED) -> Flow:
    flow, _ = walk(BankChosen(BANK), Confirmed(channel), TicketReady(1, ticket(channel), 0.0))
    assert isinstance(flow.stage, AtBank)
    return flow


def test_the_straight_way_through() -> None:
    flow, done = walk(
        BankChosen(BANK),
        Confirmed(EMBEDDED),
        TicketReady(1, ticket(), 0.0),
        CameBack(1, BACK),
        Adopted(1, LINKED),
        FirstSyncEnded("1284 transactions since 14 March 2024."),
    )
    assert flow.stage == Done(BANK, LINKED, "1284 transactions since 14 March 2024.")
    assert [effect for effect in done if not isinstance(effect, ClosePage | StopListening)] == [
        OpenAttempt(1, BANK, EMBEDDED),
        ShowPage(1, ticket()),
        Finish(1, ticket(), BACK),
        SyncFirst((ConnectionId(5),)),
    ]


def test_nothing_is_opened_before_the_person_has_read_what_it_is_for() -> None:
    flow, done = walk(BankChosen(BANK))
    assert isinstance(flow.stage, Explaining)
    assert done == []


def test_the_list_of_links_is_asked_every_few_seconds_and_never_twice_at_once() -> None:
    flow, done = walk(Ticked(1.0), Ticked(ASK_EVERY_S), Ticked(ASK_EVERY_S + 60), start=at_bank())
    assert done == [Ask(1, ticket())]
    flow, done = walk(Asked(1, NOTHING, 70.0), Ticked(70.1), Ticked(70.0 + ASK_EVERY_S), start=flow)
    assert done == [Ask(1, ticket())]


def test_a_lost_way_back_still_completes() -> None:
    flow, _ = walk(Ticked(5.0), Asked(1, LINKED, 6.0), start=at_bank())
    assert isinstance(flow.stage, AtBank), "the page may still ask which accounts"
    flow, done = walk(Ticked(6.0 + FRUIT_WAIT_S), start=flow)
    assert isinstance(flow.stage, FirstSync)
    assert not any(isinstance(effect, Finish) for effect in done)


@pytest.mark.parametrize(
    "last",
    [CameBack(1, BACK), PageBroke(1, PageFault.LOAD_FAILED), Cancel()],
    ids=["back", "broke", "cancel"],
)
def test_once_the_link_is_found_whatever_ends_the_page_ends_it_well(last: Event) -> None:
    flow, done = walk(Ticked(5.0), Asked(1, LINKED, 6.0), last, start=at_bank())
    assert isinstance(flow.stage, FirstSync)
    assert not any(isinstance(effect, Finish) for effect in done)


def test_an_answer_waits_for_the_poll_under_way_and_is_not_used_when_that_found_the_link() -> None:
    flow, done = walk(Ticked(5.0), CameBack(1, BACK), start=at_bank())
    assert isinstance(flow.stage, Adopting)
    assert not any(isinstance(effect, Finish) for effect in done)
    found, done = walk(Asked(1, LINKED, 6.0), start=flow)
    assert isinstance(found.stage, FirstSync)
    assert not any(isinstance(effect, Finish) for effect in done)
    not_found, done = walk(Asked(1, None, 6.0), start=flow)
    assert done == [Finish(1, ticket(), BACK)]
    assert isinstance(not_found.stage, Adopting)


@pytest.mark.parametrize("fault", PageFault)
def test_each_fault_of_the_page_asks_once_more_and_ends_in_its_own_sentence(fault: PageFault) -> None:
    flow, done = walk(PageBroke(1, fault), start=at_bank())
    assert Ask(1, ticket()) in done
    assert ClosePage() in done
    flow, _ = walk(Asked(1, NOTHING, 9.0), start=flow)
    assert isinstance(flow.stage, Ended)
    assert flow.stage.ending is Ending.FAILED
    assert len(flow.stage.sentence) > 30
    flow, _ = walk(Retry(), start=flow)
    assert flow.stage == Explaining(BANK)


def test_a_fault_after_the_bank_had_linked_is_no_failure() -> None:
    flow, _ = walk(PageBroke(1, PageFault.CRASHED), Asked(1, LINKED, 9.0), start=at_bank())
    assert isinstance(flow.stage, FirstSync)


def test_after_fifteen_minutes_the_attempt_expires_in_a_sentence() -> None:
    flow, _ = walk(Ticked(ATTEMPT_S), Asked(1, NOTHING, ATTEMPT_S + 1), start=at_bank())
    assert isinstance(flow.stage, Ended)
    assert flow.stage.ending is Ending.EXPIRED


@pytest.mark.parametrize(
    ("result", "ending"),
    [
        (LinkResult.CANCELLED, Ending.CANCELLED),
        (LinkResult.EXPIRED, Ending.EXPIRED),
        (LinkResult.FAILED, Ending.FAILED),
        (LinkResult.NOTHING_YET, Ending.FAILED),
    ],
)
def test_an_answer_that_says_no_ends_in_the_words_of_the_report(result: LinkResult, ending: Ending) -> None:
    report = LinkReport(result, (), "The bank was not linked.")
    flow, _ = walk(CameBack(1, BACK), Adopted(1, report), start=at_bank())
    assert flow.stage == Ended(BANK, ending, "The bank was not linked.")


def test_an_answer_that_could_not_be_verified_is_asked_for_once_more() -> None:
    flow, done = walk(CameBack(1, BACK), AdoptingFailed(1, "No network."), start=at_bank())
    assert isinstance(flow.stage, LastQuestion)
    assert done[-1] == Ask(1, ticket())
    flow, _ = walk(Asked(1, None, 9.0), start=flow)
    assert flow.stage == Ended(BANK, Ending.FAILED, "No network.")


def test_going_on_in_the_browser_keeps_the_attempt_and_what_counts_as_new() -> None:
    opened = replace(ticket(), before=WELL)
    flow, _ = walk(BankChosen(BANK), Confirmed(EMBEDDED), TicketReady(1, opened, 0.0))
    flow, done = walk(BrowserWanted(), start=flow)
    assert done == [OpenAttempt(1, BANK, BROWSER)]
    assert ClosePage() not in done
    later = ticket(BROWSER, known=frozenset({"300", "311"}))
    flow, done = walk(TicketReady(1, later, 60.0), start=flow)
    kept = replace(later, known=frozenset({"300"}), before=WELL)
    assert done == [ClosePage(), OpenInBrowser(kept)]
    assert isinstance(flow.stage, AtBank)
    assert flow.stage.deadline_s == ATTEMPT_S, "the clock of the attempt goes on"


def test_a_browser_without_a_way_back_leaves_the_page_as_it_is_and_says_why() -> None:
    flow, done = walk(BrowserWanted(), OpeningFailed(1, "The ports are taken."), start=at_bank())
    assert isinstance(flow.stage, AtBank)
    assert flow.stage.notice == "The ports are taken."
    assert ClosePage() not in done


def test_the_browser_page_can_be_opened_again() -> None:
    _, done = walk(BrowserWanted(), start=at_bank(BROWSER))
    assert done == [OpenInBrowser(ticket(BROWSER))]


def test_a_ticket_that_comes_after_the_person_left_closes_its_way_back() -> None:
    flow, _ = walk(BankChosen(BANK), Confirmed(BROWSER), Leave())
    _, done = walk(TicketReady(1, ticket(BROWSER), 1.0), start=flow)
    assert done == [StopListening()]


def test_renewing_goes_the_same_way() -> None:
    again = Target("Alpina Bank", renews=ConnectionId(5))
    renewed = LinkReport(LinkResult.RENEWED, (ConnectionId(5),), "Renewed.")
    flow, done = walk(
        BankChosen(again),
        Confirmed(EMBEDDED),
        TicketReady(1, ticket(), 0.0),
        CameBack(1, BACK),
        Adopted(1, renewed),
    )
    assert flow.stage == FirstSync(again, renewed)
    assert done[0] == OpenAttempt(1, again, EMBEDDED)


@pytest.mark.parametrize(
    "events",
    [
        (Cancel(),),
        (Ticked(ATTEMPT_S), Asked(1, NOTHING, ATTEMPT_S + 1)),
        (PageBroke(1, PageFault.CLOSED), Asked(1, NOTHING, 9.0)),
        (CameBack(1, BACK), Cancel()),
    ],
)
def test_a_renewal_that_comes_to_nothing_does_not_speak_of_linking(events: tuple[Event, ...]) -> None:
    again = Target("Alpina Bank", renews=ConnectionId(5))
    flow, _ = walk(BankChosen(again), Confirmed(EMBEDDED), TicketReady(1, ticket(), 0.0), *events)
    assert isinstance(flow.stage, Ended)
    for words in (flow.stage.sentence, step_line(flow), ending_title(flow.stage)):
        assert "linked" not in words


class AnyStory(RuleBasedStateMachine):
    """Events in any order, late ones included, against a plain book of what is open."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = Flow()
        self.now_s = 0.0
        self.page = self.listener = False
        self.asks_open: list[int] = []
        self.openings: list[tuple[int, LinkChannel]] = []
        self.finished: list[int] = []
        self.finishing: list[int] = []
        self.linked_attempts: list[int] = []

    def feed(self, event: Event) -> None:
        self.flow, effects = step(self.flow, event)
        for effect in effects:
            self.do(effect)

    def do(self, effect: Effect) -> None:
        match effect:
            case OpenAttempt(attempt, _, channel):
                self.openings.append((attempt, channel))
                self.listener = self.listener or channel is BROWSER
            case ShowPage():
                assert not self.page, "two pages at once"
                self.page = True
            case OpenInBrowser():
                assert self.listener, "a browser without a way back"
            case Ask(attempt, _):
                assert attempt not in self.asks_open, "two polls at once"
                self.asks_open.append(attempt)
            case Finish(attempt, _, _):
                assert attempt not in self.finished, "an answer used twice"
                assert attempt not in self.asks_open, "an answer used while a poll may find the link"
                self.finished.append(attempt)
                self.finishing.append(attempt)
            case ClosePage():
                self.page = False
            case StopListening():
                self.listener = False
            case SyncFirst():
                assert self.flow.attempt not in self.linked_attempts, "one attempt linked twice"
                self.linked_attempts.append(self.flow.attempt)

    @rule(bank=st.sampled_from([BANK, Target("Renewed", renews=ConnectionId(5))]))
    def choose(self, bank: Target) -> None:
        self.feed(BankChosen(bank))

    @rule(channel=st.sampled_from(LinkChannel))
    def confirm(self, channel: LinkChannel) -> None:
        self.feed(Confirmed(channel))

    @precondition(lambda self: self.openings)
    @rule(works=st.booleans())
    def opening_ends(self, works: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        attempt, channel = self.openings.pop(0)
        if works:
            self.listener = self.listener or channel is BROWSER
            self.feed(TicketReady(attempt, ticket(channel), self.now_s))
        else:
            self.feed(OpeningFailed(attempt, "It could not be opened."))

    @precondition(lambda self: self.page or self.listener)
    @rule()
    def come_back(self) -> None:
        self.feed(CameBack(self.flow.attempt, BACK))

    @rule(fault=st.sampled_from(PageFault), late=st.integers(0, 2))
    def page_breaks(self, fault: PageFault, late: int) -> None:
        self.feed(PageBroke(self.flow.attempt - late, fault))

    @precondition(lambda self: self.asks_open)
    @rule(report=st.sampled_from([None, NOTHING, LINKED]))
    def poll_ends(self, report: LinkReport | None) -> None:
        self.feed(Asked(self.asks_open.pop(0), report, self.now_s))

    @precondition(lambda self: self.finishing)
    @rule(result=st.sampled_from([None, *LinkResult]))
    def finishing_ends(self, result: LinkResult | None) -> None:
        attempt = self.finishing.pop(0)
        if result is None:
            self.feed(AdoptingFailed(attempt, "No network."))
        else:
            self.feed(Adopted(attempt, LinkReport(result, (ConnectionId(5),), "A sentence.")))

    @rule(seconds=st.sampled_from([0.5, ASK_EVERY_S, FRUIT_WAIT_S, ATTEMPT_S]))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds
        self.feed(Ticked(self.now_s))

    @rule(event=st.sampled_from([BrowserWanted(), FirstSyncEnded("Done."), Cancel(), Retry(), Leave()]))
    def person(self, event: Event) -> None:
        self.feed(event)

    @invariant()
    def nothing_stays_open_without_an_attempt(self) -> None:
        if not isinstance(self.flow.stage, Opening | AtBank | LastQuestion | Adopting):
            assert not self.page
            assert not self.listener

    @invariant()
    def every_end_has_a_sentence(self) -> None:
        if isinstance(self.flow.stage, Ended | Done):
            assert self.flow.stage.sentence

    @invariant()
    def there_is_always_a_way_out(self) -> None:
        assert isinstance(step(self.flow, Leave())[0].stage, Left)
        there = self.flow
        for _ in range(3):
            there, _ = step(there, Cancel())
        assert isinstance(there.stage, Choosing | Left)


AnyStory.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAnyStory = AnyStory.TestCase
