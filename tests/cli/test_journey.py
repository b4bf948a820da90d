"""From an empty folder to a CSV file, with a real aggregator on loopback and a real encrypted profile."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from obdesk.app.clock import SystemClock
from obdesk.app.locks import sync_lock
from obdesk.cli.frontends import Place
from obdesk.storage.queries.export import COLUMNS
from tests.cli.conftest import BANK, CommandLine, Ended, configure
from tests.cli.visitor import Visitor

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from obdesk.simulator.server import Simulator

INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
AMOUNT = re.compile(r"-?\d+\.\d{2}")


def rows(obdesk: CommandLine, *arguments: str) -> list[dict[str, Any]]:
    """Return transactions as a script reads them."""
    ended = obdesk("transactions", "--json", "--limit", "100000", *arguments)
    assert (ended.code, ended.err) == (0, "")
    document = ended.json()
    assert document["count"] == len(document["transactions"])
    found: list[dict[str, Any]] = document["transactions"]
    return found


def sync(obdesk: CommandLine, simulator: Simulator, *arguments: str) -> Ended:
    """Sync a while after the last time: a bank tells to the second when it was read."""
    simulator.clock.advance(2)
    return obdesk("sync", *arguments)


def first_connection(simulator: Simulator) -> dict[str, Any]:
    """Return what the aggregator knows of the link."""
    truth = simulator.control.run("GET", "/truth")
    return next(each for user in truth["users"] for each in user["connections"])


def test_accounts_are_listed_for_people_and_for_programs(linked: CommandLine) -> None:
    people, programs = linked("accounts"), linked("accounts", "--json").json()["accounts"]

    assert people.code == 0
    assert len(people.out.splitlines()) == 1 + len(programs)
    assert len(programs) >= 2
    for account in programs:
        assert list(account) == [
            "id", "connection_id", "bank", "name", "kind", "state", "iban", "number", "balance", "coming",
            "currency", "in_net_worth", "important", "asked_at", "data_as_of", "freshness",
        ]  # fmt: skip
        assert account["bank"] == BANK
        assert account["freshness"] == "fresh"
        assert AMOUNT.fullmatch(account["balance"])
        assert INSTANT.fullmatch(account["asked_at"])
        assert INSTANT.fullmatch(account["data_as_of"])
        assert f"{account['balance']} {account['currency']}" in people.out


def test_transactions_are_those_of_the_bank(linked: CommandLine, simulator: Simulator) -> None:
    found = rows(linked)
    accounts = {account["id"]: account for account in linked("accounts", "--json").json()["accounts"]}
    truth = {
        str(row["id"]): row
        for account in first_connection(simulator)["accounts"]
        for row in account["transactions"]
        if not row["deleted"]
    }

    assert {row["provider_ids"][0] for row in found} == set(truth)
    for row in found:
        assert list(row) == [
            "id", "account_id", "account_iban", "state", "date", "amount", "currency", "label", "payee",
            "category", "note", "provider_ids",
        ]  # fmt: skip
        assert row["account_iban"] == accounts[row["account_id"]]["iban"]
        bank = truth[row["provider_ids"][0]]
        assert row["state"] == ("pending" if bank["coming"] else "booked")
        if bank["value"] is not None:
            assert Decimal(row["amount"]) == Decimal(str(bank["value"]))
    assert [row["date"] for row in found if row["state"] == "booked"] == sorted(
        (row["date"] for row in found if row["state"] == "booked"), reverse=True
    )


def test_options_choose_transactions(linked: CommandLine) -> None:
    everything = rows(linked)
    days = sorted({row["date"] for row in everything})
    middle = days[len(days) // 2]
    account = everything[-1]["account_id"]
    word = everything[0]["payee"].split()[0]

    assert {row["id"] for row in rows(linked, "--from", middle)} == {
        row["id"] for row in everything if row["date"] >= middle
    }
    assert {row["id"] for row in rows(linked, "--to", middle, "--account", str(account))} == {
        row["id"] for row in everything if row["date"] <= middle and row["account_id"] == account
    }
    assert everything[0]["id"] in {row["id"] for row in rows(linked, "--search", word)}
    assert rows(linked, "--search", "no bank ever wrote this") == []
    few = linked("transactions", "--json", "--limit", "3").json()
    assert (few["count"], few["more"]) == (3, True)
    assert "--limit" in linked("transactions", "--limit", "3").err


def test_a_second_sync_brings_nothing_and_says_so(linked: CommandLine, simulator: Simulator) -> None:
    sync(linked, simulator)
    count = len(rows(linked))

    ended = sync(linked, simulator, "--json")

    assert (ended.code, ended.err) == (0, "")
    document = ended.json()
    assert list(document) == [
        "outcome", "new", "updated", "removed", "unchanged", "problems", "requests", "duration_s",
        "connections",
    ]  # fmt: skip
    assert (document["outcome"], document["new"], document["updated"], document["removed"]) == (
        "unchanged", 0, 0, 0,
    )  # fmt: skip
    assert document["requests"] > 0
    (bank,) = document["connections"]
    assert (bank["bank"], bank["outcome"], bank["error"]) == (BANK, "unchanged", None)
    assert len(rows(linked)) == count
    assert "nothing new" in sync(linked, simulator).out


def test_a_sync_counts_what_is_new(linked: CommandLine, simulator: Simulator) -> None:
    account = next(each for each in first_connection(simulator)["accounts"] if each["type"] == "checking")
    spent = [{"wording": "CARTE LIBRAIRIE", "value": "-12.30"}, {"wording": "CARTE CAFE", "value": "-2.70"}]
    simulator.control.run("POST", f"/accounts/{account['id']}/transactions", {"rows": spent})

    document = sync(linked, simulator, "--json").json()

    assert (document["outcome"], document["new"]) == ("updated", 2)
    assert [row["amount"] for row in rows(linked, "--search", "librairie amount:12.30")] == ["-12.30"]


def test_what_a_person_writes_outlives_a_sync(linked: CommandLine, simulator: Simulator) -> None:
    target = str(rows(linked)[0]["id"])

    assert linked("edit", target, "--note", "for Anna's birthday", "--category", "Gifts").code == 0
    sync(linked, simulator)

    (row,) = [row for row in rows(linked) if str(row["id"]) == target]
    assert (row["note"], row["category"]) == ("for Anna's birthday", "Gifts")
    unknown = linked("edit", "999999", "--note", "x")
    assert (unknown.code, unknown.problem()[0]) == (1, "That does not exist")


def test_an_export_holds_what_the_list_shows(linked: CommandLine, tmp_path: Path) -> None:
    out = tmp_path / "all.csv"

    to_file = linked("export", "csv", "--out", str(out))
    to_stream = linked("export", "csv", "--out", "-", "--bom")

    assert (to_file.code, to_file.out) == (0, "")
    assert to_file.err == f"{len(rows(linked))} rows written. {out}\n"
    assert to_stream.out == "\ufeff" + out.read_bytes().decode()
    read = list(csv.DictReader(io.StringIO(out.read_bytes().decode(), newline="")))
    assert tuple(read[0]) == COLUMNS
    listed = rows(linked)
    assert [row["id"] for row in read] == [str(row["id"]) for row in listed]
    assert sum(Decimal(row["amount"] or 0) for row in read) == sum(
        Decimal(row["amount"] or 0) for row in listed
    )
    one_day = listed[-1]["date"]
    part = linked("export", "csv", "--out", "-", "--from", one_day, "--to", one_day)
    assert part.out.count("\r\n") == 1 + len(rows(linked, "--from", one_day, "--to", one_day))


def test_an_export_that_cannot_be_written_says_why(linked: CommandLine, tmp_path: Path) -> None:
    ended = linked("export", "csv", "--out", str(tmp_path / "no" / "all.csv"))

    assert ended.code == 1
    assert "does not exist" in ended.problem()[1]


def test_status_names_the_cause_and_the_command_that_mends_it(
    linked: CommandLine, simulator: Simulator
) -> None:
    state = f"/connections/{first_connection(simulator)['id']}/state"
    simulator.control.run("POST", state, {"state": "wrongpass"})
    try:
        synced = sync(linked, simulator, "--json")
        status = linked("status")
        accounts = linked("status", "--json").json()["accounts"]
        (connection,) = linked("connections", "--json").json()["connections"]
    finally:
        simulator.control.run("POST", state, {"state": None})
        assert sync(linked, simulator).code == 0

    assert synced.code == 4
    assert synced.json()["outcome"] == "failed"
    error = synced.json()["connections"][0]["error"]
    assert list(error) == [
        "condition", "title", "cause", "side", "heals_alone", "next_step", "action",
        "next_run_at",
    ]  # fmt: skip
    assert not error["heals_alone"]
    assert error["next_run_at"] is None, "it waits for its person"
    for account in accounts:
        assert account["freshness"] == "needs_you"
        assert account["error"]["side"] == "you"
        assert account["error"]["action"] == "renew"
        assert account["balance"] is not None, "the last known balance stays"
    assert connection["needs_you"]
    assert error["title"] in status.out
    assert f"Run: obdesk link --renew {connection['id']}" in status.out
    assert linked("status", "--json").json()["accounts"][0]["error"] is None


def test_what_heals_alone_says_when_it_is_tried_again(linked: CommandLine, simulator: Simulator) -> None:
    state = f"/connections/{first_connection(simulator)['id']}/state"
    simulator.control.run("POST", state, {"state": "websiteUnavailable"})
    try:
        people = sync(linked, simulator)
        told = linked("connections", "--json").json()["connections"][0]["next_run_at"]
        status = linked("status", "--json").json()["accounts"][0]["error"]
        synced = sync(linked, simulator, "--json").json()["connections"][0]["error"]
        later = linked("connections", "--json").json()["connections"][0]["next_run_at"]
    finally:
        simulator.control.run("POST", state, {"state": None})
        assert sync(linked, simulator).code == 0

    assert INSTANT.fullmatch(told)
    here = datetime.fromisoformat(told).astimezone().strftime("%Y-%m-%d %H:%M")
    assert f"We try again by ourselves, next at {here}." in people.out
    assert status["next_run_at"] == told
    assert synced["next_run_at"] == later
    assert synced["next_step"] == f"We try again by ourselves, next at {later}."


def test_connections_are_listed(linked: CommandLine) -> None:
    (connection,) = linked("connections", "--json").json()["connections"]
    people = linked("connections")

    assert list(connection) == [
        "id", "bank", "provider", "provider_id", "condition", "needs_you", "paused", "accounts", "asked_at",
        "data_as_of", "freshness", "consent_expires_at", "next_run_at", "budget", "error",
        "missing_days", "last_runs",
    ]  # fmt: skip
    assert connection["bank"] == BANK
    assert connection["budget"] == {"left": 4, "of": 4, "resets_at": None}
    assert "4 of 4" in people.out
    assert connection["last_runs"][0]["result"] in {"unchanged", "updated"}
    assert BANK in people.out


def test_while_another_process_syncs_reads_work_and_a_sync_says_who(linked: CommandLine) -> None:
    lock = Place(linked.folder).resolved().sync_lock

    with sync_lock(lock, SystemClock(), "the window"):
        ended = linked("sync")
        listed = linked("accounts")

    assert ended.code == 1
    title, cause, _ = ended.problem()
    assert title == "A sync is already running"
    assert cause.startswith("the window (process ")
    assert listed.code == 0


def test_a_link_that_is_cancelled_ends_in_a_sentence(linked: CommandLine) -> None:
    with linked.child("link", "--open-url-only") as process:
        assert process.stdout is not None
        Visitor().cancel(process.stdout.readline().strip())
        _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert err.splitlines()[-3:] == [
        "Nothing was linked",
        "You cancelled. Nothing was linked.",
        "Your data is as it was. Start again with: obdesk link",
    ]
    assert len(linked("connections", "--json").json()["connections"]) == 1


def test_a_renewal_that_nobody_makes_is_not_said_to_be_made(
    linked: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obdesk.cli.linking._ASK_EVERY_S", 0.02)
    monkeypatch.setattr("obdesk.cli.linking.WAIT_S", 0.5)
    (connection,) = linked("connections", "--json").json()["connections"]
    assert connection["condition"] == "ok"

    ended = linked("link", "--renew", str(connection["id"]), "--open-url-only")

    assert ended.code == 1
    assert "is renewed" not in ended.out
    again = f"obdesk link --renew {connection['id']}"
    assert ended.err.splitlines()[-3:] == [
        "Access was not renewed",
        "Nobody came back from the bank's page in time.",
        f"If you finished at the bank, the next sync shows it. Otherwise start again with: {again}",
    ]


def test_a_renewal_made_before_the_consent_ends_is_told(linked: CommandLine) -> None:
    with linked.child("link", "--renew", "1", "--open-url-only") as process:
        assert process.stdout is not None
        Visitor().link(process.stdout.readline().strip(), BANK)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, "is renewed" in out) == (0, True), err


def test_a_passphrase_that_is_wrong_opens_nothing(
    linked: CommandLine, tmp_path: Path, monkeypatch: Any
) -> None:
    other = tmp_path / "passphrase"
    other.write_text("not the one it was made with\n")
    other.chmod(0o600)
    monkeypatch.setenv("OBDESK_PASSPHRASE_FILE", str(other))

    ended = linked("accounts")

    assert (ended.code, ended.out) == (1, "")
    assert ended.problem()[0] == "The passphrase is wrong"


def test_without_a_keyring_and_a_passphrase_nothing_is_made(
    obdesk: CommandLine, simulator: Simulator, monkeypatch: Any
) -> None:
    monkeypatch.delenv("OBDESK_PASSPHRASE_FILE")

    ended = configure(obdesk, simulator)

    assert ended.code == 1
    assert ended.problem()[0] == "No keyring was found"
    assert "OBDESK_PASSPHRASE_FILE" in ended.problem()[2]
    assert not list(obdesk.folder.rglob("*.db"))


def test_settings_that_cannot_be_right_are_refused_before_anything_is_sent(obdesk: CommandLine) -> None:
    ended = obdesk(
        "configure", "powens", "--api-url", "http://acme.example/2.0", "--webview-url", "https://w.example",
        "--domain", "acme", "--client-id", "7", "--client-secret-stdin", stdin="a secret\n",
    )  # fmt: skip

    assert ended.code == 1
    assert "https://" in ended.problem()[1]
    assert "a secret" not in ended.out + ended.err


def test_the_secret_is_asked_for_not_taken_from_nowhere(obdesk: CommandLine) -> None:
    ended = obdesk(
        "configure", "powens", "--api-url", "https://acme.example/2.0", "--webview-url", "https://w.example",
        "--domain", "acme", "--client-id", "7", "--client-secret-stdin",
    )  # fmt: skip

    assert ended.code == 2
    assert "no client secret" in ended.problem()[1]
