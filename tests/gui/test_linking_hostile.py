"""A hijacked bank's page against the embedded browser: every trick is tried for real, none works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.exceptions import TimeoutError as WaitedTooLongError

from obdesk.gui.linking.policy import Gate
from obdesk.gui.linking.stages import PageFault
from obdesk.gui.theme.theme import Theme
from tests.gui.linking_hostile_site import REDIRECT, STATE, TRICKS, HostileSite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from obdesk.gui.linking.webview import LinkBrowser

pytestmark = [
    pytest.mark.timeout(60),
    # Without a graphics card Chromium says so and paints by itself.
    pytest.mark.qt_log_ignore(
        "QRhiGles2", "Failed to create RHI", "GPUInfo not initialized", "Vulkan", "apturing is not available"
    ),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileSite]:
    made = HostileSite(tmp_path_factory.mktemp("site"))
    yield made
    made.close()


class Visit:
    """A browser in front of the hostile site, and what it told the program."""

    def __init__(self, browser: LinkBrowser, qtbot: QtBot) -> None:
        self.browser = browser
        self.qtbot = qtbot
        self.came_back: list[str] = []
        self.broke: list[PageFault] = []
        self.said: list[str] = []
        browser.cameBack.connect(self.came_back.append)
        browser.broke.connect(self.broke.append)
        browser.said.connect(self.said.append)

    def open(self, url: str, *, page: str = "", deadline_s: float = 1e9) -> None:
        gate = Gate(
            page_url=page or url,
            redirect_uri=REDIRECT,
            state=STATE,
            deadline_s=deadline_s,
            now_s=time.monotonic,
        )
        self.browser.open_page(url, gate)
        assert self.browser.page is not None
        with self.qtbot.waitSignal(self.browser.page.loadFinished, timeout=10_000):
            pass

    def press_enter_until(self, fact: Callable[[], object]) -> None:
        """Give the page the gesture it waits for; the first may come before it listens."""
        next_press_s = 0.0

        def pressed() -> bool:
            nonlocal next_press_s
            if time.monotonic() < next_press_s:
                return bool(fact())
            next_press_s = time.monotonic() + 0.1
            ears = self.browser.view.focusProxy() if self.browser.view is not None else None
            if not fact() and ears is not None:
                QTest.keyClick(ears, Qt.Key.Key_Return)
            return bool(fact())

        self.qtbot.waitUntil(pressed, timeout=10_000)

    def until(self, fact: Callable[[], object], within_ms: int = 10_000) -> None:
        self.qtbot.waitUntil(lambda: bool(fact()), timeout=within_ms)


@pytest.fixture
def visit(qapp: QApplication, qtbot: QtBot) -> Iterator[Visit]:
    from obdesk.gui.linking.webview import LinkBrowser

    browser = LinkBrowser(Theme(qapp))
    browser.resize(700, 600)
    browser.show()
    qtbot.addWidget(browser)
    yield Visit(browser, qtbot)
    browser.close_page()
    qtbot.wait(1)


def try_out(visit: Visit, site: HostileSite, name: str) -> None:
    """Open a trick's page, give it its gesture, and wait until it has tried everything it has."""
    number = str(list(TRICKS).index(name))
    site.book.begun.discard(number)
    site.book.tried.discard(number)
    visit.open(site.url(name))
    visit.press_enter_until(lambda: number in site.book.begun)
    visit.until(lambda: number in site.book.tried)


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_gets_nowhere(name: str, site: HostileSite, visit: Visit) -> None:
    site.book.won.clear()
    site.book.forbidden.clear()
    try_out(visit, site, name)
    page = visit.browser.page
    assert page is not None
    assert site.book.won == []
    assert site.book.forbidden == []
    assert visit.came_back == []
    assert visit.broke in ([], [PageFault.LOAD_FAILED]), "a refused redirect may cost the page itself"
    assert page.title() in {"trick", "blank"}, "the window was moved"
    assert page.url().host() in {"127.0.0.1", ""}
    assert len(visit.browser.popups) <= 3


@pytest.mark.parametrize(
    "name",
    [
        "image from the local network",
        "fetch from the local network",
        "WebSocket to the local network",
        "our own address by fetch",
    ],
)
def test_the_rules_stop_a_fetch_before_the_engine_s_own_switches_do(
    name: str, site: HostileSite, visit: Visit
) -> None:
    try_out(visit, site, name)
    assert visit.browser.interceptor is not None
    assert visit.browser.interceptor.blocked > 0


@pytest.mark.parametrize(
    "name",
    [
        "going to a blob",
        "being redirected to the local network",
        "our address in a frame",
        "notifications",
        "a file field",
        "a download",
        "an alert",
    ],
)
def test_a_refusal_is_ours_and_is_counted(name: str, site: HostileSite, visit: Visit) -> None:
    for _ in range(3):  # where the machine is busy the browser's own gesture may be over before it is used
        try_out(visit, site, name)
        with suppress(WaitedTooLongError):
            visit.until(lambda: visit.browser.refused > 0, within_ms=5_000)
            return
    pytest.fail("nothing was refused by us")


def open_and_press(visit: Visit, site: HostileSite, name: str) -> None:
    site.book.begun.discard(name)
    visit.open(site.special(name))
    visit.press_enter_until(lambda: name in site.book.begun)


