"""Merges on the command line: made, listed with their numbers, and undone by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

Row = dict[str, Any]


@pytest.fixture
def rows(linked: CommandLine) -> list[Row]:
    """Return three transactions of one account as programs see them."""
    told = linked("transactions", "--json").json()["transactions"]
    account = told[0]["account_id"]
    return [each for each in told if each["account_id"] == account][:3]


def test_without_merges_it_says_so(linked: CommandLine) -> None:
    assert linked("merges").out == "Nothing was made one.\n"
    assert linked("merges", "--json").json() == {"merges": []}


def test_a_merge_is_listed_with_both_and_undone_by_its_number(linked: CommandLine, rows: list[Row]) -> None:
    kept, other, _ = rows
    assert linked("merge", str(kept["id"]), str(other["id"])).code == 0
    (made,) = linked("merges", "--json").json()["merges"]
    assert made.keys() == {"id", "kept", "other", "made_at"}
    for told, row in ((made["kept"], kept), (made["other"], other)):
        assert (told["id"], told["date"], told["label"]) == (row["id"], row["date"], row["label"])
        assert told["amount"] == row["amount"]
    listed = linked("merges").out.splitlines()[-1]
    assert listed.split()[0] == str(made["id"])
    assert kept["date"] in listed
    assert linked("split", str(made["id"])).code == 0
    assert linked("merges", "--json").json() == {"merges": []}


def test_one_on_which_another_builds_names_that_one(linked: CommandLine, rows: list[Row]) -> None:
    first, second, third = (str(each["id"]) for each in rows)
    linked("merge", first, second)
    linked("merge", third, first)
    newest, oldest = (each["id"] for each in linked("merges", "--json").json()["merges"])
    refused = linked("split", str(oldest))
    assert refused.code != 0
    assert f"obdesk split {newest}" in refused.err
    for each in (newest, oldest):
        assert linked("split", str(each)).code == 0
