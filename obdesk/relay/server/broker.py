"""Users for people without an application of their own: made and renewed with the operator's credentials.

A user costs money, so none is made twice: that the aggregator is about to be asked is kept durably before,
and where the answer is lost, nothing is asked again until the operator has looked. Tokens pass through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

import msgspec
from starlette.responses import Response

from obdesk.relay.protocol import SourceKind, UserToken, UserWish
from obdesk.relay.server import problems, tickets
from obdesk.relay.server.aggregator import FailedError, RefusedError, UnsureError
from obdesk.relay.server.callers import refuse_limited
from obdesk.relay.server.limits import Buckets
from obdesk.relay.server.problems import ProblemError, problem
from obdesk.relay.server.store import Broker, BrokerStep
from obdesk.relay.server.tickets import Ticket

if TYPE_CHECKING:
    from starlette.requests import Request

    from obdesk.relay.server.aggregator import Aggregator, UserWithToken
    from obdesk.relay.server.callers import Callers
    from obdesk.relay.server.context import Context
    from obdesk.relay.server.store import Device

_UNKNOWN: Final = problem(
    409,
    "Not known whether a user was made",
    "The aggregator was asked for a user and its answer was lost, so nothing is asked again: a user costs"
    " money. The relay's operator can find out and then free this device"
    " (obdesk relay devices --forget-user).",
)
_NO_USER: Final = problem(
    409,
    "No user yet",
    "There is no user whose token could be renewed. Ask for a new user, or prove whose this device is.",
)
_REFUSED: Final = problem(
    502,
    "The aggregator refused",
    "The aggregator did not take the operator's credentials, or knows the user no more. Only the relay's"
    " operator can mend that.",
)
_FAILED: Final = problem(
    503,
    "The aggregator does not answer",
    "Nothing was made. Try again later.",
    retry_after_s=60,
)
_LOST: Final = problem(
    503,
    "The answer was lost",
    "A token may have been made and is not known to anybody; that does no harm. Try again later.",
    retry_after_s=60,
)


class Users:
    """The endpoint `POST /v1/users`."""

    def __init__(self, context: Context, callers: Callers, aggregator: Aggregator) -> None:
        self._context, self._callers, self._aggregator = context, callers, aggregator
        self._wishes = Buckets(context.settings.users, context.now_s)

    async def make(self, request: Request) -> Response:
        """Return a token for the device's user, who is made if there is none yet."""
        device = await self._callers.device(request)
        context, wait = self._context, self._context.patience.wait
        source = await wait(context.store.source(device.source_id))
        if source is None or source.kind is not SourceKind.SHARED:
            raise ProblemError(problems.NOT_FOUND)
        wish = await self._callers.told(request, UserWish)
        refuse_limited(self._wishes.ask(device.id))
        known = await wait(context.store.broker(device.id))
        made = await self._made(device, known, wish)
        if device.route is None:
            await wait(context.store.set_route(device.id, context.keys.route(source.id, made.user)))
            await context.known.settled()
        told = UserToken(made.token, made.user, self._ticket(device, made.user, _token_of(request)))
        return Response(msgspec.json.encode(told), media_type="application/json")

    async def _made(self, device: Device, known: Broker, wish: UserWish) -> UserWithToken:
        match known.step:
            case BrokerStep.NONE:
                if wish.renew or device.route is not None:
                    raise ProblemError(_NO_USER)
                return await self._new(device)
            case BrokerStep.BEGUN:
                raise ProblemError(_UNKNOWN)
            case BrokerStep.DONE:
                # Also when the answer to the first wish was lost on its way to the device.
                assert known.user is not None, "it is kept with this step"
                return await self._renewed(self._context.keys.unlock(known.user).decode())
            case _:
                assert_never(known.step)

    async def _new(self, device: Device) -> UserWithToken:
        context, wait = self._context, self._context.patience.wait
        begun = Broker(BrokerStep.BEGUN)
        if not await wait(context.store.set_broker(device.id, BrokerStep.NONE, begun)):
            raise ProblemError(_UNKNOWN)
        try:
            made = await self._aggregator.make_user()
        except (RefusedError, FailedError) as error:
            await wait(context.store.set_broker(device.id, BrokerStep.BEGUN, Broker()))
            raise ProblemError(_REFUSED if isinstance(error, RefusedError) else _FAILED) from error
        except UnsureError as error:
            raise ProblemError(_UNKNOWN) from error
        done = Broker(BrokerStep.DONE, context.keys.lock(made.user.encode()))
        await wait(context.store.set_broker(device.id, BrokerStep.BEGUN, done))
        return made

    async def _renewed(self, user: str) -> UserWithToken:
        try:
            return await self._aggregator.renew(user)
        except RefusedError as error:
            raise ProblemError(_REFUSED) from error
        except FailedError as error:
            raise ProblemError(_FAILED) from error
        except UnsureError as error:
            raise ProblemError(_LOST) from error

    def _ticket(self, device: Device, user: str, token: str) -> str:
        ticket = Ticket(device.source_id, device.id, device.public_key, token, user)
        return tickets.written(self._context.keys, ticket)


def _token_of(request: Request) -> str:
    return request.headers["authorization"].partition(" ")[2]
