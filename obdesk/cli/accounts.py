"""`obdesk accounts` and `obdesk status`: what there is, and how fresh it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from obdesk.cli.backups import last_document
from obdesk.cli.context import given
from obdesk.cli.documents import account_document, pending_deletion_document, status_document
from obdesk.cli.mailbox import relay_document, say_relay
from obdesk.cli.matters import say_matters, say_pending_deletions
from obdesk.cli.output import Column, print_json, print_table, say
from obdesk.cli.proofs import proof_document
from obdesk.cli.scores import say_scores, scores_documents
from obdesk.cli.session import run_app, run_reading
from obdesk.cli.words import freshness_word, kind_word, local_time, money_text
from obdesk.domain.ids import AccountId
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from obdesk.app.bootstrap import App
    from obdesk.app.profile import Profile
    from obdesk.app.reads import StoreReads
    from obdesk.cli.documents import Document
    from obdesk.domain.entities import Account, Connection
    from obdesk.domain.erasures import PendingErasure
    from obdesk.domain.mailbox import MailboxStatus
    from obdesk.domain.proofs import AccountProof
    from obdesk.domain.scores import Scores


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("accounts", help=tr("List your accounts with their balances."))(accounts)
    app.command("important", help=tr("Have an account's bank checked before others, or not."))(important)
    app.command("status", help=tr("Say how fresh each account is, and why."))(status)


def accounts(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))] = False,
) -> None:
    """List the accounts."""

    async def read(reads: StoreReads) -> tuple[Account, ...]:
        return await reads.accounts()

    found = run_reading(given(context).place, read)
    if as_json:
        print_json({"accounts": [account_document(account) for account in found]})
        return
    if not found:
        say(tr("No accounts yet. Link a bank with: obdesk link"))
        return
    print_table(
        [
            Column(tr("Id"), right=True),
            Column(tr("Bank"), flexible=True),
            Column(tr("Account"), flexible=True),
            Column(tr("Kind")),
            Column(tr("Balance"), right=True),
            Column(tr("As of")),
            Column(tr("State")),
        ],
        [
            [
                str(account.id),
                account.bank,
                account.name,
                kind_word(account.kind),
                money_text(account.balance),
                local_time(account.freshness.data_as_of),
                freshness_word(account.freshness.state),
            ]
            for account in found
        ],
    )


def important(
    context: typer.Context,
    account: Annotated[int, typer.Argument(metavar="ACCOUNT", help=tr("The id of the account."))],
    *,
    on: Annotated[bool, typer.Option("--on/--off", help=tr("Important, or like any other."))] = True,
) -> None:
    """Mark an account, or take the mark away."""

    async def mark_it(app: App) -> None:
        await app.commands.set_important(AccountId(account), important=on)

    run_app(given(context).place, mark_it)
    say(tr("Saved. Its bank is checked before others.") if on else tr("Saved. Its bank waits its turn."))


def status(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))] = False,
) -> None:
    """Say how fresh each account is."""
    place = given(context).place
    told = run_reading(place, _read_all)
    found, links = told.accounts, told.links_of_accounts()
    if as_json:
        print_json(_status_document(told, place.resolved()))
        return
    if not found:
        say(tr("No accounts yet. Link a bank with: obdesk link"))
        say_pending_deletions(told.erasures)
        return
    print_table(
        [
            Column(tr("Bank"), flexible=True),
            Column(tr("Account"), flexible=True),
            Column(tr("Balance"), right=True),
            Column(tr("Asked at")),
            Column(tr("Bank data as of")),
            Column(tr("State")),
        ],
        [
            [
                account.bank,
                account.name,
                money_text(account.balance),
                local_time(account.freshness.asked_at),
                local_time(account.freshness.data_as_of),
                freshness_word(account.freshness.state),
            ]
            for account in found
        ],
    )
    say_matters(
        (account.connection_id, account.bank, account.condition, None if link is None else link.next_run_at)
        for account, link in zip(found, links, strict=True)
    )
    say_pending_deletions(told.erasures)
    say_scores(told.scores)
    if told.relay is not None:
        say_relay(told.relay)


class _All(NamedTuple):
    """All that `obdesk status` tells."""

    accounts: tuple[Account, ...]
    connections: tuple[Connection, ...]
    erasures: tuple[PendingErasure, ...]
    scores: Scores
    proofs: tuple[AccountProof, ...]
    relay: MailboxStatus | None

    def links_of_accounts(self) -> list[Connection | None]:
        """Return the link of each account, None for one that has none any more."""
        by_id = {connection.id: connection for connection in self.connections}
        return [
            None if each.connection_id is None else by_id.get(each.connection_id) for each in self.accounts
        ]


async def _read_all(reads: StoreReads) -> _All:
    return _All(
        await reads.accounts(),
        await reads.connections(),
        await reads.pending_erasures(),
        await reads.scores(),
        await reads.proofs(),
        await reads.relay(),
    )


def _status_document(told: _All, profile: Profile) -> Document:
    proved = {each.account_id: proof_document(each) for each in told.proofs}
    accounts_told = [
        status_document(account, link) | {"proof": proved.get(account.id)}
        for account, link in zip(told.accounts, told.links_of_accounts(), strict=True)
    ]
    return {
        "accounts": accounts_told,
        "pending_deletions": [pending_deletion_document(each) for each in told.erasures],
        **scores_documents(told.scores),
        "backup": last_document(profile),
        "relay": relay_document(told.relay),
    }
