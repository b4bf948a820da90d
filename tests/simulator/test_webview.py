from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.person import CALLBACK, Person

if TYPE_CHECKING:
    from tests.simulator.person import Client

TEST_CONNECTOR = "338178e6-3d01-564f-9a7b-52ca442459bf"


def test_a_bank_with_an_app_from_choice_to_callback(person: Person) -> None:
    me = person.client
    person.open_for_me()
    assert person.title == "Choose your bank"
    person.pick("Iroise")
    assert person.title == "Sign in to Banque de l'Iroise"
    person.log_in()
    assert person.title == "Approve in your banking app"
    assert me.get("/users/me/connections")["connections"][0]["state"] == "decoupled"
    person.press("approve")
    assert person.title == "Choose your accounts"
    assert len(person.accounts()) == 5
    assert me.get("/users/me/accounts")["accounts"] == []

    person.take_all_accounts()
    assert person.landed == CALLBACK
    assert person.callback == {"connection_id": "311", "state": "nonce 1/+"}
    connection = me.get("/users/me/connections/311")
    assert (connection["state"], connection["last_update"]) == (None, "2026-02-03 09:00:00")
    assert len(me.get("/users/me/accounts")["accounts"]) == 5


def test_the_app_approves_by_itself_after_a_while(person: Person) -> None:
    person.open_for_me().pick("Iroise").log_in()
    status = person.client.http.get(f"{person.url}/status").json()
    assert status == {"step": "app", "left_s": 20}

    person.client.advance(seconds=21)
    assert person.client.http.get(f"{person.url}/status").json()["step"] == "accounts"
    assert person.reload().title == "Choose your accounts"


def test_refusing_in_the_app_is_told_and_can_be_tried_again(person: Person) -> None:
    person.open_for_me().pick("Iroise").log_in().press("refuse")
    assert person.title == "Approve in your banking app"
    assert "refused" in person.alert
    assert person.press("approve").title == "Choose your accounts"


def test_a_bank_with_a_code(person: Person) -> None:
    person.open_for_me().pick("Armor").log_in()
    assert person.title == "Enter your code"
    assert "123456" in person.page
    person.press("otp", code="000000")
    assert (person.title, person.alert.strip()) == ("Enter your code", "That code is not right.")
    person.press("otp", code="123 456")
    assert person.title == "Choose your accounts"


def test_a_bank_with_its_own_page(person: Person) -> None:
    person.open_for_me().pick("Haut-Léon")
    assert person.title == "Give access to your accounts"
    assert "180 days" in person.page
    assert "refused" in person.press("deny").alert
    assert person.press("allow").take_all_accounts().callback is not None


def test_a_wrong_password_keeps_nothing_and_asks_again(person: Person) -> None:
    person.open_for_me().pick("Ruche").log_in("wrong")

    assert "did not accept" in person.alert
    assert 'value="armelle"' in person.page
    assert "wrong" not in re.findall(r'name="field.password"[^>]*>', person.page)[0]
    assert person.client.get("/users/me/connections")["connections"] == []
    assert person.log_in().title == "Choose your accounts"


def test_only_ticked_accounts_are_read(person: Person) -> None:
    person.open_for_me().pick("Ruche").log_in()
    first, second = person.accounts()
    assert "Tick at least one account" in person.press("accounts").alert
    person.press("accounts", account=[first])

    shown = {account["id"] for account in person.client.get("/users/me/accounts")["accounts"]}
    everything = {account["id"] for account in person.client.get("/users/me/accounts", all="")["accounts"]}
    assert shown == {int(first)}
    assert everything == {int(first), int(second)}


@pytest.mark.parametrize("steps", [(), ("pick",), ("pick", "log_in"), ("pick", "log_in", "approve")])
def test_cancelling_anywhere_calls_back_and_leaves_nothing(person: Person, steps: tuple[str, ...]) -> None:
    person.open_for_me()
    for step in steps:
        match step:
            case "pick":
                person.pick("Iroise")
            case "log_in":
                person.log_in()
            case _:
                person.press(step)
    person.press("cancel")

    assert person.callback is not None
    assert person.callback["error"] == "access_denied"
    assert person.callback["state"] == "nonce 1/+"
    assert person.client.get("/users/me/connections")["connections"] == []


