"""What the first run says and checks, without Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from pathlib import Path

WEBVIEW_URL = "https://webview.powens.com"
_API_HOST = "biapi.pro"
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HTTPS = re.compile(r"https://[a-z0-9.-]+\.[a-z]{2,}(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|localhost)(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?")


class Way(Enum):
    """The three ways in."""

    CONNECT = "connect"
    OPEN = "open"
    LOOK_AROUND = "look_around"


@dataclass(frozen=True, slots=True)
class WayCard:
    """One way in, in words."""

    way: Way
    icon: str
    title: str
    words: str
    verb: str


def cards() -> tuple[WayCard, ...]:
    """Return the three ways in the order they are shown."""
    return (
        WayCard(
            Way.CONNECT,
            "link-simple",
            tr("Connect a bank"),
            tr("You log in at your bank itself. We never see your password. About two minutes."),
            tr("Connect a bank"),
        ),
        WayCard(
            Way.OPEN,
            "folder",
            tr("Open data you have"),
            tr("A data folder of obdesk from another computer or a copy; it stays where it is."),
            tr("Choose a folder"),
        ),
        WayCard(
            Way.LOOK_AROUND,
            "eye",
            tr("Look around"),
            tr("Made-up banks with two years of history, kept apart from anything of yours."),
            tr("Open the demo"),
        ),
    )


def what_leaves() -> tuple[tuple[str, str], ...]:
    """Return what leaves this computer, to whom, and what never does."""
    return (
        (
            tr("To your bank and Powens"),
            tr("What you type on their own pages when you link a bank. obdesk cannot read it."),
        ),
        (
            tr("To Powens"),
            tr("Requests for your accounts and transactions, with a key that only this computer has."),
        ),
        (
            tr("To nobody else"),
            tr("No statistics, no crash reports, no account with us. Your data is one encrypted file here."),
        ),
    )


@dataclass(frozen=True, slots=True)
class PowensSettings:
    """The person's own Powens application, checked."""

    api_url: str
    webview_url: str
    domain: str
    client_id: str
    client_secret: str


class FormField(Enum):
    """The fields of the set-up."""

    DOMAIN = "domain"
    CLIENT_ID = "client_id"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a field
    API_URL = "api_url"
    WEBVIEW_URL = "webview_url"


def domain_of(typed: str) -> str:
    """Return the bare domain of what was typed: with its ending, as an address, or bare."""
    bare = typed.strip().lower().removeprefix("https://").partition("/")[0]
    return bare.removesuffix(f".{_API_HOST}")


def checked(typed: dict[FormField, str]) -> PowensSettings | dict[FormField, str]:
    """Return the settings, or per field the sentence that says what is wrong with it."""
    values = {field: typed.get(field, "").strip() for field in FormField}
    domain = domain_of(values[FormField.DOMAIN])
    api_url = values[FormField.API_URL].rstrip("/") or f"https://{domain}.{_API_HOST}/2.0"
    webview_url = values[FormField.WEBVIEW_URL].rstrip("/") or WEBVIEW_URL
    wrong: dict[FormField, str] = {}
    if not _DOMAIN.fullmatch(domain):
        wrong[FormField.DOMAIN] = tr("It looks like “acme” or “acme-sandbox”.")
    if not values[FormField.CLIENT_ID].isdecimal():
        wrong[FormField.CLIENT_ID] = tr("The client ID has only digits.")
    if not values[FormField.CLIENT_SECRET]:
        wrong[FormField.CLIENT_SECRET] = tr("The client secret is missing.")
    for field, url in ((FormField.API_URL, api_url), (FormField.WEBVIEW_URL, webview_url)):
        if not _HTTPS.fullmatch(url) and not _LOOPBACK.fullmatch(url) and FormField.DOMAIN not in wrong:
            wrong[field] = tr("It has to begin with https://.")
    if wrong:
        return wrong
    secret = values[FormField.CLIENT_SECRET]
    return PowensSettings(api_url, webview_url, domain, values[FormField.CLIENT_ID], secret)


def place_of(folder: Path) -> tuple[Path, str] | None:
    """Return data folder and profile name for a folder a person chose, or None when there is no data.

    Both the folder of a profile and the one above it are understood.
    """
    if (folder / "ledger.db").is_file():
        return folder.parent, folder.name
    found = sorted(path.parent for path in folder.glob("*/ledger.db") if path.is_file())
    if not found:
        return None
    chosen = next((path for path in found if path.name == "default"), found[0])
    return folder, chosen.name
