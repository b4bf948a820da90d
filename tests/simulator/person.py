"""A client of the simulator, and a person who clicks through its pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import httpx

    from obdesk.simulator.server import Simulator

CALLBACK = "https://obdesk.invalid/callback"


@dataclass(slots=True)
class Client:
    """An application that talks to the API; `token` is the user's bearer."""

    simulator: Simulator
    http: httpx.Client
    token: str | None = None
    id_user: int | None = None

    def ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send a request with the user's bearer."""
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= arguments.pop("headers", {})
        url = path if path.startswith("http") else self.simulator.api_url + path
        return self.http.request(method, url, headers=headers, **arguments)

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of a GET that must succeed."""
        response = self.ask("GET", path, params=params or None)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: Any = None) -> Any:
        """Return the JSON of a POST that must succeed."""
        response = self.ask("POST", path, json={} if body is None else body)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def put(self, path: str, body: Any = None) -> Any:
        """Return the JSON of a PUT that must succeed."""
        response = self.ask("PUT", path, json={} if body is None else body)
        assert response.is_success, response.text
        return response.json()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Use the control door."""
        response = self.http.request(method, self.simulator.control_url + path, json=body)
        assert response.is_success, response.text
        return response.json()

    def advance(self, **spans: float) -> None:
        """Move the virtual clock by days, hours, minutes and seconds."""
        units = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
        self.control(
            "POST", "/clock", {"advance_s": sum(units[name] * count for name, count in spans.items())}
        )

    def switch(self, **values: Any) -> None:
        """Set switches."""
        self.control("POST", "/switches", values)

    def credentials(self) -> dict[str, str]:
        """Return the application's own credentials as body members."""
        return {"client_id": self.simulator.client_id, "client_secret": self.simulator.client_secret}

    def sign_up(self) -> Self:
        """Become a permanent user."""
        answer = self.post("/auth/init", self.credentials())
        self.token, self.id_user = answer["auth_token"], answer["id_user"]
        return self

    def bank(self, name: str) -> dict[str, Any]:
        """Return a connector by part of its name."""
        found: dict[str, Any] = next(
            item for item in self.get("/connectors")["connectors"] if name in item["name"]
        )
        return found

    def add(self, name: str = "Harbour", **fields: str) -> int:
        """Link a bank that asks for nothing but a login, with every account; returns the connection."""
        body = {"connector_uuid": self.bank(name)["uuid"], "login": "armelle", "password": "secret", **fields}
        connection = int(self.post("/users/me/connections", body)["id"])
        accounts = self.get(f"/users/me/connections/{connection}/accounts", all="")["accounts"]
        ids = ",".join(str(account["id"]) for account in accounts)
        self.put(f"/users/me/connections/{connection}/accounts/{ids}?all", {"disabled": False})
        return connection

    def rows(self, **params: Any) -> list[dict[str, Any]]:
        """Return every transaction, page by page."""
        found: list[dict[str, Any]] = []
        page = self.get("/users/me/transactions", **{"limit": 1000, **params})
        while True:
            found += page["transactions"]
            following = page["_links"]["next"]
            if following is None:
                return found
            page = self.get(following["href"])


@dataclass(slots=True)
class Person:
    """Somebody in front of the webview. `page` is what they see, `callback` how it ended."""

    client: Client
    url: str = ""
    page: str = ""
    status: int = 0
    callback: dict[str, str] | None = None
    landed: str = ""
    seen: list[str] = field(default_factory=list)

    def open(self, flow: str = "connect", lang: str = "en", **params: Any) -> Self:
        """Open the webview as the application would."""
        simulator = self.client.simulator
        query: dict[str, Any] = {
            "domain": f"{simulator.domain}.biapi.pro",
            "client_id": simulator.client_id,
            "redirect_uri": CALLBACK,
            "state": "nonce 1/+",
            **params,
        }
        query = {name: value for name, value in query.items() if value is not None}
        self._show(self.client.http.get(f"{simulator.webview_url}/{lang}/{flow}", params=query))
        return self

    def open_for_me(self, flow: str = "connect", **params: Any) -> Self:
        """Open the webview with a fresh single-use code of the user."""
        code = self.client.get("/auth/token/code", type="singleAccess")["code"]
        return self.open(flow, code=code, **params)

    def press(self, action: str, **fields: Any) -> Self:
        """Press a button, with what was typed before."""
        self._show(self.client.http.post(self.url, data={"action": action, **fields}))
        return self

    def pick(self, bank: str) -> Self:
        """Pick a bank from the list."""
        return self.press("choose", connector=self.client.bank(bank)["uuid"])

    def log_in(self, password: str | None = None, **fields: str) -> Self:
        """Fill the login form."""
        typed = {f"field.{name}": value for name, value in fields.items()}
        return self.press(
            "login", **{"field.login": "armelle", "field.password": password or "secret"}, **typed
        )

    def take_all_accounts(self) -> Self:
        """Keep every tick and go on."""
        return self.press("accounts", account=self.accounts())

    def accounts(self) -> list[str]:
        """Return the ids of the accounts on the page that can be ticked."""
        boxes = re.findall(r'<input type="checkbox"[^>]*>', self.page)
        return [self._value(box) for box in boxes if "disabled" not in box]

    def reload(self) -> Self:
        """Look again."""
        self._show(self.client.http.get(self.url))
        return self

    @property
    def title(self) -> str:
        """The heading of the page."""
        return self._inside("h1")

    @property
    def alert(self) -> str:
        """The problem the page tells about, if any."""
        found = re.search(r'role="alert">(.*?)</p>', self.page, re.DOTALL)
        return unescape(re.sub(r"<[^>]+>", "", found.group(1))) if found else ""

    def _inside(self, tag: str) -> str:
        found = re.search(rf"<{tag}[^>]*>(.*?)</{tag}>", self.page, re.DOTALL)
        return unescape(re.sub(r"<[^>]+>", "", found.group(1))) if found else ""

    @staticmethod
    def _value(box: str) -> str:
        found = re.search(r'value="(\d+)"', box)
        assert found is not None
        return found.group(1)

    def _show(self, response: httpx.Response) -> None:
        while response.status_code in {302, 303, 307}:
            target = str(response.headers["location"])
            if not target.startswith(("/", self.client.simulator.root)):
                parts = urlsplit(target)
                self.landed, self.callback = target.partition("?")[0], dict(parse_qsl(parts.query))
                self.page, self.status = "", response.status_code
                return
            response = self.client.http.get(response.url.join(target))
        self.url, self.page, self.status = str(response.url), response.text, response.status_code
        self.seen.append(self.title)
