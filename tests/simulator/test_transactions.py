from __future__ import annotations

from base64 import b64decode
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.simulator.person import Client


def order(row: dict[str, Any], field: str) -> tuple[str, int]:
    return (row[field], -row["id"])


def test_a_limit_is_required_and_bounded(me: Client) -> None:
    me.add()
    missing = me.ask("GET", "/users/me/transactions")
    assert (missing.status_code, missing.json()["code"]) == (400, "missingParameter")
    assert me.ask("GET", "/users/me/transactions?limit=1001").json()["code"] == "invalidValue"
    me.switch(limit_required=False, default_limit=7)
    assert len(me.get("/users/me/transactions")["transactions"]) == 7


def test_links_are_absolute_and_the_cursor_has_the_documented_shape(me: Client) -> None:
    me.add()
    page = me.get("/users/me/transactions", limit=2, min_date="2026-01-01", filter="date")

    assert page["_links"]["prev"] is None
    following = page["_links"]["next"]["href"]
    assert following.startswith(f"{me.simulator.api_url}/users/me/transactions?")
    asked = parse_qs(urlsplit(following).query)
    assert (asked["min_date"], asked["limit"]) == (["2026-01-01"], ["2"])
    last = page["transactions"][-1]
    cursor = b64decode(asked["cursor"][0]).decode()
    assert cursor == f'[{{"op": "lt", "value": "{last["date"]}"}}, {{"op": "gt", "value": {last["id"]}}}]'
    assert page["result_max_date"] == page["transactions"][0]["date"]
    assert me.ask("GET", "/users/me/transactions?limit=2&cursor=zzz").json()["code"] == "invalidValue"


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 400), by_date=st.booleans(), everything=st.booleans())
def test_walking_the_pages_meets_each_row_once_in_order(
    me: Client, limit: int, *, by_date: bool, everything: bool
) -> None:
    if not me.get("/users/me/connections")["connections"]:
        me.add("Harbour")
        me.add("Ruche")
        for row in me.get("/users/me/transactions", limit=5, offset=11)["transactions"]:
            me.control("POST", f"/transactions/{row['id']}", {"deleted": True})
    field = "date" if by_date else "application_date"
    params = {"filter": field, "limit": max(limit, 20)} | ({"all": ""} if everything else {})
    rows = me.rows(**params)

    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)) == me.get("/users/me/transactions", **params)["total"]
    assert rows == sorted(rows, key=lambda row: order(row, field), reverse=True)
    assert any(row["deleted"] for row in rows) == everything


def test_walking_back_meets_the_same_pages(me: Client) -> None:
    me.add()
    pages = [me.get("/users/me/transactions", limit=23)]
    for _ in range(3):
        pages.append(me.get(pages[-1]["_links"]["next"]["href"]))
    back = pages[-1]
    for page in reversed(pages[:-1]):
        back = me.get(back["_links"]["prev"]["href"])
        assert back["transactions"] == page["transactions"]
    assert back["_links"]["prev"] is None


def test_offset_and_limit_cut_the_same_list(me: Client) -> None:
    me.add()
    rows = me.rows()
    assert me.get("/users/me/transactions", limit=10, offset=37)["transactions"] == rows[37:47]


def test_rows_inserted_between_pages_do_not_shift_the_cursor(me: Client) -> None:
    me.add("Ruche")
    before = [row["id"] for row in me.rows()]
    me.control(
        "POST", "/faults", {"route": "GET /2.0/users/me/transactions", "kind": "page_shift", "times": None}
    )
    assert [row["id"] for row in me.rows(limit=50)] == before
    me.control("DELETE", "/faults")
    assert len(me.rows()) > len(before)


def test_dates_bound_inclusively_on_the_chosen_field(me: Client) -> None:
    me.add()
    rows = me.rows(filter="date")
    inside = me.rows(filter="date", min_date="2026-01-10", max_date="2026-01-20")
    assert [row["id"] for row in inside] == [
        row["id"] for row in rows if "2026-01-10" <= row["date"] <= "2026-01-20"
    ]
    month = me.rows(filter="date", min_date="2025-12", max_date="2025-12")
    assert [row["id"] for row in month] == [row["id"] for row in rows if row["date"].startswith("2025-12")]
    other = me.rows(min_date="2026-01-10", max_date="2026-01-20")
    assert {row["id"] for row in other} != {row["id"] for row in inside}
    me.switch(default_window="last_month")
    assert min(row["application_date"] for row in me.rows()) == "2026-01-04"


