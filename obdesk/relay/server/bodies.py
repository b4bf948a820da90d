"""Bodies as they come in, bounded in size and time each, and in size together.

Who fills the memory with half-sent bodies must not take it from others, so each source has a share, and of it
the networks that send to it have theirs: an address that a stranger knows still serves the aggregator.
"""

from __future__ import annotations

import threading
import zlib
from typing import TYPE_CHECKING, Final, Self, TypeVar

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from obdesk.relay.server.deadlines import Deadlines

_GZIP: Final = 16 + zlib.MAX_WBITS
_STEP: Final = 256 * 1024
_SLICE: Final = 64 * 1024
"""So much is unpacked at a time, for what is left over of it is copied."""
_MEMBERS_MAX: Final = 16
"""A body that was compressed has one; of empty ones a small body could have thousands."""


class BodyTooLargeError(Exception):
    """More than is taken was sent, or would come out of what was sent."""


class BodyTooSlowError(Exception):
    """It took longer than is waited."""


class NoRoomError(Exception):
    """So many bodies are on their way at once that no more are held."""


class GreedyError(NoRoomError):
    """There is none because the sender itself has as much as it may."""


class SenderGoneError(Exception):
    """The connection ended before the body did: nobody waits for an answer."""


class NotGzipError(Exception):
    """It was said to be compressed and is not."""


class Room:
    """How many bytes of bodies are held at the moment: in all, for each source and for each of its senders.

    A sender may hold as much of its source's share as it leaves free, so half of it if there is no other, and
    whoever comes after many finds room. Bodies grow in threads, too.
    """

    def __init__(self, total_bytes: int, share_bytes: int) -> None:
        self._total, self._share = total_bytes, share_bytes
        self._held = 0
        self._shares: dict[str, int] = {}
        self._parts: dict[tuple[str, bytes], int] = {}
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """How many bytes are held."""
        return self._held

    def taken(self, source: str, sender: bytes) -> Share:
        """Return a share that grows with a body and is given back at the end of a block."""
        return Share(self, source, sender)

    def grow(self, source: str, sender: bytes, size: int) -> None:
        """Take room for so many bytes more; raises NoRoomError."""
        part = source, sender
        with self._lock:
            own, together = self._parts.get(part, 0) + size, self._shares.get(source, 0) + size
            if 2 * own > self._share:
                raise GreedyError
            if self._held + size > self._total or own > self._share - together:
                raise NoRoomError
            self._held += size
            self._shares[source], self._parts[part] = together, own

    def shrink(self, source: str, sender: bytes, size: int) -> None:
        """Give room back."""
        with self._lock:
            self._held -= size
            _lower(self._shares, source, size)
            _lower(self._parts, (source, sender), size)


_Owner = TypeVar("_Owner")


def _lower(held: dict[_Owner, int], owner: _Owner, size: int) -> None:
    held[owner] -= size
    if not held[owner]:
        del held[owner]


class Share:
    """What one request holds."""

    def __init__(self, room: Room, source: str, sender: bytes) -> None:
        self._room, self._source, self._sender = room, source, sender
        self._size = 0

    def grow(self, size: int) -> None:
        """Hold so many bytes more; raises NoRoomError."""
        if size:
            self._room.grow(self._source, self._sender, size)
            self._size += size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._size:
            self._room.shrink(self._source, self._sender, self._size)
            self._size = 0


def told_length(scope: Scope) -> int | None:
    """Return what `Content-Length` says; the server has refused one that is no number."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)
    return None


async def body_of(
    scope: Scope, receive: Receive, *, bytes_max: int, deadlines: Deadlines, share: Share
) -> bytes:
    """Return the whole body.

    Raises BodyTooLargeError, as soon as that is known, BodyTooSlowError, NoRoomError or SenderGoneError.
    """
    length = told_length(scope)
    if length is not None and length > bytes_max:
        raise BodyTooLargeError
    try:
        with deadlines.limit():
            return await _read(receive, bytes_max, share)
    except TimeoutError as error:
        raise BodyTooSlowError from error


async def _read(receive: Receive, bytes_max: int, share: Share) -> bytes:
    message = await receive()
    first = _part(message)
    share.grow(len(first))
    if not message.get("more_body", False):
        if len(first) > bytes_max:
            raise BodyTooLargeError
        return first
    whole = bytearray(first)
    while message.get("more_body", False):
        message = await receive()
        part = _part(message)
        share.grow(len(part))
        whole += part
        if len(whole) > bytes_max:
            raise BodyTooLargeError
    return bytes(whole)


def _part(message: object) -> bytes:
    assert isinstance(message, dict), "ASGI messages are dicts"
    if message["type"] == "http.disconnect":
        raise SenderGoneError
    part: bytes = message.get("body", b"")
    return part


def inflated(body: bytes, *, bytes_max: int, share: Share) -> bytes:
    """Return what gzip made smaller; never a byte beyond `bytes_max` is produced.

    The work is bounded by the sizes: nothing is looked at twice, whatever the body is made of. Raises
    BodyTooLargeError, NoRoomError, and NotGzipError for what is cut short or something else.
    """
    whole = bytearray()
    packed = memoryview(body)
    for _ in range(_MEMBERS_MAX):
        if not packed:
            return bytes(whole)
        packed = packed[_unpacked(packed, whole, bytes_max, share) :]
    if packed:
        raise NotGzipError
    return bytes(whole)


def _unpacked(packed: memoryview, whole: bytearray, bytes_max: int, share: Share) -> int:
    """Add what the first member holds to the whole and return how long the member is."""
    member = zlib.decompressobj(_GZIP)
    at, rest = 0, b""
    while not member.eof:
        if not rest:
            rest = bytes(packed[at : at + _SLICE])
            at += len(rest)
        try:
            part = member.decompress(rest, min(_STEP, bytes_max - len(whole) + 1))
        except zlib.error as error:
            raise NotGzipError from error
        share.grow(len(part))
        whole += part
        if len(whole) > bytes_max:
            raise BodyTooLargeError
        if not part and not rest and not member.eof:
            raise NotGzipError
        rest = member.unconsumed_tail
    return at - len(member.unused_data)
