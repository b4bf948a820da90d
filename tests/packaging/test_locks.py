"""The locks follow from pyproject.toml, name no place, and keep away from the PySide6 that aborts."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from itertools import chain

import pytest
from bootstrapper.lock import LOCKS, Lock
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.arch.tree import pyproject

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = ("linux", "darwin", "win32")
RUN, TEST, RELAY = LOCKS

_ENTRY = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+?))? \\$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a lock."""

    name: str
    version: Version
    marker: Marker | None

    def holds(self, surroundings: dict[str, str]) -> bool:
        """Tell whether the pin is installed there."""
        return self.marker is None or self.marker.evaluate(surroundings)


def _pins(lock: Lock) -> list[Pin]:
    text = lock.path.read_text("utf-8")
    return [
        Pin(canonicalize_name(entry["name"]), Version(entry["version"]), _marker(entry["marker"]))
        for entry in _ENTRY.finditer(text)
    ]


def _marker(text: str | None) -> Marker | None:
    return Marker(text) if text else None


def _machine(python: str, system: str) -> dict[str, str]:
    return {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": "x86_64",
        "os_name": "nt" if system == "win32" else "posix",
    }


def _direct(lock: Lock) -> list[Requirement]:
    configuration = pyproject()
    groups = configuration["dependency-groups"]
    extras = configuration["project"]["optional-dependencies"]
    wanted = [extras["relay"]] if lock is RELAY else extras.values()
    texts = [*configuration["project"]["dependencies"], *chain(*wanted)]
    if lock is TEST:
        texts += [*groups["test"], *(text for text in groups["dev"] if isinstance(text, str))]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_each_dependency_is_locked_once_and_within_its_range(lock: Lock, system: str, python: str) -> None:
    surroundings = _machine(python, system)
    locked: dict[str, list[Version]] = {}
    for pin in _pins(lock):
        if pin.holds(surroundings):
            locked.setdefault(pin.name, []).append(pin.version)
    wanted = [each for each in _direct(lock) if each.marker is None or each.marker.evaluate(surroundings)]

    assert len(wanted) >= 10
    for requirement in wanted:
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert len(versions) == 1, f"{requirement.name} is locked as {versions}"
        assert versions[0] in requirement.specifier, f"{requirement.name} {versions[0]}"
    assert [name for name, versions in locked.items() if len(versions) > 1] == []


def test_the_tests_run_with_the_very_versions_that_are_shipped() -> None:
    tested = {(pin.name, pin.version) for pin in _pins(TEST)}

    assert {(pin.name, pin.version) for pin in _pins(RUN)} <= tested
    assert {(pin.name, pin.version) for pin in _pins(RELAY)} <= tested


def test_a_server_installs_no_window_no_keyring_and_no_encrypted_file() -> None:
    for_desks = ("pyside6", "shiboken6", "qasync", "qtawesome", "sqlcipher3", "keyring", "secretstorage")
    names = {pin.name for pin in _pins(RELAY)}

    assert {"starlette", "uvicorn", "pynacl", "redis"} <= names
    assert [name for name in sorted(names) if name.startswith(for_desks)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_entry_of_a_lock_carries_hashes(lock: Lock) -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", lock.path.read_text("utf-8"), flags=re.MULTILINE)[1:]

    assert len(entries) == len(_pins(lock)) > 30
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_place_to_download_from(lock: Lock) -> None:
    text = lock.path.read_text("utf-8")

    assert "://" not in text
    assert not re.search(r"^\s*-{1,2}(?!hash)[a-z]", text, re.MULTILINE)


@pytest.mark.parametrize("system", SYSTEMS)
def test_python_3_11_is_kept_from_the_pyside_that_loses_none(system: str) -> None:
    surroundings = _machine("3.11", system)
    qt = {
        pin.name: pin.version
        for pin in _pins(RUN)
        if pin.name.startswith(("pyside6", "shiboken6")) and pin.holds(surroundings)
    }

    assert {"pyside6", "pyside6-addons", "pyside6-essentials", "shiboken6"} <= qt.keys()
    assert [f"{name} {version}" for name, version in qt.items() if version >= Version("6.12")] == []


def test_this_python_and_this_pyside_lose_no_reference_to_none() -> None:
    from PySide6.QtCore import QObject

    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(1000):
        thing.setObjectName("a name")
    lost = before - sys.getrefcount(None)

    assert lost < 500, f"{lost} references to None lost in 1000 calls; after some thousands Python aborts"
