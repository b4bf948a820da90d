"""What a simulator is started with."""

from __future__ import annotations

from dataclasses import dataclass, field

LOOPBACK_PORTS = (47_611, 47_612, 47_613)
DEFAULT_REDIRECTS = (
    *(f"http://127.0.0.1:{port}/callback" for port in LOOPBACK_PORTS),
    "https://obdesk.invalid/callback",
)


@dataclass(frozen=True, slots=True)
class Options:
    """The fixed facts of one simulator.

    `accounts` and `transactions` are totals over the invented banks, None for what is believable;
    `history_days` is how far back rows reach when no total asks for more.
    """

    seed: int = 7
    banks: int = 6
    accounts: int | None = None
    transactions: int | None = None
    history_days: int = 730
    domain: str = "obdesk-sandbox"
    client_id: str = "70012345"
    client_name: str = "obdesk"
    redirect_uris: tuple[str, ...] = field(default=DEFAULT_REDIRECTS)
    webhook_url: str | None = None
    webhook_secret: str | None = None
