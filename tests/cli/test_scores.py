"""How well syncing goes, on the command line: the same figures for people and for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.cli.scores import say_scores, scores_documents
from obdesk.storage.queries.scores import scores
from obdesk.storage.store import Store
from tests.cli.test_guide import missing
from tests.happenings import happened
from tests.seed import KEY, NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.domain.scores import Scores
    from tests.cli.conftest import CommandLine


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "s.db", KEY)
    yield opened
    opened.close()


@pytest.fixture
def counted(store: Store) -> Scores:
    happened(store)
    return store.read_now(scores, NOW)


def test_programs_get_every_figure_under_its_key(counted: Scores) -> None:
    document: Any = json.loads(json.dumps(scores_documents(counted)))

    assert list(document) == ["scores", "queue", "findings", "proofs", "holes", "budget"]
    overall = document["scores"]["overall"]
    assert (overall["runs"], overall["new"], overall["requests"]) == (5, 16, 17)
    assert overall["results"]["retry_later"] == 2
    assert overall["failures"] == [{"condition": "bank_down", "runs": 2}]
    queue = document["queue"]
    assert (queue["depth"], queue["oldest_s"], queue["running"]) == (1, 7200, 1)
    assert document["proofs"]["broken"][0]["gap"] == "-46.00"
    assert document["holes"][0]["from_day"] == "2026-07-02"
    assert [(each["bank"], each["left"]) for each in document["budget"]] == [
        ("Banque du Port", 3),
        ("Nordic One", 1),
    ]


def test_people_get_the_same_in_a_few_lines(counted: Scores, capsys: pytest.CaptureFixture[str]) -> None:
    say_scores(counted)

    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Last 30 days: 5 syncs, 2 without an answer; 16 new, 3 changed, 1 removed."
    assert lines[2] == "Queue: 1 waiting, 1 running."
    assert lines[3].startswith("Banque du Port: 3 of 4 unattended checks left, one comes back at 2026-11-25")
    assert lines[5] == (
        "Open: 1 finding in the data, 1 pair that may be one operation, "
        "1 balance that does not add up, 1 hole in the history."
    )


def test_a_banks_name_cannot_drive_the_terminal(counted: Scores, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = tuple(replace(each, bank="\x1b[2Jbank") for each in counted.connections)
    say_scores(replace(counted, connections=hostile))

    assert "\x1b" not in capsys.readouterr().out


def test_a_linked_profile_tells_its_first_sync(linked: CommandLine) -> None:
    people, programs = linked("status"), linked("status", "--json").json()

    assert people.code == 0
    assert "Last 30 days: 1 sync, 0 without an answer" in people.out
    assert "Nothing is open." in people.out
    (bank,) = programs["scores"]["connections"]
    assert (bank["runs"], bank["results"]["updated"]) == (1, 1)
    assert bank["last_success_at"] == bank["last_run_at"]
    assert programs["queue"]["depth"] == 0


def test_each_key_that_only_trouble_brings_is_in_the_guide(counted: Scores) -> None:
    keys: set[str] = set()

    def collect(value: object) -> None:
        if isinstance(value, dict):
            keys.update(value)
            list(map(collect, value.values()))
        elif isinstance(value, list):
            list(map(collect, value))

    collect(scores_documents(counted))

    assert missing(keys) == []
