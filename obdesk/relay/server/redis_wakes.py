"""What other workers deliver wakes those who wait here: Redis tells all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as NoAnswerError

from obdesk.relay.server.store import StoreDownError

if TYPE_CHECKING:
    from obdesk.relay.server.redis_link import Wire
    from obdesk.relay.server.wakes import Wakes

_CHANNEL: Final = "{obdesk-relay}:wake"
_PAUSE_S: Final = 0.5


async def listen(connection: Wire, wakes: Wakes) -> None:
    """Hear of deliveries until cancelled, over connections made anew when they end."""
    try:
        while True:
            try:
                await connection.connect()
                await connection.send_command("SUBSCRIBE", _CHANNEL)
                await _hear(connection, wakes)
            except (RedisError, OSError, StoreDownError):
                await connection.disconnect(nowait=True)
                await asyncio.sleep(_PAUSE_S)
    finally:
        await connection.disconnect(nowait=True)


async def _hear(connection: Wire, wakes: Wakes) -> None:
    is_asked = False
    while True:
        try:
            told = await connection.read_response(disconnect_on_error=False)
        except NoAnswerError:
            if is_asked:
                raise
            # Silence is the rule; whether Redis is still there shows when it is asked.
            await connection.send_command("PING")
            is_asked = True
            continue
        is_asked = False
        match told:
            case [b"message", _, bytes(devices)]:
                wakes.wake(devices.decode().split("\0"))
            case [b"subscribe", *_]:
                wakes.wake_all()  # something may have come before this connection listened
            case _:
                pass  # it is still there
