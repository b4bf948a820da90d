"""A relay out of its lock alone, and a relay that may do no more than its unit lets it.

No image can be built where tests run. What the Containerfile says is done by hand instead: the relay's lock
is installed by hash into an empty folder, beside it lies what is copied into the image, and nothing else is
found.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest
from nacl.public import PrivateKey

from obdesk.relay.protocol import Page, Paired, from_text, opened, to_text
from tests.arch.tree import ROOT
from tests.relay.watching.exported import PLACE, tool
from tests.relay.watching.running import Relay, body_of, signed
from tests.relay.watching.test_deployment import UNIT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long

_CONFINED = (
    "import ctypes, os, sys\n"
    "libc = ctypes.CDLL(None, use_errno=True)\n"
    "assert libc.prctl(65, 1, 0, 0, 0) == 0\n"  # PR_SET_MDWE: what MemoryDenyWriteExecute comes down to
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n"
)


def _lives(relay: Relay) -> None:
    """Have a delivery made, kept, pulled, opened and acknowledged."""
    with httpx.Client(base_url=relay.address, trust_env=False) as client:
        path = relay.add_source()["CONNECTION_SYNCED"]
        private = PrivateKey.generate()
        (code,) = relay.operate("pair", "--source", "home")
        told = {"publicKey": to_text(bytes(private.public_key)), "code": code}
        paired = msgspec.json.decode(client.post("/v1/devices", json=told).content, type=Paired)
        token = {"Authorization": f"Bearer {paired.token}"}
        body = body_of(700_001)
        assert client.post(path, content=body, headers=signed(path, body)).status_code == 200
        answer = client.get("/v1/mailbox/events", params={"after": paired.cursor, "wait": 1}, headers=token)
        page = msgspec.json.decode(answer.content, type=Page)
        (hint,) = [opened(bytes(private), from_text(each.sealed)) for each in page.entries]
        assert hint.connection == "311"
        assert client.post("/v1/mailbox/ack", json={"upto": page.cursor}, headers=token).status_code == 204
        assert client.get("/metrics").status_code == 200


def _copied(folder: Path) -> Path:
    """Copy what the Containerfile copies, and return where Python finds it."""
    lines = re.findall(r"^COPY (obdesk\S*(?: obdesk\S*)*) \S*/app/(\S*)$", _containerfile(), re.MULTILINE)
    assert len(lines) > 2
    for sources, target in lines:
        for source in sources.split():
            found, place = ROOT / source, folder / target
            if found.is_dir():
                shutil.copytree(found, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, place)
    return folder


def _containerfile() -> str:
    return (PLACE / "Containerfile").read_text("utf-8")


def test_a_relay_lives_on_its_own_lock_and_on_what_is_copied_into_the_image(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(packages)),
            *("--require-hashes", "--only-binary", ":all:", "--no-deps"),
            *("-r", str(ROOT / "packaging" / "requirements-relay.txt")),
        ],
        check=True,
    )
    app = _copied(tmp_path / "app")
    # Without `site` the packages of this environment are not found either.
    command = (sys.executable, "-S", "-P", "-m", "obdesk", "relay")
    relay = Relay(tmp_path, command=command, python_path=os.pathsep.join(map(str, (packages, app))))

    with relay.running():
        _lives(relay)


@pytest.mark.skipif(sys.platform != "linux", reason="a promise of the Linux kernel")
def test_a_relay_lives_without_memory_that_is_written_and_run(tmp_path: Path) -> None:
    if ctypes.CDLL(None).prctl(66, 0, 0, 0, 0) < 0:
        pytest.skip("this kernel is older than 6.3")
    plain = Relay(tmp_path).command
    relay = Relay(tmp_path, command=(sys.executable, "-c", _CONFINED, *plain[1:]))

    with relay.running():
        _lives(relay)


def _allowed() -> set[str]:
    """Return the system calls that the unit's filter lets through, as systemd expands it here."""
    allowed: set[str] = set()
    for words in re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE):
        calls = {call for word in words.lstrip("~").split() for call in _expanded(word)}
        allowed = allowed - calls if words.startswith("~") else allowed | calls
    return allowed | _expanded("@default")


def _expanded(word: str) -> set[str]:
    if not word.startswith("@"):
        return {word}
    said = tool("systemd-analyze", "syscall-filter", "--no-pager", word, package="systemd")
    inside = [line.strip() for line in said.splitlines()[1:] if line.strip() and "#" not in line]
    return {call for each in inside for call in _expanded(each)}


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return all system calls of a relay's life."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    folder = tmp_path_factory.mktemp("traced")
    trace = folder / "trace"
    plain = Relay(folder).command
    relay = Relay(folder, command=("strace", "-f", "-qq", "-o", str(trace), *plain))
    with relay.running():
        _lives(Relay(folder, port=relay.port))
    text = trace.read_text("utf-8", errors="replace")
    assert "fdatasync(" in text
    return text


def test_a_relay_needs_no_system_call_that_its_unit_forbids(trace: str) -> None:
    used = set(re.findall(r"^\d+ +(\w+)\(", trace, re.MULTILINE))
    families = set(re.findall(r"\bsocket\((AF_\w+)", trace))
    # SQLite gives its log to the file's owner where it runs as root, which the unit's user is not.
    by_root = {"fchown"} if os.geteuid() == 0 else set()
    assert used - _allowed() - by_root == set()
    (may,) = re.findall(r"^RestrictAddressFamilies=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)
    assert families <= set(may.split())


def test_a_relay_that_makes_no_users_asks_nobody(trace: str) -> None:
    assert re.search(r"\baccept4?\(.* = \d+$", trace, re.MULTILINE), "it was asked itself"
    assert re.findall(r"\b(?:connect|sendto|sendmsg)\(.*sa_family=AF_INET.*", trace) == []
