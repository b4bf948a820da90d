"""Reading answers where no HTTP client would: after requests that no client sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket


def answer_of(wire: socket.socket) -> tuple[int, bytes]:
    """Read one answer; status 0 is a connection that ended without one."""
    wire.settimeout(20)
    told = b""
    try:
        while b"\r\n\r\n" not in told:
            part = wire.recv(65536)
            if not part:
                return 0, told
            told += part
        head, _, body = told.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0] or b"0")
        while len(body) < length and (part := wire.recv(65536)):
            body += part
    except ConnectionResetError:
        return 0, told
    return int(head.split()[1]), body


def rest_of(wire: socket.socket) -> bytes:
    """Read all that comes until the other end closes."""
    wire.settimeout(20)
    told = b""
    try:
        while part := wire.recv(65536):
            told += part
    except ConnectionResetError:
        pass
    return told
