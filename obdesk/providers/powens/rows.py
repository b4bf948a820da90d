"""Transactions from the wire to rows of ours: the hot path of a first sync of a million of them.

A page is decoded by C code in one go and each row is made with one call; whatever a good row does not need
is behind a condition that it does not meet. Whatever comes, a row becomes a row or a problem.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.money import AmountTooLargeError, FinerThanCurrencyError, minor_of
from obdesk.domain.remote import PageRows, RemoteTransaction, RowProblem
from obdesk.providers.powens.labels import LABEL_LENGTH_MAX, label_of
from obdesk.providers.powens.mapping import ID_MAX, currency_of, is_id
from obdesk.providers.powens.strict import TOLD_ONCE, UNREADABLE, are_told_once, told_twice
from obdesk.providers.powens.times import day_of, stamp_of
from obdesk.providers.powens.wire import Reader, TransactionWire, WholeTransactionWire, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo
    from decimal import Decimal

    from msgspec import Raw


_TRANSACTIONS = Reader(TransactionWire, WholeTransactionWire)
_KIND_ALIASES = {"loan_payment": "loan_repayment", "card_summary": "summary_card"}
_WORD_LENGTH_MAX = 64
# Without these a row would say something else than the bank does; other odd fields are left out.
_MUST_MAKE_SENSE = frozenset(TOLD_ONCE)
_new = tuple.__new__


class _RefusedError(Exception):
    """A row cannot be kept: the kind of its problem and a detail that holds none of its content."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail


def decode_rows(body: Raw | bytes, exponents: Mapping[int, int], zone: tzinfo) -> PageRows:
    """Return the rows of a page's list of transactions, and a problem for each that could not be kept.

    `exponents` gives the decimals of each account by its id; a row carries no currency of its own.
    """
    page = _Page(exponents, zone)
    wires = _TRANSACTIONS.read_all(body)
    if wires is not None and are_told_once(body, len(wires)):
        for wire in wires:
            page.add(wire)
    else:
        for position, raw in enumerate(rows_of(body) or (), 1):
            page.add_raw(raw, position)
    return PageRows(tuple(page.rows), tuple(page.problems))


class _Days(dict[str | None, str | None]):
    """Calendar dates by what came for them; they repeat on a page, so each is checked once."""

    def __missing__(self, text: str | None) -> str | None:
        day = self[text] = day_of(text)
        return day