def test_declining_the_terms(person: Person) -> None:
    assert person.open_for_me().press("decline").callback == {
        "error": "tos_declined",
        "error_description": "User declined the terms",
        "state": "nonce 1/+",
    }


def test_a_wrong_return_address_shows_an_error_and_never_calls_back(person: Person) -> None:
    person.open_for_me(redirect_uri="https://elsewhere.invalid/callback")

    assert (person.status, person.title) == (400, "This link cannot be opened")
    assert "return address" in person.alert
    assert person.callback is None
    assert "elsewhere.invalid" not in person.page
    person.client.control("POST", "/redirects", {"add": ["https://elsewhere.invalid/callback"]})
    assert person.open_for_me(redirect_uri="https://elsewhere.invalid/callback").title == "Choose your bank"


@pytest.mark.parametrize("broken", [{"domain": "other"}, {"client_id": "1"}, {"redirect_uri": None}])
def test_strangers_are_not_let_in(person: Person, broken: dict[str, Any]) -> None:
    person.open_for_me(**broken)
    assert (person.status, person.title) == (400, "This link cannot be opened")


def test_a_domain_may_be_written_without_its_suffix(person: Person) -> None:
    assert person.open_for_me(domain=person.client.simulator.domain).title == "Choose your bank"


def test_a_code_opens_the_webview_once(person: Person) -> None:
    code = person.client.get("/auth/token/code", type="singleAccess")["code"]
    assert person.open(code=code).title == "Choose your bank"
    assert person.reload().title == "Choose your bank"
    again = Person(person.client).open(code=code)
    assert again.callback is not None
    assert again.callback["error"] == "session_expired"


def test_without_a_code_a_new_user_comes_back_as_a_code(person: Person) -> None:
    me = person.client
    person.open().pick("Ruche").log_in().take_all_accounts()
    assert person.callback is not None
    exchanged = me.post("/auth/token/access", {**me.credentials(), "code": person.callback["code"]})

    assert me.get("/users/me/connections")["connections"] == []
    me.token = exchanged["access_token"]
    me.advance(hours=1)
    assert me.get("/users/me/connections")["connections"][0]["id"] == int(person.callback["connection_id"])


def test_naming_one_bank_skips_the_list_and_fields_can_be_prefilled(person: Person) -> None:
    uuid = person.client.bank("Ruche")["uuid"]
    person.open_for_me(connector_uuids=uuid, **{f"{uuid}.login": "prefilled-login"})
    assert person.title == "Sign in to Néobanque Ruche"
    assert 'value="prefilled-login"' in person.page
    several = ",".join([uuid, person.client.bank("Iroise")["uuid"]])
    assert person.open_for_me(connector_uuids=several).page.count('name="connector"') == 2
    assert person.open_for_me(connector_ids="40").title == "Sign in to Connecteur de test"


def test_the_list_narrows_by_capability_country_and_search(person: Person) -> None:
    everything = person.open_for_me().page.count('name="connector"')
    wealth = person.open_for_me(connector_capabilities="bank,bankwealth").page.count('name="connector"')
    assert 0 < wealth < everything
    assert person.open_for_me(connector_country="us").page.count('name="connector"') == 1
    found = person.client.http.get(person.url, params={"q": "harbour"})
    assert "Harbour &amp; Vale Bank" in found.text
    nothing = person.client.http.get(person.url, params={"q": '"><script>'})
    assert "<script>" not in nothing.text
    assert 'role="status">No bank of that name.' in nothing.text


def test_several_banks_in_one_visit(person: Person) -> None:
    person.open_for_me(max_connections=3)
    person.pick("Ruche").log_in().take_all_accounts()
    assert person.title == "Néobanque Ruche is linked"
    person.press("another").pick("Harbour").log_in().take_all_accounts().press("finish")

    assert person.callback == {"connection_id": "311", "connection_ids": "311,312", "state": "nonce 1/+"}


