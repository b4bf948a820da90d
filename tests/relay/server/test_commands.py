"""`obdesk relay` as an operator types it."""

from __future__ import annotations

import re
import socket
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest
from nacl.public import PrivateKey

from obdesk.relay.protocol import EVENTS, to_text
from obdesk.relay.server import commands
from tests.relay.server.served import operate, operated, serving

if TYPE_CHECKING:
    from pathlib import Path


Operator = Callable[..., tuple[int, str, str]]


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Type commands that work on a store."""
    return partial(operate, f"sqlite:///{tmp_path / 'relay.sqlite'}")


ADD = ("add-source", "home", "--personal", "--secret-stdin", "--public-url", "https://relay.example/")


def test_a_source_is_made_listed_rotated_and_removed(operator: Operator) -> None:
    made = operator(*ADD, told="secret\n")
    urls = made[1].split()
    assert made[0] == 0
    assert [url.rpartition("/")[2] for url in urls] == list(EVENTS)
    assert all(re.match(r"https://relay\.example/v1/hooks/[A-Za-z0-9_-]{43}/[A-Z_]+$", url) for url in urls)
    assert operator("sources") == (0, "home  personal  no delivery yet\n", "")
    listed = operator("sources", "--urls", "--public-url", "https://relay.example")
    assert listed[1].split("\n")[1:-1] == urls

    assert operator("rotate-secret", "home", "--secret-stdin", told="newer\n")[0] == 0
    assert "two secrets" in operator("sources")[1]
    assert operator("rotate-secret", "home", "--secret-stdin", told="third\n")[0] == 1
    assert operator("rotate-secret", "home", "--finish")[0] == 0
    assert operator("rotate-secret", "home", "--finish")[0] == 1
    assert operator("remove-source", "home")[0] == 0
    assert operator("sources") == (0, "", "")
    assert operator("remove-source", "home")[0] == 1
    again = operator(*ADD, told="secret\n")
    assert again[1].split() == urls, "the aggregator knows these"


@pytest.mark.parametrize(
    ("arguments", "told", "code", "sentence"),
    [
        (("add-source", "home"), "", 2, "--personal or --shared"),
        (("add-source", "home", "--shared"), "", 2, "--secret-stdin"),
        (("add-source", "home", "--shared", "--secret-stdin"), "s", 1, "--public-url"),
        (ADD, "\n", 1, "hmac_signature"),
        ((*ADD[:1], "a\nb", *ADD[2:]), "s", 1, "characters"),
        ((*ADD, "--gzip", "maybe"), "s", 2, "gzip"),
        (("pair",), "", 2, "--source"),
        (("pair", "--source", "nobody"), "", 1, "There is no source nobody."),
        (("devices",), "", 2, "--forget-user"),
        (("devices", "--forget-user", "x"), "", 1, "Nothing was changed."),
        (("revoke", "x"), "", 1, "There is no device x."),
        (("rotate-secret", "home"), "", 2, "--finish"),
        (("nonsense",), "", 2, "nonsense"),
        (("serve", "--workers", "2"), "", 1, "workers must be 1"),
        (("serve", "--listen", "nowhere"), "", 1, "HOST:PORT"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    operator: Operator, arguments: tuple[str, ...], told: str, code: int, sentence: str
) -> None:
    ended, out, err = operator(*arguments, told=told)

    assert (ended, out) == (code, "")
    assert sentence in err
    assert "Traceback" not in err


def test_a_second_source_of_a_name_does_not_replace_the_first(operator: Operator) -> None:
    operator(*ADD, told="secret\n")
    code, _out, err = operator(*ADD, told="another\n")

    assert code == 1
    assert "rotate-secret" in err


def test_a_key_file_of_another_relay_is_noticed(operator: Operator, tmp_path: Path) -> None:
    operator(*ADD, told="secret\n")
    (tmp_path / "relay.sqlite.key").write_text("A" * 43 + "\n")
    code, _out, err = operator("sources")
    assert (code, "does not belong to this store" in err) == (1, True)
    (tmp_path / "relay.sqlite.key").write_text("no key")
    assert operator("sources")[0] == 1


@pytest.mark.parametrize("left", ["another key", "none"])
def test_a_relay_does_not_serve_a_store_with_another_key(
    operator: Operator, tmp_path: Path, left: str
) -> None:
    operator(*ADD, told="secret\n")
    key = tmp_path / "relay.sqlite.key"
    kept = key.read_text()
    if left == "none":
        key.unlink()
    else:
        key.write_text("A" * 43 + "\n")

    code, out, err = operator("serve", "--listen", "127.0.0.1:0")
    assert (code, out) == (1, "")
    assert "ut back" in err or "ut it back" in err
    assert key.exists() == (left != "none"), "no key is made that could not read the store"
    assert operator("pair", "--source", "home")[0] == 1
    key.write_text(kept)
    assert operator("pair", "--source", "home")[0] == 0


def test_the_key_file_and_the_store_are_their_owner_s_alone(operator: Operator, tmp_path: Path) -> None:
    operator(*ADD, told="secret\n")
    modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}

    assert modes["relay.sqlite.key"] == 0
    assert set(modes.values()) == {0}


def test_the_commands_work_beside_a_relay_that_serves(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'relay.sqlite'}"
    with serving(store, tmp_path, "--metrics-from", "10.0.0.0/8") as served:
        operated(store, *ADD, told="secret\n")
        code = operated(store, "pair", "--source", "home").strip()
        key = to_text(bytes(PrivateKey.generate().public_key))
        paired = httpx.post(f"{served.where}/v1/devices", json={"publicKey": key, "code": code}).json()
        headers, asked = {"Authorization": f"Bearer {paired['token']}"}, {"after": paired["cursor"]}
        events = f"{served.where}/v1/mailbox/events"
        before = httpx.get(events, params=asked, headers=headers)
        operated(store, "new-epoch")
        after = httpx.get(events, params=asked, headers=headers)
        listed = operated(store, "devices", "--source", "home")
        assert "last asked 20" in listed
        device = listed.split()[0]
        operated(store, "revoke", device)
        gone = httpx.get(events, params=asked, headers=headers)
        second = operate(store, "serve", "--listen", "127.0.0.1:0")

        assert before.status_code == after.status_code == 200
        assert before.json()["cursor"].split(":")[0] != after.json()["cursor"].split(":")[0]
        assert gone.status_code == 404
        assert second[0] == 1, "one relay serves a file"
        assert "another relay serves" in second[2].lower()
        assert httpx.get(f"{served.where}/metrics").status_code == 404
        assert httpx.get(f"{served.where}/readyz").json() == {"status": "ok"}


def test_a_relay_listens_on_a_socket_file_and_takes_over_one_that_was_left(tmp_path: Path) -> None:
    path = tmp_path / "relay.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with serving(f"sqlite:///{tmp_path / 'r.sqlite'}", tmp_path, "--listen", f"unix:{path}") as served:
        assert served.where == f"unix:{path}"
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as http:
            assert http.get("http://relay/healthz").status_code == 200
            assert http.get("http://relay/metrics").status_code == 404


def test_a_store_that_is_damaged_is_said_to_be(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "relay.sqlite").write_bytes(b"no database" * 1000)
    code, out, err = operator("sources")

    assert (code, out) == (1, "")
    assert "damaged" in err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["--help"]) == 0
    told = capsys.readouterr().out
    for name in ("serve", "add-source", "sources", "remove-source", "pair", "devices", "revoke", "new-epoch"):
        assert f"  {name} " in told


def test_the_secret_is_locked_in_the_store(operator: Operator, tmp_path: Path) -> None:
    operator(*ADD, told="very secret words\n")
    with sqlite3.connect(tmp_path / "relay.sqlite") as database:
        assert "very secret words" not in "\n".join(database.iterdump())
    database.close()
