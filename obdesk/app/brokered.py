"""Users and tokens that a relay's operator makes, so that a person needs no application of their own.

The relay asks the aggregator with the operator's client secret and hands the token over; it keeps none. What
is made here is asked for once: a user costs money, so a lost answer is never followed by the same question.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_never

from obdesk.domain.conditions import Condition
from obdesk.domain.errors import AppError
from obdesk.domain.mailbox import Trouble
from obdesk.domain.outcomes import ActionNeeded, Fetched, RetryLater

if TYPE_CHECKING:
    from obdesk.app.pairing import Device, Pairings
    from obdesk.domain.outcomes import Failure, Outcome
    from obdesk.providers.powens.issuing import Issued
    from obdesk.providers.powens.settings import PowensSettings
    from obdesk.relay.client import Failed
    from obdesk.relay.protocol import UserToken
    from obdesk.secrets.tokens import TokenStore


class Broker:
    """The operator of a relay as whoever makes users and tokens (providers.powens.issuing.Issuer)."""

    revokes = False

    def __init__(self, pairings: Pairings) -> None:
        self._pairings = pairings

    async def make(self) -> Outcome[Issued]:
        """Have a user made."""
        from obdesk.providers.powens.issuing import Issued

        made = await self._asked(renew=False)
        return (
            made if not isinstance(made, Fetched) else Fetched(Issued(made.value.token, int(made.value.user)))
        )

    async def another(self, id_user: int, *, revoking: bool) -> Outcome[str]:
        """Have a further token made; the operator's relay knows for whom, and revokes none."""
        del revoking
        made = await self._asked(renew=True)
        if not isinstance(made, Fetched):
            return made
        if int(made.value.user) != id_user:
            return ActionNeeded(Condition.PROVIDER_REFUSES, "another_user")
        return Fetched(made.value.token)

    async def _asked(self, *, renew: bool) -> Outcome[UserToken]:
        from obdesk.relay.client import Failed

        device = await self._pairings.device()
        if device is None:
            return ActionNeeded(Condition.PROVIDER_REFUSES, "no_relay")
        client = await self._pairings.client(device.url)
        try:
            answer = await client.user(device.credentials.token, renew=renew)
        finally:
            await client.aclose()
        if isinstance(answer, Failed):
            return _meant(answer)
        await self._pairings.keep_ticket(device, answer.ticket)
        return Fetched(answer)


async def broker_for(pairings: Pairings, tokens: TokenStore, settings: PowensSettings) -> Broker | None:
    """Return who makes users for a person without a client secret of their own; None where nobody does."""
    from obdesk.providers.powens.issuing import client_secret_name

    try:
        device: Device | None = await pairings.device()
    except AppError:  # this computer cannot prove itself; the relay's own state says so
        return None
    if device is None or not device.credentials.offers_users:
        return None
    own = await asyncio.to_thread(tokens.get, client_secret_name(settings))
    return None if own is not None else Broker(pairings)


def _meant(failed: Failed) -> Failure:
    """Return what a relay's refusal means for whoever wants to read banks."""
    match failed.trouble:
        case Trouble.OFFLINE | Trouble.UNTRUSTED:
            return RetryLater(Condition.OFFLINE, failed.after_s, f"relay_{failed.trouble.value}")
        case Trouble.DOWN | Trouble.NOT_A_RELAY:
            return RetryLater(Condition.PROVIDER_DOWN, failed.after_s, f"relay_{failed.trouble.value}")
        case Trouble.BUSY:
            return RetryLater(Condition.PROVIDER_BUSY, failed.after_s, "relay_busy")
        case Trouble.UNKNOWN | Trouble.REFUSED:
            return ActionNeeded(Condition.PROVIDER_REFUSES, f"relay_{failed.trouble.value}")
        case other:
            assert_never(other)