def test_accounts_can_be_limited_by_type(person: Person) -> None:
    person.open_for_me(account_types="checking,card").pick("Ruche").log_in()
    assert len(person.accounts()) == 1
    assert "not asked for" in person.page
    person.press("accounts", account=["1801", "1802"])
    assert [item["type"] for item in person.client.get("/users/me/accounts")["accounts"]] == ["checking"]


@pytest.mark.parametrize("bank", ["Iroise", "Harbour", "Armor"])
def test_one_bank_asks_for_sca_and_the_reconnect_pages_mend_it(person: Person, bank: str) -> None:
    me = person.client
    person.open_for_me().pick(bank).log_in()
    if bank != "Harbour":
        person.press(*("approve",) if bank == "Iroise" else ("otp",), code="123456")
    person.take_all_accounts()
    assert me.control("POST", "/sca")["state"] == "SCARequired"
    assert me.put("/users/me/connections/311?psu_requested=false")["state"] == "SCARequired"

    me.advance(minutes=10)
    person.open_for_me("reconnect", connection_id=311)
    assert person.title == ("Enter your code" if bank == "Armor" else "Approve in your banking app")
    person.press("otp" if bank == "Armor" else "approve", code="123456")
    assert person.callback == {"state": "nonce 1/+"}
    mended = me.get("/users/me/connections/311")
    assert (mended["state"], mended["last_update"]) == (None, "2026-02-03 09:10:00")


def test_reconnecting_after_a_changed_password(person: Person) -> None:
    me = person.client
    me.add("Ruche")
    me.control("POST", "/connections/311/state", {"state": "wrongpass"})
    person.open_for_me("reconnect", connection_id=311)
    assert person.title == "Sign in to Néobanque Ruche"
    assert "did not accept" in person.log_in("wrong").alert
    assert person.log_in("better").callback == {"state": "nonce 1/+"}
    assert me.get("/users/me/connections/311")["state"] is None


@pytest.mark.parametrize(
    ("state", "title", "after"),
    [
        (None, "Everything is in order", None),
        ("websiteUnavailable", "Néobanque Ruche does not answer for now", "websiteUnavailable"),
        ("actionNeeded", "Néobanque Ruche needs you on its own site", None),
    ],
)
def test_reconnecting_when_there_is_little_to_do(
    person: Person, state: str | None, title: str, after: str | None
) -> None:
    me = person.client
    me.add("Ruche")
    if state:
        me.control("POST", "/connections/311/state", {"state": state})
    assert person.open_for_me("reconnect", connection_id=311).title == title
    assert person.press("noticed").callback == {"state": "nonce 1/+"}
    assert me.get("/users/me/connections/311")["state"] == after


def test_resetting_credentials_asks_for_everything(person: Person) -> None:
    person.client.add("Ruche")
    person.open_for_me("reconnect", connection_id=311, reset_credentials="true")
    assert person.title == "Sign in to Néobanque Ruche"


def test_reconnecting_can_renumber_the_accounts(person: Person) -> None:
    me = person.client
    me.add("Harbour")
    before = {account["id"] for account in me.get("/users/me/accounts")["accounts"]}
    me.switch(renumber_on_reconnect=True, renumbered_disabled=True)
    me.control("POST", "/sca")
    person.open_for_me("reconnect", connection_id=311).press("approve")

    assert me.get("/users/me/accounts")["accounts"] == []
    assert not before & {account["id"] for account in me.get("/users/me/accounts", all="")["accounts"]}


def test_a_stranger_cannot_reconnect_it(person: Person, client: Client) -> None:
    person.client.add("Ruche")
    stranger = Person(type(client)(client.simulator, client.http).sign_up())
    assert stranger.open_for_me("reconnect", connection_id=311).status == 404


