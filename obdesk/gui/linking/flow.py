"""Linking a bank as a pure state machine: an event in, the next state and the effects out.

No Qt, no clock, no network: whoever runs it feeds in what happened and does what comes out. Late answers
of an earlier attempt are recognised by the attempt's number and change nothing. An answer of the bank's
page is used once, and never together with a poll that found the same link.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from obdesk.app.interface import LinkChannel, LinkResult
from obdesk.domain.texts import mark, tr
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
    Ended,
    Ending,
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
    Ticked,
    TicketReady,
)

if TYPE_CHECKING:
    from obdesk.app.interface import LinkReport, LinkTicket
    from obdesk.gui.linking.stages import Effect, Event, Stage, Target

ATTEMPT_S = 15 * 60.0
ASK_EVERY_S = 4.0
FRUIT_WAIT_S = 30.0
"""How long a page that has linked already may take to say goodbye (choosing accounts, for example)."""

Move = tuple[Flow, tuple["Effect", ...]]

_TIDY: tuple[Effect, ...] = (ClosePage(), StopListening())

_FAULTS: dict[PageFault, str] = {
    PageFault.LOAD_FAILED: mark(
        "The page could not be loaded. Check the connection to the internet, then try again."
    ),
    PageFault.CRASHED: mark("The page stopped working. Nothing is lost."),
    PageFault.CLOSED: mark("The page closed itself before it was finished."),
    PageFault.CERTIFICATE: mark(
        "The site could not prove who it is, so obdesk left it. Try again later or from another network."
    ),
    PageFault.WRONG_STATE: mark(
        "An answer came that does not belong to this attempt. It was refused and nothing was changed."
    ),
    PageFault.NAGGING: mark("The page did not stop asking questions, so obdesk closed it."),
    PageFault.ENGINE_REFUSED: mark(
        "The embedded page cannot be shown safely on this computer. Your own browser can do it."
    ),
}

_ENDINGS = {
    LinkResult.CANCELLED: Ending.CANCELLED,
    LinkResult.EXPIRED: Ending.EXPIRED,
    LinkResult.FAILED: Ending.FAILED,
    LinkResult.NOTHING_YET: Ending.FAILED,
}


def step(flow: Flow, event: Event) -> Move:
    """Return what follows from `event`; an event that makes no sense now changes nothing."""
    if isinstance(event, Leave):
        return replace(flow, stage=Left()), _tidy(flow.stage)
    if isinstance(event, TicketReady) and not _live(flow.stage):
        # A ticket that comes after its attempt is over may have opened a way back.
        return flow, (StopListening(),)
    if getattr(event, "attempt", flow.attempt) != flow.attempt:
        return flow, ()
    match flow.stage:
        case Choosing() | Left():
            return _choosing(flow, event)
        case Explaining() as stage:
            return _explaining(flow, stage, event)
        case FirstSync() as stage:
            return _first_sync(flow, stage, event)
        case Done() | Ended() as stage:
            return _over(flow, stage, event)
        case Opening() | AtBank() | LastQuestion() | Adopting() as stage:
            return _attempt(flow, stage, event)


def _attempt(flow: Flow, stage: Opening | AtBank | LastQuestion | Adopting, event: Event) -> Move:
    match stage:
        case Opening():
            return _opening(flow, stage, event)
        case AtBank():
            return _at_bank(flow, stage, event)
        case LastQuestion():
            return _last_question(flow, stage, event)
        case Adopting():
            return _adopting(flow, stage, event)


def fault_sentence(fault: PageFault) -> str:
    """Return what a person reads when the embedded page cannot go on."""
    return tr(_FAULTS[fault])


def target_of(stage: Stage) -> Target | None:
    """Return what a stage is about, where it is about something."""
    return None if isinstance(stage, Choosing | Left) else stage.target


def _live(stage: Stage) -> bool:
    return isinstance(stage, Opening | AtBank | LastQuestion | Adopting)


def _tidy(stage: Stage) -> tuple[Effect, ...]:
    return _TIDY if _live(stage) else ()


def _choosing(flow: Flow, event: Event) -> Move:
    if isinstance(event, BankChosen):
        return replace(flow, stage=Explaining(event.target)), ()
    return flow, ()


def _explaining(flow: Flow, stage: Explaining, event: Event) -> Move:
    match event:
        case Confirmed(channel):
            return _open(flow, stage.target, channel)
        case BankChosen(target):
            return replace(flow, stage=Explaining(target)), ()
        case Cancel():
            return replace(flow, stage=Choosing()), ()
        case _:
            return flow, ()


def _open(flow: Flow, target: Target, channel: LinkChannel) -> Move:
    attempt = flow.attempt + 1
    return Flow(Opening(target, channel), attempt), (OpenAttempt(attempt, target, channel),)


def _opening(flow: Flow, stage: Opening, event: Event) -> Move:
    match event:
        case TicketReady(_, ticket, now_s):
            at_bank = AtBank(stage.target, ticket, now_s + ATTEMPT_S, now_s + ASK_EVERY_S)
            return replace(flow, stage=at_bank), (_show(flow.attempt, ticket),)
        case OpeningFailed(_, sentence):
            return _end(flow, stage.target, Ending.FAILED, sentence)
        case Cancel():
            return _cancelled(flow, stage.target)
        case _:
            return flow, ()


def _show(attempt: int, ticket: LinkTicket) -> Effect:
    embedded = ticket.channel is LinkChannel.EMBEDDED
    return ShowPage(attempt, ticket) if embedded else OpenInBrowser(ticket)


def _at_bank(flow: Flow, stage: AtBank, event: Event) -> Move:
    match event:
        case CameBack(_, url):
            return _came_back(flow, stage, url)
        case Asked():
            return _asked(flow, stage, event)
        case Ticked(now_s):
            return _ticked(flow, stage, now_s)
        case PageBroke() | Cancel() if stage.fruit is not None:
            return _linked(flow, stage.target, stage.fruit)
        case PageBroke(_, fault):
            return _last_look(flow, stage, Ending.FAILED, fault_sentence(fault))
        case Cancel():
            return _cancelled(flow, stage.target)
        case BrowserWanted() | TicketReady() | OpeningFailed():
            return _moving(flow, stage, event)
        case _:
            return flow, ()


def _moving(flow: Flow, stage: AtBank, event: BrowserWanted | TicketReady | OpeningFailed) -> Move:
    match event:
        case BrowserWanted() if stage.ticket.channel is LinkChannel.BROWSER:
            return flow, (OpenInBrowser(stage.ticket),)
        case BrowserWanted() if not stage.moving:
            asks = OpenAttempt(flow.attempt, stage.target, LinkChannel.BROWSER)
            return replace(flow, stage=replace(stage, moving=True, notice="")), (asks,)
        case TicketReady(_, ticket, _) if stage.moving:
            # What the first page has linked or renewed meanwhile still counts as new.
            kept = replace(ticket, known=stage.ticket.known, before=stage.ticket.before)
            moved = replace(stage, ticket=kept, moving=False)
            return replace(flow, stage=moved), (ClosePage(), OpenInBrowser(kept))
        case OpeningFailed(_, sentence) if stage.moving:
            return replace(flow, stage=replace(stage, moving=False, notice=sentence)), ()
        case _:
            return flow, ()


def _came_back(flow: Flow, stage: AtBank, url: str) -> Move:
    if stage.fruit is not None:
        return _linked(flow, stage.target, stage.fruit)
    adopting = Adopting(stage.target, stage.ticket, url, stage.asking)
    finish: tuple[Effect, ...] = () if stage.asking else (Finish(flow.attempt, stage.ticket, url),)
    return replace(flow, stage=adopting), (*_TIDY, *finish)


def _asked(flow: Flow, stage: AtBank, event: Asked) -> Move:
    again = replace(stage, asking=False, ask_at_s=event.now_s + ASK_EVERY_S)
    if event.report is not None and _is_success(event.report):
        fruit = replace(again, fruit=event.report, fruit_until_s=event.now_s + FRUIT_WAIT_S)
        return replace(flow, stage=fruit), ()
    return replace(flow, stage=again), ()


def _ticked(flow: Flow, stage: AtBank, now_s: float) -> Move:
    if stage.fruit is not None:
        if now_s >= stage.fruit_until_s:
            return _linked(flow, stage.target, stage.fruit)
        return flow, ()
    if now_s >= stage.deadline_s:
        return _last_look(flow, stage, Ending.EXPIRED, _expired_sentence(stage.target))
    if now_s >= stage.ask_at_s and not stage.asking:
        return replace(flow, stage=replace(stage, asking=True)), (Ask(flow.attempt, stage.ticket),)
    return flow, ()


def _last_look(flow: Flow, stage: AtBank, ending: Ending, sentence: str) -> Move:
    ask: tuple[Effect, ...] = () if stage.asking else (Ask(flow.attempt, stage.ticket),)
    looking = LastQuestion(stage.target, stage.ticket, ending, sentence)
    return replace(flow, stage=looking), (*_TIDY, *ask)


def _last_question(flow: Flow, stage: LastQuestion, event: Event) -> Move:
    match event:
        case Asked(_, report, _):
            if report is not None and _is_success(report):
                return _linked(flow, stage.target, report)
            return _end(flow, stage.target, stage.ending, stage.sentence)
        case TicketReady():
            return flow, (StopListening(),)
        case Cancel():
            return _end(flow, stage.target, stage.ending, stage.sentence)
        case _:
            return flow, ()


def _adopting(flow: Flow, stage: Adopting, event: Event) -> Move:
    match event:
        case Asked(_, report, _) if stage.asking:
            if report is not None and _is_success(report):
                return _linked(flow, stage.target, report)
            finish = Finish(flow.attempt, stage.ticket, stage.callback_url)
            return replace(flow, stage=replace(stage, asking=False)), (finish,)
        case Adopted(_, report) if not stage.asking:
            if _is_success(report):
                return _linked(flow, stage.target, report)
            return _end(flow, stage.target, _ENDINGS[report.result], report.sentence)
        case AdoptingFailed(_, sentence) if not stage.asking:
            looking = LastQuestion(stage.target, stage.ticket, Ending.FAILED, sentence)
            return replace(flow, stage=looking), (Ask(flow.attempt, stage.ticket),)
        case TicketReady():
            return flow, (StopListening(),)
        case Cancel():
            return _end(flow, stage.target, Ending.CANCELLED, _stopped_sentence(stage.target))
        case _:
            return flow, ()


def _first_sync(flow: Flow, stage: FirstSync, event: Event) -> Move:
    match event:
        case FirstSyncEnded(sentence):
            return replace(flow, stage=Done(stage.target, stage.report, sentence)), ()
        case Cancel():
            # The bank is linked and the sync goes on by itself; only the waiting is given up.
            return replace(flow, stage=Done(stage.target, stage.report, stage.report.sentence)), ()
        case _:
            return flow, ()


def _over(flow: Flow, stage: Done | Ended, event: Event) -> Move:
    match event:
        case Retry() if isinstance(stage, Ended):
            return replace(flow, stage=Explaining(stage.target)), ()
        case BankChosen(target):
            return replace(flow, stage=Explaining(target)), ()
        case Cancel():
            return replace(flow, stage=Choosing()), ()
        case _:
            return flow, ()


def _is_success(report: LinkReport) -> bool:
    return report.result in {LinkResult.LINKED, LinkResult.RENEWED}


def _linked(flow: Flow, target: Target, report: LinkReport) -> Move:
    return replace(flow, stage=FirstSync(target, report)), (*_TIDY, SyncFirst(report.connections))


def _cancelled(flow: Flow, target: Target) -> Move:
    sentence = tr("You cancelled. Nothing was linked and nothing was kept.")
    if target.renews is not None:
        sentence = tr("You cancelled. If you had finished at the bank, the next check shows it.")
    return _end(flow, target, Ending.CANCELLED, sentence)


def _expired_sentence(target: Target) -> str:
    if target.renews is not None:
        return tr(
            "The bank's page waited for 15 minutes and is no longer valid. "
            "If you finished there, the next check shows it; otherwise access was not renewed."
        )
    return tr("The bank's page waited for 15 minutes and is no longer valid. Nothing was linked.")


def _stopped_sentence(target: Target) -> str:
    if target.renews is not None:
        return tr("You stopped waiting. If access was renewed after all, the next check shows it.")
    return tr("You stopped waiting. If the bank was linked after all it appears in your list.")


def _end(flow: Flow, target: Target, ending: Ending, sentence: str) -> Move:
    return replace(flow, stage=Ended(target, ending, sentence)), _TIDY
