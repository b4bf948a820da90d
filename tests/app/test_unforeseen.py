"""An error that nobody foresaw: where it happened is kept, what it says is not, and the person is told."""

from __future__ import annotations

import io
import logging
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import pytest

from obdesk.app import logs
from obdesk.app.events import Problem
from obdesk.app.mailbox import _told_nobody
from obdesk.app.unforeseen import Wordless, guard_standard_error, unheard_errors_logged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.app.house import House
    from tests.guards import ExpectsLog

MARKER = "FR7630006000011234567890189"
log = logging.getLogger("obdesk.somewhere")


def _plain() -> NoReturn:
    raise ValueError(f"Invalid isoformat string: '{MARKER}'")


def _chained() -> NoReturn:
    try:
        _plain()
    except ValueError as error:
        raise KeyError(MARKER) from error


def _while_handling() -> NoReturn:
    try:
        _plain()
    except ValueError:
        raise OSError(28, MARKER, f"/home/{MARKER}/ledger.db")  # noqa: B904 - the other kind of chain


def _grouped() -> NoReturn:
    try:
        _chained()
    except KeyError as error:
        noted = TypeError(MARKER)
        noted.add_note(MARKER)
        raise ExceptionGroup(MARKER, [error, ExceptionGroup(MARKER, [noted])]) from None


RAISING = (_plain, _chained, _while_handling, _grouped)


def _raised(raising: Callable[[], NoReturn]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of every kind
        raising()
    return caught.value


@pytest.mark.parametrize("raising", RAISING)
def test_no_words_of_an_error_reach_the_log_by_any_way_of_logging(
    tmp_path: Path, expects_log: ExpectsLog, raising: Callable[[], NoReturn]
) -> None:
    expects_log("it failed$")
    expects_log("task the relay failed")
    error = _raised(raising)
    with logs.kept_log(tmp_path) as path:
        log.info("task %s failed", "a", exc_info=error)
        log.info("it failed: %s", error)
        log.info("it failed: %(error)s", {"error": error})
        log.info(error)
        try:
            raising()
        except Exception:
            log.exception("it failed")
        _told_nobody("the relay", error)
    written = path.read_text()
    assert written.count("it failed") == 3
    assert MARKER not in written
    assert f"tests.app.test_unforeseen:{_plain.__code__.co_firstlineno + 1} _plain" in written
    assert "/" not in written, "a folder may have its owner's name"


def test_what_led_to_an_error_is_kept_by_type_and_place(tmp_path: Path) -> None:
    with logs.kept_log(tmp_path) as path:
        log.info("it failed", exc_info=_raised(_while_handling))
        log.info("it failed", exc_info=_raised(_grouped))
    grouped = ("ExceptionGroup", "KeyError", "ValueError", "ExceptionGroup", "TypeError")
    kinds = [line for line in path.read_text().splitlines() if line[0] != " " and "it failed" not in line]
    assert kinds == ["OSError ENOSPC", "ValueError", *grouped]


def test_words_that_another_handler_has_left_in_a_record_are_not_taken(tmp_path: Path) -> None:
    heard = logging.StreamHandler(io.StringIO())
    log.addHandler(heard)
    try:
        with logs.kept_log(tmp_path) as path:
            log.info("it failed", exc_info=_raised(_plain))
    finally:
        log.removeHandler(heard)
    assert MARKER in heard.stream.getvalue()
    assert MARKER not in path.read_text()


def test_an_error_that_runs_in_circles_ends(tmp_path: Path) -> None:
    one, two = ValueError(MARKER), KeyError(MARKER)
    one.__cause__, two.__cause__ = two, one
    with logs.kept_log(tmp_path) as path:
        log.info("it failed", exc_info=one)
    assert 2 < len(path.read_text().splitlines()) < 20


def test_standard_error_has_no_words_of_errors_where_no_log_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    guard_standard_error()
    last, written = logging.lastResort, io.StringIO()
    assert last is not None
    assert isinstance(last.formatter, Wordless)
    monkeypatch.setattr(sys, "stderr", written)
    last.handle(logging.LogRecord("asyncio", 40, "", 1, "%s", (_raised(_grouped),), (None, None, None)))
    error = _raised(_chained)
    last.handle(logging.LogRecord("asyncio", 40, "", 1, "lost", (), (type(error), error, None)))
    assert "KeyError" in written.getvalue()
    assert MARKER not in written.getvalue()


def test_what_nobody_hears_of_is_logged_without_its_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    expects_log: ExpectsLog,
) -> None:
    for words in ("had nowhere to go", "a thread ended", "could not be raised"):
        expects_log(words)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)

    class Fragile:
        def __del__(self) -> None:
            _chained()

    with logs.kept_log(tmp_path) as path, unheard_errors_logged():
        error = _raised(_plain)
        sys.excepthook(type(error), error, error.__traceback__)
        thread = threading.Thread(target=_grouped)
        thread.start()
        thread.join()
        Fragile()
    assert sys.excepthook is sys.__excepthook__
    written = path.read_text()
    assert written.count("obdesk.app.unforeseen: ") == 3
    assert MARKER not in written + capsys.readouterr().err


@pytest.mark.anyio
async def test_the_person_is_told_that_a_task_ended_by_an_error_but_not_its_words(
    house: House, tmp_path: Path, expects_log: ExpectsLog
) -> None:
    expects_log("task something failed")

    async def work() -> None:
        _grouped()

    with logs.kept_log(tmp_path) as path:
        task = house.app.work.spawn("something", work())
        assert task is not None
        await task
    (problem,) = house.heard(Problem)
    assert isinstance(problem, Problem)
    told = problem.error
    assert told.title == "Something went wrong inside obdesk"
    assert "Nothing is lost" in told.next_step
    assert MARKER not in told.title + told.cause + told.next_step + path.read_text()
    assert "task something failed: ExceptionGroup" in path.read_text()
