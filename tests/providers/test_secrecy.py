"""Nothing that belongs to the person ever reaches a log, whatever level anybody sets."""

from __future__ import annotations

import itertools
import json
import logging
from datetime import date
from typing import TYPE_CHECKING, Any

import hpack
import pytest

from obdesk.providers.powens.quiet import quieten_http_logs
from obdesk.providers.powens.tokens import user_token_name
from tests.providers.conftest import SECRET, TOKEN
from tests.providers.scripted import answer, answer_json, error, html

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.providers.conftest import Bench, Benches
    from tests.providers.scripted import Answer, Asked, Script

pytestmark = pytest.mark.anyio

CODE = "planted-code-COj"
STATE = "planted-nonce"
IBAN = "FR7612345678901234567890185"
LABEL = "PLANTED LABEL"
NAME = "PLANTED ACCOUNT"
MESSAGE = "planted message"
AMOUNT = "918273"
SECRETS = (TOKEN, SECRET, CODE, STATE, IBAN, LABEL, NAME, MESSAGE, AMOUNT)

TALKATIVE = (
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "hpack",
    "hpack.hpack",
    "hpack.table",
    "h2",
    "obdesk",
    "asyncio",
)


class Everything(logging.Handler):
    """Keeps all that is logged, with its exceptions, as a file would."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name} {self.format(record)}")


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Turn every logger up as far as it goes, and give all lines."""
    everything = Everything()
    loggers = [logging.getLogger(), *map(logging.getLogger, TALKATIVE)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(1)
    logging.getLogger().addHandler(everything)
    yield everything.lines
    logging.getLogger().removeHandler(everything)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def _connection() -> dict[str, Any]:
    return {
        "id": 311, "state": "wrongpass", "error_message": f"{MESSAGE} https://bank.example/?c={CODE}",
        "last_update": "2026-03-16 05:00:00", "connector": {"name": NAME}, "sources": [],
    }  # fmt: skip


def _good(asked: Asked) -> Answer:
    last = asked.path.rpartition("/")[2]
    row = {"id": 1, "id_account": 1801, "date": "x", "value": int(AMOUNT), "original_wording": LABEL}
    account = {"id": 1801, "name": NAME, "iban": IBAN, "balance": f"{AMOUNT}.001", "currency": "EUR"}
    answers: dict[str, object] = {
        "init": {"auth_token": TOKEN, "type": "permanent", "id_user": 6120},
        "renew": {"access_token": TOKEN},
        "code": {"code": CODE},
        "connections": {"connections": [_connection()]},
        "accounts": {"accounts": [account]},
        "transactions": {"transactions": [row, {"id": LABEL}, LABEL]},
        "connectors": {"connectors": [{"name": LABEL}]},
        "311": _connection(),
    }
    return answer_json(answers[last])


def _failing() -> Script:
    """Send all that was asked back in the middle of failures, one kind after the other."""
    kinds = itertools.cycle(range(9))

    def script(asked: Asked) -> Answer:
        echo = f"{asked.target} {dict(asked.headers)} {asked.body.decode()} {LABEL} {IBAN}"
        answers: list[Answer] = [
            error("wrongpass", 400, message=echo),
            html(503),
            answer(echo.encode()[:30], headers={"Content-Encoding": "gzip"}),
            error("unauthorized", 401, message=echo),
            answer(json.dumps([echo]).encode(), headers={"Set-Cookie": f"token={TOKEN}"}),
            error(LABEL, 500, description=echo, request_id=IBAN),
            answer(echo.encode(), kind="text/plain"),
            answer(b"", status=302, headers={"Location": f"https://evil.example/?token={TOKEN}"}),
            f"HTTP/1.1 {echo}\r\n\r\n".encode(),
        ]
        return answers[next(kinds)]

    return script


async def _everything_a_program_asks(b: Bench) -> list[object]:
    """Ask everything, and return what came."""
    p = b.provider
    back = "http://127.0.0.1:47611/callback"
    outcomes: list[object] = [
        await p.link_url(redirect_uri=back, state=STATE, language="fr", connector_id=None),
        await p.renew_url("311", redirect_uri=back, state=STATE, language="fr", reset=False),
        await p.connectors("FR"),
        await p.connections(),
        await p.accounts("311"),
        await p.refresh("311", attended=True),
    ]
    async for page in p.transactions("311", since="2026-01-01 00:00:00", oldest=date(2023, 1, 1)):
        outcomes.append(page)
        if hasattr(page, "decode"):
            outcomes.append(page.decode({1801: 2}).problems)
    outcomes.append(await p.unlink("311"))
    p.read_callback(f"{back}?state={STATE}&code={CODE}", STATE)
    return outcomes


@pytest.mark.parametrize("user", [True, False])
async def test_nothing_of_the_person_is_logged_when_all_goes_well(
    bench: Benches, logged: list[str], *, user: bool
) -> None:
    async with bench.before(_good, user=user) as b:
        await _everything_a_program_asks(b)

    assert b.provider.requests >= 9
    assert [line for line in logged for secret in SECRETS if secret in line] == []


async def test_nothing_of_the_person_is_logged_when_all_goes_wrong(bench: Benches, logged: list[str]) -> None:
    async with bench.before(_failing()) as b:
        for _ in range(3):
            await _everything_a_program_asks(b)
            b.tokens.put(user_token_name(b.settings), json.dumps({"token": TOKEN, "id_user": 1}))

    assert any(line.startswith("obdesk.providers.powens.client") for line in logged)
    assert [line for line in logged for secret in SECRETS if secret in line] == []


async def test_pages_and_failures_show_no_payload_when_they_are_printed(bench: Benches) -> None:
    async with bench.before(_good) as b:
        async for page in b.provider.transactions("311", since=None, oldest=date(2023, 1, 1)):
            assert LABEL not in repr(page)
            if hasattr(page, "decode"):
                problems = page.decode({1801: 2}).problems
                assert len(problems) == 3
                assert LABEL not in repr(problems)
                assert AMOUNT not in repr(problems)


def test_the_headers_of_http2_are_not_logged_either(logged: list[str]) -> None:
    quieten_http_logs()

    hpack.Encoder().encode([("authorization", f"Bearer {TOKEN}")])

    assert [line for line in logged if TOKEN in line] == []
