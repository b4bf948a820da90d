"""The provider of a profile: built from its settings when it is first needed, and again when they change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obdesk.app.brokered import broker_for
from obdesk.app.pacing import HostPace
from obdesk.app.pairing import Pairings
from obdesk.app.settings import stored
from obdesk.domain.errors import Action, AppError
from obdesk.domain.outcomes import Fetched
from obdesk.domain.texts import tr
from obdesk.storage.queries import connections

if TYPE_CHECKING:
    import random

    from obdesk.app.brokered import Broker
    from obdesk.domain.clock import Clock
    from obdesk.providers.base import Provider
    from obdesk.providers.powens.settings import PowensSettings
    from obdesk.secrets.tokens import TokenStore
    from obdesk.storage.engine import Connection
    from obdesk.storage.store import Store

CALLS_KEY = "powens.calls_per_min"
POWENS_KEYS = ("powens.api_url", "powens.webview_url", "powens.domain", "powens.client_id")


class NotConfiguredError(AppError):
    """No aggregator is set up yet."""


class Providers:
    """Keeps the one provider of a profile open while the profile is."""

    def __init__(
        self,
        store: Store,
        tokens: TokenStore,
        clock: Clock,
        rng: random.Random,
        pairings: Pairings | None = None,
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._pairings = pairings or Pairings(store, tokens, clock)
        self._clock = clock
        self._rng = rng
        self._open: Provider | None = None
        self._is_brokered = False
        self._opening = asyncio.Lock()

    async def get(self) -> Provider:
        """Return the provider; raises NotConfiguredError when nothing is set up."""
        async with self._opening:
            if self._open is None:
                values = await self._store.read(_settings)
                if not all(values):
                    raise _not_configured()
                *addresses, most = values
                settings = powens_settings(*addresses)
                broker = await broker_for(self._pairings, self._tokens, settings)
                self._open = await asyncio.to_thread(self._build, settings, most, broker)
                self._is_brokered = broker is not None
            return self._open

    async def user_code(self) -> str | None:
        """Return a code that proves once to a relay whose user this is; None where that is not its business.

        Such a code opens one request. It is given only to who makes the tokens anyway.
        """
        try:
            provider = await self.get()
        except AppError:  # nothing is set up, or the keyring is locked
            return None
        code = await provider.user_code() if self._is_brokered else None
        return code.value if isinstance(code, Fetched) else None

    def _build(self, settings: PowensSettings, most: str, broker: Broker | None) -> Provider:
        from obdesk.providers.powens.provider import PowensProvider

        # A simulator on this machine limits nobody.
        limit = None if settings.is_loopback else int(most)
        pace = HostPace(self._store, urlsplit(settings.api_url).netloc, limit, self._clock)
        return PowensProvider(settings, self._tokens, self._clock, rng=self._rng, pace=pace, issuer=broker)

    async def reset(self) -> None:
        """Forget the open provider, so that the next use reads the settings anew."""
        async with self._opening:
            if self._open is not None:
                await self._open.aclose()
                self._open = None

    async def aclose(self) -> None:
        """Close the provider's network connections."""
        await self.reset()

    async def keep_secret(self, settings: PowensSettings, value: str) -> None:
        """Keep an application's client secret in the vault, under a name no other host can ask for."""
        from obdesk.providers.powens.tokens import client_secret_name

        await asyncio.to_thread(self._tokens.put, client_secret_name(settings), value)


def powens_settings(api_url: str, webview_url: str, domain: str, client_id: str) -> PowensSettings:
    """Return checked settings; values that cannot be right raise AppError."""
    from obdesk.providers.powens.settings import PowensSettings

    return PowensSettings(api_url=api_url, webview_url=webview_url, domain=domain, client_id=client_id)


def _settings(opened: Connection) -> tuple[str, ...]:
    most = stored(CALLS_KEY, connections.setting(opened, CALLS_KEY))
    return (*(connections.setting(opened, key) or "" for key in POWENS_KEYS), most)


def _not_configured() -> NotConfiguredError:
    return NotConfiguredError(
        title=tr("No aggregator is set up yet"),
        cause=tr("Banks are read through your own Powens application, and obdesk does not know it yet."),
        next_step=tr("Nothing was sent anywhere. Set it up once; it takes two minutes."),
        action=Action.CONFIGURE_PROVIDER,
    )
