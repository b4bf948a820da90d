"""Each setting takes what it declares, and nothing else."""

from __future__ import annotations

from datetime import time

import pytest

from obdesk.app.settings import SETTINGS, declared, stored, time_of
from obdesk.domain.errors import BugError


@pytest.mark.parametrize("key", list(SETTINGS))
def test_a_default_is_a_value_the_setting_takes_and_its_text_is_a_sentence(key: str) -> None:
    setting = declared(key)
    assert setting.key == key
    assert setting.accepts(setting.default)
    assert setting.text


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("sync.interval_h", ["1", "4", "168"], ["0", "169", "-1", "4.5", "", "four", "1e3"]),
        ("sync.paused", ["on", "off"], ["true", "1", ""]),
        ("metrics.port", ["1024", "9464", "65535"], ["80", "0", "65536", "x", "", "９４６４"]),
        ("sync.quiet_from", ["", "00:00", "22:30"], ["24:00", "7:00", "22:60", "22", "22:30:00"]),
        ("powens.domain", ["", "acme"], ["x" * 501]),
    ],
)
def test_values(key: str, good: list[str], bad: list[str]) -> None:
    assert [declared(key).accepts(value) for value in good] == [True] * len(good)
    assert [declared(key).accepts(value) for value in bad] == [False] * len(bad)


@pytest.mark.parametrize("key", ["language", "theme"])
def test_what_is_needed_before_the_data_opens_is_not_kept_in_it(key: str) -> None:
    assert key not in SETTINGS


def test_an_unknown_setting_is_our_mistake() -> None:
    with pytest.raises(BugError, match="colour"):
        declared("colour")


def test_a_stored_value_or_the_default_and_a_time_of_day() -> None:
    assert (stored("sync.interval_h", None), stored("sync.interval_h", "8")) == ("4", "8")
    assert (time_of(""), time_of("22:30")) == (None, time(22, 30))
