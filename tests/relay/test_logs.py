"""What the relay's log tells, and that what must stay secret has no way into it, whoever logs it and how."""

from __future__ import annotations

import ast
import asyncio
import gc
import io
import json
import logging
import socket
import sys
import threading
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route as Path_

from obdesk.relay.server import logs
from obdesk.relay.server.logs import fields, network
from obdesk.relay.server.metrics import BrokerCall, BrokerOutcome, Fate, Operation, Route
from tests.arch.tree import modules

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from tests.guards import ExpectsLog

SECRET = "kQ7vU3wJ9xTzR5nB1cM8dF2gH4jL6pS0aE-yI_oW3uX"
OURS = logging.getLogger("obdesk.relay.server.of_this_test")
THEIRS = logging.getLogger("some.library")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    # The simulator keeps its own server quiet; in a relay's process there is none.
    theirs = logging.getLogger("uvicorn.error")
    level = theirs.level
    theirs.setLevel(logging.NOTSET)
    stream = io.StringIO()
    undo = logs.setup(stream, "INFO")
    yield stream
    undo()
    theirs.setLevel(level)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    """Return what was written; every line is an object of JSON of its own."""
    return [json.loads(line) for line in written.getvalue().splitlines()]


def only(written: io.StringIO) -> dict[str, Any]:
    (line,) = lines(written)
    return line


def test_a_line_tells_what_happened_with_its_fields(written: io.StringIO) -> None:
    OURS.info(
        "a delivery was refused",
        extra=fields(client="203.0.113.77", event="USER_SYNCED", fate=Fate.SIGNATURE, status=401, count=2),
    )

    line = only(written)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "obdesk.relay.server.of_this_test",
        "message": "a delivery was refused",
        "client": "203.0.113.0/24",
        "event": "USER_SYNCED",
        "outcome": "refused",
        "reason": "signature",
        "status": 401,
        "count": 2,
    }


def test_words_of_closed_sets_and_durations_are_told(written: io.StringIO) -> None:
    OURS.info(
        "the store was slow",
        extra=fields(
            route=Route.HOOK,
            operation=Operation.DELIVER,
            call=BrokerCall.ME,
            answer=BrokerOutcome.FAILED,
            duration_ms=12.34567,
        ),
    )

    line = only(written)
    assert (line["route"], line["operation"], line["call"]) == ("hook", "deliver", "me")
    assert (line["answer"], line["duration_ms"]) == ("failed", 12.346)


@pytest.mark.parametrize(
    ("address", "cut"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1234:5678::9", "2001:db8:1234::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("127.0.0.1", "127.0.0.0/24"),
        ("", "unknown"),
        (SECRET, "unknown"),
    ],
)
def test_an_address_is_cut_to_its_network(address: str, cut: str) -> None:
    assert network(address) == cut


def _raise(error: Exception) -> None:
    raise error


def _by_an_argument() -> None:
    OURS.warning("a token was %s", SECRET)


def _by_fields_nobody_knows() -> None:
    OURS.warning("a request", extra={"fields": {"path": SECRET, "event": SECRET, "route": SECRET}})


def _by_an_attribute() -> None:
    OURS.warning("a request", extra={"token": SECRET})


def _by_an_error() -> None:
    try:
        _raise(KeyError(SECRET))
    except KeyError:
        OURS.exception("it broke")


def _by_its_cause() -> None:
    try:
        try:
            _raise(KeyError(SECRET))
        except KeyError as error:
            raise ValueError(SECRET) from error
    except ValueError:
        OURS.exception("it broke")


def _by_a_group() -> None:
    try:
        _raise(ExceptionGroup(SECRET, [KeyError(SECRET)]))
    except ExceptionGroup:
        OURS.exception("it broke")


def _by_a_stack() -> None:
    _ = SECRET
    OURS.warning("look", stack_info=True)


def _by_a_record_that_cannot_be_filled_in() -> None:
    OURS.warning("%d and %d", SECRET)


def _by_a_library() -> None:
    THEIRS.warning(f"GET /v1/hooks/{SECRET}?token={SECRET}")


def _by_a_librarys_argument() -> None:
    THEIRS.error("cannot parse %r", SECRET)


def _by_a_librarys_error() -> None:
    try:
        _raise(ValueError(SECRET))
    except ValueError:
        THEIRS.exception(SECRET)


def _by_an_error_as_a_message() -> None:
    logging.getLogger("uvicorn.error").error(OSError(98, SECRET))


def _by_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        # catch_warnings puts back how warnings are shown, and the log is how they are shown here.
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn(f"never do {SECRET}", RuntimeWarning, stacklevel=1)


def _by_a_thread() -> None:
    thread = threading.Thread(target=_raise, args=(ValueError(SECRET),), name=SECRET)
    thread.start()
    thread.join()


def _by_the_end_of_the_program() -> None:
    try:
        _raise(ValueError(SECRET))
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)


class _Broken:
    def __del__(self) -> None:
        raise ValueError(SECRET)


def _by_an_error_without_a_place() -> None:
    _ = _Broken()
    del _
    gc.collect()


def _by_an_event_loop() -> None:
    async def live() -> None:
        asyncio.get_running_loop().call_exception_handler(
            {
                "message": f"Fatal error on {SECRET}",
                "exception": ValueError(SECRET),
            }
        )

    asyncio.run(live())


