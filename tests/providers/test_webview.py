"""The addresses of the linking pages, and what may be believed of their last redirect."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.callbacks import Callback, CallbackKind
from obdesk.domain.errors import Action, AppError
from obdesk.providers.powens.settings import PowensSettings
from obdesk.providers.powens.webview import connect_url, parse_callback, reconnect_url

SETTINGS = PowensSettings(
    "https://acme-sandbox.biapi.pro/2.0", "https://webview.powens.com", "acme-sandbox.biapi.pro", "70012345"
)
BACK = "http://127.0.0.1:47611/callback"
CODE = "COj_wSf+PuY0Z/7F0Ig6G&x=="
STATE = "k9f-é &="


def test_the_address_for_linking_says_all_and_escapes_all() -> None:
    url = connect_url(
        SETTINGS, code=CODE, redirect_uri=BACK, state=STATE, language="fr", connector_id="338178e6-3d01"
    )

    assert url.startswith("https://webview.powens.com/fr/connect?")
    assert "+" not in url
    assert dict(parse_qsl(urlsplit(url).query, strict_parsing=True)) == {
        "domain": "acme-sandbox.biapi.pro",
        "client_id": "70012345",
        "redirect_uri": BACK,
        "code": CODE,
        "state": STATE,
        "connector_uuids": "338178e6-3d01",
    }


def test_without_a_bank_the_page_lets_one_choose() -> None:
    url = connect_url(SETTINGS, code=CODE, redirect_uri=BACK, state="s", language="en", connector_id=None)

    assert "connector_uuids" not in url


@pytest.mark.parametrize("reset", [False, True])
def test_the_address_for_renewing_names_the_connection(*, reset: bool) -> None:
    url = reconnect_url(
        SETTINGS, code=CODE, connection_id="311", redirect_uri=BACK, state="s", language="de", reset=reset
    )

    query = dict(parse_qsl(urlsplit(url).query))
    assert urlsplit(url).path == "/de/reconnect"
    assert query["connection_id"] == "311"
    assert query["reset_credentials"] == str(reset).lower()
    assert query["code"] == CODE


@pytest.mark.parametrize(
    ("language", "segment"), [("fr_FR", "fr"), ("FR", "fr"), ("eo", "en"), ("", "en"), ("../x", "en")]
)
def test_a_language_is_always_sent(language: str, segment: str) -> None:
    url = connect_url(SETTINGS, code=CODE, redirect_uri=BACK, state="s", language=language, connector_id=None)

    assert urlsplit(url).path == f"/{segment}/connect"


@pytest.mark.parametrize(
    ("query", "callback"),
    [
        ("connection_id=311&state=n", Callback(CallbackKind.DONE, ("311",))),
        ("id_connection=311&state=n", Callback(CallbackKind.DONE, ("311",))),
        ("connection_id=311&connection_ids=311,312&state=n", Callback(CallbackKind.DONE, ("311", "312"))),
        ("state=n", Callback(CallbackKind.DONE)),
        ("connection_id=../../users&state=n", Callback(CallbackKind.DONE)),
        ("error=access_denied&state=n", Callback(CallbackKind.CANCELLED, (), "access_denied")),
        ("error=tos_declined&state=n", Callback(CallbackKind.CANCELLED, (), "tos_declined")),
        ("error=session_expired&state=n", Callback(CallbackKind.EXPIRED, (), "session_expired")),
        ("error=server_error&connection_id=3&state=n", Callback(CallbackKind.FAILED, (), "server_error")),
        ("error=brand_new&state=n", Callback(CallbackKind.FAILED, (), "brand_new")),
        ("error=&state=n", Callback(CallbackKind.FAILED, (), "unknown")),
        ("error=%3Cscript%3E&state=n", Callback(CallbackKind.FAILED, (), "unknown")),
        (
            "error=access_denied&error_description=User+cancelled%00&state=n",
            Callback(CallbackKind.CANCELLED, (), "access_denied", "User cancelled"),
        ),
    ],
)
def test_what_a_redirect_says(query: str, callback: Callback) -> None:
    assert parse_callback(f"{BACK}?{query}", "n") == callback


@pytest.mark.parametrize(
    "query",
    [
        "connection_id=311",
        "connection_id=311&state=",
        "connection_id=311&state=N",
        "connection_id=311&state=nn",
        "connection_id=311&state=n&state=n",
        "connection_id=311&state=x&state=n",
        "",
        "state=%ff",
        "state=%ed%a0%80",
    ],
)
def test_without_our_own_state_nothing_is_believed(query: str) -> None:
    assert parse_callback(f"{BACK}?{query}", "n") == Callback(CallbackKind.FOREIGN)


def test_no_state_of_ours_means_nobody_is_believed() -> None:
    assert parse_callback(f"{BACK}?state=&connection_id=311", "").kind is CallbackKind.FOREIGN


@given(url=st.text() | st.text().map(lambda text: f"{BACK}?state=n&{text}"), state=st.text(max_size=3))
def test_no_address_raises(url: str, state: str) -> None:
    callback = parse_callback(url, state)

    assert all(each.isdigit() for each in callback.connection_ids)


def test_the_short_domain_becomes_the_whole_host_for_the_webview() -> None:
    short = PowensSettings("https://acme-sandbox.biapi.pro/2.0/", "https://w.example/", "acme-sandbox", "1")
    local = PowensSettings(
        "http://127.0.0.1:8080/2.0", "http://127.0.0.1:8080/webview", "obdesk-sandbox", "1"
    )

    assert short.webview_domain == "acme-sandbox.biapi.pro"
    assert (short.api_url, short.webview_url) == ("https://acme-sandbox.biapi.pro/2.0", "https://w.example")
    assert local.webview_domain == "obdesk-sandbox"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/2",
        "http://127.8.8.8/2",
        "http://[::1]:80/2",
        "http://localhost:1/2",
        "https://x.y",
    ],
)
def test_plain_http_is_for_this_machine_alone(url: str) -> None:
    assert PowensSettings(url, url, "acme", "1").api_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.biapi.pro/2.0",
        "http://127.0.0.1.evil.example/2.0",
        "http://localhost.evil.example/2.0",
        "http://0.0.0.0/2.0",
        "http://10.0.0.1/2.0",
        "ftp://acme.biapi.pro/2.0",
        "https:///2.0",
        "https://user:pass@acme.biapi.pro/2.0",
        "https://acme.biapi.pro/2.0?x=1",
        "https://acme.biapi.pro/2.0#x",
        "https://acme.biapi.pro:port/2.0",
        "https://acme biapi.pro/2.0",
        "https://[::1",
        "acme.biapi.pro",
        "",
    ],
)
def test_an_address_that_cannot_be_right_is_explained(url: str) -> None:
    for api, webview in ((url, "https://x.y"), ("https://x.y", url)):
        with pytest.raises(AppError) as caught:
            PowensSettings(api, webview, "acme", "1")
        assert caught.value.action is Action.CONFIGURE_PROVIDER
        assert "pass@" not in caught.value.cause


@pytest.mark.parametrize(
    ("domain", "client_id", "zone"),
    [
        ("", "1", "UTC"),
        ("a b", "1", "UTC"),
        ("a/b", "1", "UTC"),
        ("acme", "", "UTC"),
        ("acme", "1&x=2", "UTC"),
        ("acme", "1", "Mars/Olympus"),
        ("acme", "1", "../etc/passwd"),
        ("acme", "1", ""),
    ],
)
def test_other_settings_are_checked_too(domain: str, client_id: str, zone: str) -> None:
    with pytest.raises(AppError):
        PowensSettings("https://x.y", "https://x.y", domain, client_id, zone)
