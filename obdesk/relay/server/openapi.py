"""What can be asked of a relay, as OpenAPI 3.1; the shapes are those of `relay.protocol`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from obdesk.relay.protocol import (
    EVENTS,
    LIMIT_MAX,
    VERSION,
    WAIT_MAX_S,
    Ack,
    Page,
    Paired,
    Pairing,
    Problem,
    UserToken,
    UserWish,
)
from obdesk.relay.server.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from obdesk.relay.server.settings import Settings

Json = dict[str, Any]

_STRUCTS: Final = (Pairing, Paired, Page, Ack, UserWish, UserToken, Problem)
_REASONS: Final = {
    400: "What was sent is not understood.",
    401: "The signature or its date is missing or wrong.",
    403: "The code or ticket is refused, or the user was not proved.",
    404: "There is nothing here, or nothing that is the caller's.",
    408: "The headers or the body took too long.",
    409: "The state of the device does not allow it; the sentence says why.",
    410: "The source was removed.",
    413: "The body is too large.",
    415: "The body is compressed in a way this source does not take.",
    429: "More was asked than is allowed; Retry-After says how long to wait.",
    431: "The headers are too large.",
    500: "An error of the relay's.",
    502: "The aggregator refused.",
    503: "The store, or the aggregator, does not answer; Retry-After says how long to wait.",
}
_WITH_RETRY: Final = frozenset({429, 503})
_ALWAYS: Final = (400, 404, 408, 431, 500)
"""What a request is answered wherever it goes, by its head alone."""
_DEVICE: Final = [{"device": list[str]()}]
_RETRY_AFTER: Final = {
    "Retry-After": {
        "required": True,
        "description": "Seconds to wait.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    }
}


def _refusals(*statuses: int) -> Json:
    """Return the answers of a request that is not done."""
    told: Json = {}
    for status in sorted({*statuses, *_ALWAYS}):
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        told[str(status)] = {"description": _REASONS[status], "content": content}
        if status in _WITH_RETRY:
            told[str(status)]["headers"] = _RETRY_AFTER
    return told


def _json(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _body(name: str) -> Json:
    return {"required": True, "content": _json(name)}


def _link(operation: str, text: str, **told: Any) -> Json:
    return {"operationId": operation, "description": text, **told}


_AFTER_CURSOR: Final = {"after": "$response.body#/cursor"}
_NEXT: Final = _link("pull", "What comes after what was read.", parameters=_AFTER_CURSOR)


def _hook() -> Json:
    header = {"in": "header", "required": True, "schema": {"type": "string"}}
    return {
        "operationId": "deliver",
        "summary": "Take a delivery of the aggregator's; answered once its hint is durable.",
        "parameters": [
            {"name": "capability", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "event", "in": "path", "required": True, "schema": {"enum": list(EVENTS)}},
            {**header, "name": "BI-Signature", "description": "HMAC-SHA256 of base64 over the raw body."},
            {**header, "name": "BI-Signature-Date", "description": "When it was signed, in UTC."},
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {}}, "text/plain": {"schema": {"type": "string"}}},
        },
        "responses": {
            "200": {
                "description": "It is kept, was kept before, or is for nobody here.",
                "content": {"application/json": {"schema": {"type": "object", "maxProperties": 0}}},
            },
            **_refusals(401, 410, 413, 415, 429, 503),
        },
    }


def _pair() -> Json:
    return {
        "operationId": "pair",
        "summary": "Become a device by a one-time code, or come back with a ticket.",
        "requestBody": _body("Pairing"),
        "responses": {
            "200": {
                "description": "The device.",
                "content": _json("Paired"),
                "links": {"pull": _link("pull", "What waits for it.", parameters=_AFTER_CURSOR)},
            },
            **_refusals(403, 409, 413, 429, 503),
        },
    }


def _pull() -> Json:
    def number(name: str, low: int, high: int, usual: int, text: str) -> Json:
        schema = {"type": "integer", "minimum": low, "maximum": high, "default": usual}
        return {"name": name, "in": "query", "required": False, "schema": schema, "description": text}

    after = {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}:(0|[1-9][0-9]{0,17})(:[A-Za-z0-9_-]{1,22})?$"}
    acknowledged = _link("acknowledge", "All of it is kept.", requestBody={"upto": "$response.body#/cursor"})
    return {
        "operationId": "pull",
        "summary": "Read the hints after a cursor, waiting for one if there is none.",
        "security": _DEVICE,
        "parameters": [
            {"name": "after", "in": "query", "required": True, "schema": after},
            number("limit", 1, LIMIT_MAX, LIMIT_MAX, "How many at most."),
            number("wait", 0, WAIT_MAX_S, 0, "How many seconds to wait for news."),
        ],
        "responses": {
            "200": {
                "description": "What waits.",
                "content": _json("Page"),
                "links": {"acknowledge": acknowledged, "next": _NEXT},
            },
            **_refusals(429, 503),
        },
    }


def _acknowledge() -> Json:
    return {
        "operationId": "acknowledge",
        "summary": "Say that all up to a cursor is kept; twice is as good as once.",
        "security": _DEVICE,
        "requestBody": _body("Ack"),
        "responses": {
            "204": {"description": "It is deleted here."},
            **_refusals(413, 429, 503),
        },
    }


def _leave() -> Json:
    return {
        "operationId": "leave",
        "summary": "Delete this device with all that waits for it.",
        "security": _DEVICE,
        "responses": {"204": {"description": "It is gone."}, **_refusals(429, 503)},
    }


def _users() -> Json:
    return {
        "operationId": "user",
        "summary": "Have a user made at the aggregator, or another token for the one there is.",
        "security": _DEVICE,
        "requestBody": _body("UserWish"),
        "responses": {
            "200": {"description": "The token; the relay keeps none of it.", "content": _json("UserToken")},
            **_refusals(409, 413, 429, 502, 503),
        },
    }


def _plain(operation: str, text: str, media: str, *refusals: int) -> Json:
    return {
        "operationId": operation,
        "summary": text,
        "responses": {
            "200": {"description": text, "content": {media: {"schema": {}}}},
            **_refusals(*refusals),
        },
    }


def description(settings: Settings) -> bytes:
    """Return the whole description; what is off is not in it."""
    _, schemas = msgspec.json.schema_components(_STRUCTS, ref_template="#/components/schemas/{name}")
    paths: Json = {
        f"/{VERSION}/hooks/{{capability}}/{{event}}": {"post": _hook()},
        f"/{VERSION}/devices": {"post": _pair()},
        f"/{VERSION}/devices/me": {"delete": _leave()},
        f"/{VERSION}/mailbox/events": {"get": _pull()},
        f"/{VERSION}/mailbox/ack": {"post": _acknowledge()},
        "/healthz": {"get": _plain("alive", "The process answers.", "application/json")},
        "/readyz": {"get": _plain("ready", "The store can be written.", "application/json", 503)},
        "/metrics": {"get": _plain("metrics", "Figures for Prometheus.", "text/plain")},
        "/openapi.json": {"get": _plain("describe", "This description.", "application/json")},
    }
    if settings.has_broker:
        paths[f"/{VERSION}/users"] = {"post": _users()}
    bearer = {"type": "http", "scheme": "bearer", "description": "The token that the pairing gave."}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "obdesk relay",
            "version": VERSION,
            "description": "Receives an aggregator's webhooks; keeps sealed hints until desktops read them.",
        },
        "servers": [{"url": settings.public_url or "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"device": bearer}},
    }
    return msgspec.json.encode(document)
