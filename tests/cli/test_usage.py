"""Help, mistakes, and the way to the window."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from obdesk import __version__
from obdesk.__main__ import main, window_only
from obdesk.cli.frontends import DemoOptions, FrontEnds, Place
from obdesk.cli.main import build
from obdesk.cli.phrases import mistake
from obdesk.domain import texts

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

OTHERS = {("simulate",), ("relay",)}
"""Programs of their own, whose help is theirs."""


def commands() -> list[tuple[str, ...]]:
    """List every command with its group, as a person types it."""
    ends = FrontEnds(open_window=lambda _place: 0, run_demo=lambda _options: 0)
    found: list[tuple[str, ...]] = []
    for name, command in typer.main.get_command(build(ends)).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        found += [(name, each) for each in below] if below else [(name,)]
    return found


def test_the_commands_are_those_that_were_promised() -> None:
    assert {" ".join(command) for command in commands()} == {
        "demo",
        "simulate",
        "relay",
        "configure powens",
        "configure metrics",
        "configure relay",
        "configure schedule",
        "connections",
        "accounts",
        "important",
        "transactions",
        "edit",
        "suggestions accept",
        "suggestions refuse",
        "merge",
        "merges",
        "split",
        "link",
        "sync",
        "runs show",
        "runs revert",
        "proofs",
        "problems settle",
        "problems reopen",
        "status",
        "export csv",
        "backups",
        "restore",
        "doctor",
    }


@pytest.mark.parametrize("command", [(), *(each for each in commands() if each not in OTHERS)], ids=" ".join)
def test_each_command_explains_itself(obdesk: CommandLine, command: tuple[str, ...]) -> None:
    ended = obdesk(*command, "--help")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: {' '.join(('obdesk', *command))} ")
    for option in re.findall(r"^  (-\S+.*?)(?:  |$)", ended.out, re.MULTILINE):
        line = next(line for line in ended.out.splitlines() if line.startswith(f"  {option}"))
        assert len(line) > len(option) + 4, f"{option} says nothing"


def test_no_command_s_summary_is_cut_off(obdesk: CommandLine) -> None:
    assert "..." not in obdesk("--help").out.partition("Commands:")[2]


def test_help_speaks_french(obdesk: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")

    ended = obdesk("accounts", "--help")

    assert "Liste vos comptes" in ended.out
    assert texts.language() == "en", "the fixture gave the language back"


_TYPERS = re.compile(r"Usage|Commands|Show this|Options:|Arguments:|\[required|\[default|[a-z]:")


@pytest.mark.parametrize("command", [(), *(each for each in commands() if each not in OTHERS)], ids=" ".join)
def test_a_french_help_page_has_a_french_frame(
    obdesk: CommandLine, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")

    page = obdesk(*command, "--help").out
    said = re.sub(r"montant:>20|date:2026-03|https:\S+", "", page)

    assert said.startswith("Utilisation\u00a0: obdesk ")
    assert "Options\u00a0:\n" in said
    assert "Affiche cette aide." in said
    assert _TYPERS.findall(said) == []


@pytest.mark.parametrize(
    ("typed", "cause"),
    [
        ("acounts", "Il n’y a pas de commande 'acounts'. Vouliez-vous dire 'accounts'\u00a0?"),
        ("zzz", "Il n’y a pas de commande 'zzz'."),
        ("configure", "Il manque la commande."),
        ("configure powens", "Il manque l’option '--api-url'."),
        ("edit", "Il manque l’argument 'TRANSACTION'."),
        ("transactions --limit 0", "Valeur refusée pour '--limit'\u00a0: il faut au moins 1"),
        ("transactions --limit x", "Valeur refusée pour '--limit'\u00a0: il faut un nombre entier"),
        ("transactions --limit", "L’option '--limit' demande une valeur."),
        ("accounts --json=3", "L’option '--json' ne prend pas de valeur."),
        ("accounts --jsn", "Il n’y a pas d’option --jsn. Vouliez-vous dire --json\u00a0?"),
        ("accounts --zzz", "Il n’y a pas d’option --zzz."),
        ("accounts one two", "Ces mots sont de trop\u00a0: one two"),
    ],
)
def test_a_mistake_is_answered_in_french(
    obdesk: CommandLine, monkeypatch: pytest.MonkeyPatch, typed: str, cause: str
) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")

    ended = obdesk(*typed.split())

    assert ended.code == 2
    assert ended.problem()[1] == cause


def test_what_typer_may_say_one_day_is_shown_as_it_is() -> None:
    assert mistake("Something new went wrong.") == "Something new went wrong."


@pytest.mark.parametrize(
    ("arguments", "cause", "see"),
    [
        (["acounts"], "Did you mean 'accounts'?", "obdesk --help"),
        (["configure"], "", "obdesk configure --help"),
        (["configure", "powens"], "--api-url", "obdesk configure powens --help"),
        (["transactions", "--from", "yesterday"], "2026-03-01", "obdesk transactions --help"),
        (["transactions", "--from", "2026-02-01", "--to", "2026-01-01"], "later", "obdesk"),
        (["transactions", "--limit", "0"], "--limit", "obdesk transactions --help"),
        (["edit", "1"], "--note", "obdesk"),
        (["link", "--browser", "--open-url-only"], "choose one", "obdesk"),
        (["export", "csv"], "--out", "obdesk export csv --help"),
    ],
)
def test_a_mistake_is_answered_in_three_lines(
    obdesk: CommandLine, arguments: list[str], cause: str, see: str
) -> None:
    ended = obdesk(*arguments)

    assert (ended.code, ended.out) == (2, "")
    title, why, what_to_do = ended.problem()
    assert title == "The command was not understood"
    assert cause in why
    assert see in what_to_do
    assert not obdesk.folder.exists(), "nothing was done"


def test_a_profile_that_was_never_used_is_not_made_by_reading_it(obdesk: CommandLine) -> None:
    for command in (["accounts"], ["status", "--json"], ["sync"], ["export", "csv", "--out", "-"]):
        ended = obdesk(*command)

        assert (ended.code, ended.out) == (1, "")
        assert ended.problem()[0] == "There is nothing here yet"
    assert not obdesk.folder.exists()


def test_a_profile_name_that_would_leave_the_folder_is_refused(obdesk: CommandLine) -> None:
    ended = obdesk("--profile", "../elsewhere", "accounts")

    assert ended.code == 1
    assert ended.problem()[0] == "This profile name cannot be used"


def test_the_version_is_told(obdesk: CommandLine) -> None:
    assert obdesk("--version").out == f"obdesk {__version__}\n"


def test_without_a_command_the_window_opens(obdesk: CommandLine) -> None:
    assert obdesk("--profile", "home").code == 0
    assert obdesk.opened == [Place(obdesk.folder, "home")]


def test_the_demo_is_started_as_asked_and_its_exit_code_is_ours(obdesk: CommandLine, tmp_path: Path) -> None:
    ended = obdesk("demo", "--headless", "--screenshots", str(tmp_path / "shots"), "--keep", str(tmp_path))

    assert ended.code == 3
    assert obdesk.demos == [DemoOptions(headless=True, screenshots=tmp_path / "shots", keep=tmp_path)]


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ([], Place()),
        (["--profile", "home"], Place(profile="home")),
        (["--profile=home", "--data-dir=/data"], Place(Path("/data"), "home")),
        (["--data-dir", "/data"], Place(Path("/data"))),
        (["accounts"], None),
        (["--help"], None),
        (["--data-dir"], None),
        (["--profile", "--version"], None),
        (["--profile="], None),
        (["--profile", "home", "accounts"], None),
        (["--profiles", "home"], None),
    ],
)
def test_the_window_s_fast_path_knows_what_it_understands(arguments: list[str], place: Place | None) -> None:
    assert window_only(arguments) == place


def test_the_window_s_fast_path_explains_an_error_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--profile", "../elsewhere"]) == 1

    assert capsys.readouterr().err.splitlines()[0] == "This profile name cannot be used"


def test_the_window_s_fast_path_imports_nothing_it_does_not_need() -> None:
    program = (
        "import sys, obdesk.__main__ as m; m.window_only([]);"
        "print(sorted({'typer', 'rich', 'click', 'asyncio', 'sqlalchemy', 'httpx'} & set(sys.modules)))"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ended.stdout == "[]\n"


def test_simulate_becomes_the_simulator() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "obdesk", "simulate", "--help"], capture_output=True, text=True, check=True
    )

    assert "--seed" in ended.stdout
    assert "--banks" in ended.stdout


@pytest.mark.parametrize("before", [(), ("--profile", "other")])
def test_relay_becomes_the_relay_whatever_stands_before_it(before: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "obdesk", *before, "relay", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert ended.stdout.startswith("Usage: obdesk relay ")
    assert "add-source" in ended.stdout
