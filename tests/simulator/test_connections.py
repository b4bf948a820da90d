from __future__ import annotations

import pytest

from tests.simulator.person import Client

TEST_CONNECTOR = "338178e6-3d01-564f-9a7b-52ca442459bf"


def try_out(me: Client, choice: str, **fields: str) -> tuple[int, dict[str, object]]:
    body = {
        "connector_uuid": TEST_CONNECTOR,
        "openapiwebsite": choice,
        "login": "x",
        "password": "1234",
        **fields,
    }
    response = me.ask("POST", "/users/me/connections", json=body)
    return response.status_code, response.json()


def state(me: Client, connection: object) -> object:
    return me.get(f"/users/me/connections/{connection}")["state"]


@pytest.mark.parametrize("choice", ["par", "pro"])
def test_the_test_connector_succeeds(me: Client, choice: str) -> None:
    status, connection = try_out(me, choice)

    assert status == 201
    assert connection["state"] is None
    assert connection["last_update"] == "2026-02-03 09:00:00"
    accounts = me.get("/users/me/accounts", all="")["accounts"]
    assert len(accounts) == 3
    assert all(account["disabled"] and account["balance"] is None for account in accounts)


def test_refused_credentials_leave_nothing_behind(me: Client) -> None:
    for choice, fields in (("wrongpass", {}), ("par", {"password": "0000"})):
        status, error = try_out(me, choice, **fields)
        assert (status, error["code"]) == (400, "wrongpass")
        assert error["message"] == "Votre code est erroné."
    assert me.get("/users/me/connections")["connections"] == []

    me.switch(wrongpass_code="wrongPass")
    assert try_out(me, "wrongpass")[1]["code"] == "wrongPass"


@pytest.mark.parametrize("choice", ["passwordExpired", "actionNeeded"])
def test_states_that_the_bank_alone_can_end(me: Client, choice: str) -> None:
    _, connection = try_out(me, choice)

    assert connection["state"] == connection["error"] == choice
    assert connection["error_message"]


def test_a_code_is_asked_for_and_judged(me: Client) -> None:
    status, connection = try_out(me, "additionalInformationNeeded")
    address = f"/users/me/connections/{connection['id']}"

    assert (status, connection["state"]) == (202, "additionalInformationNeeded")
    assert isinstance(connection["fields"], list)
    assert connection["fields"][0]["name"] == "openapisms"
    assert me.ask("POST", address, json={"openapisms": "abc"}).json()["code"] == "wrongpass"
    assert me.ask("POST", address, json={"openapisms": "aaaa"}).status_code == 500
    answer = me.ask("POST", address, json={"openapisms": "abcd"})
    assert (answer.status_code, answer.json()["state"]) == (200, None)


def test_an_app_approves_after_resume(me: Client) -> None:
    status, connection = try_out(me, "shortDecoupled")
    address = f"/users/me/connections/{connection['id']}"

    assert (status, connection["state"]) == (202, "decoupled")
    waiting = me.ask("POST", f"{address}?background=true", json={"resume": True})
    assert (waiting.status_code, waiting.json()["state"]) == (202, "validating")
    me.advance(seconds=3)
    assert state(me, connection["id"]) is None


@pytest.mark.parametrize("choice", ["AppValidationCancelled", "AppValidationExpired"])
def test_an_app_that_does_not_approve_ends_in_sca_required(me: Client, choice: str) -> None:
    _, connection = try_out(me, choice)
    answer = me.ask("POST", f"/users/me/connections/{connection['id']}", data={"resume": "true"})

    assert answer.json()["state"] == "SCARequired"
    assert answer.json()["last_update"] is None


def test_an_unknown_choice_is_an_error(me: Client) -> None:
    assert try_out(me, "moonlight")[0] == 400


def test_an_unfinished_connection_is_purged(me: Client) -> None:
    _, connection = try_out(me, "shortDecoupled")
    assert connection["expire"] == "2026-02-03 09:30:00"

    me.advance(minutes=31)
    assert me.get("/users/me/connections")["connections"] == []


