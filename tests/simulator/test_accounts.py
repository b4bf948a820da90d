from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tests.simulator.person import Client


def by_name(me: Client, **params: Any) -> dict[str, dict[str, Any]]:
    return {account["name"]: account for account in me.get("/users/me/accounts", **params)["accounts"]}


def test_accounts_are_born_asleep_and_wake_with_rows(me: Client) -> None:
    bank = me.bank("Harbour")
    me.post("/users/me/connections", {"connector_uuid": bank["uuid"], "login": "x", "password": "y"})

    assert me.get("/users/me/accounts")["accounts"] == []
    asleep = by_name(me, all="")
    assert set(asleep) == {"Everyday Checking", "High Yield Savings", "Yen travel pot"}
    checking = asleep["Everyday Checking"]
    assert checking["disabled"] == "2026-02-03 09:00:00"
    assert checking["balance"] is None
    refused = me.ask("GET", "/users/me/transactions?limit=10")
    assert (refused.status_code, refused.json()["code"]) == (409, "noAccount")

    address = f"/users/me/accounts/{checking['id']}"
    assert me.ask("PUT", address, json={"disabled": False}).status_code == 404
    awake = me.put(f"{address}?all", {"disabled": False})
    assert awake["disabled"] is None
    assert Decimal(str(awake["balance"])) == Decimal("3214.18")
    assert me.get("/users/me/transactions", limit=1)["total"] > 100


def test_the_no_account_answer_is_switchable(me: Client) -> None:
    me.switch(no_account_status=400)
    assert me.ask("GET", "/users/me/transactions?limit=1").status_code == 400
    me.switch(no_account_error=False)
    empty = me.get("/users/me/transactions", limit=1)
    assert (empty["transactions"], empty["total"], empty["first_date"]) == ([], 0, None)


def test_a_balance_is_what_the_rows_say(me: Client) -> None:
    me.add("Harbour")
    connection = me.add("Ruche")
    me.control("POST", f"/connections/{connection}/sync")
    for connection_truth in me.control("GET", "/truth")["users"][0]["connections"]:
        for account in connection_truth["accounts"]:
            before = Decimal(str(account["balance"])) - booked(account)
            me.advance(days=5)
            later = me.get(f"/users/me/accounts/{account['id']}")
            rows = [row for row in me.rows(filter="date") if row["id_account"] == account["id"]]
            assert Decimal(str(later["balance"])) == before + booked({"transactions": rows})


def booked(account: dict[str, Any]) -> Decimal:
    rows = [row for row in account["transactions"] if not row["coming"] and row["deleted"] is None]
    return sum((Decimal(str(row["value"])) for row in rows), Decimal(0))


def test_totals_by_currency_never_mix(me: Client) -> None:
    me.add("Harbour")
    answer = me.get("/users/me/accounts")

    assert set(answer["balances"]) == {"USD", "JPY"}
    yen = by_name(me)["Yen travel pot"]
    assert yen["currency"]["precision"] == 0
    assert answer["balances"]["JPY"] == yen["balance"] == 482_300


def test_amounts_are_raw_decimal_numbers(me: Client) -> None:
    me.add("Harbour")
    raw = me.ask("GET", "/users/me/accounts").content

    assert b'"balance":3214.18' in raw
    assert b'"balance":482300,' in raw
    me.switch(number_style="string")
    assert b'"balance":"3214.18"' in me.ask("GET", "/users/me/accounts").content
    assert msgspec.json.decode(raw)["total"] == 3


