"""The shapes of Powens' answers as far as we read them. Everything may be absent, null or of another type.

Lists are taken apart into raw rows first, so that one odd row never loses the others. A row is read in one
go; only when that fails is it read again field by field, and the fields that make no sense are named.
Amounts become Decimal from the raw text of the JSON, whether it is a number or a string.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct

from obdesk.providers.powens.strict import UNREADABLE, is_told_once

T = TypeVar("T", bound=Struct)


class CurrencyWire(Struct):
    """A currency; some answers reduce it to its id."""

    id: str | None = None
    precision: int | None = None


class NamedWire(Struct):
    """Something known by its name, such as an account type in its documented form."""

    name: str | None = None


class CountryWire(Struct):
    """A country of a connector."""

    id: str | None = None


class ConnectorWire(Struct):
    """A bank that can be linked."""

    id: int | None = None
    uuid: str | None = None
    name: str | None = None
    color: str | None = None
    hidden: bool | None = None
    restricted: bool | None = None
    capabilities: list[str] | None = None
    countries: list[CountryWire] | None = None


class SourceWire(Struct):
    """One way in which a connection reads its bank."""

    disabled: str | None = None
    access_expire: str | None = None


class ConnectionWire(Struct):
    """A link to a bank."""

    id: int | None = None
    id_connector: int | None = None
    connector_uuid: str | None = None
    state: str | None = None
    error: str | None = None
    error_message: str | None = None
    active: bool | None = None
    created: str | None = None
    last_update: str | None = None
    next_try: str | None = None
    connector: ConnectorWire | None = None
    sources: list[SourceWire] | None = None


class AccountWire(Struct):
    """A bank account."""

    id: int | None = None
    id_parent: int | None = None
    number: str | None = None
    original_name: str | None = None
    name: str | None = None
    balance: Decimal | None = None
    coming: Decimal | None = None
    last_update: str | None = None
    deleted: str | None = None
    disabled: str | None = None
    iban: str | None = None
    currency: CurrencyWire | str | None = None
    type: NamedWire | str | None = None
    error: str | None = None


class CategoryWire(Struct, gc=False):
    """A category of a transaction."""

    code: str | None = None


class CounterpartyWire(Struct, gc=False):
    """The other side of a transfer."""

    label: str | None = None
    account_identification: str | None = None


class TransactionWire(Struct, gc=False):
    """A transaction; the cyclic garbage collector need not look at a million of them."""

    id: int | None = None
    id_account: int | None = None
    date: str | None = None
    rdate: str | None = None
    vdate: str | None = None
    value: Decimal | None = None
    coming: bool | None = None
    type: str | None = None
    original_wording: str | None = None
    simplified_wording: str | None = None
    wording: str | None = None
    categories: list[CategoryWire] | None = None
    card: str | None = None
    counterparty: CounterpartyWire | None = None
    original_value: Decimal | None = None
    original_currency: CurrencyWire | str | None = None
    deleted: str | None = None
    last_update: str | None = None


class WholeTransactionWire(TransactionWire, gc=False, kw_only=True):
    """A transaction that leaves out none of the keys of strict.TOLD_ONCE, as the API sends them.

    Its id is a number wherever it is told: strict.are_told_once counts on that.
    """

    id: int
    id_account: int | None
    date: str | None
    value: Decimal | None
    coming: bool | None
    deleted: str | None


class LinkWire(Struct):
    """The address of a neighbouring page."""

    href: str | None = None


class LinksWire(Struct):
    """The neighbours of a page."""

    next: LinkWire | None = None


class UserWire(Struct):
    """The answer of `POST /auth/init`."""

    auth_token: str | None = None
    type: str | None = None
    id_user: int | None = None


class AccessWire(Struct):
    """The answer of `POST /auth/renew`; one guide calls the token `token`."""

    access_token: str | None = None
    token: str | None = None


class CodeWire(Struct):
    """The answer of `GET /auth/token/code`."""

    code: str | None = None


class WrappedConnectionWire(Struct):
    """A connection inside an answer that also explains why no sync was forced."""

    connection: Raw = Raw()


class ErrorWire(Struct):
    """An error answer; `message` is the institution's text, the rest is for us."""

    code: str | None = None
    message: str | None = None
    request_id: int | str | None = None


class Row(NamedTuple, Generic[T]):
    """A row as far as it could be read, with the names of the fields that made no sense."""

    value: T
    odd: tuple[str, ...] = ()


_ROWS = msgspec.json.Decoder(list[Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_NUMBER = msgspec.json.Decoder(Decimal)


class Reader(Generic[T]):
    """Reads JSON objects of one shape, strictly first and field by field when that fails."""

    def __init__(self, shape: type[T], complete: type[T] | None = None) -> None:
        """Read objects of a shape; whole lists are read as `complete` ones, if that is given."""
        self._shape = shape
        self._whole = msgspec.json.Decoder(shape)
        listed = complete or shape
        self._many = msgspec.json.Decoder(list[listed])  # type: ignore[valid-type]
        # Not strict: ids and flags may come as strings, flags as 0 and 1.
        self._fields = [
            (field.encode_name, field.name, msgspec.json.Decoder(field.type, strict=False))
            for field in msgspec.structs.fields(shape)
        ]

    def read(self, body: bytes | Raw) -> Row[T] | None:
        """Return one object, or None when it is none or tells something twice."""
        return self.read_leniently(body) if is_told_once(body) else None

    def read_leniently(self, body: bytes | Raw) -> Row[T] | None:
        """Return one object, or None when it is none; of a key that comes twice the last counts."""
        try:
            return Row(self._whole.decode(body))
        except UNREADABLE:
            return self._read_by_field(body)

    def read_all(self, body: bytes | Raw) -> list[T] | None:
        """Return a whole list of well-formed objects, or None when one of them needs a closer look."""
        try:
            whole: list[T] = self._many.decode(body)
            return whole
        except UNREADABLE:
            return None

    def _read_by_field(self, body: bytes | Raw) -> Row[T] | None:
        try:
            members = _MEMBERS.decode(body)
        except UNREADABLE:
            return None
        values: dict[str, Any] = {}
        odd: list[str] = []
        for wire_name, name, decoder in self._fields:
            member = members.get(wire_name)
            if member is None:
                continue
            try:
                values[name] = _read_member(decoder, member)
            except UNREADABLE:
                odd.append(wire_name)
        return Row(self._shape(**values), tuple(odd))


def _read_member(decoder: msgspec.json.Decoder[Any], member: Raw) -> Any:
    """Return one field; a number where a text belongs (a card, an account number) is taken as its digits."""
    try:
        return decoder.decode(member)
    except UNREADABLE:
        text = bytes(member)
        _NUMBER.decode(member)
        return decoder.decode(b'"' + text + b'"')


def rows_of(body: Raw | bytes) -> list[Raw] | None:
    """Return the rows of a list, each undecoded, or None when it is no list."""
    try:
        return _ROWS.decode(body)
    except UNREADABLE:
        return None
