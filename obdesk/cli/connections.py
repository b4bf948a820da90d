"""`obdesk connections`: the linked banks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from obdesk.cli.context import given
from obdesk.cli.documents import connection_document, pending_deletion_document
from obdesk.cli.matters import say_matters, say_pending_deletions
from obdesk.cli.output import Column, print_json, print_table, say
from obdesk.cli.session import run_reading
from obdesk.cli.words import freshness_word, local_time
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from obdesk.app.reads import StoreReads
    from obdesk.domain.entities import Connection
    from obdesk.domain.erasures import PendingErasure


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("connections", help=tr("List the banks you have linked."))(connections)


def connections(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))] = False,
) -> None:
    """List the links."""

    async def read(reads: StoreReads) -> tuple[tuple[Connection, ...], tuple[PendingErasure, ...]]:
        return await reads.connections(), await reads.pending_erasures()

    found, erasures = run_reading(given(context).place, read)
    if as_json:
        print_json(
            {
                "connections": [connection_document(connection) for connection in found],
                "pending_deletions": [pending_deletion_document(each) for each in erasures],
            }
        )
        return
    if not found:
        say(tr("No bank is linked yet. Link one with: obdesk link"))
        say_pending_deletions(erasures)
        return
    print_table(
        [
            Column(tr("Id"), right=True),
            Column(tr("Bank"), flexible=True),
            Column(tr("Accounts"), right=True),
            Column(tr("Asked at")),
            Column(tr("Bank data as of")),
            Column(tr("Consent until")),
            Column(tr("Next check")),
            Column(tr("Reads left")),
            Column(tr("State")),
        ],
        [
            [
                str(connection.id),
                connection.bank,
                str(connection.account_count),
                local_time(connection.freshness.asked_at),
                local_time(connection.freshness.data_as_of),
                local_time(connection.consent_expires_at),
                local_time(connection.next_run_at),
                tr("{left} of {of}", left=connection.budget.left, of=connection.budget.of),
                freshness_word(connection.freshness.state),
            ]
            for connection in found
        ],
    )
    say_matters((each.id, each.bank, each.condition, each.next_run_at) for each in found)
    say_pending_deletions(erasures)
