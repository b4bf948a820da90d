"""The linking screen in words: rows of banks, the step line, and what the first sync brought."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from obdesk.app.interface import LinkChannel
from obdesk.domain.conditions import explain
from obdesk.domain.entities import RunResult
from obdesk.domain.texts import mark, tr, trn
from obdesk.gui.linking.stages import (
    Adopting,
    AtBank,
    Choosing,
    Done,
    Ended,
    Ending,
    Explaining,
    FirstSync,
    LastQuestion,
    Left,
    Opening,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from obdesk.domain.entities import Connection
    from obdesk.domain.remote import Connector
    from obdesk.domain.syncing import SyncOutcome
    from obdesk.gui.linking.stages import Flow, Target

STEPS = 4
_ENDINGS = {
    Ending.CANCELLED: mark("You cancelled"),
    Ending.EXPIRED: mark("The attempt took too long"),
    Ending.FAILED: mark("The bank was not linked"),
}


@dataclass(frozen=True, slots=True)
class BankRow:
    """One bank of the list."""

    connector_id: str
    name: str
    color: str
    note: str
    """A word at the right edge: that it is linked already, or that its use is limited."""


def bank_rows(
    connectors: Iterable[Connector], linked: Collection[str], search: str, country: str | None
) -> list[BankRow]:
    """Return the banks that fit, those whose name begins with the search first."""
    wanted = folded(search)
    found = []
    for connector in connectors:
        name = folded(connector.name)
        if wanted not in name or (country and connector.countries and country not in connector.countries):
            continue
        starts = not any(word.startswith(wanted) for word in name.split())
        note = ""
        if connector.name in linked:
            note = tr("linked already")
        elif connector.restricted:
            note = tr("limited")
        found.append((starts, name, BankRow(connector.id, connector.name, connector.color, note)))
    return [row for _, _, row in sorted(found, key=lambda entry: entry[:2])]


def folded(text: str) -> str:
    """Return `text` as it is compared: without accents, case and spaces at its ends."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).strip()


def linked_names(connections: Iterable[Connection]) -> frozenset[str]:
    """Return the names of banks that are linked."""
    return frozenset(connection.bank for connection in connections)


def countries_of(connectors: Iterable[Connector]) -> list[str]:
    """Return the countries that banks can be narrowed to; none when it would make no difference."""
    found = sorted({country for connector in connectors for country in connector.countries})
    return found if len(found) > 1 else []


def step_line(flow: Flow) -> str:
    """Return the line at the foot: where the person is, and that nothing can be lost."""
    match flow.stage:
        case Choosing() | Left():
            return _step(1, tr("choose your bank."))
        case Explaining() | Opening():
            return _step(1, tr("what you allow. Nothing is asked of the bank before you go on."))
        case AtBank() as stage:
            return _at_bank_line(stage)
        case Adopting() | LastQuestion():
            return _step(3, tr("checking with Powens what came of it."))
        case FirstSync():
            return _step(4, tr("your data is coming in. You can use obdesk meanwhile."))
        case Done():
            return tr("Done.")
        case Ended(target):
            return _ended_line(target)


def _ended_line(target: Target) -> str:
    if target.renews is not None:
        return tr("Your accounts and edits are as they were. You can try again at any time.")
    return tr("Nothing was linked. You can try again at any time.")


def ending_title(stage: Ended) -> str:
    """Return how an attempt ended, in a few words."""
    if stage.ending is Ending.FAILED and stage.target.renews is not None:
        return tr("Access was not renewed")
    return tr(_ENDINGS[stage.ending])


def _at_bank_line(stage: AtBank) -> str:
    if stage.fruit is not None and stage.target.renews is not None:
        return _step(2, tr("access is renewed. Finish on the bank's page, or close it."))
    if stage.fruit is not None:
        return _step(2, tr("the bank is linked. Finish on its page, or close it."))
    if stage.notice:
        return stage.notice
    if stage.moving:
        return tr("Preparing your browser; the page here stays open until then.")
    if stage.ticket.channel is LinkChannel.BROWSER:
        return _step(
            2, tr("at the bank, in your browser. If it gets stuck nothing is lost: we also ask Powens.")
        )
    return _step(2, tr("at the bank. If this page gets stuck nothing is lost: we also ask Powens."))


def _step(number: int, words: str) -> str:
    return tr("Step {number} of {steps} · {words}", number=number, steps=STEPS, words=words)


def title_of(target: Target) -> str:
    """Return what is being done."""
    if target.renews is not None:
        return tr("Renew access to {bank}", bank=target.bank)
    return tr("Link {bank}", bank=target.bank)


def facts_of(target: Target) -> list[tuple[str, str, str]]:
    """Return icon, question and answer of what a person should know before they go on."""
    how_to_end = tr(
        "At any time: here under Connections, or in your bank's own settings. Your history stays with you."
    )
    return [
        (
            "bank",
            tr("Who asks"),
            tr(
                "{bank} is asked through Powens, a payment institution supervised in France. "
                "You log in on their page; obdesk never sees your password.",
                bank=target.bank,
            ),
        ),
        ("eye", tr("What for"), tr("To read balances and transactions. Nothing can be paid or changed.")),
        (
            "clock",
            tr("How long"),
            tr("By law your consent is confirmed with the bank about every 180 days. obdesk reminds you."),
        ),
        ("sign-out", tr("How to end it"), how_to_end),
    ]


def first_sync_sentence(outcomes: Sequence[SyncOutcome]) -> str:
    """Return what the first sync brought, or why it brought nothing yet."""
    good = {RunResult.UPDATED, RunResult.UNCHANGED}
    for outcome in outcomes:
        if outcome.result not in good:
            words = explain(outcome.condition, outcome.bank)
            return f"{words.title}. {words.next_step}"
    n = sum(outcome.counts.new for outcome in outcomes)
    return trn("{n} transaction has come in.", "{n} transactions have come in.", n)


def left_text(seconds: float) -> str:
    """Return the time an attempt has left, as `14:05`."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02}"
