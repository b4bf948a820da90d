"""What a monitor on this computer is told: only when wanted, only numbers, and only this computer."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from obdesk.app.bootstrap import App, OpenProfile
from obdesk.app.events import Problem
from obdesk.app.metrics import MetricsPortTakenError, MetricsServer
from obdesk.app.profile import profile_of
from obdesk.app.reads import StoreReads
from obdesk.domain.mailbox import MailboxState, Trouble
from obdesk.storage.store import Store
from obdesk.storage.writes import edits, mailbox
from tests.fakes import FrozenClock
from tests.happenings import happened
from tests.seed import KEY, NOW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio
Figures = dict[tuple[str, ...], float]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "s.db", KEY)
    yield opened
    opened.close()


@asynccontextmanager
async def offered(store: Store) -> AsyncIterator[MetricsServer]:
    server = MetricsServer(StoreReads(store, FrozenClock(NOW)))
    await server.start(0)
    try:
        yield server
    finally:
        server.close()


async def asked(
    server: MetricsServer, path: str = "/metrics", *, method: str = "GET", **headers: str
) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(method, f"http://127.0.0.1:{server.port}{path}", headers=headers)


def figures(text: str) -> Figures:
    """Return every sample by its name, its link and its word, as the library's own parser reads them."""
    return {
        (sample.name, *sorted(sample.labels.values(), key=lambda value: not value.isdecimal())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_scrape_says_how_the_relay_is(store: Store) -> None:
    async with offered(store) as server:
        assert figures((await asked(server)).text)["obdesk_relay_set_up",] == 0
        store.write_now(lambda tx: edits.set_setting(tx, "relay.url", "https://relay.example.org"))
        store.write_now(lambda tx: mailbox.begin(tx, "", NOW))
        store.write_now(lambda tx: mailbox.told(tx, 2, NOW, None, NOW))
        store.write_now(lambda tx: mailbox.count(tx, 40, 1))
        answer = (await asked(server)).text
        store.write_now(lambda tx: mailbox.note(tx, MailboxState.UNREACHABLE, Trouble.DOWN, NOW))
        later = figures((await asked(server)).text)

    found = figures(answer)
    told = {
        key[0].removeprefix("obdesk_relay_"): value for key, value in found.items() if "_relay_" in key[0]
    }
    assert told == {
        "set_up": 1,
        "connected": 1,
        "since_timestamp_seconds": NOW.timestamp(),
        "last_answer_timestamp_seconds": NOW.timestamp(),
        "hints": 40,
        "hints_unreadable": 1,
        "syncs_waiting": 0,
        "links_unknown": 0,
        "computers": 2,
        "token_seen": 1,
    }
    assert later["obdesk_relay_connected",] == 0
    assert "example" not in answer, "nor where it is"


async def test_a_scrape_reads_what_was_counted(store: Store) -> None:
    happened(store)
    async with offered(store) as server:
        answer = await asked(server)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = figures(answer.text)
    assert found["obdesk_runs", "2", "retry_later"] == 2
    assert found["obdesk_failures", "2", "bank_down"] == 2
    assert found["obdesk_rows", "1", "new"] == 14
    assert found["obdesk_calls_left", "2"] == 1
    assert found["obdesk_breaker_open", "2"] == 1
    assert found["obdesk_asked_age_seconds", "2"] == 10 * 3600
    assert found["obdesk_last_success_timestamp_seconds", "1"] == NOW.timestamp() - 120
    assert found["obdesk_proofs_broken", "1"] == 1
    assert found["obdesk_queue_depth",] == 1
    assert found["obdesk_queue_oldest_seconds",] == 7200


async def test_no_name_no_iban_and_no_amount_is_told(store: Store) -> None:
    happened(store)
    async with offered(store) as server:
        text = (await asked(server)).text

    for word in ("Port", "Nordic", "Compte", "Livret", "FR76", "api.example", "4600", "152040", "1520"):
        assert word not in text
    labels = {
        (name, value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for name, value in sample.labels.items()
    }
    assert {name for name, _ in labels} == {"connection", "result", "condition", "change", "attended"}
    assert {value for name, value in labels if name == "connection"} == {"1", "2"}


async def test_an_empty_ledger_can_be_scraped(store: Store) -> None:
    async with offered(store) as server:
        found = figures((await asked(server)).text)

    assert found["obdesk_queue_depth",] == 0
    assert found["obdesk_queue_oldest_seconds",] == 0


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("/", "GET", {}, 404),
        ("/metrics", "POST", {}, 405),
        ("/metrics", "DELETE", {}, 405),
        ("/metrics", "GET", {"host": "evil.example"}, 403),
        ("/metrics", "GET", {"origin": "https://evil.example"}, 403),
    ],
)
async def test_nothing_else_is_answered(
    store: Store, path: str, method: str, headers: dict[str, str], status: int
) -> None:
    async with offered(store) as server:
        answer = await asked(server, path, method=method, **headers)

    assert (answer.status_code, answer.text) == (status, "")


async def test_nonsense_is_refused_and_the_next_one_is_answered(store: Store) -> None:
    async with offered(store) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as rude:
            rude.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            answer = await asked(server)

    assert answer.status_code == 200


async def test_it_listens_on_this_computer_only(store: Store) -> None:
    async with offered(store) as server:
        assert server._server is not None
        heard = {each.getsockname()[0] for each in server._server.sockets}

    assert heard == {"127.0.0.1"}


async def test_a_port_that_is_taken_is_told(store: Store) -> None:
    async with offered(store) as server:
        with pytest.raises(MetricsPortTakenError, match="monitor"):
            await MetricsServer(StoreReads(store, FrozenClock(NOW))).start(server.port)


@pytest.mark.parametrize("wanted", ["on", "off"])
async def test_the_application_offers_them_only_when_wanted(tmp_path: Path, wanted: str) -> None:
    port = free_port()
    async with application(tmp_path) as app:
        await app.commands.set_setting("metrics.port", str(port))
        await app.commands.set_setting("metrics.enabled", wanted)
        app.start()
        await settled(app)
        assert answers(port) == (wanted == "on")
    assert not answers(port)


async def test_a_taken_port_is_a_problem_and_nothing_else_stops(tmp_path: Path) -> None:
    told: list[object] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with application(tmp_path) as app:
            app.bus.listen(told.append)
            await app.commands.set_setting("metrics.port", str(taken.getsockname()[1]))
            await app.commands.set_setting("metrics.enabled", "on")
            app.start()
            await settled(app)

    (error,) = [event.error for event in told if isinstance(event, Problem)]
    assert isinstance(error, MetricsPortTakenError)


def test_the_library_is_not_imported_before_it_is_wanted() -> None:
    code = (
        "import sys, obdesk.app.bootstrap, obdesk.app.commands, obdesk.app.background, obdesk.app.reads\n"
        "print('prometheus_client' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def application(folder: Path) -> AsyncIterator[App]:
    profile = profile_of(folder / "data")
    profile.prepare()
    opened = OpenProfile(profile, Store.open(profile.database, KEY), None)
    async with App(opened, clock=FrozenClock(NOW), who="obdesk test") as app:
        yield app


async def settled(app: App) -> None:
    """Wait until what the start began has ended."""
    await asyncio.wait(set(app.work._tasks), timeout=10)
