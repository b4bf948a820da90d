"""`obdesk export csv`: transactions as a file or a stream."""

from __future__ import annotations

import sys
from datetime import date  # noqa: TC003 - Typer reads the annotations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from obdesk.cli.context import given
from obdesk.cli.filters import chosen, day
from obdesk.cli.output import StatusLine, reader_may_leave, tell
from obdesk.cli.session import run_app
from obdesk.domain.exports import CsvOptions
from obdesk.domain.texts import tr, trn

if TYPE_CHECKING:
    from obdesk.app.bootstrap import App
    from obdesk.domain.exports import CsvReport

_STREAM = "-"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help=tr("Take your data with you."))
    group.callback()(export)  # keeps `csv` a command of its own
    group.command("csv", help=tr("Write transactions as CSV, safe to open in a spreadsheet."))(csv)
    app.add_typer(group, name="export")


def export() -> None:
    """Group the formats."""


def csv(
    context: typer.Context,
    *,
    out: Annotated[
        str, typer.Option("--out", metavar="FILE", help=tr("The file to write; - is standard output."))
    ],
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
    bom: Annotated[
        bool, typer.Option("--bom", help=tr("Begin with a byte order mark, which some spreadsheets want."))
    ] = False,
) -> None:
    """Write the transactions that were chosen."""
    wanted = chosen(search, account or (), date_from, date_to)
    target = sys.stdout.buffer if out == _STREAM else Path(out)
    line = StatusLine(sys.stderr)

    async def write(app: App) -> CsvReport:
        return await app.commands.export_csv(
            target, wanted, CsvOptions(bom=bom), progress=lambda done, total: line.show(f"{done} / {total}")
        )

    try:
        with reader_may_leave():
            report = run_app(given(context).place, write)
    finally:
        line.clear()
    written = trn("{n} row written.", "{n} rows written.", report.rows)
    tell(written if out == _STREAM else f"{written} {report.path}")
