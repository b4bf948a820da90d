from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.simulator.person import Client

LIST = "GET /2.0/users/me/transactions"


@pytest.fixture
def linked(me: Client) -> Client:
    me.add("Ruche")
    return me


def inject(me: Client, kind: str, **more: Any) -> None:
    me.control("POST", "/faults", {"route": LIST, "kind": kind, **more})


def page(me: Client, **params: Any) -> httpx.Response:
    return me.ask("GET", "/users/me/transactions", params={"limit": 5, **params})


def test_a_fault_strikes_as_often_as_told(linked: Client) -> None:
    inject(linked, "server_error", times=2, skip=1)
    assert [page(linked).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert linked.control("GET", "/faults")["faults"][0]["fired"] == 2


def test_a_fault_strikes_its_route_only(linked: Client) -> None:
    inject(linked, "server_error", times=None)
    assert linked.ask("GET", "/users/me/accounts").status_code == 200
    assert page(linked).status_code == 500
    linked.control("DELETE", "/faults")
    assert page(linked).status_code == 200


def test_a_probability_strikes_some(linked: Client) -> None:
    inject(linked, "server_error", times=None, probability=0.5)
    statuses = {page(linked).status_code for _ in range(40)}
    assert statuses == {200, 500}


def test_errors_that_replace_the_answer(linked: Client) -> None:
    inject(linked, "rate_limited", retry_after="7")
    limited = page(linked)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    inject(linked, "rate_limited")
    assert "retry-after" not in page(linked).headers
    inject(linked, "unavailable")
    gone = page(linked)
    assert (gone.status_code, gone.headers["content-type"]) == (503, "text/html")
    inject(linked, "html")
    assert page(linked).text.startswith("<html>")
    inject(linked, "status", status=418, body={"code": "teapot"})
    assert (page(linked).status_code, linked.control("GET", "/faults")["faults"][-1]["fired"]) == (418, 1)


def test_bodies_that_end_too_soon(linked: Client) -> None:
    inject(linked, "truncate")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        page(linked).json()
    inject(linked, "reset")
    with pytest.raises(httpx.RemoteProtocolError):
        page(linked)
    assert page(linked).status_code == 200


def test_bodies_with_bytes_that_are_not_text_and_numbers_that_are_none(linked: Client) -> None:
    inject(linked, "bad_utf8")
    with pytest.raises(UnicodeDecodeError):
        page(linked).content.decode()
    inject(linked, "not_a_number")
    assert b'"value":NaN' in page(linked).content
    inject(linked, "huge_number")
    assert b":" + b"9" * 5_000 in page(linked).content
    inject(linked, "nested")
    assert page(linked).content.count(b"}") == 100_000


def test_bodies_that_are_far_too_large(linked: Client) -> None:
    true = page(linked).content
    inject(linked, "oversize", size_mb=1)
    assert len(page(linked).content) == len(true) + (1 << 20)
    inject(linked, "gzip_bomb", size_mb=2)
    bomb = page(linked)
    assert int(bomb.headers["content-length"]) < 20_000
    assert len(bomb.content) == len(true) + (2 << 20)


def test_links_that_lead_astray(linked: Client) -> None:
    inject(linked, "repeat_next")
    links = page(linked).json()["_links"]
    assert links["next"] == links["self"]
    inject(linked, "foreign_next")
    assert page(linked).json()["_links"]["next"]["href"].startswith("https://elsewhere.invalid/2.0/users/me/")
    inject(linked, "relative_next")
    assert page(linked).json()["_links"]["next"]["href"].startswith("/2.0/users/me/")


def test_rows_that_are_odd(linked: Client) -> None:
    true = page(linked).json()["transactions"]
    inject(linked, "numbers_as_strings")
    assert [row["value"] for row in page(linked).json()["transactions"]] != [row["value"] for row in true]
    inject(linked, "unknown_enums")
    assert {row["type"] for row in page(linked).json()["transactions"]} == {"teleportation"}
    inject(linked, "extra_keys")
    assert all("zz_new" in row for row in page(linked).json()["transactions"])
    inject(linked, "missing_keys")
    assert any(set(row) < set(true[0]) for row in page(linked).json()["transactions"])
    inject(linked, "null_keys")
    spoilt = page(linked).json()["transactions"]
    assert [row["id"] for row in spoilt] == [row["id"] for row in true]
    assert spoilt != true
    inject(linked, "bad_row")
    assert sum(row["date"] == "0000-13-45" for row in page(linked).json()["transactions"]) == 1
    inject(linked, "duplicate_rows")
    assert len(page(linked).json()["transactions"]) > len(true)
    assert page(linked).json()["transactions"] == true


def test_slow_answers(linked: Client) -> None:
    inject(linked, "delay", delay_s=0.2)
    assert page(linked).elapsed.total_seconds() >= 0.2
    inject(linked, "drip", delay_s=0.01)
    assert len(page(linked).json()["transactions"]) == 5


def test_the_documented_rate_limit(linked: Client) -> None:
    linked.switch(rate_limit_per_min=30)
    statuses = [page(linked).status_code for _ in range(32)]
    assert statuses == [200] * 30 + [429] * 2
    linked.advance(minutes=1)
    assert page(linked).status_code == 200


def test_every_request_is_remembered(linked: Client) -> None:
    inject(linked, "server_error")
    page(linked)
    last = linked.control("GET", "/requests")["requests"][-1]
    assert last["request"] == f"{LIST}?limit=5"
    assert (last["status"], last["fault"]) == (500, "server_error")


def test_an_impossible_fault_is_refused(me: Client) -> None:
    response = me.http.post(f"{me.simulator.control_url}/faults", json={"route": "x", "kind": "gremlins"})
    assert response.status_code == 400
    assert "gremlins" in response.json()["error"]
