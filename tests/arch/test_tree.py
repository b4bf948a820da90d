"""What must be true of the tree as a whole, its configuration and its front page."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from obdesk import __version__
from tests.arch.tree import ROOT, files, modules, pyproject

_TEXT_FILES = re.compile(
    r"\.(py|toml|md|txt|json|cfg|ini|qss|ts|yml|yaml|html|css|js|sh|svg)$|(^|/)run$|^\.git"
)

# Written in pieces, so that this file does not mention what it forbids.
_REGISTRIES = (
    "pypi" + ".org",
    "python" + "hosted",
    "npmjs" + ".org",
    "deb." + "debian.org",
    "index-" + "url =",
)
# Where people and machines keep what is their own; a path of the project, or of an address, starts elsewhere.
_MACHINE_FOLDER = re.compile(
    r"(?<![\w./:}*-])(?:/(?:home|root|Users|work|workspaces?|mnt|media|srv)/|[A-Za-z]:[\\/]+Users[\\/])\w"
)
_DECISION = re.compile(r"\d{4}-[a-z][\w-]*\.md")
_DECISIONS = "docs/decisions/"
_PARTS = ("Context", "Decision", "Consequences", "Alternatives")


def _readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def _texts() -> dict[str, str]:
    return {
        path: (ROOT / path).read_text("utf-8", errors="replace")
        for path in files()
        if _TEXT_FILES.search(path)
    }


def test_no_file_names_a_package_registry() -> None:
    named = [
        f"{path} mentions {word}" for path, text in _texts().items() for word in _REGISTRIES if word in text
    ]

    assert named == []


def test_no_file_names_a_folder_of_a_developers_machine() -> None:
    here = {f"{folder}/" for folder in (ROOT, Path.home()) if len(folder.parts) > 1}
    named = [
        f"{path} names a folder of a machine: {found}"
        for path, text in _texts().items()
        for found in [
            *(match.group() for match in _MACHINE_FOLDER.finditer(text)),
            *(folder for folder in here if folder in text),
        ]
    ]

    assert named == []


@pytest.mark.parametrize("top", ["home", "root", "Users", "work", "workspace", "srv"])
def test_a_folder_of_a_machine_is_noticed(top: str) -> None:
    path = "/" + f"{top}/somebody"

    assert _MACHINE_FOLDER.search(f'open("{path}/notes")')
    assert _MACHINE_FOLDER.search(f"see {path}")
    assert not _MACHINE_FOLDER.search(f"https://bank.example{path}")
    assert not _MACHINE_FOLDER.search(f"./docs{path}")


def test_every_package_says_what_it_is_for() -> None:
    packages = [module for module in modules("obdesk/", "packaging/") if module.is_package]
    silent = [module.path for module in packages if not ast.get_docstring(module.tree)]

    assert packages
    assert silent == []


def test_every_folder_with_code_is_a_package() -> None:
    folders = {module.path.rpartition("/")[0] for module in modules("obdesk/", "tests/")}

    assert [folder for folder in sorted(folders) if f"{folder}/__init__.py" not in files()] == []


def test_resources_hold_no_code() -> None:
    assert [path for path in files() if path.startswith("resources/") and path.endswith(".py")] == []


def test_ruff_checks_everything_and_each_exclusion_has_its_reason() -> None:
    settings = pyproject()["tool"]["ruff"]["lint"]
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    lists = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.mccabe]")]
    excluding = [line.strip() for line in lists.splitlines() if re.match(r'\s+"[A-Z]+\d+"', line)]
    bare = [line for line in excluding if not re.search(r"# \S+", line)]

    assert settings["select"] == ["ALL"]
    assert len(excluding) > 10
    assert bare == []


def test_ruff_holds_functions_to_their_size() -> None:
    settings = pyproject()["tool"]["ruff"]["lint"]

    assert settings["mccabe"]["max-complexity"] <= 10
    assert settings["pylint"]["max-statements"] <= 50
    assert not {"C901", "PLR0915"} & set(settings["ignore"])


def test_mypy_is_strict_on_all_code() -> None:
    settings = pyproject()["tool"]["mypy"]

    assert settings["strict"] is True
    assert settings["files"] == ["obdesk", "tests", "packaging"]
    assert not [each for each in settings["overrides"] if "ignore_errors" in each]


def test_pytest_lets_no_warning_pass() -> None:
    settings = pyproject()["tool"]["pytest"]["ini_options"]

    assert settings["filterwarnings"][0] == "error"
    assert settings["qt_log_level_fail"] == "WARNING"
    assert {"--strict-markers", "--strict-config"} <= set(settings["addopts"])
    assert settings["xfail_strict"] is True


def test_the_readme_maps_every_package() -> None:
    packages = {path.split("/")[1] for path in files() if re.fullmatch(r"obdesk/\w+/__init__\.py", path)}
    readme = _readme()

    assert [name for name in sorted(packages) if not re.search(rf"\b{name}/", readme)] == []


def test_the_readme_maps_every_kind_of_test() -> None:
    code = {
        path.split("/")[1] for path in files() if re.fullmatch(r"(obdesk|packaging)/\w+/__init__\.py", path)
    }
    kinds = {path.split("/")[1] for path in files() if re.fullmatch(r"tests/\w+/__init__\.py", path)}
    mirrored = code | {"packaging"}
    readme = _readme().partition("tests/ ")[2]

    assert [
        name for name in sorted(kinds - mirrored) if not re.search(rf"^  {name}/", readme, re.MULTILINE)
    ] == []


def test_the_readme_gives_the_commands_of_a_clone() -> None:
    readme = _readme()

    assert "python3 packaging/bootstrap.py demo" in readme
    assert "python3 packaging/bootstrap.py run" in readme
    assert "python3 packaging/bootstrap.py test" in readme


def test_the_changelog_has_this_version_with_its_date() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    version = re.escape(__version__)

    assert headings[0] == "[Unreleased]"
    assert any(re.fullmatch(rf"\[{version}\] - \d{{4}}-\d{{2}}-\d{{2}}", heading) for heading in headings)


def _decisions() -> list[str]:
    return [path for path in files() if path.startswith(_DECISIONS)]


def test_decisions_say_context_decision_consequences_and_alternatives() -> None:
    incomplete = {
        path: sections
        for path in _decisions()
        for sections in [tuple(re.findall(r"^## (.+)$", (ROOT / path).read_text("utf-8"), re.MULTILINE))]
        if sections != _PARTS
    }

    assert _decisions()
    assert incomplete == {}


def test_each_decision_has_a_number_of_its_own_in_its_name_and_title() -> None:
    numbers = [path.removeprefix(_DECISIONS)[:4] for path in _decisions()]
    titles = [(ROOT / path).read_text("utf-8").partition("\n")[0] for path in _decisions()]

    assert [path for path in _decisions() if not _DECISION.fullmatch(path.removeprefix(_DECISIONS))] == []
    assert len(numbers) == len(set(numbers))
    assert [re.match(r"# (\d+)\. \w", title) is not None for title in titles] == [True] * len(titles)
    assert [title.split(".")[0] for title in titles] == [f"# {int(number)}" for number in numbers]


def test_each_decision_that_is_named_exists() -> None:
    known = {path.removeprefix(_DECISIONS) for path in _decisions()}
    named = [(path, name) for path, text in _texts().items() for name in _DECISION.findall(text)]

    assert named
    assert [f"{path} names {name}" for path, name in named if name not in known] == []
