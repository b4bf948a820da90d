"""All that is known of one transaction as labels and texts: the bank's words, both clocks, the history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from obdesk.domain.texts import mark, tr
from obdesk.gui import format as fmt
from obdesk.gui.format import clean

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.entities import Account, HistoryEntry, TransactionDetail


_KINDS = {
    "transfer": mark("transfer"),
    "order": mark("direct debit"),
    "check": mark("cheque"),
    "deposit": mark("cash deposit"),
    "payback": mark("repayment to you"),
    "refund": mark("refund"),
    "withdrawal": mark("cash withdrawal"),
    "loan_repayment": mark("loan repayment"),
    "bank": mark("bank fee"),
    "fee": mark("fee"),
    "card": mark("card"),
    "deferred_card": mark("deferred card"),
    "summary_card": mark("card statement"),
    "payment": mark("payment"),
    "profit": mark("interest or dividend"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: what it is, what it says, and the whole of it for the tool tip."""

    label: str
    text: str
    whole: str = ""


def as_of(detail: TransactionDetail, now: datetime, locale: fmt.Locale) -> str:
    """Return how old the amount is, on both clocks, in one line."""
    asked = fmt.instant_or(detail.asked_at, now, locale, tr("never"))
    if detail.data_as_of is None:
        return tr("The bank does not tell how old this is · asked {asked}", asked=asked)
    data = fmt.instant(detail.data_as_of, now, locale)
    return tr("Bank data as of {data} · asked {asked}", data=data, asked=asked)


def oldest_data(accounts: list[Account], now: datetime, locale: fmt.Locale) -> str:
    """Return the date a sum over some accounts carries: that of its oldest part."""
    known = [a.freshness.data_as_of for a in accounts]
    dates = [when for when in known if when is not None]
    if not dates:
        return tr("The banks do not tell how old this is.")
    sentence = tr("Bank data as of {data}", data=fmt.instant(min(dates), now, locale))
    if len(dates) < len(known):
        return tr("{sentence}, and for one account at least nobody knows", sentence=sentence)
    return sentence


def bank_facts(detail: TransactionDetail, now: datetime, locale: fmt.Locale) -> tuple[Fact, ...]:
    """Return what the bank says; what it does not say is left out."""
    row = detail.row
    original = "" if detail.original_amount is None else fmt.money(detail.original_amount, locale, code=True)
    found = (
        Fact(tr("Label"), clean(row.label)),
        Fact(tr("Booked"), _day(row.booked_on, locale)),
        Fact(tr("Bought"), _day(detail.done_on, locale)),
        Fact(tr("Value date"), _day(detail.value_on, locale)),
        Fact(tr("Kind"), _kind(detail.kind)),
        Fact(tr("Original"), original),
        Fact(tr("Counterparty"), clean(detail.counterparty)),
        Fact(tr("Their account"), clean(detail.counterparty_account)),
        Fact(tr("Card"), clean(detail.card)),
        Fact(tr("Their category"), clean(detail.bank_category)),
        Fact(tr("Account"), clean(row.account_name)),
        Fact(tr("IBAN"), _grouped_iban(detail.iban)),
        Fact(tr("Provider"), clean(detail.provider).capitalize()),
        Fact(tr("Ids"), ", ".join(clean(each) for each in detail.provider_ids)),
        _moment(tr("First seen"), detail.first_seen_at, now, locale),
        _moment(tr("Last changed"), detail.changed_at, now, locale),
        _moment(tr("Asked at"), detail.asked_at, now, locale),
        _moment(tr("Bank data"), detail.data_as_of, now, locale),
    )
    return tuple(fact for fact in found if fact.text)


def history_facts(detail: TransactionDetail, now: datetime, locale: fmt.Locale) -> tuple[Fact, ...]:
    """Return what changed and when, newest first, ending with how the row came here."""
    told = [
        Fact(
            fmt.time_today(entry.at, now, locale),
            _change(entry, detail, locale),
            fmt.absolute(entry.at, locale),
        )
        for entry in detail.history
    ]
    first = detail.first_seen_at
    told.append(Fact(fmt.time_today(first, now, locale), tr("first seen"), fmt.absolute(first, locale)))
    return tuple(told)


def _kind(kind: str) -> str:
    """Return a kind in the reader's words, else in the provider's own; unknown is nothing."""
    if kind == "unknown":
        return ""
    known = _KINDS.get(kind)
    return tr(known) if known else clean(kind).replace("_", " ")


def _day(day: date | None, locale: fmt.Locale) -> str:
    if day is None:
        return ""
    weekday = locale.weekdays_short[day.weekday()]
    text = fmt.day_month_year(day, locale)
    return f"{weekday} {text}" if locale.day_first else f"{weekday}, {text}"


def _moment(label: str, when: datetime | None, now: datetime, locale: fmt.Locale) -> Fact:
    if when is None:
        return Fact(label, tr("unknown"))
    return Fact(label, fmt.instant(when, now, locale), fmt.absolute(when, locale))


def _grouped_iban(iban: str) -> str:
    plain = clean(iban).replace(" ", "")
    return " ".join(plain[place : place + 4] for place in range(0, len(plain), 4))


def _change(entry: HistoryEntry, detail: TransactionDetail, locale: fmt.Locale) -> str:
    old, new = clean(entry.old), clean(entry.new)
    match entry.field:
        case "pending":
            return tr("pending became booked") if new in {"", "0"} else tr("booked became pending")
        case "deleted":
            return tr("gone at the bank") if new else tr("came back at the bank")
        case "amount_minor":
            return tr(
                "amount {old}, now {new}", old=_money(old, detail, locale), new=_money(new, detail, locale)
            )
        case "booked_on":
            return tr("date {old}, now {new}", old=_date(old, locale), new=_date(new, locale))
        case "label":
            return tr("the bank's label was “{old}”", old=old)
        case "note":
            return tr("you removed the note") if not new else tr("you noted “{new}”", new=new)
        case "category":
            return tr("you put it in “{new}”", new=new) if new else tr("you went back to the bank's category")
        case other:
            return tr(
                "{field}: {old}, now {new}", field=clean(other), old=old or fmt.DASH, new=new or fmt.DASH
            )


def _money(minor: str, detail: TransactionDetail, locale: fmt.Locale) -> str:
    amount = detail.row.amount
    if amount is None or not minor.lstrip("-").isdigit():
        return minor or fmt.DASH
    return fmt.money(type(amount)(int(minor), amount.currency), locale)


def _date(text: str, locale: fmt.Locale) -> str:
    try:
        return fmt.day_month_year(date.fromisoformat(text), locale)
    except ValueError:
        return text or fmt.DASH
