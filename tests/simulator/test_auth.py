from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from tests.simulator.person import Client


def test_with_credentials_a_user_is_permanent(client: Client) -> None:
    answer = client.post("/auth/init", client.credentials())

    assert answer["type"] == "permanent"
    assert answer["expires_in"] is None
    client.token = answer["auth_token"]
    client.advance(days=400)
    assert client.get("/users/me")["id"] == answer["id_user"]


def test_without_credentials_a_user_is_gone_after_half_an_hour(client: Client) -> None:
    answer = client.post("/auth/init")
    client.token = answer["auth_token"]

    assert (answer["type"], answer["expires_in"]) == ("temporary", 1800)
    client.advance(minutes=29)
    assert client.get("/users/me")["id"] == answer["id_user"]
    client.advance(minutes=2)
    assert client.ask("GET", "/users/me").status_code == 401
    assert client.control("GET", "/truth")["users"] == []


def test_a_temporary_user_becomes_permanent_by_exchanging_the_token(client: Client) -> None:
    temporary = client.post("/auth/init")["auth_token"]
    exchanged = client.post("/auth/token/access", {**client.credentials(), "code": temporary})

    assert exchanged["token_type"] == "Bearer"
    client.advance(hours=2)
    client.token = exchanged["access_token"]
    assert client.get("/users/me")["platform"] == "sharedAccess"


def test_wrong_secret_creates_nobody(client: Client) -> None:
    response = client.ask("POST", "/auth/init", json={**client.credentials(), "client_secret": "guess"})

    assert response.status_code == 401
    assert response.json()["code"] == "invalid_client"
    assert client.control("GET", "/truth")["users"] == []


def test_tokens_need_encoding_in_addresses(me: Client) -> None:
    code = me.get("/auth/token/code")["code"]

    assert set("+/=") & set(code)
    assert quote(code, safe="") != code


def test_a_single_access_code_burns_and_a_request_code_does_not(me: Client) -> None:
    single = me.get("/auth/token/code", type="singleAccess")
    several = me.get("/auth/token/code")

    assert (single["access"], several["access"]) == ("single", "standard")
    asks = {"authorization": f"Bearer {single['code']}"}
    assert me.ask("GET", "/users/me", headers=asks).status_code == 200
    assert me.ask("GET", "/users/me", headers=asks).status_code == 401
    asks = {"authorization": f"Bearer {several['code']}"}
    for _ in range(3):
        assert me.ask("GET", "/users/me", headers=asks).status_code == 200
    me.advance(minutes=31)
    assert me.ask("GET", "/users/me", headers=asks).status_code == 401


def test_renewing_can_revoke_what_was_before(me: Client) -> None:
    body = {"grant_type": "client_credentials", **me.credentials(), "id_user": me.id_user}
    second = me.post("/auth/renew", body)["access_token"]

    assert me.get("/users/me")["id"] == me.id_user
    third = me.post("/auth/renew", {**body, "revoke_previous": True})["access_token"]
    assert me.ask("GET", "/users/me").status_code == 401
    me.token = second
    assert me.ask("GET", "/users/me").status_code == 401
    me.token = third
    assert me.get("/users/me")["id"] == me.id_user


def test_renewing_without_a_user_makes_one(me: Client) -> None:
    me.post("/auth/renew", {"grant_type": "client_credentials", **me.credentials()})
    assert len(me.control("GET", "/truth")["users"]) == 2

    me.switch(renew_creates_user=False)
    response = me.ask("POST", "/auth/renew", json={"grant_type": "client_credentials", **me.credentials()})
    assert (response.status_code, response.json()["code"]) == (400, "missingParameter")


def test_a_revoked_token_is_refused(me: Client) -> None:
    assert me.ask("DELETE", "/auth/token").status_code == 204
    assert me.ask("GET", "/users/me").status_code == 401


def test_missing_header_unknown_token_and_other_users_are_told_apart(me: Client) -> None:
    mine = me.token
    me.token = None
    assert me.ask("GET", "/users/me").json()["code"] == "unauthorized"
    me.token = "nonsense"
    assert me.ask("GET", "/users/me").json()["code"] == "invalidToken"
    me.token = mine
    assert me.ask("GET", f"/users/{(me.id_user or 0) + 1}").status_code == 403
    me.switch(foreign_user_status=404)
    assert me.ask("GET", f"/users/{(me.id_user or 0) + 1}").status_code == 404


def test_a_service_token_belongs_to_nobody(me: Client) -> None:
    body = {"grant_type": "client_credentials", **me.credentials(), "scope": ["payments:admin"]}
    answer = me.post("/auth/token", body)

    assert answer["scope"] == "payments:admin"
    me.token = answer["token"]
    assert me.ask("GET", "/users/me").status_code == 403


def test_the_application_can_look_up_its_redirect_addresses(me: Client) -> None:
    about = me.get(f"/clients/{me.simulator.client_id}")

    assert me.simulator.client_id.isdigit()
    assert "http://127.0.0.1:47611/callback" in about["redirect_uris"]
    assert "https://obdesk.invalid/callback" in about["redirect_uris"]


def test_forms_are_read_like_json(client: Client) -> None:
    as_form = client.ask("POST", "/auth/init", data=client.credentials())
    as_parts = client.ask("POST", "/auth/init", files={k: (None, v) for k, v in client.credentials().items()})

    assert as_form.json()["type"] == as_parts.json()["type"] == "permanent"


def test_users_are_listed_for_the_users_token_only(me: Client) -> None:
    assert me.ask("GET", "/users").status_code == 403
    me.token = me.control("GET", "/tokens")["users"]

    listed = me.get("/users")
    assert [user["id"] for user in listed["users"]] == [me.id_user]
    assert listed["total"] == 1
    assert me.get(f"/users/{me.id_user}")["signin"] == "2026-02-03 09:00:00"


def test_erasing_a_user_erases_everything(me: Client) -> None:
    me.add()
    assert me.ask("DELETE", "/users/me").status_code == 204
    assert me.ask("GET", "/users/me/transactions?limit=1").status_code == 401
    assert me.control("GET", "/truth")["users"] == []