@pytest.mark.parametrize("name", ["answer", "answer-by-redirect"])
def test_the_right_answer_of_the_main_page_comes_back_once(
    name: str, site: HostileSite, visit: Visit
) -> None:
    open_and_press(visit, site, name)
    visit.until(lambda: visit.came_back)
    visit.qtbot.wait(100)
    assert len(visit.came_back) == 1
    assert visit.came_back[0].startswith(f"{REDIRECT}?state={STATE}")
    assert visit.broke == []


def test_an_answer_after_the_deadline_does_not_count(site: HostileSite, visit: Visit) -> None:
    site.book.begun.discard("answer")
    visit.open(site.special("answer"), deadline_s=time.monotonic() - 1)
    visit.press_enter_until(lambda: "answer" in site.book.begun)
    visit.until(lambda: visit.said)
    assert visit.came_back == []


@pytest.mark.parametrize("name", ["guess", "guess-then-answer"])
def test_a_wrong_answer_ends_the_attempt_and_no_right_one_helps_after_it(
    name: str, site: HostileSite, visit: Visit
) -> None:
    open_and_press(visit, site, name)
    visit.until(lambda: visit.broke)
    visit.qtbot.wait(300)
    assert visit.broke == [PageFault.WRONG_STATE]
    assert visit.came_back == []


def test_a_site_with_a_bad_certificate_is_left(site: HostileSite, visit: Visit) -> None:
    visit.open(site.tls, page=site.root)
    visit.until(lambda: PageFault.CERTIFICATE in visit.broke)
    assert site.book.forbidden == []


def test_a_site_that_does_not_answer_is_said(visit: Visit) -> None:
    visit.open("http://127.0.0.1:9/")
    visit.until(lambda: visit.broke == [PageFault.LOAD_FAILED])


def test_a_page_that_does_not_stop_asking_is_closed(site: HostileSite, visit: Visit) -> None:
    open_and_press(visit, site, "nag")
    visit.until(lambda: PageFault.NAGGING in visit.broke)
    assert "The page says: Call this number" in visit.said
    visit.browser.close_page()
    visit.qtbot.wait(50)
    assert visit.browser.page is None


def test_a_page_that_spins_leaves_the_window_alive(site: HostileSite, visit: Visit) -> None:
    open_and_press(visit, site, "spin")
    began = time.monotonic()
    visit.qtbot.wait(200)
    visit.browser.close_page()
    visit.qtbot.wait(1)
    assert time.monotonic() - began < 5


def test_a_page_may_be_left_although_it_asks_to_stay(site: HostileSite, visit: Visit) -> None:
    open_and_press(visit, site, "leave")
    visit.until(lambda: visit.browser.page is not None and visit.browser.page.title() == "blank")


def test_a_page_whose_process_dies_is_said(site: HostileSite, visit: Visit) -> None:
    visit.open(site.special("answer"))
    assert visit.browser.page is not None
    os.kill(visit.browser.page.renderProcessPid(), signal.SIGKILL)
    visit.until(lambda: visit.broke == [PageFault.CRASHED])


def test_a_pop_up_is_a_child_window_with_its_own_address(site: HostileSite, visit: Visit) -> None:
    open_and_press(visit, site, "popup")
    visit.until(lambda: visit.browser.popups and visit.browser.popups[0].bar.host)
    popup = visit.browser.popups[0]
    assert popup.parent() is visit.browser
    assert popup.isWindow()
    assert popup.bar.host == "127.0.0.1"
    visit.browser.close_page()
    visit.qtbot.wait(50)
    assert not shiboken6.isValid(popup)


def test_an_attempt_lives_in_memory_and_forgets_its_cookies(site: HostileSite, visit: Visit) -> None:
    site.book.tried.discard("mark")
    open_and_press(visit, site, "mark")
    visit.until(lambda: "mark" in site.book.tried)
    assert visit.browser.page is not None
    assert visit.browser.page.profile().isOffTheRecord()
    site.book.cookies.clear()
    visit.open(site.special("answer"))
    visit.until(lambda: site.book.cookies)
    assert not any("MARKER" in cookie for cookie in site.book.cookies)


def test_every_switch_of_the_engine_is_as_it_must_be(site: HostileSite, visit: Visit) -> None:
    from obdesk.gui.linking.guard import ATTRIBUTES

    visit.open(site.special("answer"))
    assert visit.browser.page is not None
    settings = visit.browser.page.settings()
    assert {each: settings.testAttribute(each) for each in ATTRIBUTES} == ATTRIBUTES
    assert settings.unknownUrlSchemePolicy().name == "DisallowUnknownUrlSchemes"


def test_nothing_of_a_login_is_left_on_the_disk(tmp_path: Path, site: HostileSite) -> None:
    """A process of its own visits a page that stores marks everywhere; no file it leaves has one."""
    story = Path(__file__).with_name("linking_disk_story.py")
    home = tmp_path / "home"
    home.mkdir()
    places = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
    environ = {**os.environ, **dict.fromkeys(places, str(home)), "PYTHONPATH": os.pathsep.join(sys.path)}
    site.book.tried.discard("mark")
    subprocess.run(
        [sys.executable, str(story), site.special("mark")], env=environ, check=True, timeout=50, cwd=home
    )
    assert "mark" in site.book.tried, "the page did store its marks"
    left = [path for path in home.rglob("*") if path.is_file()]
    assert [path for path in left if b"MARKER" in path.read_bytes() or b"/trick/" in path.read_bytes()] == []