def test_a_bank_that_redirects_hides_its_address_in_the_message(me: Client) -> None:
    _, connection = try_out(me, "webauthRequired")

    assert connection["state"] == "webauthRequired"
    assert str(connection["error_message"]).startswith("Redirecting to https://")
    assert connection["expire"] == "2026-02-03 11:00:00"
    again = me.put(f"/users/me/connections/{connection['id']}")
    assert again["error_message"] != connection["error_message"]


def test_creation_answers_what_the_switch_says(me: Client) -> None:
    me.switch(create_connection_status=200)
    assert try_out(me, "par")[0] == 200


def test_required_fields_are_required(me: Client) -> None:
    bank = me.bank("Harbour")
    response = me.ask("POST", "/users/me/connections", json={"connector_uuid": bank["uuid"], "login": "x"})

    assert response.json()["code"] == "missingParameter"
    assert "password" in response.json()["description"]


def test_forcing_a_sync_brings_new_days(me: Client) -> None:
    connection = me.add()
    before = {row["id"] for row in me.rows()}
    me.switch(auto_sync=False)
    me.advance(days=10)
    assert {row["id"] for row in me.rows()} == before

    answer = me.put(f"/users/me/connections/{connection}")
    assert answer["last_update"] == "2026-02-13 09:00:00"
    fresh = [row for row in me.rows() if row["id"] not in before]
    assert len(fresh) > 5
    assert all(row["date"] >= "2026-02-03" for row in fresh)


def test_sync_modes(me: Client) -> None:
    connection = me.add()
    address = f"/users/me/connections/{connection}"

    me.switch(sync_mode="accepted")
    assert me.ask("PUT", address).status_code == 202
    me.switch(sync_mode="conflict")
    assert (me.ask("PUT", address).status_code, me.ask("PUT", address).json()["code"]) == (
        409,
        "connectionLocked",
    )
    me.switch(sync_mode="wrapped")
    wrapped = me.put(address)
    assert wrapped["connection"]["id"] == connection
    assert wrapped["message"]
    me.switch(sync_mode="rate_limiting")
    assert me.put(address)["state"] == "rateLimiting"
    me.switch(sync_mode="slow", sync_slow_s=0)
    assert me.put(address)["state"] is None
    me.switch(sync_mode="ok", sync_min_gap_s=60)
    me.advance(minutes=2)
    assert me.ask("PUT", address).status_code == 200
    assert me.ask("PUT", address).json()["code"] == "tooManySync"


def test_a_consent_ends_after_its_days_and_only_a_sync_notices(me: Client) -> None:
    connection = me.add()
    address = f"/users/me/connections/{connection}"
    source = me.get(address, expand="sources")["sources"][0]
    assert source["access_expire"] == "2026-08-02 10:00:00"

    me.switch(auto_sync=False)
    me.advance(days=181)
    assert state(me, connection) is None
    assert me.put(f"{address}?psu_requested=false")["state"] == "SCARequired"
    asked = me.ask("PUT", address)
    assert (asked.status_code, asked.json()["state"]) == (202, "decoupled")
    me.post(address, {"resume": True})
    renewed = me.get(address, expand="sources")
    assert renewed["state"] is None
    assert renewed["sources"][0]["access_expire"] > "2027-01"


def test_renewing_early_asks_for_presence(me: Client) -> None:
    connection = me.add()
    answer = me.ask("POST", f"/users/me/connections/{connection}", json={"refresh_auth": True})

    assert (answer.status_code, answer.json()["state"]) == (202, "decoupled")


def test_connections_sync_by_themselves_until_paused(me: Client) -> None:
    connection = me.add()
    address = f"/users/me/connections/{connection}"
    assert me.get(address)["next_try"] == "2026-02-04 09:00:00"

    me.advance(days=3)
    assert me.get(address)["last_update"] == "2026-02-06 09:00:00"
    assert me.post(address, {"active": False})["next_try"] is None
    me.advance(days=3)
    assert me.get(address)["last_update"] == "2026-02-06 09:00:00"


def test_trouble_that_passes_and_trouble_that_does_not(me: Client) -> None:
    connection = me.add()
    me.control("POST", f"/connections/{connection}/state", {"state": "websiteUnavailable"})
    failed = me.get(f"/users/me/connections/{connection}")
    assert (failed["state"], failed["next_try"]) == ("websiteUnavailable", "2026-02-03 10:00:00")
    me.advance(hours=2)
    assert state(me, connection) is None

    me.control("POST", f"/connections/{connection}/state", {"state": "wrongpass"})
    me.advance(days=2)
    assert state(me, connection) == "wrongpass"
    mended = me.post(f"/users/me/connections/{connection}", {"password": "other"})
    assert mended["state"] is None