def test_a_deferred_card_hangs_under_its_account(me: Client) -> None:
    connection = me.post(
        "/users/me/connections", {"connector_uuid": me.bank("Iroise")["uuid"], "login": "x", "password": "y"}
    )
    me.post(f"/users/me/connections/{connection['id']}", {"resume": True})
    ids = [str(account["id"]) for account in me.get("/users/me/accounts", all="")["accounts"]]
    me.put(f"/users/me/connections/{connection['id']}/accounts/{','.join(ids)}?all", {"disabled": False})
    accounts = by_name(me)

    card, checking = accounts["Carte Visa"], accounts["Compte courant"]
    assert card["id_parent"] == checking["id"]
    assert card["balance"] == 0
    assert card["type"] == "card"
    rows = me.rows(filter="date")
    purchases = [row for row in rows if row["id_account"] == card["id"]]
    assert {row["type"] for row in purchases} == {"deferred_card"}
    pending = [row for row in purchases if row["coming"]]
    assert all(row["date"] > "2026-02-03" for row in pending)
    assert sum(Decimal(str(row["value"])) for row in pending) == Decimal(str(card["coming"]))
    settled = sum(Decimal(str(row["value"])) for row in purchases if row["date"] == "2026-01-30")
    summary = next(row for row in rows if row["type"] == "summary_card" and row["date"] == "2026-01-30")
    assert Decimal(str(summary["value"])) == settled


def test_a_loan_says_how_it_is_paid_back(me: Client) -> None:
    connection = me.post(
        "/users/me/connections", {"connector_uuid": me.bank("Iroise")["uuid"], "login": "x", "password": "y"}
    )
    me.post(f"/users/me/connections/{connection['id']}", {"resume": True})
    loan = next(item for item in me.get("/users/me/accounts", all="")["accounts"] if item["type"] == "loan")
    loan = me.put(f"/users/me/accounts/{loan['id']}?all", {"disabled": False})

    assert loan["balance"] < 0
    assert loan["loan"]["type"] == "mortgage"
    assert loan["loan"]["nb_payments_total"] == 300
    payments = me.get(f"/users/me/accounts/{loan['id']}/amortizations")["loanamortizations"]
    assert len(payments) == 12
    assert payments[0]["period"] == "2026_03"


def test_disabling_erases_and_enabling_brings_new_ids(me: Client) -> None:
    me.add("Harbour")
    checking = by_name(me)["Everyday Checking"]
    before = {row["id"]: row for row in me.rows() if row["id_account"] == checking["id"]}
    me.put(f"/users/me/accounts/{checking['id']}", {"disabled": True})

    assert "Everyday Checking" not in by_name(me)
    assert not [row for row in me.rows(all="") if row["id_account"] == checking["id"]]
    truth = me.control("GET", "/truth")["users"][0]["connections"][0]["accounts"]
    assert [len(item["transactions"]) for item in truth if item["id"] == checking["id"]] == [0]
    me.put(f"/users/me/accounts/{checking['id']}?all", {"disabled": False})
    after = {row["id"]: row for row in me.rows() if row["id_account"] == checking["id"]}
    assert len(after) == len(before)
    assert not set(after) & set(before)
    facts = [
        sorted((row["date"], row["value"], row["original_wording"]) for row in rows.values())
        for rows in (before, after)
    ]
    assert facts[0] == facts[1]


def test_ids_can_survive_being_enabled_again(me: Client) -> None:
    me.switch(reenabled_ids=False)
    me.add("Harbour")
    checking = by_name(me)["Everyday Checking"]
    before = {row["id"] for row in me.rows()}
    me.put(f"/users/me/accounts/{checking['id']}", {"disabled": True})
    me.put(f"/users/me/accounts/{checking['id']}?all", {"disabled": False})

    assert {row["id"] for row in me.rows()} == before


def test_a_connection_made_again_numbers_its_accounts_anew_unless_told_not_to(me: Client) -> None:
    def made_again() -> set[int]:
        me.ask("DELETE", f"/users/me/connections/{me.get('/users/me/connections')['connections'][0]['id']}")
        me.add("Ruche")
        return {account["id"] for account in by_name(me).values()}

    me.add("Ruche")
    first = {account["id"] for account in by_name(me).values()}
    second = made_again()
    assert not first & second
    me.switch(recreated_ids=False)
    assert made_again() == second


def test_an_account_the_bank_closed_is_deleted_not_disabled(me: Client) -> None:
    me.add("Harbour")
    checking = by_name(me)["Everyday Checking"]
    me.control("POST", f"/accounts/{checking['id']}/vanish")

    assert "Everyday Checking" not in by_name(me)
    gone = by_name(me, all="")["Everyday Checking"]
    assert gone["deleted"] == "2026-02-03 09:00:00"
    assert gone["disabled"] is None
    assert me.get(f"/users/me/accounts/{checking['id']}")["deleted"]


