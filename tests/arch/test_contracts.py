"""The import contracts of pyproject.toml hold, are complete, and each bites when it is broken."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.arch.tree import ROOT, contract, files, modules, pyproject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Verdict(NamedTuple):
    """What the linter said."""

    exit_code: int
    text: str


class Linter:
    """The import linter over the tree in a folder."""

    def __init__(self, folder: Path) -> None:
        script = Path(__file__).with_name("linter.py")
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(script), str(ROOT / "pyproject.toml")],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONUTF8": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def check(self, *contracts: str, added: Mapping[str, str] | None = None) -> Verdict:
        """Check the contracts, all when none is named, with some files added to the tree."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"contracts": contracts, "added": added or {}}) + "\n")
        self._process.stdin.flush()
        return Verdict(*json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@pytest.fixture(scope="module")
def empty_tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linter]:
    """Lint a tree with the project's packages and nothing in them."""
    folder = tmp_path_factory.mktemp("skeleton")
    for module in modules("obdesk/"):
        place = folder / module.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    linter = Linter(folder)
    yield linter
    linter.close()


def test_the_import_contracts_hold() -> None:
    with contextlib.closing(Linter(ROOT)) as linter:
        verdict = linter.check()

    assert verdict.exit_code == 0, verdict.text


def test_an_empty_tree_keeps_every_contract(empty_tree: Linter) -> None:
    verdict = empty_tree.check()

    assert verdict.exit_code == 0, verdict.text


@pytest.mark.parametrize(
    ("contract_id", "path", "source"),
    [
        ("layers", "domain/bad.py", "import obdesk.storage"),
        ("layers", "storage/bad.py", "import obdesk.providers"),
        ("layers", "sync/bad.py", "def f():\n    import obdesk.app"),
        ("layers", "gui/bad.py", "from obdesk import cli"),
        ("layers", "reports/__init__.py", ""),
        ("front-ends", "gui/bad.py", "import obdesk.storage"),
        ("front-ends", "cli/bad.py", "from obdesk.providers import base"),
        ("qt", "app/bad.py", "from PySide6.QtCore import QObject"),
        ("qt", "bad.py", "import qtawesome"),
        ("loop", "gui/bad.py", "import qasync"),
        ("pure", "domain/bad.py", "import msgspec"),
        ("pure", "gui/bad/present.py", "from PySide6.QtCore import Qt"),
        ("http", "sync/bad.py", "import httpx"),
        ("http", "gui/bad.py", "import httpx"),
        ("no-provider-named", "sync/bad.py", "import obdesk.providers.powens"),
        ("tables", "app/bad.py", "from obdesk.storage import tables"),
        ("simulator", "simulator/bad.py", "from obdesk.domain import money"),
        ("screens", "gui/overview/bad.py", "import obdesk.gui.transactions"),
        ("cycles", "app/bad.py", "import obdesk.app.worse"),
    ],
)
def test_a_contract_bites_when_it_is_broken(
    empty_tree: Linter, contract_id: str, path: str, source: str
) -> None:
    beside = {
        "cycles": {"obdesk/app/worse.py": "import obdesk.app.bad"},
        "pure": {"obdesk/gui/bad/__init__.py": ""},
    }

    verdict = empty_tree.check(contract_id, added={f"obdesk/{path}": source, **beside.get(contract_id, {})})

    assert verdict.exit_code == 1, verdict.text
    assert "BROKEN" in verdict.text


def test_each_screen_is_kept_apart_from_the_others() -> None:
    (siblings,) = contract("screens")["layers"]
    listed = set(re.findall(r"\w+", siblings))
    screens = {path.split("/")[2] for path in files() if re.fullmatch(r"obdesk/gui/\w+/view\.py", path)}

    assert screens - listed == set()


def test_each_provider_is_unknown_to_syncing() -> None:
    folders = {
        path.split("/")[2] for path in files() if re.fullmatch(r"obdesk/providers/\w+/__init__\.py", path)
    }

    assert set(contract("no-provider-named")["forbidden_modules"]) == {
        f"obdesk.providers.{name}" for name in folders
    }
    for module in modules("obdesk/sync/", "obdesk/scheduler/"):
        for name in folders:
            assert name not in module.source.lower(), f"{module.path} names {name}"


def test_each_dependency_is_closed_to_the_domain() -> None:
    project = pyproject()["project"]
    distributions = {
        re.split(r"[^\w-]", dependency, maxsplit=1)[0].lower()
        for dependency in chain(project["dependencies"], *project["optional-dependencies"].values())
    }
    imported = {
        package
        for package, owners in importlib.metadata.packages_distributions().items()
        if package.isidentifier() and not package.startswith("_")
        if distributions & {owner.lower() for owner in owners}
    }

    assert len(imported) > 10
    assert imported - set(contract("pure")["forbidden_modules"]) == set()


def test_matching_and_policy_are_under_the_pure_contract() -> None:
    existing = {module.name for module in modules("obdesk/sync/")} & {
        "obdesk.sync.reconcile",
        "obdesk.sync.policy",
    }

    assert existing <= set(contract("pure")["source_modules"])


def test_the_relay_server_imports_nothing_of_obdesk_but_its_protocol() -> None:
    for module in modules("obdesk/relay/server/"):
        for line, name in module.imports():
            allowed = name.startswith(("obdesk.relay.protocol", "obdesk.relay.server"))

            assert allowed or not name.startswith("obdesk"), f"{module.path}:{line} imports {name}"
