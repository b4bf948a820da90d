"""Address forms that older documents use, turned into the canonical one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from obdesk.simulator.switches import Switches

VERSION = "/2.0"
_OWNED = (
    "connections|accounts|transactions|investments|pockets|marketorders|amortizations|balances"
    "|indicators|account_ownerships|subscriptions|documents|logs"
)
_PREFIXLESS = re.compile(rf"^{VERSION}/({_OWNED})(/|$)")


class Aliases:
    """Rewrites `/user/me/...` and addresses without a user to `/users/me/...`."""

    def __init__(self, app: ASGIApp, switches: Switches) -> None:
        self._app = app
        self._switches = switches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, under its canonical address."""
        if scope["type"] == "http":
            path = canonical(scope["path"], prefixless=self._switches.prefixless_routes)
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)


def canonical(path: str, *, prefixless: bool) -> str:
    """Return the canonical form of a path."""
    if path.startswith(f"{VERSION}/user/"):
        return f"{VERSION}/users/{path[len(VERSION) + 6 :]}"
    if prefixless and _PREFIXLESS.match(path):
        return f"{VERSION}/users/me{path[len(VERSION) :]}"
    if path.startswith("/webhooks/auth"):
        return f"{VERSION}{path}"
    return path.rstrip("/") if path.startswith(VERSION) and path != f"{VERSION}/" else path
