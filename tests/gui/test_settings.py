"""The settings on the screen: how the relay is, pairing and leaving, and when banks are checked."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from obdesk.app.interface import RelayPaired
from obdesk.app.reads import StoreReads
from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.errors import AppError
from obdesk.domain.mailbox import MailboxState, MailboxStatus, Trouble
from obdesk.gui.settings.present import hour_of, relay_of, status_line
from obdesk.gui.settings.view import SettingsScreen
from obdesk.gui.widgets.status import Glyph
from obdesk.storage.store import Store
from obdesk.storage.writes import edits, mailbox
from tests.fakes import FrozenClock
from tests.gui.household import ENGLISH, NOW
from tests.gui.walkers import clipped, nameless, rich
from tests.seed import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from obdesk.gui.theme.theme import Theme
    from obdesk.storage.tx import Tx


def status(state: MailboxState = MailboxState.CONNECTED, **other: Any) -> MailboxStatus:
    known: dict[str, Any] = {
        "host": "relay.example.org",
        "state": state,
        "since": NOW - timedelta(hours=3),
        "trouble": None,
        "pulled_at": NOW - timedelta(minutes=2),
        "delivered_at": None,
        "waiting": 0,
        "parked": 0,
        "hints": 1_284,
        "unreadable": 0,
        "peers": 1,
        "bearer_seen_at": None,
    }
    return MailboxStatus(**(known | other))


@pytest.mark.parametrize("state", list(MailboxState))
def test_each_state_has_a_glyph_a_word_and_a_sentence(state: MailboxState) -> None:
    values = relay_of(status(state), NOW, ENGLISH)

    assert values.word
    assert values.lines[0].endswith(".")
    assert "{" not in "".join(values.lines)
    assert values.wants_pairing == (state in {MailboxState.FORGOTTEN, MailboxState.LOCKED})
    assert (values.glyph is Glyph.FRESH) == (state is MailboxState.CONNECTED)
    assert values.glyph is not Glyph.BROKEN, "a relay in trouble is no alarm"


def test_F57_a_relay_that_is_down_says_since_when_and_that_the_schedule_goes_on() -> None:
    values = relay_of(status(MailboxState.UNREACHABLE, trouble=Trouble.OFFLINE), NOW, ENGLISH)

    assert values.lines[0] == (
        "Not reached since today 08:58. Your banks are checked by the schedule meanwhile."
    )
    assert values.lines[1] == "Nobody answers at relay.example.org, or there is no network."


def test_what_else_there_is_to_know_is_said_in_its_place() -> None:
    told = status(peers=3, unreadable=1, delivered_at=NOW - timedelta(minutes=5), waiting=2)
    values = relay_of(told, NOW, ENGLISH)

    assert values.lines[1:] == (
        "1 hint could not be opened; your banks were asked instead.",
        "3 computers look at the same banks and share how often those may be asked.",
    )
    assert dict(values.facts) == {
        "Last answer": "today 11:56",
        "Last webhook": "today 11:53",
        "Hints so far": "1,284",
        "Syncs waiting": "2",
    }


def test_a_token_that_was_seen_is_the_one_alarm() -> None:
    values = relay_of(status(bearer_seen_at=NOW - timedelta(hours=1)), NOW, ENGLISH)

    assert (values.glyph, values.tone, values.word) == (Glyph.BROKEN, "danger", "a token was seen")
    assert values.exposure is not None
    assert "relay.example.org (today 10:58)" in values.exposure.cause
    assert values.exposure.title not in values.lines


def test_the_foot_of_the_window_says_how_the_relay_is() -> None:
    assert status_line(None, NOW, ENGLISH) == "No relay"
    assert status_line(status(), NOW, ENGLISH) == "Relay connected since today 08:58"
    assert status_line(status(MailboxState.UNREACHABLE), NOW, ENGLISH) == "Relay: not reached"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("22:00", "22:00"), (" 7:5 ", "07:05"), ("22h30", "22:30"), ("7", "07:00"), ("7.15", "07:15"),
        ("", ""), ("25:00", None), ("soon", None), ("22:61", None), ("-1", None),
    ],
)  # fmt: skip
def test_hours_are_read_as_people_write_them(typed: str, kept: str | None) -> None:
    assert hour_of(typed) == kept


class _Stage:
    """The screen over a real file; its commands are written down, and may be refused."""

    def __init__(self, theme: Theme, store: Store) -> None:
        self.store = store
        self.clock = FrozenClock(NOW)
        self.asked: list[tuple[object, ...]] = []
        self.toasts: list[str] = []
        self.told: list[str] = []
        self.refusal: AppError | None = None
        self.heard = True
        self._waiting: list[Any] = []
        me: Any = self
        self.screen = SettingsScreen(
            theme, ENGLISH, self.clock, StoreReads(store, self.clock), me, self._run, me
        )
        self.screen.on_status(self._tell)
        self.page = self.screen.page

    def _tell(self, text: str) -> None:
        self.told.append(text)

    def toast(self, text: str) -> None:
        self.toasts.append(text)

    async def pair_relay(self, address: str, code: str) -> RelayPaired:
        self.asked.append(("pair", address, code))
        if self.refusal is not None:
            raise self.refusal
        self.write(_paired)
        return RelayPaired("relay.example.org", is_shared=False, offers_users=False)

    async def leave_relay(self) -> bool:
        self.asked.append(("leave",))
        self.write(lambda tx: edits.set_setting(tx, "relay.url", ""))
        self.write(mailbox.forget)
        return self.heard

    async def replace_token(self) -> None:
        self.asked.append(("replace",))
        self.write(mailbox.mend_bearer)

    async def set_setting(self, key: str, value: str) -> None:
        self.asked.append((key, value))
        self.write(lambda tx: edits.set_setting(tx, key, value))

    def write(self, unit: Any) -> None:
        self.store.write_now(unit)

    def _run(self, _name: str, coro: Any) -> None:
        """Run work to its end; what it starts itself comes after it, as on a loop."""
        self._waiting.append(coro)
        if len(self._waiting) > 1:
            return
        while self._waiting:
            asyncio.run(self._waiting[0])
            self._waiting.pop(0)

    def shown(self, width: int = 1012) -> _Stage:
        self.page.resize(width, 700)
        self.page.show()
        self.screen.shown()
        QApplication.processEvents()
        return self

    def button(self, text: str) -> QPushButton:
        return next(each for each in self.page.findChildren(QPushButton) if each.text() == text)

    def says(self, text: str) -> bool:
        return any(text in each.text() and each.isVisible() for each in self.page.findChildren(QLabel))


def _paired(tx: Tx, *, bearer_at: datetime | None = None) -> None:
    edits.set_setting(tx, "relay.url", "https://relay.example.org")
    mailbox.begin(tx, "A" * 22 + ":0", NOW - timedelta(hours=3))
    mailbox.told(tx, 1, bearer_at, None, NOW)


@pytest.fixture
def stage(theme: Theme, tmp_path: Path, qtbot: QtBot) -> Iterator[_Stage]:
    with Store.open(tmp_path / "s.db", KEY) as store:
        made = _Stage(theme, store)
        qtbot.addWidget(made.page)
        yield made


def test_without_a_relay_a_form_asks_for_one_and_says_what_it_is_for(stage: _Stage, qtbot: QtBot) -> None:
    card = stage.shown().page.relay
    assert stage.says("None is set up")
    assert not card.leave.isVisible()
    qtbot.keyClicks(card.url, "https://relay.example.org")
    qtbot.keyClicks(card.code, "the-code")
    qtbot.keyClick(card.code, Qt.Key.Key_Return)

    assert stage.asked == [("pair", "https://relay.example.org", "the-code")]
    assert stage.toasts == ["relay.example.org keeps webhooks for this computer from now on."]
    assert card.code.text() == "", "the code is spent"
    assert not card.form.isVisible()
    assert (card.glyph.glyph, card.word.text()) == (Glyph.FRESH, "connected")
    assert stage.told[-1] == "Relay connected since today 11:58"


def test_what_goes_wrong_stands_beside_the_form_and_nothing_typed_is_lost(stage: _Stage) -> None:
    stage.refusal = AppError(title="No such relay", cause="Nobody there.", next_step="Look again.")
    card = stage.shown().page.relay
    card.url.setText("https://relay.example.org")
    card.code.setText("the-code")
    card.go.click()
    QApplication.processEvents()

    assert stage.says("No such relay")
    assert card.code.text() == "the-code"
    assert card.go.isEnabled()
    stage.refusal = None
    card.go.click()
    QApplication.processEvents()
    assert not stage.says("No such relay")


@pytest.mark.parametrize("heard", [True, False])
def test_leaving_says_whether_the_relay_heard_of_it(stage: _Stage, *, heard: bool) -> None:
    stage.heard = heard
    stage.write(_paired)
    stage.shown().page.relay.leave.click()

    assert stage.asked == [("leave",)]
    assert ("could not be told" in stage.toasts[0]) is not heard
    assert stage.page.relay.form.isVisible()


def test_a_token_that_was_seen_is_replaced_by_its_button(stage: _Stage) -> None:
    stage.write(lambda tx: _paired(tx, bearer_at=NOW))
    stage.shown()
    assert stage.says("A live token was sent through the relay")
    stage.button("Replace the token now").click()
    QApplication.processEvents()

    assert stage.asked == [("replace",)]
    assert not stage.says("A live token was sent through the relay")
    assert stage.page.relay.word.text() == "connected"


def test_a_relay_that_forgot_this_computer_can_be_paired_again(stage: _Stage) -> None:
    stage.write(_paired)
    stage.write(lambda tx: mailbox.note(tx, MailboxState.FORGOTTEN, Trouble.UNKNOWN, NOW))
    card = stage.shown().page.relay
    assert not card.form.isVisible()
    card.again.click()

    assert card.form.isVisible()


def test_what_changes_elsewhere_is_shown_while_somebody_looks(stage: _Stage) -> None:
    stage.shown()
    stage.write(_paired)
    stage.screen.touched(ChangeSet.many(Kind.ACCOUNTS))
    assert stage.page.relay.form.isVisible()
    stage.screen.touched(ChangeSet.many(Kind.RELAY))
    assert not stage.page.relay.form.isVisible()
    stage.page.hide()
    stage.write(mailbox.forget)
    stage.screen.touched(ChangeSet.many(Kind.RELAY))
    assert not stage.page.relay.form.isVisible()
    stage.screen.minute_passed()
    assert stage.told[-1] == "No relay"


def test_when_banks_are_checked_is_kept_with_each_change(stage: _Stage, qtbot: QtBot) -> None:
    checks = stage.shown().page.checks
    assert (checks.hours.text(), checks.spare.isChecked()) == ("4", True)
    checks.hours.setText("8")
    checks.hours.editingFinished.emit()
    checks.spare.click()
    begins, ends = checks.quiet
    begins.setFocus()
    qtbot.keyClicks(begins, "22h")
    qtbot.keyClick(begins, Qt.Key.Key_Tab)
    assert not checks.hint.isVisible(), "the other one is still to come"
    qtbot.keyClicks(ends, "7:30")
    qtbot.keyClick(ends, Qt.Key.Key_Tab)

    assert stage.asked[0] == ("sync.interval_h", "8")
    assert stage.asked[-2:] == [("sync.quiet_from", "22:00"), ("sync.quiet_to", "07:30")]
    assert (begins.text(), ends.text()) == ("22:00", "07:30")
    for wrong in ("soon", ""):
        ends.setText(wrong)
        ends.editingFinished.emit()
        assert checks.hint.isVisible()
    assert len([each for each in stage.asked if each[0] == "sync.quiet_to"]) == 1


@pytest.mark.parametrize("width", [600, 1012])
def test_nothing_is_clipped_nameless_or_read_as_mark_up(stage: _Stage, width: int) -> None:
    stage.write(lambda tx: _paired(tx, bearer_at=NOW))
    stage.shown(width)

    assert clipped(stage.page) == []
    assert nameless(stage.page) == []
    assert rich(stage.page) == []
    assert stage.page.horizontalScrollBar().maximum() == 0
    assert (stage.screen.title, stage.screen.key, stage.screen.actions()) == ("Settings", "settings", ())
    assert stage.screen.widget is stage.page
    stage.screen.set_private(private=True)
