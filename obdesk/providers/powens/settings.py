"""Where a person's own Powens application is reached, checked before anything is sent there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from obdesk.domain.addresses import is_loopback, shown, split
from obdesk.domain.errors import Action, AppError
from obdesk.domain.texts import tr

_DOMAIN = re.compile(r"[a-z0-9][a-z0-9.-]*(:\d{1,5})?", re.IGNORECASE)
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class PowensSettings:
    """The addresses and the public id of an application; its secret lives in the token store.

    `api_url` is the root with its version (`https://acme.biapi.pro/2.0`), `webview_url` the root of the
    linking pages, `zone` the IANA zone of the naive times the API sends, which nobody documents.
    Unusable values raise AppError.
    """

    api_url: str
    webview_url: str
    domain: str
    client_id: str
    zone: str = "Europe/Paris"

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_url", _checked_url(self.api_url, tr("The address of the API")))
        object.__setattr__(self, "webview_url", _checked_url(self.webview_url, tr("The webview's address")))
        if not _DOMAIN.fullmatch(self.domain):
            raise _unusable(tr("The domain"), self.domain, tr("It looks like acme-sandbox.biapi.pro."))
        if not _CLIENT_ID.fullmatch(self.client_id):
            raise _unusable(tr("The client id"), self.client_id, tr("It is the number shown in the console."))
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise _unusable(tr("The time zone"), self.zone, tr("It looks like Europe/Paris.")) from None

    @property
    def webview_domain(self) -> str:
        """Return the domain as the webview wants it: the whole host, also where the short name was given."""
        host = urlsplit(self.api_url).hostname or ""
        short = "." not in self.domain and host.startswith(f"{self.domain.lower()}.")
        return host if short else self.domain

    @property
    def is_loopback(self) -> bool:
        """Tell whether the API runs on this machine, as a simulator does."""
        return is_loopback(urlsplit(self.api_url).hostname or "")


def _checked_url(url: str, what: str) -> str:
    """Return `url` without a closing slash; only https, or http to this machine, is let through."""
    trimmed = url.strip().rstrip("/")
    parts = split(trimmed)
    if parts is None or not parts.hostname or any(character.isspace() for character in trimmed):
        raise _unusable(what, url, tr("It looks like https://acme.biapi.pro/2.0."))
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _unusable(what, url, tr("It has no name, password, question mark or # in it."))
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise _unusable(what, url, tr("It must begin with https://, so that nobody can listen."))
    return trimmed


def _unusable(what: str, value: str, hint: str) -> AppError:
    return AppError(
        title=tr("{what} cannot be used", what=what),
        cause=tr("It reads “{value}”. {hint}", value=shown(value), hint=hint),
        next_step=tr("Nothing was sent. Correct it in the settings of Powens."),
        action=Action.CONFIGURE_PROVIDER,
    )
