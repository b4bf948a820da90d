"""The log tells when the store goes down and when it is up again, once each."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import anyio

from obdesk.relay.server.logs import fields
from obdesk.relay.server.store import StoreDownError

if TYPE_CHECKING:
    from obdesk.relay.server.context import Context

_LOOK_S: Final = 1.0

_log = logging.getLogger(__name__)


async def watch(context: Context) -> None:
    """Tell of each change for as long as the worker runs.

    A store that gives what it has and keeps nothing is down, too: so it is up when it can be written.
    """
    patience = context.patience
    while True:
        await patience.fell.wait()
        if patience.trouble is not None:
            _log.warning("the store is down", extra=fields(why=patience.trouble))
        while patience.fell.is_set():
            await anyio.sleep(_LOOK_S)
            patience.fell.clear()
            try:
                await patience.wait(context.store.ping())
            except StoreDownError:
                patience.fell.set()
        _log.info("the store is up again")
