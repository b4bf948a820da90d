"""`obdesk configure metrics`: offering figures to a monitor, and stopping."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_figures_are_offered_and_no_longer_offered(linked: CommandLine) -> None:
    on = linked("configure", "metrics", "--on", "--port", "19464")
    assert (on.code, on.err) == (0, "")
    assert "http://127.0.0.1:19464/metrics" in on.out

    off = linked("configure", "metrics", "--off")
    assert off.code == 0
    assert "No figures" in off.out


def test_a_port_of_the_system_is_refused(linked: CommandLine) -> None:
    assert linked("configure", "metrics", "--on", "--port", "80").code == 2