class _Stamps(dict[str | None, str]):
    """Update stamps by what came for them, each checked once."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self._zone = zone

    def __missing__(self, text: str | None) -> str:
        stamp = self[text] = stamp_of(text, self._zone)
        return stamp


class _Page:
    """The rows and problems of one page while it is taken apart."""

    __slots__ = ("_days", "_exponents", "_stamps", "problems", "rows")

    def __init__(self, exponents: Mapping[int, int], zone: tzinfo) -> None:
        self.rows: list[RemoteTransaction] = []
        self.problems: list[RowProblem] = []
        self._exponents = exponents
        self._days = _Days()
        self._stamps = _Stamps(zone)

    def add(self, wire: TransactionWire) -> None:
        """Keep a row whose fields have the types they should have."""
        try:
            self.rows.append(self._row(wire))
        except _RefusedError as why:
            self._report(wire, why.kind, why.detail)

    def add_raw(self, raw: Raw, position: int) -> None:
        """Keep a row that came among odd ones, if what matters of it makes sense."""
        row = _TRANSACTIONS.read_leniently(raw)
        if row is None:
            self.problems.append(RowProblem("unreadable", "", f"row {position} of its page"))
            return
        try:
            twice = told_twice(raw, TOLD_ONCE)
        except UNREADABLE:
            twice = list(TOLD_ONCE)
        if twice:
            self._report_twice(row.value, twice)
            return
        fatal = _MUST_MAKE_SENSE.intersection(row.odd)
        if fatal:
            self._report(row.value, "odd_field", ", ".join(sorted(fatal)))
            return
        if row.odd:
            self._report(row.value, "odd_field", ", ".join(row.odd))
        self.add(row.value)

    def _report(self, wire: TransactionWire, kind: str, detail: str) -> None:
        subject = str(wire.id) if is_id(wire.id) else ""
        account = wire.id_account if is_id(wire.id_account) else None
        self.problems.append(RowProblem(kind, subject, detail, account))

    def _report_twice(self, wire: TransactionWire, keys: Sequence[str]) -> None:
        """Tell of a row with a key told twice; what was told twice cannot say which row it is."""
        subject = str(wire.id) if is_id(wire.id) and "id" not in keys else ""
        account = wire.id_account if is_id(wire.id_account) and "id_account" not in keys else None
        self.problems.append(RowProblem("repeated_key", subject, ", ".join(keys), account))

    def _row(self, wire: TransactionWire) -> RemoteTransaction:
        row_id = wire.id or 0
        account_id = wire.id_account or 0
        if not (0 < row_id <= ID_MAX and 0 < account_id <= ID_MAX):
            raise _RefusedError("no_id", "id_account" if is_id(wire.id) else "id")
        exponent = self._exponents.get(account_id)
        if exponent is None:
            raise _RefusedError("unknown_account", "id_account")
        label = wire.original_wording or ""
        payee = wire.simplified_wording or wire.wording or ""
        other = wire.counterparty
        original = wire.original_value
        # A named tuple's own constructor is a Python function; making the tuple takes half the time.
        return _new(
            RemoteTransaction,
            (
                row_id,
                account_id,
                wire.coming or False,
                self._days[wire.date] or self._stand_in_day(wire),
                self._days[wire.rdate],
                self._days[wire.vdate],
                _amount_minor(wire, exponent),
                label if label.isprintable() and len(label) <= LABEL_LENGTH_MAX else label_of(label),
                payee if payee.isprintable() and len(payee) <= LABEL_LENGTH_MAX else label_of(payee),
                _kind_of(wire.type),
                _category_of(wire) if wire.categories else "",
                label_of(wire.card, _WORD_LENGTH_MAX),
                label_of(other.label) if other else "",
                label_of(other.account_identification, _WORD_LENGTH_MAX) if other else "",
                *(_NO_ORIGINAL if original is None else self._original(wire, original)),
                bool(wire.deleted),
                self._stamps[wire.last_update or wire.deleted],
            ),
        )

    def _stand_in_day(self, wire: TransactionWire) -> str:
        """Return a day for a row without one: a deletion needs none to be understood."""
        day = self._days[wire.rdate] or self._days[wire.deleted] if wire.deleted else None
        if day is None:
            raise _RefusedError("no_date", "date")
        return day

    def _original(self, wire: TransactionWire, value: Decimal) -> tuple[int | None, str, int]:
        """Return the amount in the currency of the purchase; a row can do without it."""
        currency = currency_of(wire.original_currency)
        try:
            return minor_of(value, currency.exponent), currency.code, currency.exponent
        except (FinerThanCurrencyError, AmountTooLargeError):
            self._report(wire, "odd_field", "original_value")
            return _NO_ORIGINAL


_NO_ORIGINAL: tuple[int | None, str, int] = (None, "", 0)


def _amount_minor(wire: TransactionWire, exponent: int) -> int | None:
    """Return the amount; None where a pending row has none yet or a deletion needs none."""
    value = wire.value
    try:
        if value is not None:
            return minor_of(value, exponent)
    except FinerThanCurrencyError:
        refusal = _RefusedError("amount_too_fine", f"more than {exponent} decimals")
    except AmountTooLargeError:
        refusal = _RefusedError("amount_too_large", "value")
    else:
        if wire.coming:
            return None
        refusal = _RefusedError("no_amount", "value")
    if wire.deleted:
        return None
    raise refusal


def _kind_of(kind: str | None) -> str:
    if not kind:
        return "unknown"
    return _KIND_ALIASES.get(kind) or label_of(kind, _WORD_LENGTH_MAX)


def _category_of(wire: TransactionWire) -> str:
    """Return the first category in words; the list has one entry where the product is on.

    The codes are snake_case English and no complete list of them is published, so they are not translated.
    """
    code = label_of(wire.categories[0].code, _WORD_LENGTH_MAX) if wire.categories else ""
    return code.replace("_", " ")
