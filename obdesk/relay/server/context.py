"""What every endpoint of one worker works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obdesk.relay.server import problems

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import Scope

    from obdesk.relay.server.asking import Patience
    from obdesk.relay.server.keys import Keys
    from obdesk.relay.server.known import Known
    from obdesk.relay.server.limits import Addresses, Buckets
    from obdesk.relay.server.metrics import Metrics
    from obdesk.relay.server.settings import Settings
    from obdesk.relay.server.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """The parts, put together once by `app.build`."""

    settings: Settings
    store: Store
    keys: Keys
    metrics: Metrics
    patience: Patience
    known: Known
    addresses: Addresses
    failures: Buckets
    """Counts what was refused for a wrong secret, or for what it was, by who sent it."""
    clock_us: Callable[[], int]
    """The wall clock, in microseconds since 1970."""
    now_s: Callable[[], float]
    """Seconds that only grow."""

    def nothing(self, scope: Scope) -> Response:
        """Return the answer where there is nothing; who tries too often is told to wait."""
        wait_s = self.failures.ask(self.addresses.asker(scope))
        return problems.limited(wait_s) if wait_s else problems.NOT_FOUND
