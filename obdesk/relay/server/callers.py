"""Which device asks, and whether it may ask now; and small JSON bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from obdesk.relay.server import bodies, problems
from obdesk.relay.server.deadlines import Deadlines
from obdesk.relay.server.keys import hashed
from obdesk.relay.server.limits import Buckets
from obdesk.relay.server.metrics import Operation
from obdesk.relay.server.problems import ProblemError

if TYPE_CHECKING:
    from starlette.requests import Request

    from obdesk.relay.server.context import Context
    from obdesk.relay.server.store import Device

_BODY_MAX: Final = 16 * 1024
_ROOM: Final = 8 * 2**20
_ALL: Final = ""
"""Here nothing but its network says who sends a body."""
_BODY_S: Final = 10.0
_T = TypeVar("_T")


def refuse_limited(wait_s: float) -> None:
    """Raise the answer to who asks too often, where it has to wait."""
    if wait_s:
        raise ProblemError(problems.limited(wait_s))


def _token(request: Request) -> bytes | None:
    """Return the hash of the token that a request came with."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return hashed(token) if scheme.lower() == "bearer" and token else None


class Callers:
    """Knows devices by their tokens and counts what they ask."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._devices = Buckets(context.settings.device, context.now_s)
        self._addresses = Buckets(context.settings.address, context.now_s)
        self._strangers = Buckets(context.settings.address, context.now_s)
        self._deadlines = Deadlines(_BODY_S)
        self._room = bodies.Room(_ROOM, _ROOM)

    async def device(self, request: Request) -> Device:
        """Return the device that asks; raises ProblemError for none, and for one that asks too often.

        Who sends wrong tokens is told to wait, and nobody else of its network. Devices that were here lately
        are looked up even while a neighbour has more looked up than is allowed.
        """
        context, token = self._context, _token(request)
        asker = context.addresses.asker(request.scope)
        if token not in self._devices:
            refuse_limited(self._strangers.ask(asker))
        found = await self._found(token)
        if found is None:
            self._devices.forget(token)
            refuse_limited(context.failures.ask(asker))
            raise ProblemError(problems.NOT_FOUND)
        refuse_limited(self._devices.ask(token) or self._addresses.ask(asker))
        return found

    async def again(self, request: Request) -> Device:
        """Return the device that asks as it is now, after a while; raises ProblemError where it is gone."""
        found = await self._found(_token(request))
        if found is None:
            raise ProblemError(problems.NOT_FOUND)
        return found

    async def _found(self, token: bytes | None) -> Device | None:
        if token is None:
            return None
        return await self._context.patience.ask(Operation.DEVICE_OF, self._context.store.device_of(token))

    async def told(self, request: Request, kind: type[_T]) -> _T:
        """Return what a body says; raises ProblemError where it is too large, too slow or something else."""
        sender = self._context.addresses.asker(request.scope)
        try:
            with self._room.taken(_ALL, sender) as share:
                body = await bodies.body_of(
                    request.scope,
                    request.receive,
                    bytes_max=_BODY_MAX,
                    deadlines=self._deadlines,
                    share=share,
                )
            return msgspec.json.decode(body, type=kind)
        except bodies.BodyTooLargeError as error:
            raise ProblemError(problems.TOO_LARGE) from error
        except bodies.BodyTooSlowError as error:
            raise ProblemError(problems.TOO_SLOW) from error
        except bodies.NoRoomError as error:
            raise ProblemError(problems.BUSY) from error
        except (ValueError, RecursionError) as error:
            raise ProblemError(problems.MALFORMED) from error
