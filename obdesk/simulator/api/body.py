"""Reading what a client sends: JSON, URL-encoded or multipart, all into one flat mapping."""

from __future__ import annotations

import json
from decimal import Decimal
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

from obdesk.simulator.api.errors import invalid


def parse_body(content_type: str, raw: bytes) -> dict[str, Any]:
    """Return the members of a request body; raises the API's invalidValue for an unreadable one."""
    if not raw.strip():
        return {}
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(raw.decode(errors="replace"), keep_blank_values=True))
    if kind == "multipart/form-data":
        return _multipart(content_type, raw)
    try:
        parsed = json.loads(raw, parse_float=Decimal)
    except ValueError as error:
        raise invalid("The body is not valid JSON") from error
    if not isinstance(parsed, dict):
        raise invalid("The body is not a JSON object")
    return parsed


def _multipart(content_type: str, raw: bytes) -> dict[str, Any]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + raw)
    values: dict[str, Any] = {}
    for part in message.walk():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if name and isinstance(content, bytes):
            values[str(name)] = content.decode(errors="replace")
    return values


def as_bool(value: Any) -> bool:
    """Return a boolean from JSON or from the words true and false of a form."""
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text in {"true", "1", ""}:
        return True
    if text in {"false", "0"}:
        return False
    raise invalid(f"Not a boolean: {text[:40]}")


def as_int(value: Any) -> int:
    """Return an integer from JSON or from the digits of a form."""
    try:
        return int(str(value))
    except ValueError as error:
        raise invalid(f"Not an integer: {str(value)[:40]}") from error
