from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.simulator.switches import Switches

if TYPE_CHECKING:
    from tests.simulator.person import Client


def test_the_clock_moves_freezes_and_never_goes_back(client: Client) -> None:
    client.advance(hours=1)
    assert client.control("GET", "/clock") == {"now": "2026-02-03T09:00:00+00:00", "frozen": True}
    client.control("POST", "/clock", {"now": "2026-03-01T00:00:00Z"})
    assert client.control("GET", "/clock")["now"] == "2026-03-01T00:00:00+00:00"
    back = client.http.post(f"{client.simulator.control_url}/clock", json={"now": "2026-01-01T00:00:00Z"})
    assert back.status_code == 400
    assert client.control("POST", "/clock", {"frozen": False})["frozen"] is False


def test_every_switch_says_what_it_means(client: Client) -> None:
    listed = client.control("GET", "/switches")["switches"]
    assert len(listed) == len(Switches().table()) > 50
    assert all(item["meaning"] for item in listed)
    assert len({item["name"] for item in listed}) == len(listed)


def test_switches_change_together_or_not_at_all(client: Client) -> None:
    address = f"{client.simulator.control_url}/switches"
    refused = client.http.post(address, json={"naive_zone": "UTC", "sync_mode": "sideways"})
    assert refused.status_code == 400
    assert client.simulator.switches.naive_zone == "Europe/Paris"
    assert client.http.post(address, json={"no_such": 1}).status_code == 400
    assert client.http.post(address, json={"otp_code": 12}).status_code == 400


def test_rows_can_be_put_at_the_bank_in_so_many_words(me: Client) -> None:
    connection = me.add("Harbour")
    account = next(
        item for item in me.get("/users/me/accounts")["accounts"] if item["currency"]["id"] == "JPY"
    )
    row = {
        "wording": "TEA {HOUSE}",
        "value": "-1200",
        "date": "2026-02-01",
        "rdate": "2026-01-31",
        "type": "card",
    }
    added = me.control("POST", f"/accounts/{account['id']}/transactions", {"rows": [row]})["added"]

    shown = me.get(f"/users/me/transactions/{added[0]}")
    assert (shown["value"], shown["date"], shown["rdate"]) == (-1200, "2026-02-01", "2026-01-31")
    assert shown["original_wording"] == "TEA (HOUSE)"
    later = {"rows": [row], "sync": False}
    assert me.control("POST", f"/accounts/{account['id']}/transactions", later)["added"] == []
    me.put(f"/users/me/connections/{connection}")
    assert len(me.rows(wording="tea (house)")) == 2
    fine = me.http.post(
        f"{me.simulator.control_url}/accounts/{account['id']}/transactions", json={"rows": [{"value": "0.5"}]}
    )
    assert "finer than the currency" in fine.json()["error"]


def test_fifty_new_rows_at_once(me: Client) -> None:
    me.add("Ruche")
    account = me.get("/users/me/accounts")["accounts"][0]["id"]
    total = me.get("/users/me/transactions", limit=1)["total"]
    assert len(me.control("POST", f"/accounts/{account}/transactions", {"count": 50})["added"]) == 50
    assert me.get("/users/me/transactions", limit=1)["total"] == total + 50


def test_pending_rows_book_on_demand(me: Client) -> None:
    me.add("Ruche")
    account = me.get("/users/me/accounts")["accounts"][0]["id"]
    me.control("POST", f"/accounts/{account}/transactions", {"count": 3, "pending": True})
    assert me.control("POST", f"/accounts/{account}/book")["booked"] >= 3
    assert not [row for row in me.rows() if row["coming"]]
    me.advance(days=6)
    assert len({row["id"] for row in me.rows()}) == len(me.rows())


def test_a_consent_can_be_ended(me: Client) -> None:
    connection = me.add("Ruche")
    me.control("POST", f"/connections/{connection}/consent", {"expires_in_s": 0})
    assert me.get(f"/users/me/connections/{connection}")["state"] is None
    assert me.control("POST", f"/connections/{connection}/sync")["state"] == "SCARequired"


def test_a_refresh_with_the_person_there_finds_something_new_now_and_then(me: Client) -> None:
    connection = me.add("Ruche")
    me.switch(refresh_adds_rows=True)
    totals = []
    for _ in range(8):
        me.advance(seconds=30)
        me.put(f"/users/me/connections/{connection}")
        totals.append(me.get("/users/me/transactions", limit=1)["total"])
    assert len(set(totals)) > 4
    me.put(f"/users/me/connections/{connection}")
    assert me.get("/users/me/transactions", limit=1)["total"] == totals[-1]
    me.advance(seconds=30)
    me.put(f"/users/me/connections/{connection}?psu_requested=false")
    assert me.get("/users/me/transactions", limit=1)["total"] == totals[-1]