WAYS = {
    _by_an_argument: "a token was %s",
    _by_fields_nobody_knows: "a request",
    _by_an_attribute: "a request",
    _by_an_error: "it broke",
    _by_its_cause: "it broke",
    _by_a_group: "it broke",
    _by_a_stack: "look",
    _by_a_record_that_cannot_be_filled_in: "%d and %d",
    _by_a_library: logs.SPOKE,
    _by_a_librarys_argument: logs.SPOKE,
    _by_a_librarys_error: logs.SPOKE,
    _by_an_error_as_a_message: logs.SPOKE,
    _by_a_warning: logs.SPOKE,
    _by_a_thread: "a thread ended by an error",
    _by_the_end_of_the_program: "the relay ended by an error",
    _by_an_error_without_a_place: "an error had nowhere to go",
    _by_an_event_loop: logs.SPOKE,
}
"""How one might try, and the sentence that is written then."""


@pytest.mark.parametrize(("leak", "sentence"), WAYS.items(), ids=[way.__name__[1:] for way in WAYS])
def test_a_secret_has_no_way_in(
    leak: Callable[[], None],
    sentence: str,
    written: io.StringIO,
    capfd: pytest.CaptureFixture[str],
    log_watch: logging.Handler,
) -> None:
    # The guard of all tests would fill the record in, which is what is to be avoided here.
    root = logging.getLogger()
    others = [each for each in root.handlers if each is log_watch or "pytest" in type(each).__module__]
    for handler in others:
        root.removeHandler(handler)
    try:
        leak()
    finally:
        for handler in others:
            root.addHandler(handler)

    assert only(written)["message"] == sentence
    out, err = capfd.readouterr()
    assert SECRET not in written.getvalue() + out + err


def test_an_error_is_told_by_type_and_place(written: io.StringIO, expects_log: ExpectsLog) -> None:
    expects_log("it broke")
    try:
        try:
            _raise(OSError(28, SECRET))
        except OSError as full:
            raise RuntimeError(SECRET) from full
    except RuntimeError:
        OURS.exception("it broke")

    error = only(written)["error"]
    assert error["type"] == ["RuntimeError", "OSError"]
    assert error["errno"] == "ENOSPC"
    assert error["at"][-1].startswith("tests.relay.test_logs:")
    assert error["at"][-1].endswith(" test_an_error_is_told_by_type_and_place")


def test_a_line_break_makes_no_second_line(written: io.StringIO) -> None:
    OURS.info('one\n{"level": "critical", "message": "two"}\r\u2028three')

    assert only(written)["level"] == "info"


def test_an_event_that_there_is_not_is_told_as_another(written: io.StringIO) -> None:
    OURS.info("a delivery", extra=fields(event=SECRET))

    assert only(written)["event"] == "other"


def test_a_full_disk_does_not_print_the_record(capfd: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    undo = logs.setup(stream, "INFO")
    try:
        stream.close()
        OURS.info("a token was %s", SECRET)
    finally:
        undo()

    assert capfd.readouterr() == ("", "")


def test_after_it_is_undone_nothing_is_written_and_all_is_as_before() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), sys.excepthook, threading.excepthook, sys.unraisablehook)
    stream = io.StringIO()
    logs.setup(stream, logging.DEBUG)()
    OURS.info("unheard")

    after = (root.level, list(root.handlers), sys.excepthook, threading.excepthook, sys.unraisablehook)
    assert after == before
    assert stream.getvalue() == ""


def test_a_level_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        logs.setup(io.StringIO(), "LOUD")


async def _broken(request: Request) -> Response:
    raise ValueError((await request.body()).decode() + str(request.url))


@asynccontextmanager
async def _served() -> AsyncIterator[int]:
    app = Starlette(routes=[Path_("/{rest:path}", _broken, methods=["POST"])])
    config = uvicorn.Config(
        app, log_config=None, log_level="info", access_log=False, lifespan="off", loop="asyncio"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as heard:
        serving = asyncio.get_running_loop().create_task(server.serve([heard]))
        try:
            yield heard.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


@pytest.mark.anyio
async def test_a_server_that_breaks_tells_nothing_of_what_was_sent(
    written: io.StringIO, capfd: pytest.CaptureFixture[str], expects_log: ExpectsLog
) -> None:
    expects_log("Exception in ASGI application")
    expects_log("Invalid HTTP request received")
    async with _served() as port, httpx.AsyncClient(trust_env=False) as client:
        address = f"http://127.0.0.1:{port}/v1/hooks/{SECRET}/USER_SYNCED?token={SECRET}"
        answer = await client.post(address, content=SECRET, headers={"Authorization": f"Bearer {SECRET}"})
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"\x16 {SECRET} HTTP/1.1\r\n\r\n".encode())
        await reader.read()
        writer.close()

    assert answer.status_code == 500
    sentences = [line["message"] for line in lines(written)]
    assert "Exception in ASGI application" in sentences
    assert "Invalid HTTP request received." in sentences
    (broke,) = [line for line in lines(written) if "error" in line]
    assert broke["error"]["type"] == ["ValueError"]
    out, err = capfd.readouterr()
    assert SECRET not in written.getvalue() + out + err
    assert "127.0.0.1" not in written.getvalue()


def test_each_sentence_of_the_relays_stands_in_the_code_as_it_is() -> None:
    # The formatter fills nothing in; a sentence made up while running would pass by it.
    made_up = [
        f"{module.path}:{node.lineno}"
        for module in modules("obdesk/relay/server/")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"_log", "log", "logger"}
        and not (len(node.args) == 1 and isinstance(node.args[0], ast.Constant))
    ]

    assert made_up == []
