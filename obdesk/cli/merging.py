"""`obdesk suggestions`, `merge`, `merges` and `split`: two transactions that may be one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from obdesk.cli.context import given
from obdesk.cli.documents import Document, amount_text, instant_text
from obdesk.cli.output import Column, print_json, print_table, say
from obdesk.cli.session import run_app, run_reading
from obdesk.cli.words import local_time, money_text
from obdesk.domain.ids import TransactionId
from obdesk.domain.suggestions import MergeId, SuggestionId, why_text
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from obdesk.app.bootstrap import App
    from obdesk.app.reads import StoreReads
    from obdesk.domain.entities import TransactionRow
    from obdesk.domain.suggestions import Merge, Suggestion

_Number = Annotated[int, typer.Argument(metavar="SUGGESTION", help=tr("The suggestion's number."))]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help=tr("List transactions that may be one and the same."))
    group.callback(invoke_without_command=True)(suggestions)
    group.command("accept", help=tr("Make the two transactions of a suggestion one."))(accept)
    group.command("refuse", help=tr("Keep the two apart, and do not ask again."))(refuse)
    app.add_typer(group, name="suggestions")
    app.command("merge", help=tr("Make two transactions one; it can be undone."))(merge)
    app.command("merges", help=tr("List what was made one and can be split."))(merges)
    app.command("split", help=tr("Undo a merge, to the letter."))(split)


def suggestions(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))] = False,
) -> None:
    """List open suggestions."""
    if context.invoked_subcommand is not None:
        return

    async def read(reads: StoreReads) -> tuple[Suggestion, ...]:
        return await reads.suggestions()

    found = run_reading(given(context).place, read)
    if as_json:
        print_json({"suggestions": [_document(each) for each in found]})
    elif not found:
        say(tr("Nothing is unsure."))
    else:
        print_table(
            [
                Column(tr("Id"), right=True),
                Column(tr("Date")),
                Column(tr("Transaction"), flexible=True),
                Column(tr("May be the same as"), flexible=True),
                Column(tr("Amount"), right=True),
                Column(tr("Because"), flexible=True),
            ],
            [
                [
                    str(each.id),
                    each.kept.booked_on.isoformat(),
                    each.kept.label,
                    f"{each.other.booked_on.isoformat()} {each.other.label}",
                    money_text(each.other.amount),
                    why_text(each),
                ]
                for each in found
            ],
        )


def _document(suggestion: Suggestion) -> Document:
    return {
        "id": suggestion.id,
        "account_id": suggestion.account_id,
        "kept": _row_document(suggestion.kept),
        "other": _row_document(suggestion.other),
        "score": suggestion.score,
        "why": [each.value for each in suggestion.why],
        "made_at": instant_text(suggestion.made_at),
    }


def _row_document(row: TransactionRow) -> Document:
    return {
        "id": row.id,
        "date": row.booked_on.isoformat(),
        "label": row.label,
        "amount": amount_text(row.amount),
    }


def accept(context: typer.Context, suggestion: _Number) -> None:
    """Make the two rows of a suggestion one."""

    async def change(app: App) -> MergeId:
        return await app.commands.accept_suggestion(SuggestionId(suggestion))

    _say_merged(run_app(given(context).place, change))


def refuse(context: typer.Context, suggestion: _Number) -> None:
    """Keep the two rows of a suggestion apart."""

    async def change(app: App) -> None:
        await app.commands.refuse_suggestion(SuggestionId(suggestion))

    run_app(given(context).place, change)
    say(tr("Kept apart."))


def merge(
    context: typer.Context,
    kept: Annotated[int, typer.Argument(metavar="KEPT", help=tr("The transaction that stays."))],
    other: Annotated[int, typer.Argument(metavar="OTHER", help=tr("The one that is the same."))],
) -> None:
    """Make two transactions one."""

    async def change(app: App) -> MergeId:
        return await app.commands.merge(TransactionId(kept), TransactionId(other))

    _say_merged(run_app(given(context).place, change))


def _say_merged(merge_id: MergeId) -> None:
    say(tr("Made one. To undo it: obdesk split {id}", id=merge_id))


def merges(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))] = False,
) -> None:
    """List merges that are not undone."""

    async def read(reads: StoreReads) -> tuple[Merge, ...]:
        return await reads.merges()

    found = run_reading(given(context).place, read)
    if as_json:
        print_json({"merges": [_merge_document(each) for each in found]})
    elif not found:
        say(tr("Nothing was made one."))
    else:
        print_table(
            [
                Column(tr("Id"), right=True),
                Column(tr("Transaction"), flexible=True),
                Column(tr("Amount"), right=True),
                Column(tr("Made one with"), flexible=True),
                Column(tr("Amount"), right=True),
                Column(tr("Made at")),
            ],
            [[str(each.id), *_cells(each.kept), *_cells(each.other), local_time(each.at)] for each in found],
        )


def _cells(row: TransactionRow) -> tuple[str, str]:
    return f"{row.booked_on.isoformat()} {row.label}", money_text(row.amount)


def _merge_document(merge: Merge) -> Document:
    return {
        "id": merge.id,
        "kept": _row_document(merge.kept),
        "other": _row_document(merge.other),
        "made_at": instant_text(merge.at),
    }


def split(
    context: typer.Context,
    merged: Annotated[int, typer.Argument(metavar="MERGE", help=tr("The merge's number."))],
) -> None:
    """Undo a merge."""

    async def change(app: App) -> None:
        await app.commands.split(MergeId(merged))

    run_app(given(context).place, change)
    say(tr("Split. Both are as they were."))
