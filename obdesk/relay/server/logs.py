"""What the relay says on its standard error: one JSON object a line, of which each part is known beforehand.

What is not on a list is not written, so a token, a path, a body, a query or an id has no way in:
- of the relay's own records the sentence as it stands in the code, never filled in, and `fields`;
- of other libraries' records (uvicorn, asyncio, redis ...) a sentence only where it is one of a few that hold
  nothing; otherwise who spoke, and how loud;
- of an error its type and where in the code, never its words, which may quote what came in.

A client's address is cut to its network. Access logs do not exist.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from enum import Enum
from errno import errorcode
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import islice
from traceback import walk_tb
from typing import TYPE_CHECKING, Final, TextIO, TypedDict, Unpack, cast

from obdesk.relay.protocol import EVENTS
from obdesk.relay.server.store import StoreDownError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType

    from obdesk.relay.server.metrics import BrokerCall, BrokerOutcome, Fate, Operation, Route

_OURS: Final = "obdesk.relay"
_FRAMES_MAX: Final = 12
_CAUSES_MAX: Final = 5
SPOKE: Final = "a library spoke; its words are not written, for they may hold what was sent"
"""Written in place of what is not known to be harmless."""
_HARMLESS: Final = frozenset(
    {
        "Application shutdown complete.",
        "Application shutdown failed. Exiting.",
        "Application startup complete.",
        "Application startup failed. Exiting.",
        "ASGI callable returned without completing response.",
        "ASGI callable returned without starting response.",
        "Exception in ASGI application",
        "Exceeded concurrency limit.",
        "Finished server process [%d]",
        "Invalid HTTP request received.",
        "Shutting down",
        "Started server process [%d]",
        "Unsupported upgrade request.",
        "Waiting for application shutdown.",
        "Waiting for application startup.",
        "Waiting for background tasks to complete. (CTRL+C to force quit)",
        "Waiting for connections to close. (CTRL+C to force quit)",
    }
)
"""Sentences of uvicorn's that hold nothing; they are written as they stand, without what fills them in."""

_log = logging.getLogger(__name__)


class Fields(TypedDict, total=False):
    """All that a line may say besides its sentence."""

    client: str
    """The address a request came from; its network is written."""
    event: str
    """The event in a hook's path; one that the aggregator does not have is written as `other`."""
    fate: Fate
    route: Route
    operation: Operation
    call: BrokerCall
    answer: BrokerOutcome
    status: int
    """An HTTP status."""
    count: int
    """How many of what the sentence names."""
    duration_ms: float
    why: StoreDownError
    """Why the store is down; its sentence is written, which is one of ours."""


def fields(**told: Unpack[Fields]) -> dict[str, Fields]:
    """Return what a record carries: `_log.info("a sentence", extra=fields(status=404))`."""
    return {"fields": told}


def network(address: str) -> str:
    """Return the network an address is of: /24, for IPv6 /48; `unknown` for what is no address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def _told(told: Fields) -> Iterator[tuple[str, object]]:
    if "client" in told:
        yield "client", network(told["client"])
    if "event" in told:
        yield "event", told["event"] if told["event"] in EVENTS else "other"
    if "fate" in told:
        yield "outcome", told["fate"].outcome
        yield "reason", told["fate"].reason
    if isinstance(told.get("why"), StoreDownError):
        yield "why", str(told["why"])
    words = {name: told.get(name) for name in ("route", "operation", "call", "answer")}
    yield from ((name, word.value) for name, word in words.items() if isinstance(word, Enum))
    numbers = {name: told.get(name) for name in ("status", "count", "duration_ms")}
    yield from ((name, round(each, 3)) for name, each in numbers.items() if isinstance(each, int | float))


def _place(frame: FrameType, line: int) -> str:
    code = frame.f_code
    return f"{frame.f_globals.get('__name__', '?')}:{line} {code.co_name}"


def _chain(raised: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it holds together, and what led to it."""
    yield raised
    if isinstance(raised, BaseExceptionGroup):
        for each in raised.exceptions:
            yield from _chain(each)
    cause = raised.__cause__ or raised.__context__
    if cause is not None:
        yield from _chain(cause)


def _error(raised: BaseException) -> dict[str, object]:
    chain = tuple(islice(_chain(raised), _CAUSES_MAX))
    places = [_place(frame, line) for frame, line in walk_tb(raised.__traceback__)]
    told: dict[str, object] = {
        "type": [type(each).__qualname__ for each in chain],
        "at": places[-_FRAMES_MAX:],
    }
    numbers = [each.errno for each in chain if isinstance(each, OSError) and each.errno is not None]
    if numbers:
        told["errno"] = errorcode.get(numbers[0], "?")
    return told


class Formatter(logging.Formatter):
    """Turns a record into a line of JSON that holds nothing but what is listed."""

    def format(self, record: logging.LogRecord) -> str:
        """Override logging.Formatter.format."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._sentence(record),
        }
        told = getattr(record, "fields", None)
        if isinstance(told, dict):
            line.update(_told(cast("Fields", told)))
        raised = record.exc_info[1] if record.exc_info else record.msg
        if isinstance(raised, BaseException):
            line["error"] = _error(raised)
        return json.dumps(line)

    @staticmethod
    def _sentence(record: logging.LogRecord) -> str:
        sentence = record.msg.strip() if isinstance(record.msg, str) else ""
        is_ours = record.name == _OURS or record.name.startswith(f"{_OURS}.")
        return sentence if is_ours or sentence in _HARMLESS else SPOKE


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; where that fails, nothing is written instead."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Override Handler.handleError, which would print the record with all that is in it."""


def _is_heard(record: logging.LogRecord) -> bool:
    """Tell whether a record becomes a line: ours, others' warnings, and what uvicorn says of its own life."""
    if record.name.startswith("uvicorn.access"):
        return False
    return record.name.startswith((_OURS, "uvicorn")) or record.levelno >= logging.WARNING


def setup(stream: TextIO, level: int | str) -> Callable[[], None]:
    """Write all that is logged, warned of or raised unheard as lines of JSON; return what undoes this.

    `level` is as logging has it (`"INFO"`, 20); raises ValueError for a word it does not know.
    """
    handler = _Handler(stream)
    handler.setFormatter(Formatter())
    handler.addFilter(_is_heard)
    root = logging.getLogger()
    before = root.level
    root.setLevel(level)
    root.addHandler(handler)
    logging.captureWarnings(True)
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    sys.excepthook, threading.excepthook, sys.unraisablehook = _ended, _thread_ended, _unraisable

    def undo() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
        logging.captureWarnings(False)
        root.removeHandler(handler)
        root.setLevel(before)

    return undo


def _ended(kind: type[BaseException], raised: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _log.critical("the relay ended by an error", exc_info=(kind, raised, trace))


def _thread_ended(told: threading.ExceptHookArgs) -> None:
    raised = told.exc_value
    if raised is not None:
        _log.error("a thread ended by an error", exc_info=raised)


def _unraisable(told: sys.UnraisableHookArgs) -> None:
    raised = told.exc_value
    if raised is not None:
        _log.error("an error had nowhere to go", exc_info=raised)