def test_a_scenario_runs_now_and_later(me: Client) -> None:
    me.add("Ruche")
    steps = [
        {"path": "/switches", "body": {"total_present": False}},
        {"at_s": 600, "path": "/connections/311/state", "body": {"state": "SCARequired"}},
        {"at_s": 900, "path": "/connections/999/state", "body": {"state": None}},
    ]
    me.control("POST", "/scenario", steps)
    assert "total" not in me.get("/users/me/connections")
    me.advance(seconds=599)
    assert me.get("/users/me/connections/311")["state"] is None
    me.advance(seconds=400)
    assert me.get("/users/me/connections/311")["state"] == "SCARequired"


def test_the_truth_shows_what_the_api_hides(me: Client) -> None:
    connection = me.add("Ruche")
    account = me.get("/users/me/accounts")["accounts"][0]
    row = me.get("/users/me/transactions", limit=1)["transactions"][0]
    me.control("POST", f"/transactions/{row['id']}", {"deleted": True})
    me.put(f"/users/me/accounts/{account['id']}", {"disabled": True})

    truth = me.control("GET", f"/truth?user={me.id_user}")["users"][0]
    shown = {item["id"]: item for item in truth["connections"][0]["accounts"]}
    assert truth["connections"][0]["id"] == connection
    assert shown[account["id"]]["disabled"]
    assert me.control("GET", "/truth?user=1")["users"] == []


def test_unknown_calls_are_refused_with_a_reason(client: Client) -> None:
    response = client.http.post(f"{client.simulator.control_url}/nowhere", json={})
    assert response.status_code == 404
    assert "POST /nowhere" in response.json()["error"]
    assert client.http.post(f"{client.simulator.control_url}/clock", content=b"{").status_code == 400
    assert "POST /clock" in client.control("GET", "")["calls"]


def test_the_service_may_drop_a_connection(me: Client) -> None:
    connection = me.add("Ruche")
    me.control("DELETE", f"/connections/{connection}")
    assert me.get("/users/me/connections")["connections"] == []


def test_trouble_of_one_source_leaves_most_accounts_fresh(me: Client) -> None:
    connection = me.add("Harbour")
    me.switch(auto_sync=False)
    me.advance(days=2)
    me.control("POST", f"/connections/{connection}/state", {"state": "bug", "partial": True})
    failed = me.get(f"/users/me/connections/{connection}")

    assert (failed["state"], failed["last_update"]) == ("bug", "2026-02-03 09:00:00")
    stamps = [account["last_update"] for account in me.get("/users/me/accounts")["accounts"]]
    assert stamps == ["2026-02-05 09:00:00", "2026-02-05 09:00:00", "2026-02-03 09:00:00"]


def test_a_row_can_come_back_under_another_id(me: Client) -> None:
    me.add("Ruche")
    row = me.get("/users/me/transactions", limit=1, offset=9)["transactions"][0]
    again = me.control("POST", f"/transactions/{row['id']}", {"renumber": True})

    assert again["id"] != row["id"]
    assert (again["value"], again["original_wording"]) == (row["value"], row["original_wording"])
    assert me.get(f"/users/me/transactions/{row['id']}?all")["deleted"]
    assert row["id"] not in {item["id"] for item in me.rows()}


def test_a_bank_may_change_what_it_says_about_an_account(me: Client) -> None:
    me.add("Ruche")
    account = me.get("/users/me/accounts")["accounts"][0]
    facts = {"currency": "CHF", "iban": "CH9300762011623852957", "type": "teleport", "off": "-10.50"}
    me.control("POST", f"/accounts/{account['id']}/facts", facts)

    changed = me.get(f"/users/me/accounts/{account['id']}")
    assert (changed["currency"]["id"], changed["iban"], changed["type"]) == ("CHF", facts["iban"], "teleport")
    assert changed["balance"] == pytest.approx(account["balance"] - 10.5)
    me.control("POST", f"/accounts/{account['id']}/error", {"error": "actionNeeded"})
    assert me.get(f"/users/me/accounts/{account['id']}")["error"] == "actionNeeded"
