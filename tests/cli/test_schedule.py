"""When banks are checked, and which go first: said on the command line, kept, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_the_schedule_is_set_and_told(linked: CommandLine) -> None:
    assert "every 4 hours" in linked("configure", "schedule").out
    told = linked("configure", "schedule", "--every", "8", "--quiet", "22:00-07:00", "--no-spare").out
    assert "every 8 hours" in told
    assert "From 22:00 to 07:00" in told
    assert "metered" not in told
    told = linked("configure", "schedule", "--quiet", "off", "--spare").out
    assert "From" not in told
    assert "metered" in told


@pytest.mark.parametrize("hours", ["22:00", "22-7", "-", "25:00-07:00", "22:00-", "never"])
def test_quiet_hours_that_make_no_sense_change_nothing(linked: CommandLine, hours: str) -> None:
    assert linked("configure", "schedule", "--quiet", hours).code == 2
    assert "From" not in linked("configure", "schedule").out


def test_an_account_is_marked_as_important(linked: CommandLine) -> None:
    (account, *others) = linked("accounts", "--json").json()["accounts"]
    assert linked("important", str(account["id"])).code == 0
    marked = {each["id"]: each["important"] for each in linked("accounts", "--json").json()["accounts"]}
    assert marked == {account["id"]: True} | {each["id"]: False for each in others}
    assert linked("important", str(account["id"]), "--off").code == 0
    assert not any(each["important"] for each in linked("accounts", "--json").json()["accounts"])
    assert "does not exist" in linked("important", "99").err
