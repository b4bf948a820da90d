"""The whole journey without a person: link two banks, sync, refresh, mend one, hear of a purchase, export.

Everything is done as a person would: by the window's own commands and by keys typed into the bank's
page. Each step says what it waits for, so that a journey that stops says where.
"""

from __future__ import annotations

import asyncio
import csv
import sys
from typing import TYPE_CHECKING

from obdesk.app.demo import use_banks, use_relay
from obdesk.app.events import SyncEnded, SyncProgress
from obdesk.app.interface import LinkChannel
from obdesk.domain.conditions import Condition, needs_you
from obdesk.domain.entities import RunResult, Trigger
from obdesk.domain.exports import CsvOptions
from obdesk.domain.filters import TransactionFilter
from obdesk.domain.texts import tr
from obdesk.gui.demo.banks import DemoBanks
from obdesk.gui.demo.table import accounts_table
from obdesk.gui.linking.demo_driver import drive, press
from obdesk.gui.linking.stages import BankChosen, Confirmed, Done, Ended, FirstSync, Target
from obdesk.gui.theme.theme import Mode

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from obdesk.app.bootstrap import App
    from obdesk.app.demo_relay import DemoRelay
    from obdesk.app.simulated import SimulatedBanks
    from obdesk.domain.entities import Account, Connection
    from obdesk.domain.syncing import SyncOutcome
    from obdesk.gui.desk import Desk
    from obdesk.gui.linking.view import LinkingScreen

BANKS = ("Banque de l'Iroise", "Caisse d'Armor")
PURCHASE = "CARTE LIBRAIRIE DIALOGUES BREST"
PATIENCE_S = 60.0
SETTLE_S = 0.6
_LOOK_S = 0.05


class JourneyStoppedError(Exception):
    """A step did not come to its end; the text says which."""


