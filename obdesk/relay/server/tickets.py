"""What a device keeps for a relay that lost its store: all about itself, under the operator's key.

A ticket does not bring back a device that was removed on purpose, nor one of a source that does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from obdesk.relay.protocol import from_text, to_text
from obdesk.relay.server.keys import BadKeyError
from obdesk.relay.server.store import Device

if TYPE_CHECKING:
    from obdesk.relay.server.keys import Keys


class Ticket(msgspec.Struct, frozen=True, array_like=True, tag="1"):
    """Everything the store holds of a device, and the token, which it does not."""

    source_id: str
    device_id: str
    public_key: bytes
    token: str
    user: str | None = None
    """The aggregator's id of the user whose device it proved to be."""

    def device(self, keys: Keys) -> Device:
        """Return the device as the store holds it."""
        route = None if self.user is None else keys.route(self.source_id, self.user)
        return Device(self.device_id, self.source_id, self.public_key, route)


_DECODER = msgspec.msgpack.Decoder(Ticket)


def written(keys: Keys, ticket: Ticket) -> str:
    """Return a ticket as the device keeps it."""
    return to_text(keys.lock(msgspec.msgpack.encode(ticket)))


def read(keys: Keys, text: str) -> Ticket | None:
    """Return the ticket in a text; None for one that this relay did not write."""
    try:
        return _DECODER.decode(keys.unlock(from_text(text)))
    except (BadKeyError, ValueError):
        return None
