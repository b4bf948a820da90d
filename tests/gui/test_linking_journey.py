"""The linking screen over the real application, the real engine and a simulated aggregator."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import qasync
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from obdesk.app.bootstrap import App, opened_with
from obdesk.app.interface import LinkChannel
from obdesk.app.profile import profile_of
from obdesk.gui.linking.demo_driver import DEMO_PAGES, ENTER, PageKeys, drive
from obdesk.gui.linking.stages import AtBank, BrowserWanted, Confirmed, Done, Ended, Ending, Explaining
from obdesk.gui.linking.view import LinkingScreen
from obdesk.gui.theme.theme import Theme
from obdesk.secrets.kdf import FLOOR_COST
from obdesk.secrets.passphrases import Passphrase
from obdesk.secrets.vault import Vault
from obdesk.simulator.server import Simulator, running
from obdesk.simulator.switches import Switches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from obdesk.gui.linking.conduct import Conductor
    from obdesk.gui.linking.stages import Flow

    Story = Callable[["Room"], Coroutine[Any, Any, None]]

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.qt_log_ignore("QRhiGles2", "Failed to create RHI", "GPUInfo not initialized", "Vulkan"),
]


class Room:
    """A linking screen in front of the running application."""

    def __init__(self, app: App, screen: LinkingScreen, simulator: Simulator) -> None:
        self.app, self.screen, self.simulator = app, screen, simulator

    @property
    def conductor(self) -> Conductor:
        return self.screen.conductor

    def page_is_gone(self) -> bool:
        """Tell whether nothing of an embedded page is left."""
        return self.screen.browser is None

    async def until(self, fact: Callable[[Flow], object], seconds: float = 40.0) -> Flow:
        """Wait for the flow to come to something."""
        moved = asyncio.Event()
        self.conductor.moved.connect(lambda _flow: moved.set())
        async with asyncio.timeout(seconds):
            while not fact(self.conductor.flow):
                moved.clear()
                await moved.wait()
        return self.conductor.flow

    async def banks(self) -> None:
        """Wait for the list of banks."""
        there = asyncio.Event()
        self.screen.banks.model.modelReset.connect(there.set)
        async with asyncio.timeout(10):
            while self.screen.banks.model.rowCount() == 0:
                there.clear()
                await there.wait()

    async def choose(self, typed: str) -> None:
        """Type part of a bank's name and press Enter."""
        await self.banks()
        QTest.keyClicks(self.screen.banks.search, typed)
        QTest.keyClick(self.screen.banks.search, Qt.Key.Key_Return)
        await self.until(lambda flow: isinstance(flow.stage, Explaining))

    async def to_bank(self) -> None:
        """Go on to the bank in the embedded page."""
        self.conductor.feed(Confirmed(LinkChannel.EMBEDDED))
        await self.until(lambda flow: isinstance(flow.stage, AtBank))
        assert self.screen.browser is not None


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(Simulator(seed=11, switches=Switches(refresh_adds_rows=False))) as simulator:
        yield simulator


@pytest.fixture
def played(qapp: QApplication, simulator: Simulator, tmp_path: Path) -> Callable[[Story], None]:
    """Give what plays a story in a room, on one loop for asyncio and Qt."""
    qapp.setQuitOnLastWindowClosed(False)

    @asynccontextmanager
    async def room() -> AsyncIterator[Room]:
        profile = profile_of(tmp_path, "linking")
        profile.prepare()
        vault = Vault(profile.folder, cost=FLOOR_COST).create(Passphrase("correct horse battery staple"))
        async with App(opened_with(profile, vault)) as app:
            facts = simulator.facts()
            names = ("api_url", "webview_url", "domain", "client_id", "client_secret")
            await app.commands.configure_powens(**{name: facts[name] for name in names})
            screen = LinkingScreen(Theme(qapp), app.clock, app.reads, app.commands, app.work.spawn, demo=True)
            screen.resize(1000, 740)
            screen.show()
            screen.start()
            try:
                yield Room(app, screen, simulator)
            finally:
                screen.leave()
                screen.close()
                gone = asyncio.Event()
                screen.destroyed.connect(gone.set)
                screen.deleteLater()
                await gone.wait()

    def play(story: Story) -> None:
        async def main() -> None:
            async with room() as here:
                await story(here)

        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qapp)) as runner:
            runner.run(main())

    return play


def test_a_bank_is_linked_with_the_keyboard_alone(played: Callable[[Story], None]) -> None:
    async def story(room: Room) -> None:
        await room.choose("iroise")
        await room.to_bank()
        assert room.screen.browser is not None
        titles = await drive(room.screen.browser)
        assert titles[0] == "Sign in to Banque de l'Iroise"
        flow = await room.until(lambda flow: isinstance(flow.stage, Done))
        assert isinstance(flow.stage, Done)
        assert "Banque de l'Iroise" in flow.stage.report.sentence
        assert "transactions have come in" in flow.stage.sentence
        assert room.page_is_gone()
        accounts = await room.app.reads.accounts()
        assert len(accounts) > 1
        assert all(account.balance is not None for account in accounts)

    played(story)


def test_cancelling_at_the_bank_ends_in_a_sentence_and_a_retry(played: Callable[[Story], None]) -> None:
    async def story(room: Room) -> None:
        await room.choose("armor")
        await room.to_bank()
        assert room.screen.browser is not None
        # Behind the two fields and the button of the form stands "Cancel".
        cancel = PageKeys("Sign in", ("\t\t\t", ENTER))
        await drive(room.screen.browser, [cancel])
        flow = await room.until(lambda flow: isinstance(flow.stage, Ended))
        assert isinstance(flow.stage, Ended)
        assert flow.stage.ending is Ending.CANCELLED
        assert await room.app.reads.accounts() == ()

    played(story)


def test_going_on_in_the_browser_links_by_the_loopback(
    played: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    async def story(room: Room) -> None:
        monkeypatch.setattr(room.conductor, "_open_browser", opened.append)
        await room.choose("ruche")
        await room.to_bank()
        room.conductor.feed(BrowserWanted())
        await room.until(lambda flow: isinstance(flow.stage, AtBank) and opened)
        assert room.page_is_gone()
        answer = await asyncio.to_thread(visit, opened[0])
        assert answer.startswith("http://127.0.0.1:476")
        flow = await room.until(lambda flow: isinstance(flow.stage, Done))
        assert isinstance(flow.stage, Done)
        assert "Ruche" in flow.stage.report.sentence

    played(story)


def test_a_lost_way_back_is_found_by_asking(
    played: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obdesk.gui.linking.flow.ASK_EVERY_S", 0.2)
    monkeypatch.setattr("obdesk.gui.linking.flow.FRUIT_WAIT_S", 0.2)
    monkeypatch.setattr("obdesk.gui.linking.conduct.TICK_MS", 100)

    async def story(room: Room) -> None:
        await room.choose("ruche")
        await room.to_bank()
        assert room.screen.browser is not None
        assert room.screen.browser.page is not None
        room.screen.browser.page.blockSignals(True)  # the answer of the page never reaches the program
        async with asyncio.TaskGroup() as tasks:
            person = tasks.create_task(drive(room.screen.browser, DEMO_PAGES))
            flow = await room.until(lambda flow: isinstance(flow.stage, Done))
            person.cancel()
        assert isinstance(flow.stage, Done)
        assert "Ruche" in flow.stage.report.sentence

    played(story)


def visit(url: str) -> str:
    """Log in at a simulated bank as a browser would, and return the address it ends at."""
    from tests.cli.visitor import Visitor

    return Visitor().link(url, "Ruche")
