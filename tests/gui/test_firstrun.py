"""The first run: three ways in that work, a form that says what is wrong, and honest words."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QLabel

from obdesk.app.linking import EMBEDDED_REDIRECT as REDIRECT_OF_APP
from obdesk.domain.errors import Action, AppError
from obdesk.gui.firstrun.present import FormField, PowensSettings, Way, checked, domain_of, place_of
from obdesk.gui.firstrun.setup import EMBEDDED_REDIRECT, PowensSetup
from obdesk.gui.firstrun.view import FirstRunPage
from obdesk.gui.widgets.panels import ErrorPanel

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from obdesk.app.interface import Commands
    from obdesk.gui.theme.theme import Theme

GOOD = {
    FormField.DOMAIN: "acme-sandbox",
    FormField.CLIENT_ID: "12345678",
    FormField.CLIENT_SECRET: "s3cret",
}


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> FirstRunPage:
    made = FirstRunPage(theme)
    qtbot.addWidget(made)
    made.show()
    return made


def test_three_cards_of_one_size_stand_side_by_side(page: FirstRunPage) -> None:
    page.resize(1280, 800)
    panels = list(page.panels.values())
    assert [*page.panels] == [Way.CONNECT, Way.OPEN, Way.LOOK_AROUND]
    assert len({(panel.width(), panel.height(), panel.y()) for panel in panels}) == 1


def test_each_card_goes_its_way(page: FirstRunPage) -> None:
    gone: list[str] = []
    page.connectWanted.connect(lambda: gone.append("connect"))
    page.demoWanted.connect(lambda: gone.append("demo"))
    page.panels[Way.CONNECT].verb.click()
    page.panels[Way.LOOK_AROUND].verb.click()
    assert gone == ["connect", "demo"]


def test_a_folder_with_data_is_opened_and_one_without_is_said(page: FirstRunPage, tmp_path: Path) -> None:
    opened: list[tuple[Path, str]] = []
    page.openWanted.connect(lambda *place: opened.append(place))
    page.open_folder(tmp_path)
    assert opened == []
    assert any("no data of obdesk" in words.text() for words in page.findChildren(QLabel))
    profile = tmp_path / "default"
    profile.mkdir()
    (profile / "ledger.db").write_bytes(b"")
    page.open_folder(tmp_path)
    page.open_folder(profile)
    assert opened == [(tmp_path, "default")] * 2


def test_a_folder_whose_name_cannot_be_a_profile_is_said(page: FirstRunPage, tmp_path: Path) -> None:
    opened: list[object] = []
    page.openWanted.connect(lambda *place: opened.append(place))
    odd = tmp_path / "my data!"
    odd.mkdir()
    (odd / "ledger.db").write_bytes(b"")
    page.open_folder(odd)
    assert opened == []


def test_what_leaves_the_computer_unfolds(page: FirstRunPage) -> None:
    assert not page.fold.isVisible()
    page.leaves.click()
    assert page.fold.isVisible()


def test_another_language_is_asked_for(page: FirstRunPage) -> None:
    asked: list[str] = []
    page.languageWanted.connect(asked.append)
    page.language.setCurrentIndex(page.language.findData("fr"))
    page.language.activated.emit(page.language.currentIndex())
    assert asked == ["fr"]


def test_the_default_profile_is_preferred(tmp_path: Path) -> None:
    for name in ("alpha", "default"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ledger.db").write_bytes(b"")
    assert place_of(tmp_path) == (tmp_path, "default")


# Setting up Powens


def test_the_redirect_address_shown_is_the_one_in_use() -> None:
    assert EMBEDDED_REDIRECT == REDIRECT_OF_APP


@pytest.mark.parametrize(
    "typed", ["acme-sandbox", "acme-sandbox.biapi.pro", " https://Acme-Sandbox.biapi.pro/2.0/ "]
)
def test_a_domain_is_understood_however_it_is_copied(typed: str) -> None:
    assert domain_of(typed) == "acme-sandbox"
    found = checked(GOOD | {FormField.DOMAIN: typed})
    assert isinstance(found, PowensSettings)
    assert found.api_url == "https://acme-sandbox.biapi.pro/2.0"
    assert found.webview_url == "https://webview.powens.com"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        (FormField.DOMAIN, ""),
        (FormField.DOMAIN, "two words"),
        (FormField.CLIENT_ID, "12a"),
        (FormField.CLIENT_SECRET, "  "),
        (FormField.API_URL, "http://api.example.com/2.0"),
        (FormField.WEBVIEW_URL, "ftp://x"),
    ],
)
def test_each_mistake_is_said_at_its_field(field: FormField, typed: str) -> None:
    found = checked(GOOD | {field: typed})
    assert isinstance(found, dict)
    assert list(found) == [field]


@given(st.dictionaries(st.sampled_from(FormField), st.text(max_size=60)))
def test_nothing_typed_makes_an_address_without_encryption(typed: dict[FormField, str]) -> None:
    found = checked(typed)
    if isinstance(found, PowensSettings):
        for url in (found.api_url, found.webview_url):
            assert url.startswith(("https://", "http://127.0.0.1", "http://localhost"))


class Aggregator:
    """Keeps what it is told; says no as often as it is told to."""

    def __init__(self, error: AppError | None = None) -> None:
        self.kept: list[dict[str, str]] = []
        self.error = error

    async def configure_powens(self, **settings: str) -> None:
        self.kept.append(settings)

    async def connectors(self) -> tuple[()]:
        if self.error is not None:
            raise self.error
        return ()


def run(_name: str, coro: Coroutine[Any, Any, None], /) -> None:
    asyncio.run(coro)


def form(theme: Theme, qtbot: QtBot, aggregator: Aggregator) -> PowensSetup:
    made = PowensSetup(theme, cast("Commands", aggregator), run)
    qtbot.addWidget(made)
    made.show()
    for field, typed in GOOD.items():
        made.fields[field].setText(typed)
    return made


def test_a_good_application_is_kept_and_its_secret_forgotten_by_the_form(theme: Theme, qtbot: QtBot) -> None:
    aggregator, done = Aggregator(), list[bool]()
    made = form(theme, qtbot, aggregator)
    made.done.connect(lambda: done.append(True))
    made.submit()
    assert done == [True]
    assert aggregator.kept[0]["client_secret"] == "s3cret"
    assert made.fields[FormField.CLIENT_SECRET].text() == ""


def test_an_application_that_powens_refuses_is_said_with_its_button(theme: Theme, qtbot: QtBot) -> None:
    error = AppError(
        title="Powens refuses", cause="Wrong secret.", next_step="Check it.", action=Action.CONFIGURE_PROVIDER
    )
    made = form(theme, qtbot, Aggregator(error))
    made.submit()
    assert made.findChildren(ErrorPanel)
    assert made.go_on.isEnabled()


def test_mistakes_are_shown_and_nothing_is_sent(theme: Theme, qtbot: QtBot) -> None:
    aggregator = Aggregator()
    made = form(theme, qtbot, aggregator)
    made.fields[FormField.CLIENT_ID].setText("abc")
    made.submit()
    assert made.hints[FormField.CLIENT_ID].isVisible()
    assert aggregator.kept == []