def test_unattended_syncs_can_be_counted(me: Client) -> None:
    connection = me.add()
    me.switch(unattended_per_day=4)
    answers = [me.put(f"/users/me/connections/{connection}?psu_requested=false")["state"] for _ in range(5)]

    assert answers == [None, None, None, None, "rateLimiting"]


def test_erasing_a_connection_leaves_nothing(me: Client) -> None:
    connection = me.add()
    assert me.ask("DELETE", f"/users/me/connections/{connection}").status_code == 204
    assert me.ask("GET", f"/users/me/connections/{connection}").status_code == 404
    assert me.get("/users/me/accounts", all="")["accounts"] == []


def test_another_user_sees_nothing_of_it(me: Client, client: Client) -> None:
    connection = me.add()
    stranger = Client(client.simulator, client.http).sign_up()

    assert stranger.get("/users/me/connections")["connections"] == []
    assert stranger.ask("GET", f"/users/me/connections/{connection}").status_code == 404
    assert stranger.ask("PUT", f"/users/me/connections/{connection}").status_code == 404


def test_sources_are_added_listed_and_switched_off(me: Client) -> None:
    connection = me.add()
    me.post(f"/users/me/connections/{connection}", {"source": "directaccess"})
    sources = me.get(f"/users/me/connections/{connection}/sources")["sources"]
    assert [source["name"] for source in sources] == ["openapi", "directaccess"]

    me.post(f"/users/me/connections/{connection}/sources/{sources[1]['id']}", {"disabled": True})
    assert len(me.get(f"/users/me/connections/{connection}/sources")["sources"]) == 1
    assert len(me.get(f"/users/me/connections/{connection}/sources", all="")["sources"]) == 2
    me.switch(source_style="nested")
    nested = me.get(f"/users/me/connections/{connection}/sources")["sources"][0]
    assert nested["source"]["name"] == "openapi"


def test_logs_tell_of_every_sync(me: Client) -> None:
    connection = me.add()
    me.control("POST", f"/connections/{connection}/state", {"state": "bug"})
    logs = me.get(f"/users/me/connections/{connection}/logs")

    assert logs["total"] == len(logs["connectionlogs"])
    assert [entry["error"] for entry in logs["connectionlogs"]][:2] == ["bug", None]
    account = me.get("/users/me/accounts")["accounts"][0]
    observed = me.get(f"/users/me/accounts/{account['id']}/logs")["accountlogs"]
    assert observed[0]["balance"] == account["balance"]


def test_paths_without_a_user_and_with_user_in_the_singular_work(me: Client) -> None:
    connection = me.add()
    canonical = me.get(f"/users/me/connections/{connection}")

    assert me.get(f"/user/me/connections/{connection}") == canonical
    assert me.get(f"/connections/{connection}") == canonical
    assert me.get(f"/users/{me.id_user}/connections/{connection}") == canonical
    me.switch(prefixless_routes=False)
    assert me.ask("GET", f"/connections/{connection}").status_code == 404


def test_going_to_the_bank_without_the_webview(me: Client) -> None:
    address = {"client_id": me.simulator.client_id, "redirect_uri": "https://obdesk.invalid/callback"}
    bank = me.bank("Haut-Léon")
    url = me.get("/webauth-url", **address, connector_uuid=bank["uuid"], state="s1")["url"]
    page = me.http.get(url)
    assert "Crédit du Haut-Léon" in page.text
    landed = me.http.post(url, data={"action": "allow"}).headers["location"]
    assert "id_connection=311" in landed
    assert "state=s1" in landed

    needless = me.ask("GET", "/webauth-url", params={**address, "id_connection": "311"})
    assert (needless.status_code, needless.json()["code"]) == (409, "invalidValue")
    code = me.get("/auth/token/code")["code"]
    away = me.ask("GET", "/webauth", params={**address, "connector_uuid": bank["uuid"], "token": code})
    assert away.status_code == 307
