"""The command line in this process and as a child, a simulated aggregator, and a profile that is linked."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.cli.frontends import DemoOptions, FrontEnds, Place
from obdesk.cli.main import main
from obdesk.domain import texts
from obdesk.secrets.kdf import FLOOR_COST
from obdesk.secrets.passphrases import Passphrase
from obdesk.secrets.vault import Vault
from obdesk.simulator.server import Simulator, running
from obdesk.simulator.switches import Switches
from tests.cli.visitor import Visitor
from tests.ports import the_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BANK = "Demo Institution"
PASSPHRASE = "correct horse battery staple"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return the one document that was printed."""
        return json.loads(self.out)

    def problem(self) -> tuple[str, str, str]:
        """Return title, cause and what to do; there must be exactly these three lines."""
        title, cause, what_to_do = self.err.splitlines()
        return title, cause, what_to_do


class Terminal(io.TextIOWrapper):
    """Standard output as bytes and text, like the real one."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        self.content = io.BytesIO()
        self._is_terminal = is_terminal
        super().__init__(self.content, encoding="utf-8", newline="", write_through=True)

    def isatty(self) -> bool:
        return self._is_terminal

    def text(self) -> str:
        """Return what was written."""
        self.flush()
        return self.content.getvalue().decode()


class CommandLine:
    """Runs commands on one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened: list[Place] = []
        self.demos: list[DemoOptions] = []

    def __call__(self, *arguments: str, stdin: str = "", terminal: bool = False) -> Ended:
        """Run a command in this process."""
        out, err = Terminal(is_terminal=terminal), Terminal()
        ends = FrontEnds(open_window=self._open, run_demo=self._demo)
        before = sys.stdin
        sys.stdin = io.StringIO(stdin)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = main(["--data-dir", str(self.folder), *arguments], ends)
        finally:
            sys.stdin = before
            texts.install("en", {})
        return Ended(code, out.text(), err.text())

    def _open(self, place: Place) -> int:
        self.opened.append(place)
        return 0

    def _demo(self, options: DemoOptions) -> int:
        self.demos.append(options)
        return 3

    @contextmanager
    def child(self, *arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
        """Run a command as a person's shell does."""
        command = [sys.executable, "-m", "obdesk", "--data-dir", str(self.folder), *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        with subprocess.Popen(command, text=True, encoding="utf-8", **(pipes | options)) as process:
            try:
                yield process
            finally:
                process.kill()

    def link(self, bank: str = BANK) -> Ended:
        """Link a bank, with somebody who goes through its pages meanwhile."""
        with the_ports(), self.child("link", "--open-url-only") as process:
            assert process.stdout is not None
            if url := process.stdout.readline().strip():
                Visitor().link(url, bank)
            out, err = process.communicate(timeout=60)
        return Ended(process.returncode, out, err)


@pytest.fixture(scope="module", autouse=True)
def _passphrase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    file = tmp_path_factory.mktemp("secret") / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    file.chmod(0o600)
    os.environ["OBDESK_PASSPHRASE_FILE"] = str(file)
    yield
    del os.environ["OBDESK_PASSPHRASE_FILE"]


@pytest.fixture
def obdesk(tmp_path: Path) -> CommandLine:
    """Give the command line on a data folder that was never used."""
    return CommandLine(tmp_path / "data")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Give a simulated aggregator on loopback."""
    quiet = Switches(refresh_adds_rows=False)  # a bank that invents nothing by itself
    with running(Simulator(seed=11, switches=quiet)) as simulator:
        yield simulator


def configure(obdesk: CommandLine, simulator: Simulator) -> Ended:
    """Tell the command line about the aggregator."""
    facts = simulator.facts()
    return obdesk(
        "configure",
        "powens",
        *("--api-url", str(facts["api_url"])),
        *("--webview-url", str(facts["webview_url"])),
        *("--domain", str(facts["domain"])),
        *("--client-id", str(facts["client_id"])),
        "--client-secret-stdin",
        stdin=str(facts["client_secret"]) + "\n",
    )


@pytest.fixture(scope="module")
def linked(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Give the command line on a profile with one linked bank; tests leave its rows as they are."""
    obdesk = CommandLine(tmp_path_factory.mktemp("linked"))
    profile = Place(obdesk.folder).resolved()
    profile.prepare()
    Vault(profile.folder, cost=FLOOR_COST).create(Passphrase(PASSPHRASE))  # cheap: it is opened often
    assert configure(obdesk, simulator).code == 0
    ended = obdesk.link()
    assert (ended.code, ended.err.count("\n")) == (0, 2), ended
    return obdesk