def test_filters(me: Client) -> None:
    me.add("Ruche")
    rows = me.rows()

    def ids(**params: Any) -> set[int]:
        return {row["id"] for row in me.rows(**params)}

    assert ids(income="true") == {row["id"] for row in rows if (row["value"] or 0) > 0}
    assert ids(wording="biocoop") == {row["id"] for row in rows if "BIOCOOP" in row["original_wording"]}
    assert ids(min_value="-20", max_value="-10") == {
        row["id"] for row in rows if row["value"] and -20 <= row["value"] <= -10
    }
    some = next(row for row in rows if row["value"] is not None and not row["coming"])
    assert some["id"] in ids(value=f"±{abs(some['value'])}")
    assert some["id"] in ids(value=f"1|{some['value']}")
    assert some["id"] in ids(search=some["date"])
    assert me.ask("GET", "/users/me/transactions?limit=1&min_value=NaN").json()["code"] == "invalidValue"


def test_the_cursor_by_last_update_is_strict(me: Client) -> None:
    connection = me.add()
    everything = me.rows(all="")
    assert {row["last_update"] for row in everything} == {"2026-02-03 09:00:00"}
    assert me.rows(last_update="2026-02-03 09:00:00") == []
    assert len(me.rows(last_update="2026-02-03 08:59:59")) == len(everything)
    assert len(me.rows(last_update="2026-02-03T07:59:59Z")) == len(everything)

    me.switch(auto_sync=False)
    me.advance(days=4)
    me.put(f"/users/me/connections/{connection}")
    fresh = me.rows(last_update="2026-02-03 09:00:00", all="")
    assert 0 < len(fresh) < 60
    assert {row["last_update"] for row in fresh} == {"2026-02-07 09:00:00"}


def test_deleted_rows_show_only_when_asked_for_and_can_come_back(me: Client) -> None:
    me.add()
    row = me.get("/users/me/transactions", limit=1, offset=9)["transactions"][0]
    total = me.get("/users/me/transactions", limit=1)["total"]
    balance = me.get(f"/users/me/accounts/{row['id_account']}")["balance"]
    me.advance(minutes=1)
    me.control("POST", f"/transactions/{row['id']}", {"deleted": True})

    assert me.get("/users/me/transactions", limit=1)["total"] == total - 1
    assert row["id"] not in {item["id"] for item in me.rows()}
    tombstone = next(item for item in me.rows(all="") if item["id"] == row["id"])
    assert tombstone["deleted"] == tombstone["last_update"] == "2026-02-03 09:01:00"
    assert [item["id"] for item in me.rows(deleted="true")] == [row["id"]]
    assert me.ask("GET", f"/users/me/transactions/{row['id']}").status_code == 404
    assert me.get(f"/users/me/transactions/{row['id']}?all")["id"] == row["id"]
    after = me.get(f"/users/me/accounts/{row['id_account']}")["balance"]
    assert Decimal(str(after)) == Decimal(str(balance)) - Decimal(str(row["value"]))

    me.advance(minutes=1)
    me.control("POST", f"/transactions/{row['id']}", {"deleted": False})
    back = me.get(f"/users/me/transactions/{row['id']}")
    assert (back["deleted"], back["last_update"]) == (None, "2026-02-03 09:02:00")


def test_a_corrected_value_moves_last_update(me: Client) -> None:
    me.add("Ruche")
    row = me.get("/users/me/transactions", limit=1, offset=9)["transactions"][0]
    me.advance(minutes=5)
    me.control("POST", f"/transactions/{row['id']}", {"value": "-77.41", "wording": "CORRECTION"})

    changed = me.rows(last_update="2026-02-03 09:00:00")
    assert [(item["id"], item["value"], item["original_wording"]) for item in changed] == [
        (row["id"], -77.41, "CORRECTION")
    ]


@pytest.mark.parametrize("mode", ["same_id", "new_id"])
def test_pending_rows_book_in_two_ways(me: Client, mode: str) -> None:
    me.switch(coming_to_booked=mode)
    me.add("Ruche")
    account = me.get("/users/me/accounts")["accounts"][0]
    me.control("POST", f"/accounts/{account['id']}/transactions", {"count": 6, "pending": True})
    pending = {row["id"] for row in me.rows() if row["coming"]}
    assert len(pending) >= 6
    assert account["balance"] == me.get(f"/users/me/accounts/{account['id']}")["balance"]

    me.advance(days=6)
    later = {row["id"]: row for row in me.rows(all="")}
    if mode == "same_id":
        assert all(not later[row]["coming"] and later[row]["deleted"] is None for row in pending)
    else:
        assert all(later[row]["deleted"] for row in pending)
    assert pending <= set(later)


def test_some_pending_rows_change_their_amount_and_wording_when_they_book(me: Client) -> None:
    me.add("Ruche")
    account = me.get("/users/me/accounts")["accounts"][0]
    me.control("POST", f"/accounts/{account['id']}/transactions", {"count": 120, "pending": True})
    before = {row["id"]: row for row in me.rows() if row["coming"]}
    me.advance(days=6)
    after = {row["id"]: row for row in me.rows() if row["id"] in before}

    assert any(row["value"] is None for row in before.values())
    assert any(row["value"] != before[ident]["value"] for ident, row in after.items())
    assert any(row["original_wording"] != before[ident]["original_wording"] for ident, row in after.items())
    assert all(row["value"] is not None for row in after.values())


