"""What must be true of the tree as a whole, its configuration and its front page."""

from __future__ import annotations

import ast
import re

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
_THIS_MACHINE = ("/" + "work/", "/" + "farm/", "/" + "root/", "bash" + "_jobs", "." + "library/")


def _readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def _mentions(words: tuple[str, ...]) -> list[str]:
    return [
        f"{path} mentions {word}"
        for path in files()
        if _TEXT_FILES.search(path)
        for text in [(ROOT / path).read_text("utf-8", errors="replace")]
        for word in words
        if word in text
    ]


def test_no_file_names_a_package_registry() -> None:
    assert _mentions(_REGISTRIES) == []


def test_no_file_names_a_folder_of_a_developers_machine() -> None:
    assert _mentions(_THIS_MACHINE) == []


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


def test_the_readme_gives_the_two_commands() -> None:
    readme = _readme()

    assert "python3 packaging/bootstrap.py demo" in readme
    assert "python3 packaging/bootstrap.py test" in readme


def test_the_changelog_has_a_place_for_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", changelog, re.MULTILINE)

    assert any(re.match(r"\[?(Unreleased|0\.1)", heading) for heading in headings)


def test_decisions_say_context_decision_consequences_and_alternatives() -> None:
    for path in files():
        if re.fullmatch(r"docs/decisions/\d{4}-[\w-]+\.md", path):
            text = (ROOT / path).read_text("utf-8")
            absent = [
                part for part in ("Context", "Decision", "Consequences", "Alternatives") if part not in text
            ]

            assert absent == [], path
