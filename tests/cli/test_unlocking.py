"""The ways in: a keyring that answers, one that is gone, and a person who types a passphrase."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

import pytest

from obdesk.cli.frontends import Place
from tests.cli.conftest import PASSPHRASE, CommandLine
from tests.daemons.keyring import running_keyring

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.daemons.keyring import KeyringDaemon

CONFIGURE = (
    "configure", "powens", "--api-url", "https://acme.example/2.0", "--webview-url", "https://web.example",
    "--domain", "acme.example", "--client-id", "7", "--client-secret-stdin",
)  # fmt: skip


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyringDaemon]:
    """Give a real keyring, and no passphrase file."""
    monkeypatch.delenv("OBDESK_PASSPHRASE_FILE")
    with running_keyring() as daemon:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.environ["DBUS_SESSION_BUS_ADDRESS"])
        yield daemon


def test_with_a_keyring_nobody_is_asked_anything(obdesk: CommandLine, keyring: KeyringDaemon) -> None:
    assert obdesk(*CONFIGURE, stdin="the client secret").code == 0
    assert obdesk("accounts", "--json").json() == {"accounts": []}
    assert keyring.accounts(), "the key's lock and the client secret are in the keyring"
    for file in obdesk.folder.rglob("*"):
        assert not file.is_file() or b"the client secret" not in file.read_bytes()


def test_a_keyring_that_is_gone_is_explained_and_nothing_changes(
    obdesk: CommandLine, keyring: KeyringDaemon
) -> None:
    assert obdesk(*CONFIGURE, stdin="the client secret").code == 0
    database = Place(obdesk.folder).resolved().database
    before = database.read_bytes()
    keyring.stop()

    ended = obdesk("accounts")

    assert (ended.code, ended.out) == (1, "")
    title, _, what_to_do = ended.problem()
    assert title == "No keyring was found"
    assert "Your data is untouched" in what_to_do
    assert database.read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX")
def test_a_person_types_a_passphrase_twice_and_later_once(
    obdesk: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OBDESK_PASSPHRASE_FILE")

    no_secret = ""
    answers = [no_secret, PASSPHRASE, "not the same", PASSPHRASE, PASSPHRASE]
    asked_first, code_first = _typed(obdesk, CONFIGURE[:-1], answers)
    asked_later, code_later = _typed(obdesk, ("accounts",), [PASSPHRASE])

    assert asked_first.count("New passphrase: ") == asked_first.count("The same again: ") == 2
    assert "These were not the same." in asked_first
    assert code_first == code_later == 0
    assert asked_later.strip() == "Passphrase:"
    assert PASSPHRASE not in asked_first + asked_later, "what is typed is not shown"


def _typed(obdesk: CommandLine, command: tuple[str, ...], answers: list[str]) -> tuple[str, int]:
    """Run a command on a terminal, answer each question; return what was asked, and the exit code."""
    import pty

    ours, theirs = pty.openpty()
    waiting = list(answers)
    with obdesk.child(*command, stdin=theirs, start_new_session=True) as process:
        asked = ""
        assert process.stderr is not None
        while (text := _until_asked(process)) is not None:
            asked += text
            os.write(ours, f"{waiting.pop(0)}\n".encode())
        rest = process.communicate(timeout=30)[1]
    os.close(ours)
    os.close(theirs)
    return asked + rest, process.returncode


def _until_asked(process: subprocess.Popen[str]) -> str | None:
    """Return what was written up to the next question, or None when there is none any more."""
    assert process.stderr is not None
    text = ""
    while select.select([process.stderr], [], [], 30)[0]:
        piece = os.read(process.stderr.fileno(), 4096).decode()
        if not piece:
            return None
        text += piece
        if text.endswith(": "):
            return text
    raise AssertionError(f"nothing was asked: {text}")
