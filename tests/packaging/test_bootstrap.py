"""The entry and its commands: errors are sentences, arguments pass through, a display is found."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bootstrapper import display, environment, lock, main, system

from tests.arch.tree import ROOT
from tests.packaging.problems import has_three_parts

SCRIPT = ROOT / "packaging" / "bootstrap.py"
OLD_PYTHONS = ("python2.7", "python3.6", "python3.7", "python3.8", "python3.9", "python3.10")


def test_the_entry_can_be_read_by_any_python_since_2_7() -> None:
    source = SCRIPT.read_text("utf-8")
    modern = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.FunctionDef)

    tree = ast.parse(source, feature_version=(3, 7))

    assert [type(node).__name__ for node in ast.walk(tree) if isinstance(node, modern)] == []
    assert "from __future__" not in source


def _old_python() -> str:
    versions = Path(os.environ.get("PYENV_ROOT", "/nonexistent")) / "versions"
    found = [*map(shutil.which, OLD_PYTHONS), *map(str, versions.glob("3.[6-9].*/bin/python"))]
    for program in found:
        if program and subprocess.run([program, "-V"], capture_output=True, check=False).returncode == 0:
            return program
    pytest.skip("there is no Python before 3.11 here to try it with")


def test_an_old_python_is_told_what_to_do() -> None:
    done = subprocess.run(
        [_old_python(), str(SCRIPT), "demo"], capture_output=True, text=True, check=False, cwd="/"
    )

    assert done.returncode == 1
    assert has_three_parts(done.stderr)
    assert "3.11" in done.stderr


def test_without_a_command_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([]) == 2
    usage = capsys.readouterr().out

    assert main.main(["--help"]) == 0
    assert [
        command for command in main.COMMANDS if not re.search(rf"^  {command} ", usage, re.MULTILINE)
    ] == []


def test_an_unknown_command_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["demmo"]) == 1

    error = capsys.readouterr().err
    assert has_three_parts(error)
    assert "demo" in error


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """Note what would be started."""
    calls: list[tuple[list[str], dict[str, str]]] = []

    def note(command: list[str], variables: dict[str, str], *_: object) -> int:
        calls.append((command, variables))
        return 7

    monkeypatch.setattr(main, "_start", note)
    monkeypatch.setattr(main, "_wait_for", note)
    monkeypatch.setattr(system, "ensure", lambda _: None)
    monkeypatch.setattr(environment, "ensure", lambda extent: Path(extent.name))
    return calls


Started = list[tuple[list[str], dict[str, str]]]


def test_further_arguments_and_the_exit_code_pass_through(started: Started) -> None:
    assert main.main(["test", "-k", "a b", "--lf"]) == 7
    assert main.main(["bench", "search", "--rows", "9", "--json"]) == 7
    assert main.main(["simulate-years", "--years", "3", "--seed", "5"]) == 7
    assert main.main(["run", "accounts", "--json"]) == 7
    assert main.main(["relay", "serve", "--workers", "2"]) == 7

    assert [command[2:] for command, _ in started] == [
        ["-m", "pytest", *main._PROCESSES, "-k", "a b", "--lf"],
        ["-m", "tests.benchmarks", "search", "--rows", "9", "--json"],
        ["-m", "tests.flows.years", "--years", "3", "--seed", "5"],
        ["-m", "obdesk", "accounts", "--json"],
        ["-m", "obdesk", "relay", "serve", "--workers", "2"],
    ]
    assert [command[0] for command, _ in started] == ["TEST", "TEST", "TEST", "RUN", "RELAY"]


def test_a_demo_on_a_display_opens_its_window(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")

    main.main(["demo"])

    assert started[0][0][2:] == ["-m", "obdesk", "demo"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
@pytest.mark.parametrize("arguments", [["demo"], ["demo", "--headless"]])
def test_a_demo_without_a_display_makes_the_journey_headless(
    started: Started, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(shutil, "which", lambda _: None)

    main.main(arguments)

    ((command, variables),) = started
    assert command[2:] == ["-m", "obdesk", "demo", "--headless"]
    assert variables["QT_QPA_PLATFORM"] == "offscreen"


@pytest.mark.parametrize(("root", "value"), [(True, "1"), (False, None)])
def test_only_root_loses_chromiums_sandbox_and_only_in_the_demo(
    started: Started, monkeypatch: pytest.MonkeyPatch, *, root: bool, value: str | None
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(display, "is_root", lambda: root)

    main.main(["demo"])
    main.main(["run"])

    assert [variables.get("QTWEBENGINE_DISABLE_SANDBOX") for _, variables in started] == [value, None]


def test_the_version_and_markers_of_a_pin_count_but_not_its_hashes() -> None:
    text = "a==1 \\\n    --hash=sha256:00\n    # via b\nb==2 ; os_name == 'nt' \\\n    --hash=sha256:11\n"

    assert lock.pins(text) == {"a==1", "b==2 ; os_name == 'nt'"}


def test_the_lock_is_made_for_every_system_with_hashes_and_without_an_address(tmp_path: Path) -> None:
    commands = [lock.compile_command(Path("python"), each, tmp_path) for each in lock.LOCKS]

    for command in commands:
        assert {"--universal", "--generate-hashes", "--no-emit-index-url"} <= set(command)


def test_what_tests_and_the_relay_are_locked_to_is_what_the_app_is_locked_to(tmp_path: Path) -> None:
    first, *others = lock.LOCKS

    assert "--constraints" not in lock.compile_command(Path("python"), first, tmp_path)
    for each in others:
        command = lock.compile_command(Path("python"), each, tmp_path)
        assert command[command.index("--constraints") + 1] == str(tmp_path / first.name)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_request_to_stop_reaches_the_program_and_its_display_is_taken_back() -> None:
    child = "import signal; print('running', flush=True); signal.pause()"
    parent = (
        "import os, sys; from bootstrapper import display, main\n"
        "with display.substitute() as found:\n"
        "    print(found.get('DISPLAY', ''), flush=True)\n"
        f"    code = main._wait_for([sys.executable, '-c', {child!r}], dict(os.environ))\n"
        "sys.exit(code)"
    )
    environment_of_parent = {**os.environ, "PYTHONPATH": str(ROOT / "packaging")}
    with subprocess.Popen(
        [sys.executable, "-c", parent], env=environment_of_parent, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        shown = process.stdout.readline().strip()
        assert process.stdout.readline().strip() == "running"

        process.terminate()

        assert process.wait(30) == 128 + signal.SIGTERM
    assert not shown or not (Path("/tmp/.X11-unix") / f"X{shown[1:]}").exists()  # noqa: S108 - X11's place
