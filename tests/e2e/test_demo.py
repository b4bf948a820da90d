"""The demo that nobody watches: the whole journey, what it leaves behind, and what it does not."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QImage

from tests.e2e.person import colours
from tests.e2e.processes import end_family, with_variable
from tests.e2e.screen import lit_screen
from tests.e2e.stage import MARK, ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(150)
JOURNEY_S = 120.0
PICTURES = (
    "first-run",
    "link-1",
    "link-1-page",
    "link-2",
    "link-2-page",
    "overview",
    "refreshing",
    "refreshed",
    "needs-you",
    "needs-you-connections",
    "renew-page",
    "transactions",
    "search",
    "purchase",
    "activity",
    "settings",
    "connections",
    "overview-dark",
    "transactions-dark",
    "connections-dark",
    "settings-dark",
)  # fmt: skip
COLOURS_MIN = 40
"""A window that painted nothing, or one grey page, has far fewer."""


class Traveller:
    """Runs the demo in folders of its own, so that all it leaves behind can be looked at."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.shots, self.temporary = folder, folder / "shots", folder / "tmp"
        runtime = folder / "runtime"
        for place in (self.temporary, runtime, folder / "home"):
            place.mkdir(mode=0o700)
        self.environ = {
            MARK: str(folder),
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "PYTHONUTF8": "1",
            "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu",
            "TMPDIR": str(self.temporary),
            "XDG_RUNTIME_DIR": str(runtime),
            **variables,
        }

    def run(self, *arguments: str, **more: str) -> str:
        """Run obdesk to its end, which must be a good one; return what it said."""
        process = subprocess.Popen(
            [sys.executable, "-m", "obdesk", *arguments], env=self.environ | more, cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True,
        )  # fmt: skip
        try:
            out, err = process.communicate(timeout=JOURNEY_S)
            assert process.returncode == 0, f"{out}\n{err}"
            assert not with_variable(MARK, str(self.folder)), "processes are left"
        finally:
            end_family(process)
        return out

    def leftovers(self) -> list[str]:
        """Return the files it left where a program may put what does not stay."""
        return [str(file.relative_to(self.temporary)) for file in self.temporary.rglob("*")]


def pictures(folder: Path) -> dict[str, QImage]:
    """Return the pictures by their names."""
    found = sorted(folder.glob("*.png"))
    return {re.sub(r"^\d+-", "", file.stem): QImage(str(file)) for file in found}


def sums(rows: list[dict[str, str]]) -> dict[str, Decimal]:
    """Return the exact sum of the amounts of each account; a bank may not know the amount of a row yet."""
    found: dict[str, Decimal] = {}
    for row in rows:
        account = str(row["account_id"])
        found[account] = found.get(account, Decimal()) + Decimal(row["amount"] or 0)
    return found


def exported(file: Path) -> list[dict[str, str]]:
    """Read a CSV file as any program would."""
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened, strict=True))


def test_the_journey_on_a_screen_ends_well_and_its_data_can_be_opened(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with lit_screen(tmp_path / "screen") as screen:
        traveller = Traveller(tmp_path, DISPLAY=screen.display, QT_QPA_PLATFORM="xcb")
        said = traveller.run("demo", "--headless", "--screenshots", str(traveller.shots), "--keep", str(kept))

    seen = pictures(traveller.shots)
    assert tuple(seen) == PICTURES
    assert {name: count for name, image in seen.items() if (count := colours(image)) < COLOURS_MIN} == {}
    assert seen["search"] != seen["transactions"], "searching changes what shows"
    assert traveller.leftovers() == []

    # The kept profile opens on the command line, and the file says what the profile says.
    command = ("--data-dir", str(kept), "--profile", "demo")
    secret = {"OBDESK_PASSPHRASE_FILE": str(kept / "passphrase")}
    assert secret["OBDESK_PASSPHRASE_FILE"] in said
    rows = exported(kept / "obdesk-demo-transactions.csv")
    told = json.loads(traveller.run(*command, "transactions", "--json", "--limit", "100000", **secret))[
        "transactions"
    ]
    assert len(rows) == len(told) > 1000
    assert sums(rows) == sums(told)
    assert {row["id"] for row in rows} == {str(row["id"]) for row in told}
    accounts = json.loads(traveller.run(*command, "accounts", "--json", **secret))["accounts"]
    for account in accounts:
        line = next(line for line in said.splitlines() if f"{account['bank']}: {account['name']}" in line)
        assert f"{account['balance']} {account['currency']}" in line
        assert account["data_as_of"] in line
    assert len({account["bank"] for account in accounts}) == 2


def test_the_journey_without_a_screen_speaks_french_and_leaves_nothing(tmp_path: Path) -> None:
    traveller = Traveller(tmp_path, QT_QPA_PLATFORM="offscreen", LANG="fr_FR.UTF-8")
    said = traveller.run("demo", "--headless", "--screenshots", str(traveller.shots))
    assert tuple(pictures(traveller.shots)) == PICTURES
    assert traveller.leftovers() == []
    for line in ("Compte ", "opérations sont dans", "Capture"):
        assert line in said
    sentences = re.sub(r"\S+\.(?:png|csv)\b", "", said)
    assert re.findall(r"\b(?:fresh|Screenshot|transactions|Account)\b", sentences) == []
    (file,) = traveller.shots.glob("*.csv")
    assert len(exported(file)) > 1000
    assert str(file) in said
