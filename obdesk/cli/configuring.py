"""`obdesk configure`: the person's own application at the aggregator, and figures for a monitor."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from obdesk.app.settings import declared
from obdesk.cli.context import given
from obdesk.cli.mailbox import relay
from obdesk.cli.output import say
from obdesk.cli.session import run_app
from obdesk.domain.texts import tr, trn

if TYPE_CHECKING:
    from obdesk.app.bootstrap import App

_SECRET_LENGTH_MAX = 4_096
_SCHEDULE = ("sync.interval_h", "sync.quiet_from", "sync.quiet_to", "sync.spare")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help=tr("Set up the aggregator, a relay, the schedule, or a monitor."))
    group.callback()(configure)
    group.command("powens", help=tr("Keep your own Powens application; the secret goes to the keyring."))(
        powens
    )
    group.command(
        "metrics", help=tr("Offer figures about syncing to a monitor on this computer (Prometheus), or not.")
    )(metrics)
    group.command("schedule", help=tr("Say when banks are checked by themselves."))(schedule)
    group.command(
        "relay", help=tr("Have a relay keep webhooks for this computer, or not, or say how it is.")
    )(relay)
    app.add_typer(group, name="configure")


def configure() -> None:
    """Group what can be set up."""


def schedule(
    context: typer.Context,
    *,
    every: Annotated[
        int | None,
        typer.Option(
            "--every", metavar="HOURS", min=1, max=168, help=tr("Hours between two checks of each bank.")
        ),
    ] = None,
    quiet: Annotated[
        str | None,
        typer.Option(
            "--quiet",
            metavar="FROM-TO",
            help=tr("Local hours in which no bank is asked, such as 22:00-07:00; “off” ends them."),
        ),
    ] = None,
    spare: Annotated[
        bool | None,
        typer.Option("--spare/--no-spare", help=tr("Wait on a metered network or a low battery, or not.")),
    ] = None,
) -> None:
    """Set the schedule, and say how it is."""
    wanted = {} if every is None else {"sync.interval_h": str(every)}
    wanted |= {} if quiet is None else _quiet(quiet)
    wanted |= {} if spare is None else {"sync.spare": "on" if spare else "off"}

    async def keep(app: App) -> dict[str, str]:
        for key, value in wanted.items():
            await app.commands.set_setting(key, value)
        return {key: await app.reads.setting(key) for key in _SCHEDULE}

    kept = run_app(given(context).place, keep)
    hours = int(kept["sync.interval_h"])
    say(trn("Each bank is checked every {n} hour.", "Each bank is checked every {n} hours.", hours))
    if kept["sync.quiet_from"] and kept["sync.quiet_to"]:
        begins, ends = kept["sync.quiet_from"], kept["sync.quiet_to"]
        say(tr("From {begins} to {ends} only you ask.", begins=begins, ends=ends))
    if kept["sync.spare"] == "on":
        say(tr("On a metered network or a low battery it waits for up to a day."))


def _quiet(text: str) -> dict[str, str]:
    begins, _, ends = ("", "", "") if text == "off" else text.partition("-")
    times = (begins, ends)
    if text != "off" and not all(each and declared("sync.quiet_from").accepts(each) for each in times):
        raise typer.BadParameter(tr("quiet hours are written as 22:00-07:00, or off"))
    return {"sync.quiet_from": begins, "sync.quiet_to": ends}


def metrics(
    context: typer.Context,
    *,
    enabled: Annotated[
        bool, typer.Option("--on/--off", help=tr("Offer them, or stop; takes effect at the next start."))
    ],
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="PORT", min=1024, max=65_535, help=tr("Port of 127.0.0.1 to use.")),
    ] = None,
) -> None:
    """Offer figures to a monitor, or stop."""

    async def keep(app: App) -> str:
        if port is not None:
            await app.commands.set_setting("metrics.port", str(port))
        await app.commands.set_setting("metrics.enabled", "on" if enabled else "off")
        return await app.reads.setting("metrics.port")

    kept = run_app(given(context).place, keep)
    if enabled:
        say(
            tr(
                "While the window is open, figures are at {address}, from its next start on.",
                address=f"http://127.0.0.1:{kept}/metrics",
            )
        )
    else:
        say(tr("No figures are offered from the next start on."))


def powens(
    context: typer.Context,
    *,
    api_url: Annotated[
        str,
        typer.Option(
            "--api-url", metavar="URL", help=tr("Root of the API, such as https://acme.biapi.pro/2.0.")
        ),
    ],
    webview_url: Annotated[
        str,
        typer.Option(
            "--webview-url",
            metavar="URL",
            help=tr("Root of the webview, such as https://webview.powens.com."),
        ),
    ],
    domain: Annotated[
        str, typer.Option("--domain", metavar="DOMAIN", help=tr("Your domain, such as acme.biapi.pro."))
    ],
    client_id: Annotated[
        str, typer.Option("--client-id", metavar="ID", help=tr("The client id of your application."))
    ],
    client_secret_stdin: Annotated[
        bool,
        typer.Option("--client-secret-stdin", help=tr("Read the client secret from standard input.")),
    ] = False,
) -> None:
    """Keep the application."""
    secret = _secret(from_stdin=client_secret_stdin)

    async def keep(app: App) -> None:
        await app.commands.configure_powens(
            api_url=api_url, webview_url=webview_url, domain=domain, client_id=client_id, client_secret=secret
        )

    run_app(given(context).place, keep, make=True)
    say(tr("Powens is set up. Link a bank with: obdesk link"))


def _secret(*, from_stdin: bool) -> str | None:
    """Return the secret, or None to keep the one that is stored; it is never a command line argument."""
    if from_stdin:
        secret = sys.stdin.read(_SECRET_LENGTH_MAX).strip()
        if not secret:
            raise typer.BadParameter(tr("standard input held no client secret"))
        return secret
    if not sys.stdin.isatty():
        return None
    return (
        getpass.getpass(tr("Client secret (empty keeps the stored one): "), stream=sys.stderr).strip() or None
    )
