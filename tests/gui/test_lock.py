"""A profile that does not open: why, at least two ways out, and each way opens a real vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit

from obdesk.app.bootstrap import open_profile
from obdesk.app.interface import WayIn
from obdesk.app.profile import profile_of
from obdesk.app.ways_in import open_by, ways_into, ways_out
from obdesk.domain.errors import Action, AppError
from obdesk.gui.lock.present import fault_of, ordered
from obdesk.gui.lock.view import LockPage
from obdesk.secrets import vault as vaults
from obdesk.secrets.errors import KeyringLocked, KeyringMissing, WrongPassphrase
from obdesk.secrets.kdf import FLOOR_COST
from obdesk.secrets.passphrases import Passphrase
from obdesk.secrets.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from obdesk.app.profile import Profile
    from obdesk.gui.theme.theme import Theme

WORDS = "four unrelated plain words"


def page_of(theme: Theme, qtbot: QtBot, error: AppError, *ways: WayIn) -> LockPage:
    page = LockPage(theme, error, ways)
    qtbot.addWidget(page)
    page.show()
    return page


def test_the_page_says_what_happened_and_that_nothing_was_deleted(theme: Theme, qtbot: QtBot) -> None:
    error = KeyringLocked()
    page = page_of(theme, qtbot, error, WayIn.TRY_AGAIN, WayIn.RECOVERY_CODE)
    words = [each.text() for each in page.findChildren(QLabel)]
    for sentence in (error.title, error.cause, error.next_step, "Nothing was deleted or changed."):
        assert sentence in words


def test_what_the_error_recommends_comes_first() -> None:
    ways = [WayIn.TRY_AGAIN, WayIn.RECOVERY_CODE, WayIn.NEW_PASSPHRASE]
    assert ordered(ways, KeyringMissing())[0] is WayIn.NEW_PASSPHRASE
    assert ordered(ways, KeyringLocked())[0] is WayIn.TRY_AGAIN


def test_a_typed_passphrase_is_handed_over_and_forgotten(theme: Theme, qtbot: QtBot) -> None:
    page = page_of(theme, qtbot, WrongPassphrase(), WayIn.PASSPHRASE, WayIn.RECOVERY_CODE)
    chosen: list[tuple[WayIn, str]] = []
    page.chosen.connect(lambda *what: chosen.append(what))
    field = page.fields[WayIn.PASSPHRASE]
    assert field.line.echoMode() is QLineEdit.EchoMode.Password
    field.line.setText(WORDS)
    field.line.returnPressed.emit()
    assert chosen == [(WayIn.PASSPHRASE, WORDS)]
    assert field.line.text() == ""


def test_a_new_passphrase_is_typed_twice(theme: Theme, qtbot: QtBot) -> None:
    page = page_of(theme, qtbot, KeyringMissing(), WayIn.NEW_PASSPHRASE, WayIn.TRY_AGAIN)
    chosen: list[object] = []
    page.chosen.connect(lambda *what: chosen.append(what))
    field = page.fields[WayIn.NEW_PASSPHRASE]
    assert field.again.isVisible()
    field.line.setText(WORDS)
    field.again.setText(WORDS + "x")
    field.submit()
    assert chosen == []
    assert "differ" in field.fault.text()
    field.again.setText(WORDS)
    field.submit()
    assert chosen == [(WayIn.NEW_PASSPHRASE, WORDS)]


@pytest.mark.parametrize(
    ("way", "first", "second", "good"),
    [
        (WayIn.PASSPHRASE, "", "", False),
        (WayIn.PASSPHRASE, "x", "", True),
        (WayIn.NEW_PASSPHRASE, "short", "short", False),
        (WayIn.NEW_PASSPHRASE, WORDS, WORDS, True),
    ],
)
def test_what_may_be_handed_over(way: WayIn, first: str, second: str, good: bool) -> None:  # noqa: FBT001 - a table
    assert (fault_of(way, first, second) == "") is good


def test_trying_again_and_quitting_are_one_press(theme: Theme, qtbot: QtBot) -> None:
    page = page_of(theme, qtbot, KeyringLocked(), WayIn.TRY_AGAIN)
    chosen: list[object] = []
    page.chosen.connect(lambda *what: chosen.append(what))
    page.buttons[WayIn.TRY_AGAIN].click()
    assert chosen == [(WayIn.TRY_AGAIN, "")]


# The ways themselves, on real files


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setattr(vaults, "DEFAULT_COST", FLOOR_COST)
    monkeypatch.setattr(
        Vault.__init__, "__kwdefaults__", {**(Vault.__init__.__kwdefaults__ or {}), "cost": FLOOR_COST}
    )
    return profile_of(tmp_path, "locked")


def test_a_new_profile_without_a_keyring_can_be_protected_with_a_passphrase(profile: Profile) -> None:
    profile.prepare()
    assert ways_into(profile) == (WayIn.NEW_PASSPHRASE, WayIn.TRY_AGAIN)
    open_by(profile, WayIn.NEW_PASSPHRASE, WORDS).close()
    assert ways_into(profile) == (WayIn.PASSPHRASE,)
    open_by(profile, WayIn.PASSPHRASE, WORDS).close()


def test_a_wrong_passphrase_is_said_and_the_right_one_still_opens(profile: Profile) -> None:
    open_by(profile, WayIn.NEW_PASSPHRASE, WORDS).close()
    before = profile.database.read_bytes()
    with pytest.raises(AppError) as caught:
        open_by(profile, WayIn.PASSPHRASE, "something else entirely")
    assert caught.value.action is Action.USE_PASSPHRASE
    assert profile.database.read_bytes() == before
    open_by(profile, WayIn.PASSPHRASE, WORDS).close()


def test_the_recovery_code_opens_what_the_passphrase_opens(profile: Profile) -> None:
    open_by(profile, WayIn.NEW_PASSPHRASE, WORDS).close()
    vault = Vault(profile.folder)
    code = vault.add_recovery(vault.unlock_with_passphrase(Passphrase(WORDS)))
    assert WayIn.RECOVERY_CODE in ways_into(profile)
    open_by(profile, WayIn.RECOVERY_CODE, code.reveal().lower()).close()


@pytest.mark.parametrize("damage", [None, b"damaged"], ids=["lost", "damaged"])
def test_the_previous_key_file_is_put_back_and_its_passphrase_opens_the_data(
    damage: bytes | None, profile: Profile, theme: Theme, qtbot: QtBot
) -> None:
    open_by(profile, WayIn.NEW_PASSPHRASE, WORDS).close()
    vault = Vault(profile.folder)
    vault.add_recovery(vault.unlock_with_passphrase(Passphrase(WORDS)))  # which keeps a previous version
    key_file = profile.folder / "vault.key"
    key_file.unlink() if damage is None else key_file.write_bytes(damage)
    with pytest.raises(AppError) as caught:
        open_profile(profile)
    assert "the window can put it back" in caught.value.next_step
    ways = ways_out(profile, caught.value)
    page = page_of(theme, qtbot, caught.value, *ways)
    assert next(iter(page.buttons)) is WayIn.PREVIOUS_KEY_FILE

    with pytest.raises(AppError) as then:
        open_by(profile, WayIn.PREVIOUS_KEY_FILE)
    assert WayIn.PASSPHRASE in ways_out(profile, then.value)
    open_by(profile, WayIn.PASSPHRASE, WORDS).close()


def test_without_a_previous_key_file_none_is_offered(profile: Profile) -> None:
    open_by(profile, WayIn.NEW_PASSPHRASE, WORDS).close()
    (profile.folder / "vault.key").write_bytes(b"damaged")
    with pytest.raises(AppError) as caught:
        open_profile(profile)

    assert WayIn.PREVIOUS_KEY_FILE not in ways_out(profile, caught.value)


def test_data_without_its_key_file_is_never_written_over(profile: Profile) -> None:
    profile.prepare()
    profile.database.write_bytes(b"data of somebody")
    assert WayIn.NEW_PASSPHRASE not in ways_into(profile)
    with pytest.raises(AppError):
        open_by(profile, WayIn.NEW_PASSPHRASE, WORDS)
    assert profile.database.read_bytes() == b"data of somebody"
