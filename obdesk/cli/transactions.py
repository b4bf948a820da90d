"""`obdesk transactions` and `obdesk edit`: reading rows, and putting words of one's own on them."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from obdesk.cli.context import given
from obdesk.cli.documents import transaction_document
from obdesk.cli.filters import chosen, day
from obdesk.cli.output import Column, print_json, print_table, say, tell
from obdesk.cli.session import run_app, run_reading
from obdesk.cli.words import money_text, state_word
from obdesk.domain.ids import TransactionId
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from obdesk.app.bootstrap import App
    from obdesk.app.reads import StoreReads
    from obdesk.domain.records import TransactionRecord

_LIMIT = 50


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("transactions", help=tr("List transactions, newest first."))(transactions)
    app.command("edit", help=tr("Put your own note or category on a transaction."))(edit)


def transactions(
    context: typer.Context,
    *,
    search: Annotated[
        str, typer.Option("--search", metavar="TEXT", help=tr("Words to find, or amount:>20 date:2026-03."))
    ] = "",
    account: Annotated[
        list[int] | None, typer.Option("--account", metavar="ID", help=tr("Only this account; repeatable."))
    ] = None,
    date_from: Annotated[
        date | None,
        typer.Option("--from", metavar="DATE", parser=day, help=tr("Booked on this day or later.")),
    ] = None,
    date_to: Annotated[
        date | None,
        typer.Option("--to", metavar="DATE", parser=day, help=tr("Booked on this day or before.")),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help=tr("How many rows at most."))
    ] = _LIMIT,
    as_json: Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))] = False,
) -> None:
    """List transactions."""
    wanted = chosen(search, account or (), date_from, date_to)

    async def read(reads: StoreReads) -> tuple[TransactionRecord, ...]:
        return await reads.transaction_records(wanted, limit=limit + 1)

    found = run_reading(given(context).place, read)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        rows = [transaction_document(record) for record in shown]
        print_json({"transactions": rows, "count": len(rows), "more": more})
        return
    if not shown:
        say(tr("No transactions."))
        return
    _print(shown)
    if more:
        tell(tr("There are more; ask for them with --limit."))


def _print(shown: tuple[TransactionRecord, ...]) -> None:
    print_table(
        [
            Column(tr("Id"), right=True),
            Column(tr("Date")),
            Column(tr("State")),
            Column(tr("Account"), flexible=True),
            Column(tr("Payee"), flexible=True),
            Column(tr("Category"), flexible=True),
            Column(tr("Amount"), right=True),
        ],
        [
            [
                str(record.row.id),
                record.row.booked_on.isoformat(),
                state_word(record.row.state),
                record.row.account_name,
                record.row.payee,
                record.row.category,
                money_text(record.row.amount),
            ]
            for record in shown
        ],
    )


def edit(
    context: typer.Context,
    transaction: Annotated[int, typer.Argument(metavar="TRANSACTION", help=tr("The id of the transaction."))],
    *,
    note: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help=tr("Your note; empty removes it."))
    ] = None,
    category: Annotated[
        str | None, typer.Option("--category", metavar="NAME", help=tr("Your category; empty means none."))
    ] = None,
) -> None:
    """Put words of the person's own on a transaction."""
    if note is None and category is None:
        raise typer.BadParameter(tr("say what to change: --note, --category or both"))

    async def change(app: App) -> None:
        await app.commands.edit_transaction(TransactionId(transaction), note=note, category=category)

    run_app(given(context).place, change)
    say(tr("Saved. A sync never touches what you wrote."))
