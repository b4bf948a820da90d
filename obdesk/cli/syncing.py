"""`obdesk sync`: one sync to the end, with what it brought."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from obdesk.app.events import SyncEnded, SyncProgress
from obdesk.app.i18n import decimal_text
from obdesk.cli.context import given
from obdesk.cli.documents import sync_document
from obdesk.cli.exits import ExitCode
from obdesk.cli.matters import say_matters
from obdesk.cli.output import Column, StatusLine, print_json, print_table, say
from obdesk.cli.session import run_app
from obdesk.cli.words import result_word
from obdesk.domain.entities import RunResult, Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.domain.syncing import Step, SyncKind
from obdesk.domain.texts import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obdesk.app.bootstrap import App
    from obdesk.app.events import Event
    from obdesk.domain.entities import Connection
    from obdesk.domain.syncing import SyncOutcome

_GOOD = {RunResult.UPDATED, RunResult.UNCHANGED}
_STEPS = {
    Step.ASKING_BANK: mark("asking the bank"),
    Step.READING_CONNECTION: mark("reading the connection"),
    Step.READING_ACCOUNTS: mark("reading the accounts"),
    Step.READING_TRANSACTIONS: mark("reading transactions"),
    Step.SAVING: mark("saving"),
}


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("sync", help=tr("Ask the banks now, and wait for the end."))(sync)


def sync(
    context: typer.Context,
    *,
    connection: Annotated[
        list[int] | None, typer.Option("--connection", metavar="ID", help=tr("Only this bank; repeatable."))
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help=tr("Read everything again and compare it row by row."))
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))] = False,
) -> None:
    """Sync and tell."""
    kind = SyncKind.RECONCILE if full else SyncKind.DELTA
    wanted = [ConnectionId(each) for each in connection] if connection else None
    line = StatusLine(sys.stderr)

    async def run(app: App) -> list[tuple[SyncOutcome, Connection | None]]:
        app.bus.listen(lambda event: _show(line, event))
        outcomes = await app.commands.sync(wanted, trigger=Trigger.PERSON, refresh_at_bank=True, kind=kind)
        links = {link.id: link for link in await app.reads.connections()}
        return [(each, links.get(each.connection_id)) for each in outcomes]

    began = time.monotonic()
    try:
        ended = run_app(given(context).place, run)
    finally:
        line.clear()
    outcomes = [outcome for outcome, _ in ended]
    if as_json:
        print_json(sync_document(ended, overall(outcomes), time.monotonic() - began))
    else:
        _say(outcomes)
        say_matters(
            (each.connection_id, each.bank, each.condition, None if link is None else link.next_run_at)
            for each, link in ended
        )
    if any(outcome.result not in _GOOD for outcome in outcomes):
        raise typer.Exit(ExitCode.NOT_ALL)


def _show(line: StatusLine, event: Event) -> None:
    if isinstance(event, SyncProgress):
        counted = f" {event.done}" if event.done else ""
        step = f"{tr(_STEPS[event.step])}{counted}"
        line.show(tr("{bank}: {step}", bank=event.connection_id, step=step))
    elif isinstance(event, SyncEnded):
        line.clear()


def overall(outcomes: Sequence[SyncOutcome]) -> str:
    """Return how a sync ended in one word: `updated`, `unchanged`, `partial` or `failed`."""
    good = [outcome for outcome in outcomes if outcome.result in _GOOD]
    if len(good) < len(outcomes):
        return "partial" if good else "failed"
    changed = any(outcome.result is RunResult.UPDATED for outcome in outcomes)
    return "updated" if changed else "unchanged"


def _say(outcomes: Sequence[SyncOutcome]) -> None:
    if not outcomes:
        say(tr("No bank is linked yet. Link one with: obdesk link"))
        return
    print_table(
        [
            Column(tr("Bank"), flexible=True),
            Column(tr("Result")),
            Column(tr("New"), right=True),
            Column(tr("Updated"), right=True),
            Column(tr("Removed"), right=True),
            Column(tr("Unchanged"), right=True),
            Column(tr("Requests"), right=True),
            Column(tr("Seconds"), right=True),
        ],
        [
            [
                outcome.bank,
                result_word(outcome.result),
                str(outcome.counts.new),
                str(outcome.counts.updated),
                str(outcome.counts.removed),
                str(outcome.counts.unchanged),
                str(outcome.requests),
                decimal_text(outcome.duration_s, places=1),
            ]
            for outcome in outcomes
        ],
    )
    problems = sum(outcome.counts.problems for outcome in outcomes)
    if problems:
        say(
            "",
            trn(
                "{n} row could not be kept as it came.", "{n} rows could not be kept as they came.", problems
            ),
        )
