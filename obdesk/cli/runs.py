"""`obdesk runs`: past syncs as commits: what each changed, line by line, and taking one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from obdesk.app.commands import NotFoundError
from obdesk.cli.context import given
from obdesk.cli.documents import Document, instant_text, run_document
from obdesk.cli.output import Column, cleaned, print_json, print_table, say
from obdesk.cli.session import run_app, run_reading
from obdesk.cli.words import local_time, result_word
from obdesk.domain.commits import sentences, why_not_text
from obdesk.domain.entities import SyncKind
from obdesk.domain.ids import ConnectionId, RunId
from obdesk.domain.texts import mark, tr, trn

if TYPE_CHECKING:
    from obdesk.app.bootstrap import App
    from obdesk.app.reads import StoreReads
    from obdesk.domain.commits import ChangeLine, Commit

_KINDS = {
    SyncKind.DELTA: mark("what changed"),
    SyncKind.FULL: mark("everything"),
    SyncKind.RECONCILE: mark("everything, compared"),
}
_AsJson = Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help=tr("List past checks and what each changed."))
    group.callback(invoke_without_command=True)(runs)
    group.command("show", help=tr("Show what one check changed, line by line."))(show)
    group.command("revert", help=tr("Take one check back as a whole; what you wrote stays."))(revert)
    app.add_typer(group, name="runs")


def runs(
    context: typer.Context,
    *,
    connection: Annotated[
        int | None, typer.Option("--connection", metavar="ID", help=tr("Only this bank."))
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help=tr("How many rows at most."))
    ] = 20,
    as_json: _AsJson = False,
) -> None:
    """List the past syncs."""
    if context.invoked_subcommand is not None:
        return

    async def read(reads: StoreReads) -> tuple[Commit, ...]:
        return await reads.commits(None if connection is None else ConnectionId(connection), limit)

    found = run_reading(given(context).place, read)
    if as_json:
        print_json({"runs": [_document(commit) for commit in found]})
        return
    if not found:
        say(tr("No check has run yet."))
        return
    print_table(
        [
            Column(tr("Id"), right=True),
            Column(tr("Started")),
            Column(tr("Bank"), flexible=True),
            Column(tr("Read")),
            Column(tr("Result")),
            Column(tr("What changed"), flexible=True),
        ],
        [
            [
                str(commit.run.id),
                local_time(commit.run.started_at),
                commit.bank,
                tr(_KINDS[commit.run.kind]),
                result_word(commit.run.result),
                _in_words(commit),
            ]
            for commit in found
        ],
    )


def show(
    context: typer.Context,
    run: Annotated[int, typer.Argument(metavar="RUN", help=tr("The check's number."))],
    *,
    as_json: _AsJson = False,
) -> None:
    """Show one past sync."""

    async def read(reads: StoreReads) -> Commit:
        return _found(await reads.commit(RunId(run)))

    commit = run_reading(given(context).place, read)
    if as_json:
        print_json({"run": _document(commit) | _lines_document(commit)})
        return
    say(cleaned(f"{commit.bank}, {local_time(commit.run.started_at)}: {_in_words(commit) or tr('no news')}"))
    if commit.run.kind is SyncKind.RECONCILE:
        say(
            tr(
                "{compared} rows compared, {equal} equal, {mended} mended.",
                compared=commit.compared,
                equal=commit.run.counts.unchanged,
                mended=commit.mended,
            )
        )
    if commit.added is not None:
        say(tr("New: transactions {first} to {last}.", first=commit.added[0], last=commit.added[1]))
    if commit.lines:
        say("")
        print_table(
            [
                Column(tr("What")),
                Column(tr("Id"), right=True),
                Column(tr("Change")),
                Column(tr("Field")),
                Column(tr("Before"), flexible=True),
                Column(tr("After"), flexible=True),
            ],
            [_cells(line) for line in commit.lines],
        )
    left = commit.lines_total - len(commit.lines)
    if left:
        say(trn("and {n} more line", "and {n} more lines", left))
    if commit.why_not is None:
        say("", tr("Take it back with: {command}", command=f"obdesk runs revert {run}"))
    else:
        say("", why_not_text(commit.why_not))


def revert(
    context: typer.Context,
    run: Annotated[int, typer.Argument(metavar="RUN", help=tr("The check's number."))],
) -> None:
    """Take one past sync back."""

    async def work(app: App) -> Commit:
        found = _found(await app.reads.commit(RunId(run)))
        await app.commands.revert_run(RunId(run))
        return found

    commit = run_app(given(context).place, work)
    say(
        tr("Taken back: {what}.", what=_in_words(commit)),
        tr("The next check reads everything again. What you wrote yourself was not touched."),
    )


def _found(commit: Commit | None) -> Commit:
    if commit is None:
        raise NotFoundError(
            title=tr("That does not exist"),
            cause=tr("Of each bank the newest 500 checks are kept, or the number is wrong."),
            next_step=tr("Nothing was changed."),
        )
    return commit


def _in_words(commit: Commit) -> str:
    told = ", ".join(sentences(commit.run.counts.new, commit.tallies))
    if commit.run.reverted_at is None:
        return told
    return tr("{what} (taken back {when})", what=told, when=local_time(commit.run.reverted_at))


def _cells(line: ChangeLine) -> list[str]:
    values = [(value or "-").partition("@")[0] if line.field else "" for value in (line.old, line.new)]
    return [line.subject.value, str(line.subject_id), line.what.value, line.field, *values]


def _document(commit: Commit) -> Document:
    return {
        "connection_id": commit.run.connection_id,
        "bank": commit.bank,
        **run_document(commit.run),
        "kind": commit.run.kind.value,
        "reverted_at": instant_text(commit.run.reverted_at),
        "summary": list(sentences(commit.run.counts.new, commit.tallies)),
        "compared": commit.compared,
        "equal": commit.run.counts.unchanged,
        "mended": commit.mended,
        "revertible": commit.why_not is None,
    }


def _lines_document(commit: Commit) -> Document:
    return {
        "why_not": None if commit.why_not is None else why_not_text(commit.why_not),
        "added": None if commit.added is None else {"first": commit.added[0], "last": commit.added[1]},
        "changes": [
            {
                "subject": line.subject.value,
                "subject_id": line.subject_id,
                "what": line.what.value,
                "field": line.field,
                "old": line.old,
                "new": line.new,
            }
            for line in commit.lines
        ],
        "changes_total": commit.lines_total,
    }
