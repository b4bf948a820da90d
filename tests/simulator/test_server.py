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


def told(*arguments: str) -> tuple[int, list[str]]:
    """Run the simulator with arguments it must refuse; return its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "obdesk.simulator", *arguments], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


def test_a_port_in_use_is_said_clearly() -> None:
    with running(Simulator(options=Options(banks=1))) as simulator:
        code, lines = told("--port", str(simulator.port))

    assert code == 1
    assert lines == [
        f"The port {simulator.port} is in use",
        f"Another program on this computer already listens on 127.0.0.1, port {simulator.port}.",
        "End that program, choose another --port, or leave --port out to get a free one.",
    ]


def test_an_address_that_is_not_ours_is_said() -> None:
    code, (title, _, what_to_do) = told("--host", "192.0.2.1", "--port", "4711")

    assert code == 1
    assert title == "The simulator cannot listen on 192.0.2.1, port 4711"
    assert "--host" in what_to_do


def test_a_scenario_that_is_not_there_is_said(tmp_path: Path) -> None:
    code, lines = told("--scenario", str(tmp_path / "none.json"))

    assert code == 1
    assert lines == [
        f"The scenario {tmp_path / 'none.json'} cannot be read",
        "No such file or directory.",
        "Nothing was started. Name a JSON file that exists and that you may read.",
    ]


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ('[{"path": "/nowhere"}]', "/nowhere"),
        ('{"path": "/clock"}', "JSON list of control calls"),
        ("[", "line 1 column 2"),
    ],
)
def test_a_scenario_that_cannot_be_played_is_said(tmp_path: Path, written: str, cause: str) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text(written)

    code, (title, why, what_to_do) = told("--scenario", str(scenario))

    assert code == 1
    assert title == f"The scenario {scenario} cannot be played"
    assert cause in why
    assert "Correct the file" in what_to_do


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


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["--banks", "0"], "Argument --banks: must be at least 1."),
        (["--banks", "two"], "Argument --banks: 'two' is not a whole number."),
        (["--port", "65536"], "Argument --port: must be between 0 and 65535."),
        (["--port", "-1"], "Argument --port: must be between 0 and 65535."),
        (["--port", "99999999999999999999"], "Argument --port: must be between 0 and 65535."),
        (["--start", "soon"], "Argument --start: 'soon' is not an instant such as 2026-02-03T08:00:00."),
        (["--haste"], "Unrecognized arguments: --haste."),
    ],
)
def test_what_cannot_be_meant_is_refused_in_three_lines(arguments: list[str], cause: str) -> None:
    assert told(*arguments) == (
        2,
        ["The command was not understood", cause, "Nothing was done. See: obdesk simulate --help"],
    )


def test_the_help_speaks_of_the_command_a_person_typed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "obdesk.simulator", "--help"], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("usage: obdesk simulate ")
    assert "python -m" not in done.stdout
    assert "invented banks" in done.stdout


def test_webhooks_can_be_asked_for_at_the_start(pool: httpx.Client) -> None:
    with receiving() as receiver:
        options = Options(webhook_url=f"{receiver.url}/v1/hooks/cap", webhook_secret="s", history_days=30)
        with running(Simulator(options=options, clock=Clock(frozen=True))) as simulator:
            Client(simulator, pool).sign_up()
            call = receiver.wait_for(1)[0]
    assert call.path == "/v1/hooks/cap/USER_CREATED"
    date = call.headers["bi-signature-date"]
    assert call.headers["bi-signature"] == sign("s", call.path, date, call.body)
