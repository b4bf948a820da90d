from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from obdesk.simulator.clock import Clock
from obdesk.simulator.hooks.send import sign
from obdesk.simulator.options import Options
from obdesk.simulator.server import Simulator, running
from tests.simulator.person import Client, Person
from tests.simulator.receiver import receiving

if TYPE_CHECKING:
    from pathlib import Path

    import httpx


def story(seed: int, pool: httpx.Client) -> list[bytes]:
    """Return every answer of one small story, byte for byte."""
    start = datetime(2026, 2, 3, 8, tzinfo=UTC)
    simulator = Simulator(options=Options(seed=seed, history_days=60), clock=Clock(start, frozen=True))
    with running(simulator):
        me = Client(simulator, pool)
        answers = [me.ask("POST", "/auth/init", json=me.credentials()).content]
        me.token = json.loads(answers[0])["auth_token"]
        Person(me).open_for_me().pick("Iroise").log_in().press("approve").take_all_accounts()
        me.advance(days=3)
        paths = ("/connections?expand=sources", "/accounts?all", "/transactions?limit=500", "/investments")
        answers += [me.ask("GET", f"/users/me{path}").content for path in paths]
    port = str(simulator.port).encode()
    return [answer.replace(port, b"PORT") for answer in answers]


def test_the_same_seed_gives_the_same_bytes(pool: httpx.Client) -> None:
    first, second, other = story(11, pool), story(11, pool), story(12, pool)

    assert first == second
    assert first[3] != other[3]


def test_a_deep_page_costs_what_the_first_costs(pool: httpx.Client) -> None:
    options = Options(banks=1, transactions=50_000)
    with running(Simulator(options=options, clock=Clock(frozen=True))) as simulator:
        me = Client(simulator, pool).sign_up()
        Person(me).open_for_me().pick("Iroise").log_in().press("approve").take_all_accounts()
        first = "/users/me/transactions?limit=200&all&filter=date"
        assert me.get(first)["total"] == 50_000
        page = me.get("/users/me/transactions?limit=1&all&filter=date&offset=49000")
        deep = page["_links"]["next"]["href"].replace("limit=1&", "limit=200&")
        assert len(me.get(deep)["transactions"]) == 200

        def best_s(address: str) -> float:
            spans = []
            for _ in range(9):
                began = time.perf_counter()
                me.ask("GET", address)
                spans.append(time.perf_counter() - began)
            return min(spans)

        assert best_s(deep) < 2 * best_s(first)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_where_it_is_and_ends_cleanly(
    tmp_path: Path, number: int, pool: httpx.Client
) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text(json.dumps([{"path": "/switches", "body": {"naive_zone": "UTC"}}]))
    command = [
        sys.executable,
        "-m",
        "obdesk.simulator",
        "--banks",
        "2",
        "--scenario",
        str(scenario),
        "--frozen",
    ]
    with subprocess.Popen([*command, "--start", "2026-02-03T08:00:00"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        assert set(facts) == {"api_url", "webview_url", "domain", "client_id", "client_secret", "control_url"}
        assert facts["api_url"].endswith("/2.0")
        assert pool.get(f"{facts['api_url']}/connectors").json()["total"] == 4
        assert pool.get(f"{facts['control_url']}/clock").json()["now"] == "2026-02-03T08:00:00+00:00"
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
        assert process.stdout.read() == b""


def test_a_bad_scenario_or_a_taken_port_is_said(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text('[{"path": "/nowhere"}]')
    with running(Simulator(options=Options(banks=1))) as simulator:
        for more in (["--scenario", str(scenario)], ["--port", str(simulator.port)]):
            done = subprocess.run(
                [sys.executable, "-m", "obdesk.simulator", *more], capture_output=True, text=True, check=False
            )
            assert done.returncode == 1
            assert done.stderr.count("\n") == 1
            assert "Traceback" not in done.stderr


def test_totals_are_exact_and_spread(pool: httpx.Client) -> None:
    options = Options(banks=2, accounts=9, transactions=4_321)
    with running(Simulator(options=options, clock=Clock(frozen=True))) as simulator:
        me = Client(simulator, pool).sign_up()
        Person(me).open_for_me().pick("Iroise").log_in().press("approve").take_all_accounts()
        Person(me).open_for_me().pick("Armor").log_in().press("otp", code="123456").take_all_accounts()
        assert len(me.get("/users/me/accounts")["accounts"]) == 9
        assert len(me.rows()) == 4_321


def test_many_rows_at_once_are_made_quickly() -> None:
    simulator = Simulator(options=Options(banks=1, transactions=200_000), clock=Clock(frozen=True))
    branch = simulator.world.branches.branch(simulator.world.branches.connectors[3])
    began = time.perf_counter()
    rows = sum(
        1 for statement in branch.statements.values() for _ in statement.booked_until(simulator.world.today)
    )
    assert rows > 199_000
    assert time.perf_counter() - began < 10


def test_fewer_accounts_than_banks_still_hold_every_row(pool: httpx.Client) -> None:
    options = Options(banks=3, accounts=2, transactions=500)
    with running(Simulator(options=options, clock=Clock(frozen=True))) as simulator:
        me = Client(simulator, pool).sign_up()
        Person(me).open_for_me().pick("Iroise").log_in().press("approve").take_all_accounts()
        Person(me).open_for_me().pick("Armor").log_in().press("otp", code="123456").take_all_accounts()
        assert len(me.rows()) == 500


def test_impossible_numbers_are_refused_in_words() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "obdesk.simulator", "--banks", "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "must be at least 1" in done.stderr


def test_webhooks_can_be_asked_for_at_the_start(pool: httpx.Client) -> None:
    with receiving() as receiver:
        options = Options(webhook_url=f"{receiver.url}/v1/hooks/cap", webhook_secret="s", history_days=30)
        with running(Simulator(options=options, clock=Clock(frozen=True))) as simulator:
            Client(simulator, pool).sign_up()
            call = receiver.wait_for(1)[0]
    assert call.path == "/v1/hooks/cap/USER_CREATED"
    date = call.headers["bi-signature-date"]
    assert call.headers["bi-signature"] == sign("s", call.path, date, call.body)
