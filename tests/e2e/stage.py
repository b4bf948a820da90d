"""A desktop for one story: a bus, a keyring, a screen, and where wanted notifications and a tray.

As root the story is moved into a user namespace in which it is an ordinary person: the embedded page
refuses to run for root, whose browser would have no sandbox.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from binascii import hexlify
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jeepney.auth
import pytest

from tests.daemons.keyring import KeyringDaemon, running_keyring
from tests.daemons.notifications import Asker
from tests.e2e.person import Person
from tests.e2e.processes import end_family, ended, with_variable
from tests.e2e.reader import ScreenReader
from tests.e2e.screen import Screen, lit_screen
from tests.e2e.waiting import until
from tests.ports import the_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obdesk.simulator.server import Simulator

ROOT = Path(__file__).parents[2]
AS_A_PERSON = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
MARK = "OBDESK_TEST_STORY"
_COMMAND_S = 60.0
_QUIT_S = 20.0
_LOGGING = (
    "import logging, sys; logging.basicConfig(level=logging.DEBUG); "
    "from obdesk.__main__ import main; sys.exit(main())"
)


class Stage:
    """Where a story plays; `environ` is what its programs get."""

    def __init__(
        self, folder: Path, environ: Mapping[str, str], screen: Screen, keyring: KeyringDaemon
    ) -> None:
        self.folder, self.screen, self.keyring = folder, screen, keyring
        self.environ = dict(environ)
        self.data = folder / "data"
        self.temporary = folder / "tmp"
        self.run_as: tuple[str, ...] = ()
        self.desktop: Asker | None = None

    def command(self, *arguments: str, stdin: str = "", talkative: bool = False) -> Ended:
        """Run a command of obdesk on the story's data, to its end; `talkative` logs all there is to log."""
        done = subprocess.run(
            self.line("--data-dir", str(self.data), *arguments, talkative=talkative),
            env=self.environ, cwd=ROOT, input=stdin, capture_output=True, text=True, encoding="utf-8",
            check=False, timeout=_COMMAND_S,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)

    def line(self, *arguments: str, talkative: bool = False) -> list[str]:
        """Return the command line that starts obdesk."""
        program = ["-c", _LOGGING] if talkative else ["-m", "obdesk"]
        return [*self.run_as, sys.executable, *program, *arguments]

    @contextmanager
    def window(self, *arguments: str, talkative: bool = False) -> Iterator[Window]:
        """Open the window on the story's data; it is gone after the block, however it ended."""
        said = self.folder / f"window-{len(list(self.folder.glob('window-*.log'))) + 1}.log"
        line = self.line("--data-dir", str(self.data), *arguments, talkative=talkative)
        with ExitStack() as stack:
            out = stack.enter_context(said.open("wb"))
            process = subprocess.Popen(
                line, env=self.environ, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
            stack.callback(end_family, process)
            reader = ScreenReader(self.environ["AT_SPI_BUS_ADDRESS"], process)
            stack.callback(reader.close)
            window = Window(process, said, Person(self.screen, reader))
            try:
                yield window
            except BaseException:
                self._keep_evidence(window)
                raise

    def _keep_evidence(self, window: Window) -> None:
        """Leave a picture, what showed and what was said beside the story's data."""
        window.person.keeps_picture(self.folder / "failed.png")
        read = [f"{thing.role}: {thing.name}" for thing in window.person.reader.things()]
        (self.folder / "failed.txt").write_text("\n".join(read), encoding="utf-8")
        sys.stderr.write(f"evidence is in {self.folder}\n{window.said()[-3000:]}\n")

    def is_empty(self) -> None:
        """Wait until no process of obdesk is left, children of children included."""
        until("obdesk's processes to be gone", lambda: not with_variable(MARK, str(self.folder)))

    def set_up(self, simulator: Simulator) -> None:
        """Tell obdesk about the aggregator, as the command line does."""
        facts = simulator.facts()
        told = [
            part
            for name in ("api-url", "webview-url", "domain", "client-id")
            for part in (f"--{name}", facts[name.replace("-", "_")])
        ]
        done = self.command(
            "configure", "powens", *told, "--client-secret-stdin", stdin=facts["client_secret"]
        )
        assert done.code == 0, done

    def link(self, bank: str) -> None:
        """Link a bank with the command line and a browser that somebody else drives."""
        from tests.cli.visitor import Visitor

        with the_ports(), subprocess.Popen(
            self.line("--data-dir", str(self.data), "link", "--open-url-only"),
            env=self.environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process, ended(process):  # fmt: skip
            assert process.stdout is not None
            if url := process.stdout.readline().strip():
                Visitor().link(url, bank)
            _, err = process.communicate(timeout=_COMMAND_S)
            assert process.returncode == 0, err


class Ended:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self) -> Any:
        """Return the one document that was printed."""
        assert self.code == 0, self
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


class Window:
    """A running window, and the person in front of it."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, person: Person) -> None:
        self.process, self.person = process, person
        self._log = log

    def said(self) -> str:
        """Return what the program wrote to its terminal so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def ends(self, within_s: float = _QUIT_S) -> int:
        """Wait for the program to end; return its exit code."""
        until("the program to end", lambda: self.process.poll() is not None, within_s)
        assert self.process.returncode is not None
        return self.process.returncode

    def quits(self) -> None:
        """Quit with the keyboard; that must go well and leave nothing to say."""
        self.person.presses("ctrl+q")
        assert self.ends() == 0, self.said()


@contextmanager
def raised_stage(folder: Path, *, as_a_person: bool = False, desktop: bool = False) -> Iterator[Stage]:
    """Build a stage in an empty folder and clear it away; nothing that it started stays."""
    run_as = AS_A_PERSON if as_a_person and os.geteuid() == 0 else ()
    with ExitStack() as stack:
        monkeypatch = stack.enter_context(pytest.MonkeyPatch.context())
        if run_as:
            monkeypatch.setattr(jeepney.auth, "make_auth_external", _speaks_as_the_person)
        keyring = stack.enter_context(running_keyring(run_as))
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", keyring.environ["DBUS_SESSION_BUS_ADDRESS"])
        screen = stack.enter_context(lit_screen(folder / "screen"))
        stage = Stage(folder, keyring.environ | _settings(folder, screen, keyring), screen, keyring)
        stage.run_as = run_as
        stage.temporary.mkdir()
        if desktop:
            stage.desktop = stack.enter_context(_desktop(stage))
        yield stage
        stage.is_empty()


def _settings(folder: Path, screen: Screen, keyring: KeyringDaemon) -> dict[str, str]:
    return {
        MARK: str(folder),
        "AT_SPI_BUS_ADDRESS": keyring.environ["DBUS_SESSION_BUS_ADDRESS"],
        "DISPLAY": screen.display,
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        "QT_QPA_PLATFORM": "xcb",
        "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu",
        "TMPDIR": str(folder / "tmp"),
        "TZ": "Europe/Paris",
    }


def _speaks_as_the_person() -> bytes:
    """Seen from the story's own namespace we are the person too, so that is who we say we are."""
    return b"AUTH EXTERNAL %b\r\n" % hexlify(b"1000")


@contextmanager
def _desktop(stage: Stage) -> Iterator[Asker]:
    command = [*stage.run_as, sys.executable, "-m", "tests.daemons.notifications"]
    environ = {name: value for name, value in stage.environ.items() if name != MARK}
    daemon = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with daemon, ended(daemon):
        assert daemon.stdout is not None
        assert daemon.stdout.readline().strip() == "ready"
        with closing(Asker()) as asker:
            yield asker
