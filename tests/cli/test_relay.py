"""`obdesk configure relay`, and what status and doctor say of a relay: for people and for programs."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from obdesk.app.bootstrap import open_profile
from obdesk.app.clock import SystemClock
from obdesk.app.pairing import Pairings
from obdesk.cli.frontends import Place
from obdesk.relay.client import RelayClient
from obdesk.secrets.kdf import FLOOR_COST
from obdesk.secrets.passphrases import Passphrase
from obdesk.secrets.vault import Vault
from obdesk.storage.writes import mailbox
from tests.cli.conftest import PASSPHRASE, CommandLine, configure
from tests.cli.test_doctor import checks
from tests.flows.mailroom import CODE, URL, Mailroom

if TYPE_CHECKING:
    from obdesk.simulator.server import Simulator


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Mailroom:
    """Give a relay at the address that the command line is told."""
    made = Mailroom(SystemClock().now, random.Random(7))  # noqa: S311 - chance, not secrets
    monkeypatch.setattr(Pairings, "_built", lambda _self, url: RelayClient(url, transport=made))
    monkeypatch.setattr("obdesk.app.doctor._screen", lambda: ())  # seconds of Chromium say nothing here
    return made


@pytest.fixture
def paired(obdesk: CommandLine, room: Mailroom) -> CommandLine:
    del room  # it answers from now on
    profile = Place(obdesk.folder).resolved()
    profile.prepare()
    Vault(profile.folder, cost=FLOOR_COST).create(Passphrase(PASSPHRASE))
    ended = obdesk("configure", "relay", "--url", URL, "--code-stdin", stdin=f"{CODE}\n")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "127.0.0.1:9 keeps webhooks for this computer from now on.",
        "While the window is open, what your banks send is here within seconds.",
    ]
    return obdesk


def test_a_relay_is_set_up_told_of_and_left(paired: CommandLine, room: Mailroom) -> None:
    assert paired("configure", "relay").out == "Relay 127.0.0.1:9: Set up; it was not asked yet.\n"
    told = paired("status", "--json").json()["relay"]
    assert told == {
        "host": "127.0.0.1:9",
        "state": "new",
        "trouble": None,
        "since": told["since"],
        "last_pull_at": None,
        "last_delivery_at": None,
        "waiting": 0,
        "unknown": 0,
        "hints": 0,
        "unreadable": 0,
        "computers": 1,
        "bearer_seen_at": None,
    }
    assert checks(paired)["relay"] == {
        "name": "relay",
        "state": "works",
        "sentence": "The relay answers: 127.0.0.1:9.",
        "what_to_do": "",
    }
    ended = paired("configure", "relay", "--off")
    assert ended.out == "No relay is used any more. Your banks are checked by the schedule.\n"
    assert room.boxes == {}
    assert paired("status", "--json").json()["relay"] is None
    assert paired("configure", "relay").out.startswith("No relay is set up")
    assert checks(paired)["relay"]["state"] == "unused"


def test_a_relay_that_is_down_is_a_limit_and_no_fault(paired: CommandLine, room: Mailroom) -> None:
    room.is_down = True
    check = checks(paired)["relay"]
    assert check["state"] == "limited"
    assert check["sentence"].startswith("The relay cannot be reached.")
    assert check["what_to_do"] == "Your banks are checked by the schedule meanwhile."
    assert paired("doctor").code == 0
    ended = paired("configure", "relay", "--off")
    assert (ended.code, "could not be told" in ended.out) == (0, True)


def test_a_token_that_was_seen_is_red_everywhere_until_it_is_replaced(
    paired: CommandLine, room: Mailroom, simulator: Simulator
) -> None:
    assert configure(paired, simulator).code == 0
    assert paired.link().code == 0
    room.bearer_seen_at_us = room.now_us()
    with closing(open_profile(Place(paired.folder).resolved())) as opened:
        now = SystemClock().now()
        opened.store.write_now(lambda tx: mailbox.told(tx, 2, now, now, now))
    check = checks(paired)["relay"]
    assert check["state"] == "broken"
    assert check["what_to_do"].endswith("Run: obdesk configure relay --replace-token")
    lines = paired("status").out.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("Relay 127.0.0.1:9:"))
    assert [line.strip().partition(" (")[0] for line in lines[start + 1 :]] == [
        "2 computers look at the same banks and share how often those may be asked.",
        "A live token was sent through the relay",
        "The aggregator sent your access token to 127.0.0.1:9",
        "Replace the token now; the old one then opens nothing. Then set the webhooks up to be signed",
        "Last webhook: " + lines[start + 5].partition(": ")[2],
    ]
    ended = paired("configure", "relay", "--replace-token")
    assert ended.out == "The token was replaced. Whoever kept the old one can do nothing with it.\n"
    assert paired("status", "--json").json()["relay"]["bearer_seen_at"] is None
    assert paired("sync").code == 0


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("--url", URL), "", "the code is missing"),
        (("--url", URL, "--code-stdin"), " \n", "standard input held no code"),
        (("--url", URL, "--off"), "", "do not go together"),
        (("--off", "--replace-token"), "", "do not go together"),
    ],
)
def test_what_cannot_be_understood_is_said_before_anything_is_tried(
    obdesk: CommandLine, room: Mailroom, arguments: tuple[str, ...], stdin: str, words: str
) -> None:
    ended = obdesk("configure", "relay", *arguments, stdin=stdin)
    assert ended.code == 2
    assert words in ended.err.replace("\n", " ").replace("│ ", "").replace("  ", " ")
    assert room.asked == []


def test_a_code_that_was_used_is_refused_in_words(paired: CommandLine, room: Mailroom) -> None:
    ended = paired("configure", "relay", "--url", URL, "--code-stdin", stdin=CODE)
    assert ended.code == 1
    title, cause, what_to_do = ended.problem()
    assert "code" in title
    assert "127.0.0.1:9" in cause
    assert what_to_do.startswith("Nothing was changed here.")
    assert CODE not in ended.err
    assert len(room.boxes) == 1, "the device that there is stays"
