"""Whoever takes the disk of a relay that was used for everything learns nothing of anybody."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import httpx
import pytest
from nacl.public import PrivateKey

from obdesk.relay.protocol import from_text, to_text
from obdesk.relay.server.app import wall_clock_us
from tests.relay.conftest import need_redis
from tests.relay.redis_server import RedisServer
from tests.relay.server.kit import SECRET, signed_headers
from tests.relay.server.served import Served, add_source, operated, pairing_code, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER, CONNECTION, PAYLOAD = 6_120_000_000_077, 3_110_000_000_077, 7_000_000_000_077
CLIENT = "198.51.100.77"
NAME, BEARER, GUESS = "BOULANGERIE DU QUAI", "live-token-of-a-user/77=", "guessed-token-77"


class Marks:
    """What must be nowhere, in whichever of the usual spellings."""

    def __init__(self) -> None:
        self._marks: dict[str, bytes] = {}

    def add(self, name: str, value: str) -> None:
        """Look for a text, and for the bytes it stands for."""
        raw = value.encode()
        self._marks[name] = raw
        self._marks[f"{name} as hex"] = raw.hex().encode()
        self._marks[f"{name} in base64"] = base64.b64encode(raw).rstrip(b"=")[:-1]
        try:
            decoded = from_text(value)
        except ValueError:
            return
        if len(decoded) >= 12:
            self._marks[f"{name} decoded"] = decoded

    def found_in(self, told: bytes) -> list[str]:
        """Return which of them are in some bytes."""
        return [name for name, mark in self._marks.items() if mark in told]


def bodies() -> Iterator[tuple[str, bytes]]:
    """Yield payloads as they come, full of what must not stay."""
    account = {"id": 1, "name": NAME, "balance": 15_204_077.31, "transactions": [{"original_wording": NAME}]}
    connection = {"id": CONNECTION, "id_user": USER, "state": "SCARequired", "accounts": [account]}
    yield (
        "CONNECTION_SYNCED",
        json.dumps({"user": {"id": USER}, "connection": connection, "id_webhook_data": PAYLOAD}).encode(),
    )
    yield (
        "ACCOUNT_SYNCED",
        json.dumps(
            {**account, "id_user": USER, "id_connection": CONNECTION, "id_webhook_data": PAYLOAD + 1}
        ).encode(),
    )
    yield "USER_SYNCED", f"CFONB {NAME} {USER} {CONNECTION}".encode()


def use(served: Served, store: str, marks: Marks) -> None:
    """Do with a relay all that is done with one, well and badly."""
    paths = add_source(store)
    operated(store, "rotate-secret", "home", "--secret-stdin", told=f"{SECRET}-newer\n")
    for name, value in (("signing secret", SECRET), ("capability", paths["USER_SYNCED"].split("/")[3])):
        marks.add(name, value)
    behind = {"X-Forwarded-For": CLIENT}
    with httpx.Client(base_url=served.where, headers=behind, timeout=20) as http:
        private = PrivateKey.generate()
        code = pairing_code(store)
        told = {"publicKey": to_text(bytes(private.public_key)), "code": code}
        paired = http.post("/v1/devices", json=told).json()
        told = {"publicKey": to_text(bytes(private.public_key)), "ticket": paired["ticket"]}
        assert http.post("/v1/devices", json=told).status_code == 200
        for name in ("token", "ticket"):
            marks.add(name, paired[name])
        marks.add("code", code)
        marks.add("private key", to_text(bytes(private)))
        for event, body in bodies():
            path = paths[event]
            signed = signed_headers(path, body, wall_clock_us())
            assert http.post(path, content=body, headers=signed).status_code == 200
            assert http.post(path, content=body, headers=signed).status_code == 200
            bearer = {"Authorization": f"Bearer {BEARER}"}
            assert http.post(path, content=body, headers=bearer).status_code == 401
            assert http.post(path, content=body + b" ", headers=signed).status_code == 401
            assert http.post(f"{path}x?{NAME}", content=body, headers=signed).status_code == 404
            marks.add("signature", signed["BI-Signature"])
        wrong = {"Authorization": f"Bearer {GUESS}"}
        right = {"Authorization": f"Bearer {paired['token']}"}
        asked = {"after": paired["cursor"]}
        assert http.get("/v1/mailbox/events", params=asked, headers=wrong).status_code == 404
        page = http.get("/v1/mailbox/events", params=asked, headers=right).json()
        assert len(page["entries"]) == 2
        assert http.post("/v1/mailbox/ack", json={"upto": NAME}, headers=right).status_code == 400
        assert http.post("/v1/devices", content=f"{{{NAME}}}".encode()).status_code == 400


def look(marks: Marks, *folders: Path) -> dict[str, list[str]]:
    """Return what was found, in which file."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    found = {path.name: marks.found_in(path.read_bytes()) for path in files if not path.name.endswith(".key")}
    return {name: marks for name, marks in found.items() if marks}


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_a_dump_of_store_and_log_holds_no_secret_no_id_no_payload_and_no_address(
    kind: str, tmp_path: Path
) -> None:
    marks = Marks()
    for name, value in {
        "user": str(USER), "connection": str(CONNECTION), "payload id": str(PAYLOAD), "name": NAME,
        "amount": "15204077.31", "address": CLIENT, "live token": BEARER, "guessed token": GUESS,
        "state": "SCARequired", "event": "CONNECTION_SYNCED",
    }.items():  # fmt: skip
        marks.add(name, value)
    disk = tmp_path / "disk"
    disk.mkdir()
    key = tmp_path / "operator.key"
    key.write_text("A" * 43 + "\n")
    environ = {"OBDESK_RELAY_KEY_FILE": str(key)}
    flags = ("--log-level", "debug", "--trusted-proxies", "127.0.0.0/8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBDESK_RELAY_KEY_FILE", str(key))
        if kind == "redis":
            need_redis()
            with (
                RedisServer(disk) as server,
                serving(server.url, tmp_path, *flags, environ=environ) as served,
            ):
                use(served, server.url, marks)
        else:
            store = f"sqlite:///{disk / 'relay.sqlite'}"
            with serving(store, tmp_path, *flags, environ=environ) as served:
                use(served, store, marks)
    key.unlink()

    assert "live token" in (tmp_path / "relay.log").read_text()
    assert look(marks, tmp_path) == {}


def test_what_must_be_nowhere_would_be_found(tmp_path: Path) -> None:
    marks = Marks()
    marks.add("token", "abcdefghijklmnopqrstuvwxyzAB")
    for number, text in enumerate(
        (b"abcdefghijklmnopqrstuvwxyzAB", from_text("abcdefghijklmnopqrstuvwxyzAB"))
    ):
        (tmp_path / f"file{number}").write_bytes(b"\0" + text)
    (tmp_path / "file2").write_bytes(base64.b64encode(b"abcdefghijklmnopqrstuvwxyzAB"))

    assert sorted(look(marks, tmp_path)) == ["file0", "file1", "file2"]
