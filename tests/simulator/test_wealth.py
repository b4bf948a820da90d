from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.simulator.person import Client


@pytest.fixture
def wealthy(me: Client) -> Client:
    me.add("Demo")
    return me


def exact(value: Any) -> Decimal:
    return Decimal(str(value))


def test_investments_add_up_to_the_account(wealthy: Client) -> None:
    answer = wealthy.get("/users/me/investments")
    pea = next(item for item in wealthy.get("/users/me/accounts")["accounts"] if item["type"] == "pea")

    assert exact(answer["valuation"]) == exact(pea["balance"])
    assert sum(exact(item["valuation"]) for item in answer["investments"]) == exact(answer["valuation"])
    for item in answer["investments"]:
        if item["code"] == "XX-liquidity":
            assert item["unitvalue"] is None
        else:
            product = exact(item["quantity"]) * exact(item["unitvalue"])
            assert abs(product - exact(item["valuation"])) <= Decimal("0.01")
    assert sum(exact(item["portfolio_share"]) for item in answer["investments"]) == pytest.approx(
        Decimal(1), abs=Decimal("0.001")
    )


def test_history_starts_when_the_connection_did(wealthy: Client) -> None:
    line = max(wealthy.get("/users/me/investments")["investments"], key=lambda item: item["unitvalue"] or 0)
    address = f"/users/me/investments/{line['id']}"
    assert wealthy.get(f"{address}/history")["total"] == 1
    wealthy.advance(days=30)
    values = wealthy.get(f"{address}/history")["investmentvalues"]
    assert len(values) == 31
    assert len({item["unitvalue"] for item in values}) > 10
    assert wealthy.get(f"{address}/history", min_date="2026-03-01")["total"] == 5
    assert wealthy.get(f"{address}/security/history")["total"] == 31
    assert wealthy.get(address)["code"] == line["code"]


def test_aliases_orders_and_pockets(wealthy: Client) -> None:
    pea = next(item for item in wealthy.get("/users/me/accounts")["accounts"] if item["type"] == "pea")
    assert wealthy.get(f"/users/me/accounts/{pea['id']}/investments")["total"] == 5
    orders = wealthy.get("/users/me/marketorders")["marketorders"]
    assert {order["order_direction"]["name"] for order in orders} == {"BUY"}
    assert wealthy.get("/users/me/pockets")["pockets"] == []
    code = orders[0]["code"]
    assert [item["code"] for item in wealthy.get("/users/me/investments", code=code)["investments"]] == [code]


def test_daily_balances_are_worked_out_backwards(wealthy: Client) -> None:
    checking = next(
        item for item in wealthy.get("/users/me/accounts")["accounts"] if item["type"] == "checking"
    )
    answer = wealthy.get(
        f"/users/me/accounts/{checking['id']}/balances", min_date="2026-01-20", max_date="2026-02-03"
    )
    days = answer["balances"][0]["daily_balances"]

    assert len(days) == 15
    assert exact(days[-1]["balance"]) == exact(checking["balance"])
    for before, after in pairwise(days):
        assert exact(before["balance"]) + exact(after["remains"]) == exact(after["balance"])
    month = wealthy.get("/users/me/balances")["balances"][0]
    assert (month["min_date"], "daily_balances" in month) == ("2026-02-01", False)


def test_smaller_products(wealthy: Client) -> None:
    assert wealthy.get("/users/me/indicators") == {"id_user": wealthy.id_user, "indicators": None}
    assert wealthy.get("/users/me/account_ownerships")["total"] == 3
    assert wealthy.get("/users/me/connections/311/owner_identity")["last_name"] == "LE BIHAN"
    assert wealthy.get("/users/me/subscriptions")["subscriptions"] == []
    assert wealthy.get("/publickey")["kty"] == "RSA"
    wealthy.token = wealthy.control("GET", "/tokens")["config"]
    changed = wealthy.post("/config", {"bank.implicit_date_filtering": "1"})
    assert changed["bank.implicit_date_filtering"] == "1"
    assert wealthy.simulator.switches.default_window == "last_month"
    assert wealthy.get("/config/logs")["total"] == 1


def test_unknown_addresses_and_verbs(me: Client) -> None:
    assert (me.ask("GET", "/nothing").status_code, me.ask("GET", "/nothing").json()["code"]) == (
        404,
        "notFound",
    )
    assert me.ask("DELETE", "/currencies").json()["code"] == "methodNotAllowed"
    assert (
        me.ask("POST", "/auth/init", content=b"{", headers={"content-type": "application/json"}).status_code
        == 400
    )
    me.switch(request_id_style="string", error_description=False)
    error = me.ask("GET", "/nothing").json()
    assert isinstance(error["request_id"], str)
    assert "description" not in error