def test_the_household_has_every_kind_of_row(me: Client) -> None:
    for name in ("Ruche", "Harbour"):
        me.add(name)
    connection = me.post(
        "/users/me/connections",
        {"connector_uuid": me.bank("Demo")["uuid"], "login": "x", "password": "wrong"},
    )
    ids = ",".join(
        str(item["id"])
        for item in me.get(f"/users/me/connections/{connection['id']}/accounts", all="")["accounts"]
    )
    me.put(f"/users/me/connections/{connection['id']}/accounts/{ids}?all", {"disabled": False})
    rows = me.rows(filter="date")

    kinds = {row["type"] for row in rows}
    assert {
        "transfer",
        "order",
        "check",
        "payback",
        "withdrawal",
        "bank",
        "card",
        "profit",
        "loan_repayment",
        "deposit",
    } <= kinds
    assert any(row["original_currency"] and row["original_value"] for row in rows)
    assert any(row["commission"] for row in rows)
    assert any(row["counterparty"] and row["counterparty"]["account_identification"] for row in rows)
    assert all(row["vdate"] is None and row["datetime"] is None for row in rows)
    facts = [(row["id_account"], row["date"], row["value"], row["original_wording"]) for row in rows]
    twins = {fact for fact in facts if facts.count(fact) > 1 and "CAFE" in fact[3]}
    assert twins
    wordings = " ".join(row["original_wording"] for row in rows)
    for part in (
        "CARTE ",
        " CB*",
        "PRLV SEPA EDF CLIENTS PARTICULIERS",
        "VIR SEPA RECU /DE",
        "POS PURCHASE",
        "DIRECT DEP",
    ):
        assert part in wordings


def test_rows_straddle_the_hour_that_happens_twice(me: Client) -> None:
    me.switch(consent_days=400)
    connection = me.add()
    me.control("POST", "/clock", {"now": "2026-10-25T00:30:00+00:00"})
    account = me.get("/users/me/accounts")["accounts"][0]["id"]
    stamps = []
    for wording in ("FIRST", "SECOND"):
        me.control(
            "POST", f"/accounts/{account}/transactions", {"rows": [{"wording": wording, "value": "-1.00"}]}
        )
        stamps.append(me.get(f"/users/me/connections/{connection}")["last_update"])
        me.advance(hours=1)
    assert stamps == ["2026-10-25 02:30:00", "2026-10-25 02:30:00"]
    assert me.rows(last_update="2026-10-25 02:30:00", wording="first") == []
    me.switch(naive_zone="UTC")
    assert me.rows(wording="second")[0]["last_update"] == "2026-10-25 01:30:00"


def test_only_display_facts_can_be_edited(me: Client) -> None:
    me.add()
    row = me.get("/users/me/transactions", limit=1, offset=20)["transactions"][0]
    edited = me.post(
        f"/users/me/transactions/{row['id']}",
        {
            "wording": "Mine",
            "comment": "hm",
            "active": False,
            "application_date": "2025-12-24",
            "value": 1_000_000,
        },
    )

    assert (edited["wording"], edited["comment"], edited["active"]) == ("Mine", "hm", False)
    assert (edited["value"], edited["date"], edited["original_wording"]) == (
        row["value"],
        row["date"],
        row["original_wording"],
    )
    assert row["id"] in {item["id"] for item in me.rows(min_date="2025-12-24", max_date="2025-12-24")}


def test_deep_addresses_narrow_the_list(me: Client) -> None:
    first, second = me.add("Harbour"), me.add("Ruche")
    account = me.get(f"/users/me/connections/{second}/accounts")["accounts"][0]["id"]
    of_second = me.get(f"/users/me/connections/{second}/transactions", limit=1000)
    of_account = me.get(f"/users/me/accounts/{account}/transactions", limit=1000)

    assert me.get(f"/users/me/connections/{first}/transactions", limit=1)["total"] + of_second[
        "total"
    ] == len(me.rows())
    assert {row["id_account"] for row in of_account["transactions"]} == {account}
    deep = me.get(f"/users/me/connections/{second}/accounts/{account}/transactions", limit=1000)
    assert deep["transactions"] == of_account["transactions"]


def test_shapes_of_the_envelope_are_switchable(me: Client) -> None:
    me.add()
    me.switch(
        links_key="_link", links_style="relative", total_present=False, type_names="old", categories=True
    )
    page = me.get("/users/me/transactions", limit=900)

    assert "total" not in page
    assert page["_link"]["self"]["href"].startswith("/2.0/users/me/transactions?")
    assert any(
        row["categories"] == [{"code": "groceries", "parent_code": "food_and_restaurants"}]
        for row in page["transactions"]
    )
