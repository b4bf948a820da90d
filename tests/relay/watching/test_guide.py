"""docs/relay.md says what the relay does: every command, option, setting and figure, and no other."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
import typer

from obdesk.cli import configuring
from obdesk.relay.server import commands, problems
from obdesk.relay.server.limits import Places
from obdesk.relay.server.metrics import BrokerCall, BrokerOutcome, Fate
from obdesk.relay.server.settings import Listen, Settings, load
from tests.arch.tree import ROOT
from tests.relay.watching.exported import PLACE, of_relay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUIDE = (ROOT / "docs" / "relay.md").read_text("utf-8")
_BLOCK = re.compile(r"^ *```\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(
    r"(?:obdesk relay|bootstrap\.py relay|obdesk-relay-do) +([a-z][\w-]*)((?: +(?!\|)[^\s`;|]+)*)"
)
_VARIABLE = re.compile(r"\bOBDESK_RELAY_([A-Z_]+)\b")


def _options() -> dict[str, set[str]]:
    """Return each command of the relay with its options."""
    group = typer.main.get_command(commands.app)
    assert hasattr(group, "commands")
    return {
        name: {
            option
            for parameter in command.params
            if not getattr(parameter, "hidden", False)
            for option in (*parameter.opts, *parameter.secondary_opts)
            if option.startswith("--") and option != "--help"
        }
        for name, command in group.commands.items()
    }


def _section(title: str) -> str:
    found = GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found, title
    return found


def _rows(title: str) -> Iterator[list[str]]:
    for line in _section(title).splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def _codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def _calls() -> list[tuple[str, str]]:
    """Return every command of the relay that the guide shows, with what follows it."""
    joined = GUIDE.replace("\\\n", " ")
    shown = [*_BLOCK.findall(joined), *_codes(_BLOCK.sub("", joined))]
    return [(name, rest) for text in shown for name, rest in _CALL.findall(text)]


def test_each_command_that_is_shown_exists_with_its_options() -> None:
    known = _options()

    assert len(_calls()) > 20
    for name, rest in _calls():
        assert name in known, name
        assert set(re.findall(r"--[\w-]+", rest)) <= known[name], (name, rest)


def test_what_is_typed_on_the_desktop_exists_too() -> None:
    lines = [line.strip() for block in _BLOCK.findall(GUIDE) for line in block.splitlines()]
    shown = {*lines, *_codes(_BLOCK.sub("", GUIDE))}
    typed = [line for line in shown if line.startswith("obdesk configure relay ")]
    desktop = typer.Typer()
    configuring.register(desktop)
    group = typer.main.get_command(desktop)
    assert hasattr(group, "commands")
    relay = group.commands["configure"].commands["relay"]
    known = {option for parameter in relay.params for option in parameter.opts}

    assert len(typed) == 3
    assert {word for line in typed for word in line.split() if word.startswith("--")} <= known


def test_each_command_and_option_is_in_the_table_and_no_other() -> None:
    told: dict[str, set[str]] = {}
    for command, text in _rows("Commands"):
        name = command.strip("`").removeprefix("obdesk relay ").split()[0]
        told[name] = {option for code in _codes(text) for option in re.findall(r"--[\w-]+", code)}

    assert told == _options()


def test_each_setting_is_in_the_table_with_its_default() -> None:
    told = {row[0].strip("`"): row[1] for row in _rows("Settings")}
    unset = load({}, environ={})

    assert list(told) == [field.name for field in fields(Settings)]
    for name, default in told.items():
        if name in {"store", "key_file"}:  # they depend on where it runs
            continue
        value = getattr(unset, name)
        if default == "none":
            assert value in {None, Places()}
        else:
            assert getattr(load({name: ",".join(_codes(default))}, environ={}), name) == value, name


def test_each_figure_and_each_of_its_words_is_told() -> None:
    section = _section("Figures, dashboards and alerts")
    told = {code for row in _rows("Figures, dashboards and alerts") for code in _codes(row[0])}

    assert {name for name in told if not name.startswith("Obdesk")} == of_relay()
    words = {word for fate in Fate for word in fate.value if word and word != "payload_seen"}
    words |= {each.value for each in (*BrokerCall, *BrokerOutcome)}
    words -= {"no_recipient", "store_down"}
    assert words <= set(_codes(section))


def test_each_refusal_that_is_explained_is_one_of_the_relays() -> None:
    titles = {
        found[1].decode()
        for answer in vars(problems).values()
        if isinstance(getattr(answer, "body", None), bytes)
        and (found := re.search(rb'"title":"([^"]+)"', answer.body))
    } | {"Too many requests"}
    told = re.findall(r"^\| \d{3} \*([^*]+)\*", _section("Troubleshooting"), re.MULTILINE)

    assert len(told) > 6
    assert set(told) <= titles


def test_every_link_leads_somewhere() -> None:
    headings = re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(([^)]+)\)", GUIDE)

    assert [link for link in links if link.startswith("#") and link[1:] not in anchors] == []
    files = [link for link in links if not link.startswith(("#", "http"))]
    assert len(files) > 8
    assert [link for link in files if not (ROOT / "docs" / link).resolve().exists()] == []
    contents = re.findall(r"^- \[([^]]+)\]\(#", GUIDE, re.MULTILINE)
    assert contents == headings


def test_the_example_of_settings_can_be_used() -> None:
    found = load({}, config=PLACE / "relay.toml", environ={})

    assert found.public_url == "https://relay.example.org"
    assert found.listen == Listen("127.0.0.1", 8470)
    assert found.metrics_from == load({}, environ={}).metrics_from


@pytest.mark.parametrize(
    "path", [path for path in PLACE.rglob("*") if path.is_file()], ids=lambda path: path.name
)
def test_what_an_operator_installs_names_only_settings_that_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    names = {field.name for field in fields(Settings)} | {"config"}

    assert [name for name in _VARIABLE.findall(text) if name.lower() not in names] == []
