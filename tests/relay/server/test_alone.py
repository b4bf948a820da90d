"""A relay on a server where nothing of a desktop is installed."""

from __future__ import annotations

import importlib.metadata
import re
import socket
import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.arch.tree import pyproject
from tests.relay.server.served import surroundings
from tests.relay.server.wire import answer_of

if TYPE_CHECKING:
    from pathlib import Path

_GUARD = """
import sys
ABSENT = frozenset({names!r})
class Guarded:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in ABSENT else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path[:] = [Guarded(finder) for finder in sys.meta_path]
"""


def _distributions(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", each, maxsplit=1)[0].lower().replace("_", "-") for each in requirements}


def _needed(wanted: set[str]) -> set[str]:
    """Return some distributions with all that they need in turn."""
    found: set[str] = set()
    left = set(wanted)
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        left |= _distributions([each for each in requires if "extra ==" not in each])
    return found


def absent_for(*extras: str) -> frozenset[str]:
    """Return the modules that are not there when only some extras are installed."""
    project = pyproject()["project"]
    optional = project["optional-dependencies"]
    wanted = _distributions([*project["dependencies"], *chain(*(optional[extra] for extra in extras))])
    here = _needed(wanted)
    owners = importlib.metadata.packages_distributions()
    return frozenset(
        module for module, by in owners.items() if not here & {each.lower().replace("_", "-") for each in by}
    )


def guarded(folder: Path, absent: frozenset[str]) -> dict[str, str]:
    """Return surroundings in which some modules cannot be imported."""
    (folder / "sitecustomize.py").write_text(_GUARD.format(names=sorted(absent)))
    around = surroundings()
    return {**around, "PYTHONPATH": f"{folder}:{around['PYTHONPATH']}"}


@pytest.fixture(scope="module")
def relay_alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    absent = absent_for("relay")
    assert {"PySide6", "sqlcipher3", "keyring", "platformdirs", "sqlmodel", "apscheduler", "pytest"} <= absent
    assert not {"starlette", "uvicorn", "msgspec", "typer", "nacl", "redis", "httpx"} & absent
    return guarded(tmp_path_factory.mktemp("alone"), absent)


def test_the_relay_serves_where_nothing_of_a_desktop_is_installed(
    relay_alone: dict[str, str], tmp_path: Path
) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "obdesk", "relay", "--help"],
        env=relay_alone, capture_output=True, text=True, check=True,
    )  # fmt: skip
    store = f"sqlite:///{tmp_path / 'relay.sqlite'}"
    command = [sys.executable, "-m", "obdesk", "relay", "serve", "--store", store, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, env=relay_alone, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        where = process.stdout.readline().removeprefix("Listening on ").strip()
        try:
            answer = httpx.get(f"{where}/readyz")
        finally:
            process.terminate()
    assert "add-source" in told.stdout
    assert answer.json() == {"status": "ok"}


def test_without_the_desktop_s_packages_obdesk_says_which_extra_to_install(
    relay_alone: dict[str, str],
) -> None:
    for arguments in ([], ["status"]):
        ended = subprocess.run(
            [sys.executable, "-m", "obdesk", *arguments],
            env=relay_alone, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 1
        assert 'pip install "obdesk[desktop]"' in ended.stderr
        assert "Traceback" not in ended.stderr


def test_without_the_relay_s_packages_obdesk_relay_says_which_extra_to_install(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "obdesk", "relay", "serve"],
        env=guarded(tmp_path, absent_for()), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ended.returncode == 1
    assert 'pip install "obdesk[relay]"' in ended.stderr


def test_a_desktop_s_packages_are_enough_to_serve_a_demo_as_safely(tmp_path: Path) -> None:
    around = {**guarded(tmp_path, absent_for("desktop")), "OBDESK_RELAY_HEAD_S": "0.3"}
    store = f"sqlite:///{tmp_path / 'relay.sqlite'}"
    command = [sys.executable, "-m", "obdesk", "relay", "serve", "--store", store, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, env=around, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        where = process.stdout.readline().removeprefix("Listening on ").strip()
        try:
            answer = httpx.get(f"{where}/healthz")
            port = int(where.rpartition(":")[2])
            said = [
                _said(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
                _said(port, b"GET /healthz HTTP/1.1\r\nHost:"),
                _said(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /"),
                _said(port, b"nonsense\r\n\r\n"),
                _said(port, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000),
            ]
        finally:
            process.terminate()
    assert answer.json() == {"status": "ok"}
    assert said == [200, 408, 200, 400, 400]


def _said(port: int, head: bytes) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(head)
        return answer_of(wire)[0]
