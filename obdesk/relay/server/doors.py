"""A door for figures alone, where a worker has a second address (`metrics_listen`).

Several workers share one address, and whoever asks there reaches any of them; figures are each worker's own.
So each has an address for them, the shared one has none, and behind the new one there is nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from obdesk.relay.server import problems

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from obdesk.relay.server.settings import Settings

_FIGURES: Final = "/metrics"


def _is_aside(settings: Settings, scope: Scope) -> bool:
    """Tell whether a request came to an address for figures, its own worker's or another's."""
    aside, server = settings.metrics_listen, scope.get("server")
    if aside is None or server is None or server[1] is None:
        return False
    return server[1] in range(aside.port, aside.port + settings.workers)


def gives_figures(settings: Settings, scope: Scope) -> bool:
    """Tell whether figures are given where a request came in."""
    if settings.metrics_listen is None:
        return settings.workers == 1
    return _is_aside(settings, scope)


class Doors:
    """Lets nothing but a question for figures in by the door that is made for it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that there is nothing."""
        is_other = scope["type"] == "http" and scope["path"] != _FIGURES
        if is_other and _is_aside(self._settings, scope):
            await problems.NOT_FOUND(scope, receive, send)
            return
        await self._app(scope, receive, send)
