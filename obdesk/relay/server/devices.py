"""How a desktop becomes a device, comes back after the store was lost, proves whose it is, and leaves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
from nacl.exceptions import CryptoError
from starlette.responses import Response

from obdesk.relay.protocol import Cursor, Paired, Pairing, SourceKind, from_text
from obdesk.relay.server import problems, tickets
from obdesk.relay.server.aggregator import FailedError, RefusedError
from obdesk.relay.server.callers import refuse_limited
from obdesk.relay.server.delivery import dirty_of
from obdesk.relay.server.keys import hashed, new_id, new_secret
from obdesk.relay.server.limits import Buckets
from obdesk.relay.server.mailbox import DONE
from obdesk.relay.server.problems import ProblemError, problem
from obdesk.relay.server.store import Broker, BrokerStep
from obdesk.relay.server.tickets import Ticket

if TYPE_CHECKING:
    from starlette.requests import Request

    from obdesk.relay.server.aggregator import Aggregator
    from obdesk.relay.server.callers import Callers
    from obdesk.relay.server.context import Context
    from obdesk.relay.server.store import Device, Source

_KEY_BYTES: Final = 32
_USER_CODE: Final = re.compile(r"[\x21-\x7e]{1,512}")
_DEVICES_MAX: Final = 32
"""So many devices of one user: each hint is sealed for each of them."""
_NO_KEY: Final = problem(
    400, "Key not usable", "The public key must be 32 bytes of base64url to which a hint can be sealed."
)
_NO_CODE: Final = problem(
    403,
    "Pairing refused",
    "This code or ticket is not known, was used, is too old, or belongs to a device or source that was"
    " removed. Ask the relay's operator for a new code.",
)
_NO_USER: Final = problem(
    403,
    "User not proved",
    "The aggregator did not accept the user code. Try again with a new one; the pairing code stays good.",
)
_NOT_HERE: Final = problem(
    403,
    "User not proved",
    "This relay does not know the aggregator's address, so nobody's user can be proved. Its operator has to"
    " give api_url; the pairing code stays good.",
)
_NOT_ASKED: Final = problem(
    503,
    "User not proved",
    "The aggregator could not be asked whose the user code is. Try again with a new one; the pairing code"
    " stays good.",
    retry_after_s=60,
)
_CROWDED: Final = problem(
    409, "Too many devices", "This user has as many devices as one may have. Have one of them removed first."
)


class Devices:
    """The endpoints `POST /v1/devices` and `DELETE /v1/devices/me`."""

    def __init__(self, context: Context, callers: Callers, aggregator: Aggregator | None) -> None:
        self._context, self._callers, self._aggregator = context, callers, aggregator
        self._pairings = Buckets(context.settings.pairings, context.now_s)

    async def pair(self, request: Request) -> Response:
        """Make a device, or let one come back; the answer holds all it needs from then on."""
        refuse_limited(self._pairings.ask(self._context.addresses.asker(request.scope)))
        asked = await self._callers.told(request, Pairing)
        public_key = _checked_key(asked, self._context.clock_us())
        if (asked.code is None) == (asked.ticket is None):
            raise ProblemError(problems.MALFORMED)
        if asked.user_code is not None and not _USER_CODE.fullmatch(asked.user_code):
            raise ProblemError(problems.MALFORMED)
        if asked.code is not None:
            paired = await self._new(asked.code, asked.user_code, public_key)
        else:
            paired = await self._again(asked.ticket or "", asked.user_code, public_key)
        return Response(msgspec.json.encode(paired), media_type="application/json")

    async def leave(self, request: Request) -> Response:
        """Delete the device that asks, with all that waits for it."""
        device = await self._callers.device(request)
        await self._context.patience.wait(self._context.store.remove_device(device.id))
        self._context.known.changed()
        return DONE

    async def _new(self, code: str, user_code: str | None, public_key: bytes) -> Paired:
        """Make a device by a code; one who did not hear of it the first time has it again, by the same key.

        The code is spent as the device is made, in one operation: a store that fails before leaves it good.
        """
        context, wait = self._context, self._context.patience.wait
        code_hash, now_us = hashed(code), context.clock_us()
        known = await wait(context.store.code(code_hash, now_us))
        source = None if known is None else await wait(context.store.source(known.source_id))
        if known is None or source is None or known.public_key not in {None, public_key}:
            raise ProblemError(_NO_CODE)
        user = await self._proved(source, user_code)
        ticket = Ticket(source.id, known.device_id or new_id(), public_key, new_secret(), user)
        device = ticket.device(context.keys)
        await self._refuse_crowd(source, device)
        made = await wait(context.store.spend_code(code_hash, device, hashed(ticket.token), now_us))
        if made is None:
            raise ProblemError(_NO_CODE)
        return await self._joined(source, msgspec.structs.replace(ticket, device_id=made))

    async def _again(self, text: str, user_code: str | None, public_key: bytes) -> Paired:
        """Return a device that the store may have lost; one that it has goes on as it was."""
        context, wait = self._context, self._context.patience.wait
        ticket = tickets.read(context.keys, text)
        if ticket is None or ticket.public_key != public_key:
            raise ProblemError(_NO_CODE)
        source = await wait(context.store.source(ticket.source_id))
        if source is None or await wait(context.store.was_removed(ticket.device_id)):
            raise ProblemError(_NO_CODE)
        user = await self._proved(source, user_code)
        if user is not None:
            ticket = msgspec.structs.replace(ticket, user=user)
        device = await wait(context.store.device_of(hashed(ticket.token)))
        if device is None:
            made = ticket.device(context.keys)
            await wait(context.store.add_device(made, hashed(ticket.token)))
            return await self._joined(source, ticket)
        if user is not None:
            await self._refuse_crowd(source, ticket.device(context.keys))
            await self._claimed(device, user)
            await context.known.settled()
        return await self._paired(source, ticket)

    async def _proved(self, source: Source, user_code: str | None) -> str | None:
        """Return the user whose code was handed over; None where there is none, or it matters not."""
        match source.kind:
            case SourceKind.PERSONAL:
                return None
            case SourceKind.SHARED:
                if user_code is None:
                    return None
        if self._aggregator is None:
            raise ProblemError(_NOT_HERE)
        try:
            return await self._aggregator.whose(user_code)
        except RefusedError as error:
            raise ProblemError(_NO_USER) from error
        except FailedError as error:
            raise ProblemError(_NOT_ASKED) from error

    async def _refuse_crowd(self, source: Source, device: Device) -> None:
        if source.kind is SourceKind.SHARED and device.route is None:
            return
        context = self._context
        others = await context.patience.wait(context.store.recipients(source.id, device.route))
        if len([each for each in others if each.id != device.id]) >= _DEVICES_MAX:
            raise ProblemError(_CROWDED)

    async def _joined(self, source: Source, ticket: Ticket) -> Paired:
        """Return the answer to a device that the store has and that shares with others from now on."""
        context = self._context
        if ticket.user is not None:
            await self._claimed(ticket.device(context.keys), ticket.user)
        await context.patience.wait(context.store.pulled(ticket.device_id, context.clock_us()))
        await context.known.settled()
        return await self._paired(source, ticket)

    async def _claimed(self, device: Device, user: str) -> None:
        """Keep whose a device is, and that the broker need not make a user for it."""
        context, wait = self._context, self._context.patience.wait
        route = context.keys.route(device.source_id, user)
        if device.route != route:
            await wait(context.store.set_route(device.id, route))
        if not self._offers_users:
            return
        known = await wait(context.store.broker(device.id))
        now = Broker(BrokerStep.DONE, context.keys.lock(user.encode()))
        await wait(context.store.set_broker(device.id, known.step, now))

    @property
    def _offers_users(self) -> bool:
        return self._aggregator is not None and self._aggregator.makes_users

    async def _paired(self, source: Source, ticket: Ticket) -> Paired:
        context = self._context
        epoch = await context.patience.wait(context.store.epoch())
        is_shared = source.kind is SourceKind.SHARED
        return Paired(
            ticket.token,
            tickets.written(context.keys, ticket),
            str(Cursor(epoch)),
            is_shared,
            is_shared and self._offers_users,
        )


def _checked_key(asked: Pairing, now_us: int) -> bytes:
    """Return the public key, to which something was sealed to see that this can be done."""
    try:
        key = from_text(asked.public_key)
        if len(key) != _KEY_BYTES:
            raise ProblemError(_NO_KEY)
        dirty_of(key, now_us)
    except (ValueError, CryptoError) as error:
        raise ProblemError(_NO_KEY) from error
    return key
