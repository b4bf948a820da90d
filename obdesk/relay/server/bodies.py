"""Bodies as they come in, bounded in size and time each, and in size together.

Who fills the memory with half-sent bodies must not take it from others, so each source has a share.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from obdesk.relay.server.deadlines import Deadlines

_GZIP: Final = 16 + zlib.MAX_WBITS
_STEP: Final = 256 * 1024


class BodyTooLargeError(Exception):
    """More than is taken was sent, or would come out of what was sent."""


class BodyTooSlowError(Exception):
    """It took longer than is waited."""


class NoRoomError(Exception):
    """So many bodies are on their way at once that no more are held."""


class SenderGoneError(Exception):
    """The connection ended before the body did: nobody waits for an answer."""


class NotGzipError(Exception):
    """It was said to be compressed and is not."""


class Room:
    """How many bytes of bodies are held at the moment, in all and for each source."""

    def __init__(self, total_bytes: int, share_bytes: int) -> None:
        self._total, self._share = total_bytes, share_bytes
        self._held = 0
        self._shares: dict[str, int] = {}

    @property
    def held(self) -> int:
        """How many bytes are held."""
        return self._held

    def taken(self, owner: str) -> Share:
        """Return a share that grows with a body and is given back at the end of a block."""
        return Share(self, owner)

    def grow(self, owner: str, size: int) -> None:
        """Take room for so many bytes more; raises NoRoomError."""
        present = self._shares.get(owner, 0)
        if self._held + size > self._total or present + size > self._share:
            raise NoRoomError
        self._held += size
        self._shares[owner] = present + size

    def shrink(self, owner: str, size: int) -> None:
        """Give room back."""
        self._held -= size
        left = self._shares.get(owner, 0) - size
        if left > 0:
            self._shares[owner] = left
        else:
            self._shares.pop(owner, None)


class Share:
    """What one request holds."""

    def __init__(self, room: Room, owner: str) -> None:
        self._room, self._owner = room, owner
        self._size = 0

    def grow(self, size: int) -> None:
        """Hold so many bytes more; raises NoRoomError."""
        if size:
            self._room.grow(self._owner, size)
            self._size += size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._size:
            self._room.shrink(self._owner, self._size)
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

    Raises BodyTooLargeError, NoRoomError, and NotGzipError for what is cut short or something else.
    """
    whole = bytearray()
    rest = body
    while rest:
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            room = min(_STEP, bytes_max - len(whole) + 1)
            try:
                part = member.decompress(rest, room)
            except zlib.error as error:
                raise NotGzipError from error
            rest = member.unconsumed_tail
            share.grow(len(part))
            whole += part
            if len(whole) > bytes_max:
                raise BodyTooLargeError
            if not part and not rest and not member.eof:
                raise NotGzipError
        rest = member.unused_data
    return bytes(whole)
