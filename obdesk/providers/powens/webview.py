"""The addresses of Powens' linking pages, and what their last redirect says."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from obdesk.domain.callbacks import Callback, CallbackKind
from obdesk.providers.powens.labels import label_of

if TYPE_CHECKING:
    from obdesk.providers.powens.settings import PowensSettings

_LANGUAGES = frozenset({"en", "fr", "de", "nl", "pt", "it", "es"})
_ID = re.compile(r"[0-9]{1,18}")
_ERROR = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_KINDS = {
    "access_denied": CallbackKind.CANCELLED,
    "tos_declined": CallbackKind.CANCELLED,
    "session_expired": CallbackKind.EXPIRED,
}


def connect_url(
    settings: PowensSettings,
    *,
    code: str,
    redirect_uri: str,
    state: str,
    language: str,
    connector_id: str | None,
) -> str:
    """Return the address of the page that links a bank; `connector_id` skips the choice of one."""
    parameters = _common(settings, code, redirect_uri, state)
    if connector_id:
        parameters["connector_uuids"] = connector_id
    return _page(settings, language, "connect", parameters)


def reconnect_url(
    settings: PowensSettings,
    *,
    code: str,
    connection_id: str,
    redirect_uri: str,
    state: str,
    language: str,
    reset: bool,
) -> str:
    """Return the address of the page that renews access; `reset` asks for all credentials again."""
    parameters = _common(settings, code, redirect_uri, state)
    parameters["connection_id"] = connection_id
    parameters["reset_credentials"] = "true" if reset else "false"
    return _page(settings, language, "reconnect", parameters)


def _common(settings: PowensSettings, code: str, redirect_uri: str, state: str) -> dict[str, str]:
    return {
        "domain": settings.webview_domain,
        "client_id": settings.client_id,
        "redirect_uri": redirect_uri,
        "code": code,
        "state": state,
    }


def _page(settings: PowensSettings, language: str, flow: str, parameters: dict[str, str]) -> str:
    # The page without a language segment answers 503 for some.
    short = language[:2].lower()
    segment = short if short in _LANGUAGES else "en"
    # Codes hold `+`, `/` and `=`, so everything is escaped, and a space is no plus.
    return f"{settings.webview_url}/{segment}/{flow}?{urlencode(parameters, quote_via=quote, safe='')}"


def parse_callback(url: str, expected_state: str) -> Callback:
    """Return what the redirect to `url` says; never raises, whatever the address is.

    The state is compared first and in constant time; without it everything else is a stranger's word.
    """
    try:
        values = parse_qs(urlsplit(url).query, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return Callback(CallbackKind.FOREIGN)
    states = values.get("state", [])
    expected = expected_state.encode()
    if len(states) != 1 or not expected or not hmac.compare_digest(_bytes(states[0]), expected):
        return Callback(CallbackKind.FOREIGN)
    error = _first(values, "error")
    if error or "error" in values:
        word = error if _ERROR.fullmatch(error) else "unknown"
        description = label_of(_first(values, "error_description"))
        return Callback(_KINDS.get(word.lower(), CallbackKind.FAILED), (), word, description)
    return Callback(CallbackKind.DONE, _connection_ids(values))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _first(values: dict[str, list[str]], name: str) -> str:
    return values.get(name, [""])[0]


def _connection_ids(values: dict[str, list[str]]) -> tuple[str, ...]:
    """Return the ids in order, each once; the name differs between flows and several may come at once."""
    named = [
        _first(values, "connection_id"),
        _first(values, "id_connection"),
        *_first(values, "connection_ids").split(","),
    ]
    return tuple(dict.fromkeys(each for each in map(str.strip, named) if _ID.fullmatch(each)))
