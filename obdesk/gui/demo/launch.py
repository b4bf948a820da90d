"""Starting the demo: the banks as a child process, a profile of its own, the window on top."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from obdesk.app.demo import demo_profile, open_demo, passphrase_file, use_banks, use_relay
from obdesk.app.demo_relay import demo_relay
from obdesk.app.simulated import simulated_banks
from obdesk.domain.entities import AccountKind, Trigger
from obdesk.domain.errors import ObdeskError
from obdesk.domain.texts import tr
from obdesk.gui.demo.banks import DemoBanks
from obdesk.gui.display import require_display

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from obdesk.app.bootstrap import App
    from obdesk.app.demo_relay import DemoRelay
    from obdesk.app.simulated import SimulatedBanks
    from obdesk.gui.desk import Desk

LINKED_AT_START = ("Banque de l'Iroise", "Harbour & Vale Bank", "Caisse d'Armor")
SEED = "7"
PURCHASES = (
    (15, "CARTE LIBRAIRIE DIALOGUES", "-23.90"),
    (45, "CARTE CREPERIE DU PORT", "-31.40"),
    (90, "VIR RECU MARIE KERBRAT", "60.00"),
)
"""What happens at the first bank while somebody looks: after how many seconds, its words, its amount."""


def run_demo(*, headless: bool = False, screenshots: Path | None = None, keep: Path | None = None) -> int:
    """Run the demo and return the exit code: 0 when it did all it set out to do."""
    from obdesk.gui.run import run

    try:
        if not headless:
            require_display()
        with (
            _folder(keep) as folder,
            simulated_banks(["--seed", SEED]) as banks,
            demo_relay(folder / "relay") as relay,
        ):
            if headless:
                from obdesk.gui.demo.journey import Journey

                written = keep or screenshots or Path(tempfile.gettempdir())
                journey = Journey(banks, relay, written, screenshots)
                code = run(demo_profile(folder), opener=partial(open_demo, folder), story=journey.story)
                return code or journey.report()
            furnish = partial(_furnish, banks, relay)
            return run(demo_profile(folder), opener=partial(open_demo, folder), story=furnish)
    except ObdeskError as error:
        sys.stderr.write(f"{error.title}\n{error.cause}\n{error.next_step}\n")
        return 1


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Yield where the demo's data is; unless it is kept, nothing of it stays."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        sys.stdout.write(
            tr(
                "The demo's data is in {folder}; OBDESK_PASSPHRASE_FILE={file} opens it.",
                folder=keep,
                file=passphrase_file(keep),
            )
            + "\n"
        )
        return
    folder = Path(tempfile.mkdtemp(prefix="obdesk-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _furnish(banks: SimulatedBanks, relay: Future[DemoRelay], app: App, desk: Desk) -> None:
    """Give the person something to look at: three linked banks, one of which asks for its person.

    Purchases follow, which a relay hears of: each is on the screen a moment after it was made.
    """
    from obdesk.app.interface import LinkChannel

    players = DemoBanks(banks)
    await players.open_business()
    await use_banks(app, banks)
    ticket = await app.commands.begin_link(LinkChannel.EMBEDDED)
    await players.link(LINKED_AT_START)
    await app.commands.finish_link(ticket, None)
    await app.commands.sync(trigger=Trigger.LINK, refresh_at_bank=False)
    for account in await app.reads.accounts():
        if account.kind is AccountKind.LOAN:
            # The house that the loan pays for is not in the demo, so neither is the debt.
            await app.commands.set_in_net_worth(account.id, included=False)
    linked = await app.reads.connections()
    await players.ask_for_sca(next(each.provider_id for each in linked if each.bank == LINKED_AT_START[2]))
    await app.commands.sync(trigger=Trigger.SCHEDULE, refresh_at_bank=False)
    made = await asyncio.wrap_future(relay)
    await players.tell(made)
    await use_relay(app, made)
    for after_s, wording, amount in PURCHASES:
        await players.buy(wording, amount, after_s=after_s)
    desk.window.toast(tr("These banks are invented. Link another one, refresh, mend what needs you."))
