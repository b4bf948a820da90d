"""The simulator posts to a relay as the aggregator does, and a desktop reads what happened."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import msgspec
from nacl.public import PrivateKey

from obdesk.relay.protocol import Page, opened, to_text
from obdesk.simulator.options import Options
from obdesk.simulator.server import Simulator, running
from tests.relay.server.kit import SECRET, from_base64
from tests.relay.server.served import add_source, pairing_code, serving
from tests.simulator.person import Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obdesk.relay.protocol import Hint
    from tests.relay.server.served import Served


class Desktop:
    """Pulls, opens, acknowledges."""

    def __init__(self, served: Served, code: str) -> None:
        self._key = PrivateKey.generate()
        self._http = httpx.Client(base_url=served.where, timeout=40)
        told = {"publicKey": to_text(bytes(self._key.public_key)), "code": code}
        paired = self._http.post("/v1/devices", json=told).json()
        self._http.headers["Authorization"] = f"Bearer {paired['token']}"
        self._cursor = paired["cursor"]

    def until(self, is_wanted: Callable[[Hint], bool]) -> list[Hint]:
        """Read hints until one comes that is wanted."""
        found: list[Hint] = []
        while not any(map(is_wanted, found)):
            asked = {"after": self._cursor, "wait": 20}
            page = msgspec.json.decode(self._http.get("/v1/mailbox/events", params=asked).content, type=Page)
            assert page.entries, f"only {found}"
            found += [opened(bytes(self._key), from_base64(entry.sealed)) for entry in page.entries]
            self._cursor = page.cursor
            assert self._http.post("/v1/mailbox/ack", json={"upto": page.cursor}).status_code == 204
        return found

    def close(self) -> None:
        """Hang up."""
        self._http.close()


def test_what_happens_at_a_bank_is_known_on_the_desktop(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'relay.sqlite'}"
    paths = add_source(store, "home", "--personal", "--gzip", "signed-plain")
    code = pairing_code(store)
    with (
        running(Simulator(options=Options(history_days=30))) as bank,
        serving(store, tmp_path) as served,
        httpx.Client(timeout=30) as pool,
    ):
        me = Client(bank, pool)
        me.control("POST", "/reset", {})
        me = me.sign_up()
        address = f"{served.where}{paths['USER_CREATED'].rpartition('/')[0]}/{{event}}"
        me.control("POST", "/webhooks", {"url": address, "secret": SECRET})
        with closing(Desktop(served, code)) as desktop:
            first = me.add("Ruche")
            # Whatever is told last about a link stands for all that was told before.
            plain = desktop.until(lambda hint: hint.connection == str(first))
            me.switch(webhook_gzip=True, webhook_gzip_signs="raw")
            me.control("DELETE", f"/connections/{first}")
            packed = desktop.until(lambda hint: hint.event == "CONNECTION_DELETED")

    assert {hint.connection for hint in packed if hint.event == "CONNECTION_DELETED"} == {str(first)}
    assert all(hint.payload_id is not None for hint in [*plain, *packed])
