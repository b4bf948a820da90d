"""Answers and how they become bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obdesk.simulator.switches import Switches

_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(slots=True)
class Answer:
    """What a handler says: a JSON body (None for no content), a status, extra headers.

    `delay_s` keeps the caller waiting in real time before the answer leaves.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0


def encode(body: Any) -> bytes:
    """Return JSON bytes; decimals are written as numbers with their own digits."""
    return _ENCODER.encode(body)


def shaped(switches: Switches, body: Any) -> Any:
    """Return a body with decimals and nulls as the switches want them."""
    if switches.number_style == "number" and switches.null_style == "null":
        return body
    return _reshape(body, strings=switches.number_style == "string", absent=switches.null_style == "absent")


def _reshape(body: Any, *, strings: bool, absent: bool) -> Any:
    if isinstance(body, dict):
        return {
            key: _reshape(value, strings=strings, absent=absent)
            for key, value in body.items()
            if not (absent and value is None)
        }
    if isinstance(body, list):
        return [_reshape(value, strings=strings, absent=absent) for value in body]
    return str(body) if strings and isinstance(body, Decimal) else body


def json_response(switches: Switches, answer: Answer) -> Response:
    """Return the HTTP response of an answer."""
    if answer.body is None:
        return Response(
            status_code=answer.status if answer.status != 200 else 204, headers=dict(answer.headers)
        )
    return Response(
        encode(shaped(switches, answer.body)),
        status_code=answer.status,
        headers=dict(answer.headers),
        media_type="application/json; charset=utf-8",
    )
