"""A stalled interface is noticed and written down, without a word of anybody's data."""

from __future__ import annotations

import asyncio
import logging
import stat
import threading
import time
from typing import TYPE_CHECKING

from obdesk.app import logs
from obdesk.app.watchdog import LIMIT_S, Watchdog

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

log = logging.getLogger("obdesk.somewhere")


def _blocked(seconds: float) -> None:
    """Keep a thread busy as a slow piece of code would."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


async def _seen(dog: Watchdog, stalls: int) -> None:
    for _turn in range(500):
        if dog.stalls >= stalls:
            return
        await asyncio.sleep(0.02)


def test_F65_a_stall_is_logged_from_another_thread_with_its_length_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def life() -> None:
        with Watchdog(asyncio.get_running_loop()) as dog:
            _blocked(LIMIT_S + 0.3)
            await _seen(dog, 1)

    caplog.set_level(logging.INFO, "obdesk.app.watchdog")
    asyncio.run(life())
    first, *_ = caplog.records
    assert first.getMessage().startswith("the interface did not answer for 0.")
    assert first.threadName == "obdesk-watchdog"


def test_F65_a_watchdog_ends_at_once_even_while_nothing_answers() -> None:
    loop = asyncio.new_event_loop()  # never runs: nobody answers
    dog = Watchdog(loop)
    dog.start()
    _blocked(0.2)
    began_s = time.perf_counter()
    dog.close()
    assert time.perf_counter() - began_s < 2
    loop.close()


def test_F65_a_watchdog_ends_that_is_told_so_just_before_it_asks() -> None:
    loop = asyncio.new_event_loop()  # whoever closes it waits for its thread: nobody answers
    dog = Watchdog(loop)

    class ClosedMeanwhile(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            del timeout
            self.set()
            dog._answered.set()
            return False

    dog._ended = ClosedMeanwhile()
    dog.start()
    dog._thread.join(5)
    assert not dog._thread.is_alive()
    loop.close()


def test_F65_a_loop_that_was_closed_ends_it_as_well() -> None:
    loop = asyncio.new_event_loop()
    dog = Watchdog(loop)
    loop.close()
    dog.start()
    dog._thread.join(5)
    assert not dog._thread.is_alive()


def test_F64_the_log_is_five_files_of_five_mebibytes_at_most(tmp_path: Path) -> None:
    with logs.kept_log(tmp_path) as path:
        for number in range(3_500):
            log.info("%05d %s", number, "x" * 10_000)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 5
    assert all(each.stat().st_size <= 5 * 1024 * 1024 for each in files)
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    assert "03499" in path.read_text()[-10_200:]
    log.info("nobody keeps this")
    assert "nobody" not in path.read_text()[-200:]


def test_F40_a_log_on_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    with logs.kept_log(tmp_path / "not there"):
        log.info("lost")
