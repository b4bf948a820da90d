"""What must never be seen outside the encrypted file: looked for wherever a running program leaves traces."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.aggregator import BANK, Aggregator, refreshes
from tests.e2e.processes import with_variable
from tests.e2e.stage import MARK, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obdesk.simulator.server import Simulator
    from tests.e2e.stage import Window

pytestmark = pytest.mark.timeout(90)
WORDING = "PHARMACIE DU SECRET"
TRACES = 4
"""How many places a story certainly has; a search that finds nothing to search is none."""


def planted(simulator: Simulator, banks: Aggregator) -> dict[str, bytes]:
    """Return what nobody may find, by what it is."""
    found = {"the client secret": simulator.client_secret}
    for number, token in enumerate(simulator.world.tokens._tokens):
        found[f"token {number}"] = token
    for account in banks.connection()["accounts"]:
        if account["iban"]:
            found[f"the IBAN of {account['id']}"] = account["iban"]
        wordings = {row["original_wording"] for row in account["transactions"]}
        found |= {f"wording {word}": word for word in wordings if len(word) > 9}
    assert any(WORDING in word for word in found.values())
    return {what: value.encode() for what, value in found.items()}


def traces(stage: Stage, window: Window) -> Iterator[tuple[str, bytes]]:
    """Yield everything that others can read while the window runs, and that stays afterwards."""
    for pid in with_variable(MARK, str(stage.folder)):
        for name in ("cmdline", "environ"):
            with suppress(OSError):
                yield f"{name} of process {pid}", Path(f"/proc/{pid}/{name}").read_bytes()
    yield "the log", window.said().encode()
    homes = [Path(stage.environ[name]) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")]
    for place in (stage.data, stage.temporary, *homes):
        for folder, _, names in os.walk(place):
            for name in names:
                file = Path(folder) / name
                with suppress(OSError):
                    if file.is_file():
                        yield str(file), file.read_bytes()


def hits(where: Iterator[tuple[str, bytes]], what: dict[str, bytes]) -> tuple[int, list[str]]:
    """Return how many places were searched, and which hold what they must not."""
    places, found = 0, []
    for place, content in where:
        places += 1
        found += [
            f"{name} in {place}"
            for name, value in what.items()
            if value in content or value.decode().encode("utf-16-le") in content
        ]
    return places, found


def test_no_secret_leaves_the_encrypted_file(stage: Stage, simulator: Simulator, banks: Aggregator) -> None:
    stage.set_up(simulator)
    stage.link(BANK)
    with stage.window(talkative=True) as window:
        person = window.person
        person.sees(BANK)
        banks.spends(WORDING, "-61.20")
        refreshes(stage, banks, lambda: person.presses("F5"))
        person.presses("ctrl+f")
        person.types("secret")
        person.sees(WORDING, "cell")
        secrets = planted(simulator, banks)
        assert "DEBUG" in window.said(), "the log was to be talkative"
        places, found = hits(traces(stage, window), secrets)
        assert found == []
        assert places > TRACES
        command = stage.command("sync", talkative=True)
        assert "DEBUG" in command.err
        assert hits(iter([("the command's log", command.err.encode())]), secrets) == (1, [])

        # The search is able to find: what is exported in the clear is found at once.
        clear = stage.data / "clear.csv"
        assert stage.command("export", "csv", "--out", str(clear), "--search", "secret").code == 0
        assert hits(traces(stage, window), secrets)[1]
        clear.unlink()
        window.quits()
    places, found = hits(traces(stage, window), secrets)
    assert found == []