class Journey:
    """Makes the journey inside the running window and reports afterwards."""

    def __init__(
        self, banks: SimulatedBanks, relay: Future[DemoRelay], folder: Path, screenshots: Path | None
    ) -> None:
        self._addresses = banks
        self._relay = relay
        self._players = DemoBanks(banks)
        self._screenshots = screenshots
        self._csv = folder / "obdesk-demo-transactions.csv"
        self._pictures: list[str] = []
        self._accounts: tuple[Account, ...] = ()
        self._rows = 0
        self._problem: str | None = tr("The journey did not begin.")

    async def story(self, app: App, desk: Desk) -> None:
        """Make the journey; whatever happens, the window is quit afterwards."""
        try:
            await self._travel(app, desk)
            self._problem = None
        except (JourneyStoppedError, TimeoutError) as stopped:
            self._problem = str(stopped) or type(stopped).__name__
        finally:
            desk.window.quit_wanted.emit()

    def report(self) -> int:
        """Print the accounts and where things are; return the exit code."""
        if self._problem is not None:
            sys.stderr.write(
                "\n".join(
                    [tr("The demo's journey stopped"), self._problem, tr("Nothing of yours was touched.")]
                )
                + "\n"
            )
            return 1
        lines = [
            *accounts_table(self._accounts),
            "",
            tr("{n} transactions are in {file}", n=self._rows, file=self._csv),
            *(tr("Screenshot: {file}", file=picture) for picture in self._pictures),
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        return 0

    async def _travel(self, app: App, desk: Desk) -> None:
        window = desk.window
        window.resize(1280, 800)
        if desk.flows is not None:
            desk.flows.welcome()
        await asyncio.sleep(SETTLE_S)
        await self._picture(desk, "first-run")
        window.show_sections()
        await self._players.open_business()
        await use_banks(app, self._addresses)
        for bank in BANKS:
            await self._link(app, desk, bank)
        await self._until("accounts of two banks", lambda: len(desk.connections()) == len(BANKS))
        await self._show(desk, "overview")
        await self._refresh(app, desk)
        await self._mend(app, desk)
        await self._search(desk)
        await self._hear(app, desk)
        await self._show(desk, "connections")
        await self._by_night(desk)
        await self._export(app)
        self._accounts = await app.reads.accounts()

    async def _link(self, app: App, desk: Desk, bank: str) -> None:
        """Link a bank through its page in the embedded view."""
        connector = next(each for each in await app.commands.connectors() if each.name == bank)
        desk.window.link_bank()
        screen = _linking(desk)
        await asyncio.sleep(SETTLE_S)
        await self._picture(desk, f"link-{len(desk.connections()) + 1}")
        screen.conductor.feed(BankChosen(Target(bank, connector_id=connector.id)))
        await self._through_the_page(desk, screen, f"link-{len(desk.connections()) + 1}-page")

    async def _through_the_page(self, desk: Desk, screen: LinkingScreen, name: str) -> None:
        screen.conductor.feed(Confirmed(LinkChannel.EMBEDDED))
        await self._until("the bank's page", lambda: screen.browser is not None)
        assert screen.browser is not None
        await asyncio.sleep(2 * SETTLE_S)
        await self._picture(desk, name)
        await drive(screen.browser)
        await self._until(
            "the end of linking", lambda: isinstance(screen.conductor.flow.stage, Done | Ended | FirstSync)
        )
        await self._until("the first sync", lambda: isinstance(screen.conductor.flow.stage, Done | Ended))
        if isinstance(screen.conductor.flow.stage, Ended):
            raise JourneyStoppedError(screen.conductor.flow.stage.sentence)
        screen.leave()

    async def _refresh(self, app: App, desk: Desk) -> None:
        """Click Refresh and wait for new figures or a reason, for every bank."""
        outcomes = await self._synced(app, desk, len(BANKS))
        for outcome in outcomes:
            if outcome.result not in {RunResult.UPDATED, RunResult.UNCHANGED}:
                raise JourneyStoppedError(f"{outcome.bank}: {outcome.condition.value}")
        await asyncio.sleep(SETTLE_S)
        await self._picture(desk, "refreshed")

    async def _mend(self, app: App, desk: Desk) -> None:
        """Let one bank ask for its person, see cause and button, and mend it through the page."""
        troubled = next(link for link in await app.reads.connections() if link.bank == BANKS[1])
        await self._players.ask_for_sca(troubled.provider_id)
        await app.commands.sync([troubled.id], trigger=Trigger.SCHEDULE, refresh_at_bank=False)
        await self._until("a bank that needs you", lambda: _troubled(desk) is not None)
        await self._show(desk, "overview", "needs-you")
        await self._show(desk, "connections", "needs-you-connections")
        desk.window.renew(troubled.id)
        await self._through_the_page(desk, _linking(desk), "renew-page")
        await self._until("the mended bank", lambda: _troubled(desk) is None)
        mended = next(link for link in await app.reads.connections() if link.id == troubled.id)
        if mended.condition is not Condition.OK:
            raise JourneyStoppedError(f"{mended.bank}: {mended.condition.value}")

    async def _search(self, desk: Desk) -> None:
        desk.window.open_section("transactions")
        await asyncio.sleep(SETTLE_S)
        await self._picture(desk, "transactions")
        field = desk.window.toolbar.search
        field.setFocus()
        for sign in "carte":
            press(field, sign)
        await asyncio.sleep(SETTLE_S)
        await self._picture(desk, "search")
        field.clear()
        field.textEdited.emit("")  # as the button that clears the field does

    async def _hear(self, app: App, desk: Desk) -> None:
        """Let the aggregator post to a relay, buy something, and see it without asking anybody."""
        relay = await asyncio.wrap_future(self._relay)
        await self._players.tell(relay)
        await use_relay(app, relay)
        bought: list[bool] = []

        def hear(event: object) -> None:
            if isinstance(event, SyncEnded) and event.outcome.trigger is Trigger.WEBHOOK:
                bought.append(event.outcome.counts.new > 0)

        stop = app.bus.listen(hear)
        try:
            desk.window.open_section("transactions")
            await self._players.buy(PURCHASE, "-12.90")
            await self._until("a purchase by webhook", lambda: any(bought))
            await self._until("the last of the webhooks", lambda: not app.syncing)
        finally:
            stop()
        await asyncio.sleep(SETTLE_S)
        await self._picture(desk, "purchase")
        for section in ("activity", "settings"):
            await self._show(desk, section)

    async def _by_night(self, desk: Desk) -> None:
        """Show the same window in the dark."""
        desk.window.theme.set_mode(Mode.DARK)
        for section in ("overview", "transactions", "connections", "settings"):
            await self._show(desk, section, f"{section}-dark")
        desk.window.theme.set_mode(Mode.SYSTEM)

    async def _export(self, app: App) -> None:
        report = await app.commands.export_csv(self._csv, TransactionFilter(), CsvOptions())
        with self._csv.open(encoding="utf-8", newline="") as file:
            self._rows = sum(1 for _ in csv.DictReader(file))
        if self._rows != report.rows or self._rows == 0:
            raise JourneyStoppedError("the exported file does not hold what was exported")

    async def _synced(self, app: App, desk: Desk, count: int) -> list[SyncOutcome]:
        """Refresh as the button does, and return the outcomes of the syncs that follow."""
        steps: list[SyncProgress] = []
        ended: list[SyncOutcome] = []

        def hear(event: object) -> None:
            if isinstance(event, SyncProgress):
                steps.append(event)
            elif isinstance(event, SyncEnded) and event.outcome.trigger is Trigger.PERSON:
                ended.append(event.outcome)

        stop = app.bus.listen(hear)
        try:
            desk.window.refresh()
            await self._until("the first step of the refresh", lambda: bool(steps))
            await self._picture(desk, "refreshing")
            await self._until("the end of the refresh", lambda: len(ended) >= count)
        finally:
            stop()
        return ended

    async def _show(self, desk: Desk, section: str, name: str | None = None) -> None:
        desk.window.open_section(section)
        await asyncio.sleep(SETTLE_S)
        await self._picture(desk, name or section)

    async def _until(self, what: str, reached: Callable[[], bool]) -> None:
        """Wait for something a person would see."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not reached():  # noqa: ASYNC110 - a person looks too; no event tells of a painted window
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise JourneyStoppedError(tr("We waited in vain for: {what}", what=what)) from None

    async def _picture(self, desk: Desk, name: str) -> None:
        if self._screenshots is None:
            return
        self._screenshots.mkdir(parents=True, exist_ok=True)
        file = self._screenshots / f"{len(self._pictures) + 1:02d}-{name}.png"
        desk.window.grab().save(str(file))
        self._pictures.append(str(file))


def _linking(desk: Desk) -> LinkingScreen:
    flows = desk.flows
    assert flows is not None
    assert flows.linking is not None
    return flows.linking


def _troubled(desk: Desk) -> Connection | None:
    return next((link for link in desk.connections() if needs_you(link.condition)), None)
