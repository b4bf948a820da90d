"""Spoiling an answer: its bytes, or what it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import random

Pairs: TypeAlias = "list[tuple[str, Node]]"
Node: TypeAlias = "str | list[Node] | Members"
"""A piece of JSON as text, a list, or an object."""


class Members:
    """An object, whose keys may repeat."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs


PIECES = (
    b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-0", b"-0.0", b"1E+2", b"0x10", b"01", b".5", b"1.", b"+1",
    b"null", b"true", b'""', b"{}", b"[]", b'"', b"\\", b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80",
    b"\xef\xbb\xbf", b"\\ud800", b"\\u0000", b"\\u0076alue", b",", b":", b"[", b"]", b"{", b"}", b'"id":',
    b'"value":1,', b"//", b"9" * 400, b"\xe2\x80\xae", b"\r\n",
)  # fmt: skip
RARE_PIECES = (b"9" * 5_000, b"[" * 100_000, b'{"a":' * 5_000, b" " * 200_000, b"1e" + b"9" * 400)
VALUES = (
    "null", "true", "false", "0", "-0", "1", "-1", "1.5", "1e400", "-1e-400", "1e2", "1E+18", "0.001", "NaN",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 30, '""', '" "', '"1"',
    '"-23.90"', '"NaN"', '"1_000"', '"\uff11\uff12"', '"2026-01-14"', '"2026-02-30"', '"0000-00-00"',
    '"9999-12-31 23:59:59"', '"0001-01-01 00:00:00"', '"2026-01-14T05:11:58+99:99"', '"EUR"', '"BTC"',
    '"\\ud800"', '"\\u0000"', '"\u202e"', '"' + "x" * 5_000 + '"', "[]", "{}", "[null]", '[{"id":1}]',
    '{"id":"EUR","precision":99}', '{"name":[]}', '"https://elsewhere.example/2.0/x"', '"SCARequired"',
)  # fmt: skip
RARE_VALUES = (
    "9" * 5_000, "-" + "9" * 5_000 + ".5", "[" * 99_999 + "]" * 99_999, '{"a":' * 900 + "1" + "}" * 900,
)  # fmt: skip
KEYS = (
    "id", "id_account", "value", "date", "coming", "deleted", "balance", "currency", "total", "_links", "é",
)  # fmt: skip


def spoilt(body: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Return an answer with one to four things wrong with it."""
    times = rng.choice((1, 1, 1, 2, 2, 3, 4))
    if rng.random() < 0.6 and (tree := _tree(body)) is not None:
        for _ in range(times):
            _spoil_tree(tree, rng)
        text = _text(tree, rng.choice((",", ", ")), rng.choice((":", ": ", " : ")))
        body = text.encode("utf-8", "surrogatepass")
        times = 1 if rng.random() < 0.1 else 0
    for _ in range(times):
        body = _spoil_bytes(body, others, rng)
    return body


def _spoil_bytes(body: bytes, others: list[bytes], rng: random.Random) -> bytes:
    at = rng.randint(0, len(body))
    end = min(len(body), at + rng.choice((1, 1, 2, 8, 64, 512)))
    match rng.randrange(7):
        case 0:
            return body[:at] + bytes([rng.randrange(256)]) + body[at + 1 :]
        case 1:
            return body[:at] + body[end:]
        case 2:
            return body[:at] + body[at:end] * rng.choice((2, 2, 3, 50)) + body[end:]
        case 3:
            return body[:at]
        case 4:
            return body[:at] + rng.choice(RARE_PIECES if rng.random() < 0.01 else PIECES) + body[at:]
        case 5:
            return body[:at] + rng.choice(RARE_PIECES if rng.random() < 0.01 else PIECES) + body[end:]
        case _:
            other = rng.choice(others)
            return body[:at] + other[rng.randint(0, len(other)) :]


def _tree(body: bytes) -> Node | None:
    try:
        found = json.loads(
            body,
            object_pairs_hook=lambda pairs: Members([(key, _node(value)) for key, value in pairs]),
            parse_float=_Number,
            parse_int=_Number,
        )
    except (ValueError, RecursionError):
        return None
    return _node(found)


class _Number(str):
    __slots__ = ()


def _node(value: object) -> Node:
    if isinstance(value, Members):
        return value
    if isinstance(value, _Number):
        return str(value)
    return (
        [_node(each) for each in value] if isinstance(value, list) else json.dumps(value, ensure_ascii=False)
    )


def _text(node: Node, comma: str, colon: str) -> str:
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return f"[{comma.join([_text(each, comma, colon) for each in node])}]"
    pairs = [f"{_key(key)}{colon}{_text(value, comma, colon)}" for key, value in node.pairs]
    return f"{{{comma.join(pairs)}}}"


def _key(key: str) -> str:
    return json.dumps(key, ensure_ascii=False)


def _spoil_tree(tree: Node, rng: random.Random) -> None:
    """Change something at a random place."""
    node = tree
    while True:
        if isinstance(node, str) or not _inside(node):
            return
        below = rng.choice(_inside(node))
        if isinstance(below, str) or rng.random() < 0.3:
            break
        node = below
    if isinstance(node, list):
        _spoil_list(node, rng)
    else:
        _spoil_members(node.pairs, rng)


def _inside(node: list[Node] | Members) -> list[Node]:
    return node if isinstance(node, list) else [value for _, value in node.pairs]


def _spoil_list(node: list[Node], rng: random.Random) -> None:
    at = rng.randrange(len(node))
    match rng.randrange(4):
        case 0:
            node[at] = _value(rng)
        case 1:
            del node[at]
        case 2:
            node.insert(at, node[rng.randrange(len(node))])
        case _:
            node.insert(at, _value(rng))


def _spoil_members(pairs: Pairs, rng: random.Random) -> None:
    at = rng.randrange(len(pairs))
    key, value = pairs[at]
    match rng.randrange(7):
        case 0 | 1:
            pairs[at] = (key, _value(rng))
        case 2:
            del pairs[at]
        case 3:
            pairs.insert(rng.randint(0, len(pairs)), (key, rng.choice([value, _value(rng)])))
        case 4:
            pairs[at] = (rng.choice(KEYS), value)
        case 5:
            pairs[at] = (key, [value])
        case _:
            pairs[at] = (key, pairs[rng.randrange(len(pairs))][1])


def _value(rng: random.Random) -> str:
    return rng.choice(RARE_VALUES if rng.random() < 0.01 else VALUES)