def test_managing_banks(person: Person) -> None:
    me = person.client
    me.add("Ruche")
    me.add("Harbour")
    person.open_for_me("manage")
    assert person.title == "Your banks"
    first = str(me.get("/users/me/connections/311/accounts")["accounts"][0]["id"])
    person.press("save", connection="311", account=[first])
    assert len(me.get("/users/me/connections/311/accounts")["accounts"]) == 1
    person.press("remove", connection="312")
    assert [item["id"] for item in me.get("/users/me/connections")["connections"]] == [311]
    me.control("POST", "/sca")
    assert person.press("repair", connection="311").press("approve").title == "Your banks"
    person.press("add").pick("Demo").log_in("wrong").take_all_accounts()
    assert person.title == "Your banks"
    assert len(me.get("/users/me/connections")["connections"]) == 2
    assert person.press("close").callback == {"state": "nonce 1/+"}


def test_french_pages(person: Person) -> None:
    person.open_for_me(lang="fr")
    assert '<html lang="fr">' in person.page
    assert person.title == "Choisissez votre banque"
    person.pick("Iroise")
    assert person.title == "Connectez-vous à Banque de l'Iroise"
    assert "Identifiant client" in person.page
    assert "Validez" in person.log_in().title
    assert person.press("approve").title == "Choisissez vos comptes"


def test_pages_can_be_used_by_keyboard_and_by_ear(person: Person) -> None:
    person.open_for_me().pick("Connecteur de test")
    for control in re.findall(r'<(?:input|select)[^>]* id="(f-[^"]+)"', person.page):
        assert f'<label for="{control}">' in person.page
    assert person.page.count(" autofocus") == 1
    assert "<button" in person.page
    assert "onclick" not in person.page
    person.open_for_me()
    assert '<label for="q"' in person.page
    assert 'role="search"' in person.page


def test_the_old_address_and_a_missing_language(person: Person) -> None:
    me = person.client
    params = {"domain": me.simulator.domain, "client_id": me.simulator.client_id, "redirect_uri": CALLBACK}
    assert me.http.get(f"{me.simulator.webview_url}/connect", params=params).status_code == 303
    me.switch(webview_lang_required=True)
    assert me.http.get(f"{me.simulator.webview_url}/connect", params=params).status_code == 503
    old = me.http.get(f"{me.simulator.api_url}/auth/webview/en/connect", params=params)
    assert old.status_code == 302
    assert old.headers["location"].startswith("/webview/en/connect?")


def test_the_callback_can_get_lost(person: Person) -> None:
    person.client.switch(callback_lost=True)
    person.open_for_me().pick("Ruche").log_in().take_all_accounts()

    assert (person.callback, person.title) == (None, "You may close this window")
    assert len(person.client.get("/users/me/connections")["connections"]) == 1


def test_rows_may_arrive_after_the_callback(person: Person) -> None:
    me = person.client
    me.switch(import_delay_s=5)
    person.open_for_me().pick("Ruche").log_in().take_all_accounts()
    assert person.callback is not None
    assert me.get("/users/me/connections/311")["last_update"] is None
    assert me.get("/users/me/transactions", limit=1)["total"] == 0
    me.advance(seconds=6)
    assert me.get("/users/me/connections/311")["last_update"] == "2026-02-03 09:00:05"
    assert me.get("/users/me/transactions", limit=1)["total"] > 0


def test_every_scenario_of_the_test_connector_has_a_page(person: Person) -> None:
    titles = {
        "par": "Choose your accounts",
        "additionalInformationNeeded": "Enter your code",
        "shortDecoupled": "Approve in your banking app",
        "webauthRequired": "Give access to your accounts",
        "actionNeeded": "Connecteur de test needs you on its own site",
        "wrongpass": "Sign in to Connecteur de test",
        "websiteUnavailable": "Sign in to Connecteur de test",
    }
    for choice, title in titles.items():
        person.open_for_me(connector_uuids=TEST_CONNECTOR).log_in("1234", openapiwebsite=choice)
        assert person.title == title, choice
