"""Playing the banks of the demo: through the simulator's API and its control door, never past the app."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obdesk.app.demo_relay import DemoRelay
    from obdesk.app.simulated import SimulatedBanks

TIMEOUT_S = 30.0
STEPS_MAX = 4
_ANSWERS: Mapping[str, Mapping[str, object]] = {
    "additionalInformationNeeded": {"code": "123456"},
    "decoupled": {"resume": True},
    "validating": {},
}


class DemoBanks:
    """What happens at the invented banks because the demo wants it."""

    def __init__(self, addresses: SimulatedBanks) -> None:
        self._addresses = addresses

    async def open_business(self) -> None:
        """Let the invented aggregator say what each operation was for, as those who pay for it get."""
        await asyncio.to_thread(
            self._send, "POST", f"{self._addresses.control_url}/switches", {"categories": True}, None
        )

    async def tell(self, relay: DemoRelay) -> None:
        """Let the aggregator post what happens to a relay, each event to its address, signed."""
        first = relay.hooks[0]
        body = {
            "url": f"{first.rpartition('/')[0]}/{{event}}",
            "secret": relay.secret,
            "events": [hook.rpartition("/")[2] for hook in relay.hooks],
        }
        await asyncio.to_thread(self._send, "POST", f"{self._addresses.control_url}/webhooks", body, None)

    async def buy(self, wording: str, amount: str, *, after_s: int = 0) -> None:
        """Let something be paid with the newest user's first account, now or in a while."""
        await asyncio.to_thread(self._buy, wording, amount, after_s)

    def _buy(self, wording: str, amount: str, after_s: int) -> None:
        users = self._send("GET", f"{self._addresses.control_url}/truth", None, None)["users"]
        accounts = users[-1]["connections"][0]["accounts"]
        account = next(each["id"] for each in accounts if each["type"] == "checking")
        row = {"wording": wording, "value": amount}
        step = {"at_s": after_s, "path": f"/accounts/{account}/transactions", "body": {"rows": [row]}}
        self._send("POST", f"{self._addresses.control_url}/scenario", {"steps": [step]}, None)

    async def link(self, names: tuple[str, ...]) -> None:
        """Link banks by name for the newest user, as if a person had done it elsewhere."""
        await asyncio.to_thread(self._link_all, names)

    async def ask_for_sca(self, provider_id: str) -> None:
        """Let a bank ask for strong authentication, as it does every 180 days."""
        await asyncio.to_thread(
            self._send, "POST", f"{self._addresses.control_url}/sca", {"connection": int(provider_id)}, None
        )

    def _link_all(self, names: tuple[str, ...]) -> None:
        token = self._token()
        listed = self._api("GET", "/connectors", None, None)["connectors"]
        for name in names:
            uuid = next(each["uuid"] for each in listed if each["name"] == name)
            self._link(uuid, token)

    def _token(self) -> str:
        """Return a token of the newest user: the demo is the owner of its application."""
        users = self._send("GET", f"{self._addresses.control_url}/truth", None, None)["users"]
        body = {
            "grant_type": "client_credentials",
            "client_id": self._addresses.client_id,
            "client_secret": self._addresses.client_secret,
            "id_user": users[-1]["id"],
        }
        return str(self._api("POST", "/auth/renew", body, None)["access_token"])

    def _link(self, uuid: str, token: str) -> None:
        body: Mapping[str, object] = {"connector_uuid": uuid, "login": "demo", "password": "1234"}
        link = self._api("POST", "/users/me/connections", body, token)
        here = f"/users/me/connections/{link['id']}"
        for _ in range(STEPS_MAX):
            if link["state"] not in _ANSWERS:
                break
            link = self._api("POST", here, _ANSWERS[link["state"]], token)
        found = self._api("GET", f"{here}/accounts?all", None, token)["accounts"]
        for account in found:
            self._api("PUT", f"/users/me/accounts/{account['id']}?all", {"disabled": False}, token)

    def _api(self, method: str, path: str, body: Mapping[str, object] | None, token: str | None) -> Any:
        return self._send(method, f"{self._addresses.api_url}{path}", body, token)

    def _send(self, method: str, url: str, body: Mapping[str, object] | None, token: str | None) -> Any:
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - loopback only
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - same
            content = answer.read()
        return json.loads(content) if content else None
