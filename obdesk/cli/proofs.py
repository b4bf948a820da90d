"""`obdesk proofs` and `obdesk problems`: whether the bank's data adds up, and what looks wrong about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from obdesk.cli.context import given
from obdesk.cli.documents import Document, amount_text, instant_text
from obdesk.cli.output import Column, cleaned, print_json, print_table, say
from obdesk.cli.session import run_app, run_reading
from obdesk.cli.words import local_time, money_text
from obdesk.domain.findings import words_of
from obdesk.domain.ids import AccountId
from obdesk.domain.proofs import cause_text, state_text
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from obdesk.app.bootstrap import App
    from obdesk.app.reads import StoreReads
    from obdesk.domain.entities import DataProblem
    from obdesk.domain.proofs import AccountProof

_Number = Annotated[int, typer.Argument(metavar="PROBLEM", help=tr("The problem's number."))]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("proofs", help=tr("Say whether balances and transactions agree."))(proofs)
    group = typer.Typer(help=tr("List what looks wrong in the banks' data."))
    group.callback(invoke_without_command=True)(problems)
    group.command("settle", help=tr("Say that it is right so; it is told no more."))(settle)
    group.command("reopen", help=tr("Tell it again."))(reopen)
    app.add_typer(group, name="problems")


def proofs(
    context: typer.Context,
    *,
    account: Annotated[
        int | None, typer.Option("--account", metavar="ID", help=tr("Only this account."))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))] = False,
) -> None:
    """List the balance proofs."""

    async def read(reads: StoreReads) -> tuple[AccountProof, ...]:
        return await reads.proofs(None if account is None else AccountId(account))

    found = run_reading(given(context).place, read)
    if as_json:
        print_json({"proofs": [_document(each) for each in found]})
        return
    if not found:
        say(tr("No accounts yet. Link a bank with: obdesk link"))
        return
    print_table(
        [
            Column(tr("Id"), right=True),
            Column(tr("Bank"), flexible=True),
            Column(tr("Account"), flexible=True),
            Column(tr("Proof")),
            Column(tr("Days"), right=True),
            Column(tr("First bad day")),
            Column(tr("Gap"), right=True),
            Column(tr("As of")),
        ],
        [
            [
                str(each.account_id),
                each.bank,
                each.account_name,
                state_text(each.state),
                str(each.days_proved),
                "-" if each.first_bad_day is None else each.first_bad_day.isoformat(),
                money_text(each.gap),
                local_time(each.checked_at),
            ]
            for each in found
        ],
    )
    for each in found:
        for candidate in each.candidates:
            rows = f" ({', '.join(map(str, candidate.rows))})" if candidate.rows else ""
            say(cleaned(f"{each.account_name}: {cause_text(candidate.cause)}{rows}"))


def problems(
    context: typer.Context,
    *,
    settled: Annotated[bool, typer.Option("--settled", help=tr("List what you settled."))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))] = False,
) -> None:
    """List the findings about the banks' data."""
    if context.invoked_subcommand is not None:
        return

    async def read(reads: StoreReads) -> tuple[DataProblem, ...]:
        return await reads.problems(settled=settled)

    found = run_reading(given(context).place, read)
    if as_json:
        print_json({"problems": [_problem_document(each) for each in found]})
        return
    if not found:
        say(tr("Nothing is settled.") if settled else tr("Nothing looks wrong in the banks' data."))
        return
    print_table(
        [
            Column(tr("Id"), right=True),
            Column(tr("Seen at")),
            Column(tr("Account"), right=True),
            Column(tr("What"), flexible=True),
            Column(tr("Where"), flexible=True),
        ],
        [
            [
                str(each.id),
                local_time(each.seen_at),
                "-" if each.account_id is None else str(each.account_id),
                words_of(each.kind).title,
                f"{each.subject} {each.detail}".strip(),
            ]
            for each in found
        ],
    )
    for words in dict.fromkeys(words_of(each.kind) for each in found):
        say("", words.title, f"  {words.cause}", f"  {words.next_step}")


def settle(context: typer.Context, problem: _Number) -> None:
    """Leave a finding as it is."""
    _keep(context, problem, settled=True)
    say(tr("It is told no more. To see it again: obdesk problems reopen {id}", id=problem))


def reopen(context: typer.Context, problem: _Number) -> None:
    """Tell a finding again that was settled."""
    _keep(context, problem, settled=False)
    say(tr("It is told again while it is found."))


def _keep(context: typer.Context, problem: int, *, settled: bool) -> None:
    async def change(app: App) -> None:
        await app.commands.settle_problem(problem, settled=settled)

    run_app(given(context).place, change)


def _problem_document(problem: DataProblem) -> Document:
    words = words_of(problem.kind)
    return {
        "id": problem.id,
        "connection_id": problem.connection_id,
        "account_id": problem.account_id,
        "kind": problem.kind,
        "subject": problem.subject,
        "detail": problem.detail,
        "seen_at": instant_text(problem.seen_at),
        "title": words.title,
        "cause": words.cause,
        "next_step": words.next_step,
    }


def proof_document(proof: AccountProof) -> Document:
    """Return how the proof of an account stands, as `obdesk status --json` has it per account."""
    bad = proof.first_bad_day
    return {
        "state": proof.state.value,
        "days_proved": proof.days_proved,
        "first_bad_day": None if bad is None else bad.isoformat(),
        "gap": amount_text(proof.gap),
        "checked_at": instant_text(proof.checked_at),
        "candidates": [
            {"cause": each.cause.value, "sentence": cause_text(each.cause), "transactions": list(each.rows)}
            for each in proof.candidates
        ],
    }


def _document(proof: AccountProof) -> Document:
    return {
        "account_id": proof.account_id,
        "connection_id": proof.connection_id,
        "bank": proof.bank,
        "name": proof.account_name,
        **proof_document(proof),
    }
