"""`obdesk link`: linking a bank in the person's own browser, with an answer on this computer."""

from __future__ import annotations

import asyncio
import webbrowser
from typing import TYPE_CHECKING, Annotated

import typer

from obdesk.app.interface import LinkChannel, LinkReport, LinkResult
from obdesk.app.loopback import WAIT_S, listening
from obdesk.cli.context import given
from obdesk.cli.output import cleaned, say, tell, tell_error
from obdesk.cli.session import run_app
from obdesk.domain.entities import Trigger
from obdesk.domain.errors import Action, AppError, ObdeskError
from obdesk.domain.ids import ConnectionId
from obdesk.domain.texts import tr, trn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from obdesk.app.bootstrap import App
    from obdesk.app.interface import LinkTicket
    from obdesk.app.loopback import Loopback

_ASK_EVERY_S = 5.0


class NotLinkedError(AppError):
    """The attempt ended without a link."""


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("link", help=tr("Link a bank, or renew access to one."))(link)


def link(
    context: typer.Context,
    *,
    connector: Annotated[
        str | None, typer.Option("--connector", metavar="UUID", help=tr("Go straight to this bank."))
    ] = None,
    renew: Annotated[
        int | None,
        typer.Option("--renew", metavar="CONNECTION", help=tr("Renew access to this linked bank.")),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser", help=tr("Open the system's browser; the default."))
    ] = False,
    open_url_only: Annotated[
        bool, typer.Option("--open-url-only", help=tr("Print the address instead of opening it, and wait."))
    ] = False,
) -> None:
    """Link a bank and read it for the first time."""
    if browser and open_url_only:
        raise typer.BadParameter(tr("choose one of --browser and --open-url-only"))
    if renew is not None and connector is not None:
        raise typer.BadParameter(tr("choose one of --connector and --renew"))
    renewed = None if renew is None else ConnectionId(renew)

    async def run(app: App) -> LinkReport:
        async with listening() as way_back:
            ticket = await _begin(app, way_back, connector, renewed)
            await _show(ticket.url, open_it=not open_url_only)
            report = await _Waiting(app, way_back, ticket).answer()
        if report.result in {LinkResult.LINKED, LinkResult.RENEWED}:
            say(cleaned(report.sentence))
            await _read_now(app, report)
        return report

    report = run_app(given(context).place, run)
    if report.result not in {LinkResult.LINKED, LinkResult.RENEWED}:
        raise _not_linked(report) if renewed is None else _not_renewed(report, renewed)


async def _begin(
    app: App, way_back: Loopback, connector: str | None, renewed: ConnectionId | None
) -> LinkTicket:
    if renewed is not None:
        return await app.commands.begin_renew(
            renewed, LinkChannel.BROWSER, redirect_uri=way_back.redirect_uri
        )
    return await app.commands.begin_link(
        LinkChannel.BROWSER, connector_id=connector, redirect_uri=way_back.redirect_uri
    )


async def _show(url: str, *, open_it: bool) -> None:
    if open_it and await asyncio.to_thread(webbrowser.open, url):
        tell(tr("Your browser shows the bank's page. We wait here for its answer."))
        return
    tell(tr("Open this address in a browser on this computer; we wait here for its answer:"))
    say(url)


class _Waiting:
    """Waits for the browser to come back, and asks now and then whether it got lost on the way."""

    def __init__(self, app: App, way_back: Loopback, ticket: LinkTicket) -> None:
        self._app = app
        self._way_back = way_back
        self._ticket = ticket
        self._answer: asyncio.Future[LinkReport] = asyncio.get_running_loop().create_future()

    async def answer(self) -> LinkReport:
        """Return how the attempt ended; after five minutes without an answer it has expired."""
        self._app.work.spawn("redirect", self._told(self._by_redirect))
        self._app.work.spawn("lost redirect", self._told(self._by_asking))
        return await self._answer

    async def _told(self, way: Callable[[], Awaitable[LinkReport]]) -> None:
        try:
            report = await way()
        except ObdeskError as error:
            if not self._answer.done():
                self._answer.set_exception(error)
        else:
            if not self._answer.done():
                self._answer.set_result(report)

    async def _by_redirect(self) -> LinkReport:
        url = await self._way_back.wait(self._ticket.state, WAIT_S)
        report = await self._app.commands.finish_link(self._ticket, url)
        if report.result is LinkResult.NOTHING_YET:
            return LinkReport(LinkResult.EXPIRED, (), tr("Nobody came back from the bank's page in time."))
        return report

    async def _by_asking(self) -> LinkReport:
        while True:
            await asyncio.sleep(_ASK_EVERY_S)
            report = await self._app.commands.finish_link(self._ticket, None)
            if report.result is not LinkResult.NOTHING_YET:
                return report


async def _read_now(app: App, report: LinkReport) -> None:
    """Read what was linked; where that does not go now, the next sync does it and the link stands."""
    tell(tr("Reading your accounts…"))
    try:
        outcomes = await app.commands.sync(report.connections, trigger=Trigger.LINK, refresh_at_bank=False)
    except ObdeskError as error:
        tell_error(error)
        return
    new = sum(outcome.counts.new for outcome in outcomes)
    say(trn("{n} new transaction.", "{n} new transactions.", new))


def _not_linked(report: LinkReport) -> NotLinkedError:
    return NotLinkedError(
        title=tr("Nothing was linked"),
        cause=report.sentence,
        next_step=tr("Your data is as it was. Start again with: obdesk link"),
        action=Action.NONE,
    )


def _not_renewed(report: LinkReport, connection: ConnectionId) -> NotLinkedError:
    command = f"obdesk link --renew {connection}"
    next_step = tr("Your data is as it was. Start again with: {command}", command=command)
    if report.result is LinkResult.EXPIRED:
        next_step = tr(
            "If you finished at the bank, the next sync shows it. Otherwise start again with: {command}",
            command=command,
        )
    return NotLinkedError(
        title=tr("Access was not renewed"), cause=report.sentence, next_step=next_step, action=Action.NONE
    )