def test_renaming_and_bookmarking(me: Client) -> None:
    me.add("Harbour")
    checking = by_name(me)["Everyday Checking"]
    changed = me.post(
        f"/users/me/accounts/{checking['id']}", {"name": "Mine", "bookmarked": True, "usage": "ORGA"}
    )

    assert (changed["name"], changed["original_name"]) == ("Mine", "EVERYDAY CHECKING")
    assert (changed["bookmarked"], changed["usage"]) == (1, "ORGA")


def test_types_and_currencies_come_in_every_documented_shape(me: Client) -> None:
    me.add("Harbour")
    assert by_name(me)["Everyday Checking"]["type"] == "checking"
    me.switch(account_type_style="object", currency_style="id_only", null_style="absent")
    bare = by_name(me)["Everyday Checking"]
    assert bare["type"]["name"] == "checking"
    assert bare["currency"] == {"id": "USD"}
    assert "iban" not in bare
    me.token = None
    assert "livret_a" in {item["name"] for item in me.get("/account_types", limit=100)["accounttypes"]}
    assert me.get("/account_types/checking")["id"] == me.get("/account_types/2")["id"]
    assert {item["id"]: item["precision"] for item in me.get("/currencies")["currencies"]}["JPY"] == 0


def test_ibans_pass_their_check(me: Client) -> None:
    me.add("Ruche")
    me.add("Harbour")
    ibans = [account["iban"] for account in me.get("/users/me/accounts")["accounts"] if account["iban"]]

    assert ibans
    for iban in ibans:
        digits = "".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])
        assert int(digits) % 97 == 1


def test_renumbering_keeps_the_iban(me: Client) -> None:
    connection = me.add("Ruche")
    before = by_name(me)
    me.control("POST", f"/connections/{connection}/renumber")
    after = by_name(me)

    assert {name: account["iban"] for name, account in before.items()} == {
        name: account["iban"] for name, account in after.items()
    }
    assert not {account["id"] for account in before.values()} & {account["id"] for account in after.values()}


def test_connectors_are_public_and_complete(me: Client) -> None:
    me.token = None
    listed = me.get("/connectors", expand="sources,fields,countries")
    names = [item["name"] for item in listed["connectors"]]

    assert listed["total"] == len(names)
    assert "Connecteur de test" in names
    assert "Comptoir fermé" not in names
    test = me.get("/connectors/338178e6-3d01-564f-9a7b-52ca442459bf", expand="sources")
    assert [source["name"] for source in test["sources"]] == ["openapi", "directaccess"]
    assert me.get("/connectors/40")["uuid"] == test["uuid"]
    assert me.get("/banks", limit=2)["banks"][0]["id"] == 40
    fields = me.get(f"/connectors/{test['uuid']}/fields")["fields"]
    assert {field["name"] for field in fields} >= {"openapiwebsite", "login", "password"}
    assert me.get("/connectors", country_codes="us")["total"] == 1


def test_the_config_token_hides_and_shows_connectors(me: Client) -> None:
    bank = me.bank("Ruche")
    assert me.ask("PUT", f"/connectors/{bank['uuid']}", json={"hidden": True}).status_code == 403
    me.token = me.control("GET", "/tokens")["config"]
    me.put(f"/connectors/{bank['uuid']}", {"hidden": True})
    shown = {item["name"] for item in me.get("/connectors")["connectors"]}
    everything = {item["name"] for item in me.get("/connectors", all="")["connectors"]}
    assert everything - shown == {"Néobanque Ruche", "Comptoir fermé"}
    me.ask("PATCH", "/connectors", json={bank["uuid"]: {"hidden": False}})
    assert "Néobanque Ruche" in {item["name"] for item in me.get("/connectors")["connectors"]}


def test_expanding_nests(me: Client) -> None:
    connection = me.add("Harbour")
    answer = me.get(f"/users/me/connections/{connection}", expand="connector[countries,fields],all_accounts")

    assert answer["connector"]["countries"] == [{"id": "us", "name": "États-Unis"}]
    assert len(answer["all_accounts"]) == 3
    assert me.ask("GET", f"/users/me/connections/{connection}?expand=connector[").status_code == 400
