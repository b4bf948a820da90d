"""What a hint needs of a payload, and no more: whose, which connection, its state, the payload's id.

Payloads may weigh megabytes. What is not asked for is skipped by the parser without becoming objects.
A body that is no JSON, or that answers one of these questions twice, is not trusted to say whose it is.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import Raw

from obdesk.relay.protocol import EVENTS

_CONNECTIONS_MAX: Final = 16
"""A payload about more connections than this becomes one hint about all."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,24}")
_STATE: Final = re.compile(r"[A-Za-z_]{1,32}")
_WRITTEN_MAX: Final = 4_096
"""Larger objects are not written anew to be compared."""
_PAYLOAD_ID_MAX: Final = 2**63 - 1

_FIRST: Final = re.compile(rb'[ \t\n\r]*\{[ \t\n\r]*"([^"\\]*)"[ \t\n\r]*:[ \t\n\r]*')
_NEXT: Final = re.compile(rb'[ \t\n\r]*,[ \t\n\r]*"([^"\\]*)"[ \t\n\r]*:[ \t\n\r]*')
_LAST: Final = re.compile(rb"[ \t\n\r]*\}")
_ESCAPED_LETTER: Final = re.compile(rb"\\u00[4-7]")
"""A key could be spelled with escapes; writers of JSON escape no ASCII letters."""


class Touched(msgspec.Struct, frozen=True):
    """A connection that a payload is about."""

    connection: str | None
    """None where it names none, or too many: the hint is about all of the user."""
    state: str | None = None


class Facts(msgspec.Struct, frozen=True):
    """All that is taken from a payload."""

    user: str | None = None
    touched: tuple[Touched, ...] = (Touched(None),)
    payload_id: int | None = None
    is_clear: bool = True
    """Whether it was the JSON that the aggregator posts; otherwise it says nothing here."""


class _Row(msgspec.Struct):
    """What a row of a list says of where it belongs; its other members are skipped."""

    id_user: Raw = Raw()
    id_connection: Raw = Raw()


_ABOUT_USER: Final = frozenset({"USER_CREATED", "USER_DELETED"})
_ABOUT_CONNECTION: Final = frozenset({"CONNECTION_DELETED"})
_LISTS: Final = {
    "ACCOUNT_CATEGORIZED": "transactions",
    "ACCOUNT_OWNERSHIPS_FOUND": "account_ownerships",
    "TRANSACTION_ATTACHMENTS_FOUND": "attachments",
    "TRANSACTIONS_CLUSTERED": "transactionsclusters",
}
"""Event: the list whose rows may say whose they are where the payload itself does not."""

_MEMBERS: Final = msgspec.json.Decoder(dict[str, Raw])
_ROWS: Final = msgspec.json.Decoder(list[_Row])
_RAWS: Final = msgspec.json.Decoder(list[Raw])
_NAME: Final = msgspec.json.Decoder(int | str)
_NUMBER: Final = msgspec.json.Decoder(int)
_TEXT: Final = msgspec.json.Decoder(str | None)

_UNREADABLE: Final = (ValueError, RecursionError)
"""What the parser raises on what is not the JSON that was asked for (its errors are ValueErrors)."""


class OddPayloadError(Exception):
    """A payload that cannot be trusted to say what it is about."""


def facts_of(event: str, body: bytes) -> Facts:
    """Return what a payload says; of a body that is unclear, nothing."""
    assert event in EVENTS, "the path was checked before the body"
    try:
        return _facts(event, _members(body))
    except OddPayloadError:
        return Facts(is_clear=False)


def _facts(event: str, root: dict[str, Raw]) -> Facts:
    payload_id = _payload_id(root.get("id_webhook_data"))
    if event in _ABOUT_USER:
        return Facts(_name(root.get("id")), (Touched(None),), payload_id)
    if event in _ABOUT_CONNECTION:
        connection = Touched(_name(root.get("id")), _state(root.get("state")))
        return Facts(_name(root.get("id_user")), (connection,), payload_id)
    if "connection" in root or "connections" in root:
        return _synced(root, payload_id)
    user, connection_id = _name(root.get("id_user")), _name(root.get("id_connection"))
    if (user is None or connection_id is None) and event in _LISTS:
        users, connections = _of_rows(root.get(_LISTS[event]))
        user = user or _only(users)
        connection_id = connection_id or _only(connections)
    return Facts(user, (Touched(connection_id),), payload_id)


