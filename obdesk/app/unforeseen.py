"""Errors that nobody foresaw: what is written of them, and what the person is told.

Written are types and places in the code, never words: what an error says may quote what came in, such as a
payload, an IBAN or a name. Paths are not written either, for a home folder has its owner's name.
"""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import contextmanager
from copy import copy
from errno import errorcode
from itertools import islice
from traceback import walk_tb
from typing import TYPE_CHECKING

from obdesk.domain.errors import Action, AppError, causes
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

ERRORS_MAX = 10
FRAMES_MAX = 30

_log = logging.getLogger(__name__)


class UnforeseenError(AppError):
    """A part of the program ended by an error that is our fault."""


def unforeseen(error: BaseException) -> UnforeseenError:
    """Return what the person is told of an error that was not meant for them."""
    return UnforeseenError(
        title=tr("Something went wrong inside obdesk"),
        cause=tr("A part of it ended by an error of its own ({kind}).", kind=type(error).__name__),
        next_step=tr("Nothing is lost and the rest goes on. If it happens again, start obdesk anew."),
        action=Action.NONE,
    )


def outline(raised: BaseException) -> str:
    """Return an error, what it holds together and what led to it, as types and places, a line each."""
    errors = {id(each): each for each in islice(causes(raised), ERRORS_MAX)}  # some lead to several others
    return "\n".join(line for each in errors.values() for line in _lines(each))


def _lines(raised: BaseException) -> Iterator[str]:
    number = raised.errno if isinstance(raised, OSError) else None
    yield _kind(raised) if number is None else f"{_kind(raised)} {errorcode.get(number, '?')}"
    frames = list(walk_tb(raised.__traceback__))
    for frame, line in frames[-FRAMES_MAX:]:
        yield f"  {frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_qualname}"


def _kind(raised: object) -> str:
    kind = type(raised)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


class Wordless(logging.Formatter):
    """Writes records as they are, but of errors in them no words."""

    def format(self, record: logging.LogRecord) -> str:
        """Override logging.Formatter.format."""
        bare = copy(record)
        bare.exc_text = None  # another handler may have left the error's words there
        bare.msg = _without_words(record.msg)
        if isinstance(record.args, tuple):
            bare.args = tuple(_without_words(each) for each in record.args)
        elif record.args:
            bare.args = {name: _without_words(each) for name, each in record.args.items()}
        return super().format(bare)

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Override logging.Formatter.formatException."""
        return "" if ei[1] is None else outline(ei[1])


def _without_words(told: object) -> object:
    return _kind(told) if isinstance(told, BaseException) else told


def guard_standard_error() -> None:
    """Let what no handler wants, which Python writes to standard error, have no words of errors either.

    A desktop or a service manager keeps that in a log of its own.
    """
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Wordless())


@contextmanager
def unheard_errors_logged() -> Iterator[None]:
    """Log what is raised where nobody listens, such as in Qt's slots, instead of printing its words.

    Whoever listens already (a debugger, a test) goes on doing so.
    """
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _raised
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _raised_in_thread
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _unraisable
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


def _raised(kind: type[BaseException], raised: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, raised, trace)
    else:
        _log.error("an error had nowhere to go", exc_info=(kind, raised, trace))


def _raised_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        _log.error("a thread ended by an error", exc_info=told.exc_value)


def _unraisable(told: sys.UnraisableHookArgs) -> None:
    if told.exc_value is not None:
        _log.error("an error could not be raised", exc_info=told.exc_value)
