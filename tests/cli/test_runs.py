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
    while (newest := next(each for each in listed if each["revertible"]))["kind"] != "full":
        assert linked("runs", "revert", str(newest["id"])).code == 0
        listed = linked("runs", "--json").json()["runs"]
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


def test_what_looks_wrong_is_listed_with_its_cause(linked: CommandLine, simulator: Simulator) -> None:
    assert linked("problems").out == "Nothing looks wrong in the banks' data.\n"
    simulator.control.run("POST", "/faults", [{"route": r"GET .*/transactions\?", "kind": "bad_row"}])
    simulator.clock.advance(8 * 86_400)
    assert sync(linked, simulator).code == 0
    problem, *_ = linked("problems", "--json").json()["problems"]
    assert problem["next_step"] == "It is tried again with every check."
    shown = linked("problems").out
    assert problem["title"] in shown
    assert problem["cause"] in shown
    number = str(problem["id"])
    before = len(linked("problems", "--json").json()["problems"])
    assert linked("problems", "settle", number).code == 0
    assert len(linked("problems", "--json").json()["problems"]) == before - 1
    settled = linked("problems", "--settled", "--json").json()["problems"]
    assert [each["id"] for each in settled] == [problem["id"]]
    assert linked("problems", "reopen", number).code == 0
    assert linked("problems", "--settled").out == "Nothing is settled.\n"
    assert linked("problems", "settle", "4711").problem()[0] == "That does not exist"
