"""Past syncs on the command line: what each changed, and taking one back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.test_journey import rows, sync

if TYPE_CHECKING:
    from obdesk.simulator.server import Simulator
    from tests.cli.conftest import CommandLine


def test_a_check_is_told_shown_and_taken_back_as_a_whole(linked: CommandLine, simulator: Simulator) -> None:
    before = rows(linked)
    first, *_ = before
    assert linked("edit", str(first["id"]), "--note", "mine").code == 0
    listed = linked("runs", "--json").json()["runs"]
    newest = next(each for each in listed if each["revertible"])
    assert newest["summary"][0].endswith(" new")
    assert newest["kind"] == "full"
    assert newest["compared"] == newest["mended"] == newest["new"]
    people = linked("runs")
    assert len(people.out.splitlines()) == 1 + len(listed)
    shown = linked("runs", "show", str(newest["id"]))
    assert f"obdesk runs revert {newest['id']}" in shown.out
    told = linked("runs", "show", str(newest["id"]), "--json").json()["run"]
    assert told["added"]["last"] - told["added"]["first"] + 1 == newest["new"]
    assert {each["subject"] for each in told["changes"]} >= {"account", "balance"}
    taken = linked("runs", "revert", str(newest["id"]))
    assert taken.code == 0
    assert taken.out.startswith("Taken back: ")
    assert rows(linked) == []
    again = linked("runs", "revert", str(newest["id"]))
    assert (again.code, again.problem()[1]) == (1, "It has been reverted already.")
    assert "taken back" in linked("runs", "show", str(newest["id"])).out
    assert sync(linked, simulator).code == 0
    assert [{**each, "note": ""} for each in rows(linked)] == before
    assert [each["note"] for each in rows(linked) if each["id"] == first["id"]] == ["mine"]


def test_a_check_that_is_not_known_is_said_to_be_so(linked: CommandLine) -> None:
    for command in ("show", "revert"):
        assert linked("runs", command, "4711").problem()[0] == "That does not exist"
    assert linked("runs", "--connection", "4711").out == "No check has run yet.\n"
