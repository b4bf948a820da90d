"""Keys that come twice: JSON with two answers to one question answers nothing.

The JSON standard leaves open which of two equal keys counts and parsers disagree, ours takes the last. With
money that is a guess, so an object with a key told twice is refused (RFC 8259, section 4).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

if TYPE_CHECKING:
    from collections.abc import Iterable

UNREADABLE = (ValueError, RecursionError)
"""What JSON parsers raise on bytes that are not the JSON that was asked for (theirs are ValueErrors)."""

TOLD_ONCE = ("id", "id_account", "date", "value", "coming", "deleted")
"""Keys of a transaction that a page is searched for; without them a row would say something else."""

_NAMED = tuple(f'"{key}"'.encode() for key in TOLD_ONCE if key != "id")
# A row's own id is a number; the currency inside it has an id too, which is a text.
_OWN_ID = re.compile(rb'"id"\s*:\s*[-\d]')
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")
_KEY = re.compile(rb'[ \t\n\r]*"([^"\\]*)"[ \t\n\r]*:[ \t\n\r]*')
_AFTER = re.compile(rb"[ \t\n\r]*([,}])")
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])


def _pairs(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise RepeatedKeyError
    return pairs


# Numbers stay text: thousands of digits cost nothing then.
_UNIQUE = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=str, parse_float=str)
_PAIRS = json.JSONDecoder(object_pairs_hook=list, parse_int=str, parse_float=str)


class RepeatedKeyError(ValueError):
    """An object tells one of its keys twice, or hides what they are."""


def members_of(body: bytes) -> dict[str, Raw]:
    """Return the members of an object, undecoded; what is inside them is not looked at.

    Raises RepeatedKeyError, and one of UNREADABLE for what is no object. The bytes are walked from member to
    member by the lengths the parser found, so a member of megabytes costs one comparison.
    """
    members = _MEMBERS.decode(body)
    position = body.index(b"{") + 1
    for left in range(len(members) - 1, -1, -1):
        key = _KEY.match(body, position)
        member = members.get(key[1].decode("utf-8", "replace")) if key else None
        # A key told twice has the later value; a key with escapes could be any of the others.
        if key is None or member is None or not body.startswith(member, key.end()):
            raise RepeatedKeyError
        after = _AFTER.match(body, key.end() + len(member))
        if after is None or after[1] != (b"," if left else b"}"):
            raise RepeatedKeyError
        position = after.end()
    return members


def is_told_once(body: bytes | Raw) -> bool:
    """Tell whether no object in some JSON has a key twice, at whatever depth; for what is small."""
    try:
        _UNIQUE.decode(_text(body))
    except UNREADABLE:
        return False
    return True


def are_told_once(rows: bytes | Raw, count: int) -> bool:
    """Tell whether `count` rows, each known to have all keys of TOLD_ONCE, surely have each only once.

    As many keys as are needed and every row with all of them: none is left to be a second one. False only
    asks for a closer look: a key or a text of the same name may lie deeper.
    """
    text = bytes(rows)
    if any(text.count(named) != count for named in _NAMED):
        return False
    # One by one: all at once would hold every thread up, the one that paints among them, for a whole page.
    if sum(1 for _ in _OWN_ID.finditer(text)) != count:
        return False
    # A key could be spelled with escapes; writers of JSON escape no ASCII letters.
    return b"\\" not in text or _ESCAPED_LETTER.search(text) is None


def told_twice(row: bytes | Raw, keys: Iterable[str]) -> list[str]:
    """Return those of some keys that an object itself tells more than once."""
    pairs = _PAIRS.decode(_text(row))
    told = [key for key, _ in pairs]
    return [key for key in keys if told.count(key) > 1]


def _text(body: bytes | Raw) -> str:
    return bytes(body).decode("utf-8", "replace")
