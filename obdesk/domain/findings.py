"""What can be wrong with a bank's data, in words: a row that was refused, or data that cannot be right.

Findings are values in a list: shown, never silent, never a reason to stop. They go when they are no
longer so.
"""

from __future__ import annotations

from typing import NamedTuple

from obdesk.domain.texts import mark, tr


class Words(NamedTuple):
    """A finding for a person: what it is, why, and what happens next."""

    title: str
    cause: str
    next_step: str


DUPLICATE = "duplicate_suspected"
IMPOSSIBLE_DATE = "impossible_date"
DATES_APART = "dates_apart"
NOT_CONVERTED = "not_converted"
SUSPECTED = (DUPLICATE, IMPOSSIBLE_DATE, DATES_APART, NOT_CONVERTED)
"""The kinds that are looked for in rows that were kept."""
TWICE, MANY_MISSING = "same_account_twice", "many_rows_missing"
SUCCESSOR, CURRENCY_CHANGED = "account_successor", "currency_changed"
ABOUT_TWO_ACCOUNTS = (TWICE, SUCCESSOR)
ABOUT_ACCOUNTS = (TWICE, MANY_MISSING, SUCCESSOR, CURRENCY_CHANGED)
"""The kinds that are about a whole account."""
ABOUT_KEPT = (*SUSPECTED, *ABOUT_ACCOUNTS)
"""Every other kind is about a row that was refused."""

_ACCOUNT = "account "
_AGAIN = mark("It is tried again with every check.")
_KEPT = mark("It is kept as the bank says. Compare it with the bank's own list.")
_BOTH_KEPT = mark("Both are kept. Nothing is changed without you.")
_REFUSED = Words(
    mark("A row could not be read"),
    mark("What the aggregator sent for it was not what it promises."),
    _AGAIN,
)
_NO_AMOUNT = Words(mark("A row has no usable amount"), mark("Rounding it would hide a mistake."), _AGAIN)
_WORDS: dict[str, Words] = {
    "unknown_account": Words(
        mark("A row belongs to an account that is not shared"),
        mark("The bank lists the row, and not its account."),
        _AGAIN,
    ),
    "no_id": Words(
        mark("A row has no number"), mark("Without one it could not be told from others."), _AGAIN
    ),
    "no_date": Words(mark("A row has no date"), mark("Without one it has no place in the list."), _AGAIN),
    "amount_too_fine": _NO_AMOUNT,
    "amount_too_large": _NO_AMOUNT,
    "no_amount": _NO_AMOUNT,
    "shared_id": Words(
        mark("Two operations came under one number"),
        mark("The aggregator gave them the same number, which must be one's own."),
        mark("The first is kept. The other is, once it comes under a number of its own."),
    ),
    TWICE: Words(
        mark("An account is linked twice"), mark("Two of your links list the same IBAN."), _BOTH_KEPT
    ),
    MANY_MISSING: Words(
        mark("Most rows of an account were missing from an answer"),
        mark("That is more likely a fault of the answer than the truth."),
        mark("The rows stay until a second answer says the same."),
    ),
    SUCCESSOR: Words(
        mark("A new account may replace one that is gone"),
        mark("One went and one of its kind came with the same answer."),
        _BOTH_KEPT,
    ),
    CURRENCY_CHANGED: Words(
        mark("An account has another currency now"),
        mark("Balances from before cannot be compared with those from now on."),
        mark("All its rows were read again; nothing was converted."),
    ),
    DUPLICATE: Words(
        mark("A transaction may be there twice"),
        mark("Two say the same on the same day, came with different checks, and no balance proves them."),
        _BOTH_KEPT,
    ),
    IMPOSSIBLE_DATE: Words(
        mark("A transaction has an impossible date"),
        mark("It lies before 1970 or more than a year ahead."),
        _KEPT,
    ),
    DATES_APART: Words(
        mark("The dates of a transaction lie years apart"),
        mark("Booking, purchase and value date should be days apart."),
        _KEPT,
    ),
    NOT_CONVERTED: Words(
        mark("A foreign amount looks unconverted"),
        mark("The same figure stands in two currencies."),
        _KEPT,
    ),
}


_SEEN = mark("It is right so")
_SETTLED = {
    DUPLICATE: mark("Both are real"),
    SUCCESSOR: mark("They are two accounts"),
    TWICE: mark("Keep both"),
}


def words_of(kind: str) -> Words:
    """Return a kind of finding in the reader's language; a kind nobody knows is a row that was refused."""
    return Words(*map(tr, _WORDS.get(kind, _REFUSED)))


def settled_by(kind: str) -> str:
    """Return what the person says who leaves a finding as it is; empty where the next answer decides."""
    if kind == MANY_MISSING:
        return ""
    return tr(_SETTLED.get(kind, _SEEN))


def is_refused(kind: str) -> bool:
    """Tell whether a kind of finding is about a row that was not kept."""
    return kind not in ABOUT_KEPT


def rows_named(kind: str, subject: str) -> tuple[int, ...]:
    """Return our ids of the kept rows that a finding is about."""
    return tuple(int(each) for each in subject.split()[1:]) if kind in SUSPECTED else ()


def account_text(account_id: int) -> str:
    """Return an account of ours as a finding's detail names it."""
    return f"{_ACCOUNT}{account_id}"


def account_named(detail: str) -> int:
    """Return our id of the second account in a finding about two: the newcomer, or the one elsewhere."""
    return int(detail.removeprefix(_ACCOUNT))
