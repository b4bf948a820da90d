"""Ways to spoil a JSON answer that stays JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.answers import encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Json = Any
_LISTS = ("transactions", "accounts", "connections", "investments")


def spoil(kind: str, body: bytes, rng: Random) -> bytes:
    """Return a JSON body spoilt in the way of `kind`; anything that is not JSON stays as it is."""
    try:
        parsed = json.loads(body, parse_float=Decimal)
    except ValueError:
        return body
    return encode(SPOILERS[kind](parsed, rng))


def _rows(body: Json) -> list[dict[str, Json]]:
    if not isinstance(body, dict):
        return []
    return next((body[name] for name in _LISTS if isinstance(body.get(name), list)), [])


def _with_next(body: Json, change: Callable[[str, str], str]) -> Json:
    for name in ("_links", "_link"):
        links = body.get(name) if isinstance(body, dict) else None
        if links and links.get("next"):
            links["next"]["href"] = change(links["next"]["href"], links["self"]["href"])
    return body


def _repeat_next(body: Json, rng: Random) -> Json:
    del rng
    return _with_next(body, lambda _, present: present)


def _foreign_next(body: Json, rng: Random) -> Json:
    del rng
    return _with_next(body, lambda href, _: "https://elsewhere.invalid/2.0" + href.partition("/2.0")[2])


def _relative_next(body: Json, rng: Random) -> Json:
    del rng
    return _with_next(body, lambda href, _: "/2.0" + href.partition("/2.0")[2])


def _map(body: Json, change: Callable[[str, Json], Json], key: str = "") -> Json:
    if isinstance(body, dict):
        return {name: _map(value, change, name) for name, value in body.items()}
    if isinstance(body, list):
        return [_map(value, change, key) for value in body]
    return change(key, body)


def _numbers_as_strings(body: Json, rng: Random) -> Json:
    del rng
    return _map(body, lambda _, value: str(value) if isinstance(value, Decimal) else value)


def _unknown_enums(body: Json, rng: Random) -> Json:
    del rng
    names = {"type": "teleportation", "state": "moonPhaseRequired", "usage": "CLUB", "kind": "new"}
    return _map(body, lambda key, value: names[key] if key in names and value is not None else value)


def _extra_keys(body: Json, rng: Random) -> Json:
    for row in [body, *_rows(body)]:
        if isinstance(row, dict):
            row["zz_new"] = {"since": "2031", "values": [1, None, "é"], "draw": rng.randrange(100)}
    return body


def _missing_keys(body: Json, rng: Random) -> Json:
    for row in _rows(body):
        for key in rng.sample(sorted(set(row) - {"id"}), len(row) // 4):
            del row[key]
    return body


def _null_keys(body: Json, rng: Random) -> Json:
    for row in _rows(body):
        for key in rng.sample(sorted(set(row) - {"id", "id_account", "id_connection"}), len(row) // 4):
            row[key] = None
    return body


def _bad_row(body: Json, rng: Random) -> Json:
    rows = _rows(body)
    if rows:
        row = rng.choice(rows)
        row["value"] = row["balance"] = {"amount": "twelve"}
        row["date"] = "0000-13-45"
    return body


def _duplicate_rows(body: Json, rng: Random) -> Json:
    rows = _rows(body)
    rows += [dict(row) for row in rows[: rng.randrange(1, 4)]]
    return body


SPOILERS: dict[str, Callable[[Json, Random], Json]] = {
    "repeat_next": _repeat_next,
    "foreign_next": _foreign_next,
    "relative_next": _relative_next,
    "numbers_as_strings": _numbers_as_strings,
    "unknown_enums": _unknown_enums,
    "extra_keys": _extra_keys,
    "missing_keys": _missing_keys,
    "null_keys": _null_keys,
    "bad_row": _bad_row,
    "duplicate_rows": _duplicate_rows,
}
