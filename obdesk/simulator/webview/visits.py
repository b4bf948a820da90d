"""A person's way through the webview, as data: where they came from and which step they are on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from random import Random

    from obdesk.simulator.bank.connectors import Connector
    from obdesk.simulator.world.entities import Connection, User


class Flow(Enum):
    """What the person was sent here for."""

    CONNECT = "connect"
    RECONNECT = "reconnect"
    MANAGE = "manage"
    WEBAUTH = "webauth"


class Step(Enum):
    """The page the person is on."""

    CHOOSE = "choose"
    LOGIN = "login"
    OTP = "otp"
    APP = "app"
    BANK = "bank"
    ACCOUNTS = "accounts"
    MORE = "more"
    NOTICE = "notice"
    MANAGE = "manage"
    DONE = "done"


@dataclass(slots=True)
class Visit:
    """One visit. `problem` is the key of a text to show on the present page, once."""

    id: str
    flow: Flow
    lang: str
    user: User
    redirect_uri: str | None
    state: str | None
    step: Step
    anonymous: bool = False
    connector: Connector | None = None
    connection: Connection | None = None
    prefill: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    linked: list[int] = field(default_factory=list)
    problem: str | None = None
    bank_message: str | None = None
    managing: bool = False

    @property
    def max_connections(self) -> int:
        """How many banks may be added in this visit."""
        text = self.params.get("max_connections", "1")
        return max(1, int(text)) if text.isdigit() else 1

    def listed(self, name: str) -> tuple[str, ...]:
        """Return a comma list of the address that started the visit."""
        return tuple(part.strip() for part in self.params.get(name, "").split(",") if part.strip())


class VisitBook:
    """The visits that are under way."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.visits: dict[str, Visit] = {}

    def new_id(self) -> str:
        """Return an id nobody can guess from another, the same for the same seed."""
        return self._rng.randbytes(12).hex()


def callback_url(redirect_uri: str, values: dict[str, str]) -> str:
    """Return the redirect address with values added to whatever query it has."""
    parts = urlsplit(redirect_uri)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *values.items()]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
