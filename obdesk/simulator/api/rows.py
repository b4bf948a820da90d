"""Transactions as the API writes them, quickly: what a label always says is made once and copied."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.wire import currency_json, day_text, french_amount, money, stamp
from obdesk.simulator.bank.labels import stem
from obdesk.simulator.bank.numbers import CURRENCIES

if TYPE_CHECKING:
    from obdesk.simulator.bank.labels import Label
    from obdesk.simulator.world.entities import Account, Connection
    from obdesk.simulator.world.ledger import Note
    from obdesk.simulator.world.world import World

Json = dict[str, Any]

OLD_TYPES = {"loan_repayment": "loan_payment", "summary_card": "card_summary"}


class RowWriter:
    """Writes the rows of one account as they are now; make a new one for each answer."""

    def __init__(self, world: World, connection: Connection, account: Account) -> None:
        branch = world.branch(connection)
        self._switches = world.switches
        self._account = account
        self._ledger = account.ledger
        self._labels = branch.statements[account.key].labels
        self._printer = branch.printers[account.key]
        self._currency = CURRENCIES[account.currency]
        self._bases: dict[int, Json] = {}

    def row(self, slot: int) -> Json:
        """Return one row."""
        ledger = self._ledger
        index = ledger.labels[slot]
        base = self._bases.get(index)
        if base is None:
            base = self._bases[index] = self._base(self._labels[index])
        body = base.copy()
        minor = ledger.minors[slot]
        day, rday = day_text(ledger.days[slot]), day_text(ledger.rdays[slot])
        body["id"] = ledger.ids[slot]
        body["date"] = body["bdate"] = day
        body["rdate"] = rday
        body["application_date"] = day_text(ledger.application_days[slot])
        body["value"] = money(minor, self._currency.precision)
        body["formatted_value"] = french_amount(minor, self._currency)
        body["original_wording"] = self._printer.original(
            self._labels[index], ledger.rdays[slot], coming=False
        )
        body["last_update"] = stamp(self._switches, ledger.updates[slot])
        body["date_scraped"] = stamp(self._switches, ledger.scraped[slot])
        label = self._labels[index]
        if label.foreign is not None:
            self._add_foreign(body, label, minor)
        note = ledger.notes.get(slot)
        if note is not None:
            self._apply(body, note, label, ledger.rdays[slot])
        return body

    def wording(self, slot: int) -> str:
        """Return everything a text search looks at in a row, in lower case."""
        label = self._labels[self._ledger.labels[slot]]
        note = self._ledger.notes.get(slot)
        texts = [
            self._printer.original(label, self._ledger.rdays[slot], coming=bool(note and note.coming)),
            self._printer.simple(label),
        ]
        if note is not None:
            texts += [text for text in (note.wording, note.original) if text]
        return "\n".join(texts).lower()

    def _base(self, label: Label) -> Json:
        switches = self._switches
        simple = self._printer.simple(label)
        kind = OLD_TYPES.get(label.kind, label.kind) if switches.type_names == "old" else label.kind
        code, parent = label.category
        categorised = switches.categories and code != "uncategorized"
        return {
            "id": 0,
            "id_account": self._account.id,
            "application_date": None,
            "date": None,
            "datetime": None,
            "vdate": None,
            "vdatetime": None,
            "rdate": None,
            "rdatetime": None,
            "bdate": None,
            "bdatetime": None,
            "value": None,
            "gross_value": None,
            "type": kind,
            "original_wording": "",
            "simplified_wording": simple,
            "stemmed_wording": stem(simple),
            "wording": simple,
            "categories": [{"code": code, "parent_code": parent}] if categorised else [],
            "id_category": 9998,
            "date_scraped": None,
            "coming": False,
            "active": True,
            "id_cluster": None,
            "comment": None,
            "last_update": None,
            "deleted": None,
            "original_value": None,
            "original_gross_value": None,
            "original_currency": None,
            "commission": None,
            "commission_currency": None,
            "country": None,
            "card": self._printer.card,
            "counterparty": self._party(label),
            "state": "parsed",
            "formatted_value": "",
            "documents_count": 0,
            "informations": {},
            "details": None,
            "webid": None,
            "nature": None,
            "nopurge": False,
        }

    @staticmethod
    def _party(label: Label) -> Json | None:
        party = label.party
        if party is None:
            return None
        return {
            "label": party.name,
            "account_scheme_name": "iban" if party.iban else None,
            "account_identification": party.iban,
            "type": party.role,
        }

    def _add_foreign(self, body: Json, label: Label, minor: int) -> None:
        foreign = label.foreign
        if foreign is None:
            return
        precision = CURRENCIES[foreign.currency].precision
        unit = Decimal(1).scaleb(-precision)
        body["original_value"] = (Decimal(minor).scaleb(-2) / Decimal(foreign.per_unit)).quantize(unit)
        body["original_currency"] = currency_json(self._switches, foreign.currency)
        if foreign.commission_minor:
            body["commission"] = money(-foreign.commission_minor, self._currency.precision)
            body["commission_currency"] = currency_json(self._switches, self._currency.code)

    def _apply(self, body: Json, note: Note, label: Label, rday: int) -> None:
        if note.coming:
            body["coming"] = True
            body["original_wording"] = self._printer.original(label, rday, coming=True)
        if note.unknown_value:
            body["value"] = body["formatted_value"] = None
        if note.original is not None:
            body["original_wording"] = body["simplified_wording"] = body["wording"] = note.original
            body["stemmed_wording"] = stem(note.original)
        if note.wording is not None:
            body["wording"] = note.wording
        if note.kind is not None:
            body["type"] = note.kind
        if note.categories is not None:
            body["categories"] = [{"code": code, "parent_code": parent} for code, parent in note.categories]
        body["comment"] = note.comment
        body["active"] = note.active
        body["deleted"] = stamp(self._switches, note.deleted)


def parse_day(text: str, *, last: bool) -> int:
    """Return the ordinal of YYYY-MM-DD, or the first or last day of YYYY-MM or YYYY.

    Raises ValueError. A time after the date is ignored, as clients send whole DateTimes.
    """
    parts = text[:10].replace("T", " ").split(" ")[0].split("-")
    year, month, day = (int(part) for part in [*parts, "1", "1"][:3])
    if len(parts) >= 3 or not last:
        return date(year, month, day).toordinal()
    if len(parts) == 2:
        return date(year + month // 12, month % 12 + 1, 1).toordinal() - 1
    return date(year, 12, 31).toordinal()
