"""`obdesk doctor`: each part is named with a state, a sentence and what to do; no secret is told."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from obdesk.cli.frontends import Place
from tests.cli.conftest import PASSPHRASE, CommandLine

if TYPE_CHECKING:
    from pathlib import Path

    from obdesk.simulator.server import Simulator


def checks(obdesk: CommandLine) -> dict[str, dict[str, str]]:
    """Return what was found, by name."""
    return {check["name"]: check for check in obdesk("doctor", "--json").json()["checks"]}


@pytest.fixture(autouse=True)
def _plain_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests' own Chromium switches would be refused as unsafe, rightly.
    monkeypatch.delenv("QTWEBENGINE_CHROMIUM_FLAGS", raising=False)


def test_a_profile_that_works_is_called_so(linked: CommandLine, simulator: Simulator) -> None:
    found = checks(linked)

    assert list(found) == ["key_file", "keyring", "database", "provider", "relay", "webview", "tray"]
    assert found["key_file"]["state"] == "works"
    assert found["keyring"]["state"] == "unused"
    assert found["database"]["state"] == "works"
    assert found["provider"]["state"] == "works"
    assert all(check["sentence"].endswith(".") for check in found.values())
    for check in found.values():
        assert check["state"] in {"works", "unused"} or check["what_to_do"]
    people = linked("doctor")
    assert people.code == 0
    told = people.out + str(found)
    assert PASSPHRASE not in told
    assert str(simulator.facts()["client_secret"]) not in told


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only the administrator has no sandbox")
def test_the_embedded_page_is_not_shown_without_its_sandbox(linked: CommandLine) -> None:
    webview = checks(linked)["webview"]

    assert webview["state"] == "limited"
    assert "administrator" in webview["sentence"]
    assert "obdesk link" in webview["what_to_do"]


def test_without_a_screen_the_rest_is_still_told(
    linked: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setenv("DISPLAY", ":4711")

    found = checks(linked)

    assert (found["webview"]["state"], found["tray"]["state"]) == ("limited", "limited")
    assert "No screen" in found["tray"]["sentence"]
    assert found["database"]["state"] == "works"


def test_data_in_a_synchronised_folder_is_limited_and_says_what_to_do(linked: CommandLine) -> None:
    mark = linked.folder / ".stfolder"
    mark.mkdir()
    try:
        database = checks(linked)["database"]
    finally:
        mark.rmdir()

    assert database["state"] == "limited"
    assert "Syncthing" in database["sentence"]
    assert "--data-dir" in database["what_to_do"]


def test_a_profile_that_was_never_used_is_left_so(obdesk: CommandLine) -> None:
    ended = obdesk("doctor")

    assert ended.code == 1, "no keyring answers and no passphrase protects anything yet"
    assert "Key file: not used." in ended.out
    assert "Keyring: broken." in ended.out
    assert "Database: not used." in ended.out
    assert not list(obdesk.folder.rglob("*"))


def test_a_key_file_that_is_damaged_is_what_is_broken(
    linked: CommandLine, obdesk: CommandLine, tmp_path: Path
) -> None:
    source, target = Place(linked.folder).resolved(), Place(tmp_path / "data").resolved()
    target.prepare()
    (target.folder / "vault.key").write_bytes((source.folder / "vault.key").read_bytes()[:-20])
    (target.folder / "vault.key").chmod(0o600)
    target.database.write_bytes(source.database.read_bytes())

    found = checks(obdesk)

    assert found["key_file"]["state"] == "broken"
    assert found["key_file"]["sentence"].startswith("The key file is damaged.")
    assert "Put vault.key back" in found["key_file"]["what_to_do"]
    for name in ("keyring", "database"):
        assert found[name]["state"] == "unknown", "nobody can tell, and nobody is sent to start a keyring"
        assert found[name]["what_to_do"] == "Mend the key file first."
    people = obdesk("doctor")
    assert people.code == 1
    assert "Key file: broken. The key file is damaged." in people.out


def test_french_has_its_space_before_a_colon_and_its_decimal_comma(
    linked: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")

    told = linked("doctor").out

    assert re.search(r"^Trousseau\u00a0: ", told, re.MULTILINE)
    assert re.search(r"^Zone de notification\u00a0: ", told, re.MULTILINE)
    assert re.search(r" \d+,\d Mo\.$", told, re.MULTILINE)
    assert re.search(r"^\S[^:\u00a0]*:", told, re.MULTILINE) is None


def test_a_database_that_does_not_open_is_named_and_left_alone(
    linked: CommandLine, obdesk: CommandLine, tmp_path: Path
) -> None:
    source, target = Place(linked.folder).resolved(), Place(tmp_path / "data").resolved()
    target.prepare()
    (target.folder / "vault.key").write_bytes((source.folder / "vault.key").read_bytes())
    (target.folder / "vault.key").chmod(0o600)
    target.database.write_bytes(b"not a database" * 1000)
    before = target.database.read_bytes()

    ended = obdesk("doctor", "--json")

    assert ended.code == 1
    (database,) = (check for check in ended.json()["checks"] if check["name"] == "database")
    assert database["state"] == "broken"
    assert database["sentence"].startswith("Your data does not open.")
    assert target.database.read_bytes() == before