def _synced(root: dict[str, Raw], payload_id: int | None) -> Facts:
    """Return the facts of a payload with the user and their connections inside."""
    users: set[str] = set()
    if "user" in root and not _is_null(root["user"]):
        users |= _names(_members(root["user"]).get("id"))
    parts = [root["connection"]] if "connection" in root else _list(root["connections"])
    touched: list[Touched] = []
    for part in parts:
        members = _members(part)
        users |= _names(members.get("id_user"))
        touched.append(Touched(_name(members.get("id")), _state(members.get("state"))))
    if len(users) > 1:
        raise OddPayloadError
    about = {each.connection: each for each in touched}
    if not 0 < len(about) <= _CONNECTIONS_MAX:
        about = {None: Touched(None)}
    return Facts(_only(users), tuple(about.values()), payload_id)


def _members(body: bytes | Raw) -> dict[str, Raw]:
    """Return the members of an object, undecoded; raises where one is told twice.

    The standard leaves open which of two equal keys counts, and the wrong one would send a hint to the
    wrong person. A key with escapes could be any of the others, so it is odd too.
    """
    text = bytes(body)
    try:
        members = _MEMBERS.decode(text)
        if len(text) > _WRITTEN_MAX or not _is_as_written(text, members):
            _walk(text, members)
    except _UNREADABLE as error:
        raise OddPayloadError from error
    return members


def _is_as_written(text: bytes, members: dict[str, Raw]) -> bool:
    """Tell whether an object is its members in order, written as writers of JSON do, and nothing else."""
    comma, colon = (b", ", b'": ') if text.find(b'": ') == text.find(b'":') else (b",", b'":')
    told = comma.join([b'"' + name.encode() + colon + member for name, member in members.items()])
    return text == b"{" + told + b"}"


def _walk(text: bytes, members: dict[str, Raw]) -> None:
    """Go over an object from member to member; raises where there is more than these.

    It goes by the lengths the parser found, so what is inside a member costs one comparison.
    """
    position, before = 0, _FIRST
    for name, member in members.items():
        # Where none is told twice, members are here in the order of the text.
        key = before.match(text, position)
        if key is None or key[1] != name.encode() or not text.startswith(member, key.end()):
            raise OddPayloadError
        position, before = key.end() + len(member), _NEXT
    if members and not _LAST.match(text, position):
        raise OddPayloadError


def _list(raw: Raw) -> list[Raw]:
    try:
        return _RAWS.decode(raw)
    except _UNREADABLE as error:
        raise OddPayloadError from error


def _of_rows(raw: Raw | None) -> tuple[set[str], set[str]]:
    """Return the users and the connections that the rows of a list name."""
    if raw is None or _is_null(raw):
        return set(), set()
    try:
        rows = _ROWS.decode(raw)
    except _UNREADABLE as error:
        raise OddPayloadError from error
    if bytes(raw).count(b'"id_user"') > len(rows) or _ESCAPED_LETTER.search(raw):
        raise OddPayloadError
    users: set[str] = set()
    connections: set[str] = set()
    for row in rows:
        users |= _names(row.id_user)
        connections |= _names(row.id_connection)
    return users, connections


def _only(names: set[str]) -> str | None:
    return next(iter(names)) if len(names) == 1 else None


def _is_null(raw: Raw) -> bool:
    """Tell whether a member says null; an empty one is not there at all."""
    return bytes(raw) in {b"", b"null"}


def _names(raw: Raw | None) -> set[str]:
    name = _name(raw)
    return set() if name is None else {name}


def _name(raw: Raw | None) -> str | None:
    """Return an id, told as a number or as a text, as text; None where there is none; raises if it is odd."""
    if raw is None or _is_null(raw):
        return None
    try:
        found = str(_NAME.decode(raw))
    except _UNREADABLE as error:
        raise OddPayloadError from error
    if not _ID.fullmatch(found):
        raise OddPayloadError
    return found


def _state(raw: Raw | None) -> str | None:
    """Return a connection's state; what is too strange to be one is not said."""
    if raw is None:
        return None
    try:
        found = _TEXT.decode(raw)
    except _UNREADABLE:
        return None
    return found if found and _STATE.fullmatch(found) else None


def _payload_id(raw: Raw | None) -> int | None:
    if raw is None or _is_null(raw):
        return None
    try:
        found = _NUMBER.decode(raw)
    except _UNREADABLE as error:
        raise OddPayloadError from error
    if not 0 <= found <= _PAYLOAD_ID_MAX:
        raise OddPayloadError
    return found
