"""What falls due on a certain day: salary, rent, direct debits, subscriptions, interest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from obdesk.simulator.bank.labels import Label, Party

_WEEKEND_REACH = 3


@dataclass(frozen=True, slots=True)
class Due:
    """A label that comes on `day` of each month (or of the listed months) with an amount of its own.

    `spread` is how far the amount may wander from `minor`; a weekend moves the booking to Monday,
    or back to Friday when `early` is set.
    """

    day: int
    label: Label
    minor: int
    spread: int = 0
    months: tuple[int, ...] = ()
    early: bool = False


def _debit(name: str, reference: str, category: tuple[str, str | None]) -> Label:
    return Label(
        kind="order",
        original=f"PRLV SEPA {name} {reference}",
        simple=name,
        low=0,
        high=0,
        category=category,
        party=Party(name, None, "creditor"),
    )


def _salary_fr() -> Label:
    employer = Party("SAS ARMORIQUE CONSEIL", "FR7612548029980000000150086", "debtor")
    return Label(
        "transfer",
        "VIR SEPA RECU /DE SAS ARMORIQUE CONSEIL /MOTIF SALAIRE {month} {year}",
        "SAS ARMORIQUE CONSEIL",
        0,
        0,
        ("salary", "income"),
        party=employer,
    )


RENT_FR = Label(
    "transfer",
    "VIR SEPA LOYER /POUR SCI DES CAPUCINS",
    "SCI DES CAPUCINS",
    0,
    0,
    ("rent", "housing"),
    party=Party("SCI DES CAPUCINS", "FR7610278060610002004050123", "creditor"),
)
SAVE_FR = Label("transfer", "VIR PERMANENT LIVRET A", "LIVRET A", 0, 0, ("savings", None))
SUMMARY_FR = Label(
    "summary_card", "RELEVE DIFFERE CARTE CB*{card} {month}", "RELEVE CARTE", 0, 0, ("cards", None)
)
INTEREST_FR = Label("profit", "INTERETS ANNUELS {year}", "INTERETS", 0, 0, ("interests", "income"))
LOAN_FR = Label(
    "loan_repayment", "ECHEANCE PRET IMMOBILIER 00417", "ECHEANCE PRET", 0, 0, ("loans", "housing")
)
FEE_FR = Label(
    "bank", "COTISATION TRIMESTRIELLE CARTE", "COTISATION CARTE", 0, 0, ("banking_fees", "bank_insurances")
)

HOUSEHOLD_FR = (
    Due(28, _salary_fr(), 248_300, 9_000, early=True),
    Due(1, SAVE_FR, -15_000),
    Due(3, LOAN_FR, -61_284),
    Due(8, _debit("EDF CLIENTS PARTICULIERS", "MM0412377", ("electricity", "housing")), -8_740, 1_900),
    Due(10, _debit("EAU DU PONANT", "2204871", ("water", "housing")), -3_120, 400, months=(2, 5, 8, 11)),
    Due(12, _debit("FREE MOBILE", "FM-88127", ("phone", "subscriptions")), -1_999),
    Due(14, _debit("FREE TELECOM", "HAUTDEBIT 55172", ("internet", "subscriptions")), -3_999),
    Due(15, _debit("MAIF", "CONTRAT 4417732M", ("home_insurance", "bank_insurances")), -4_185),
    Due(17, _debit("SPOTICHANT", "P0A41", ("music", "subscriptions")), -1_099),
    Due(20, _debit("DGFIP IMPOT 29 FINISTERE", "PAS", ("taxes", "administration_and_taxes")), -11_200, 0),
    Due(22, _debit("BASIC FIT FRANCE", "BF-20118", ("sport", "leisure")), -2_499),
    Due(5, FEE_FR, -1_150, months=(1, 4, 7, 10)),
    Due(24, _debit("MEDECINS SANS FRONTIERES", "DON", ("donations", None)), -1_000),
)

JOINT_FR = (
    Due(2, RENT_FR, -79_000),
    Due(
        1,
        Label("transfer", "VIR RECU M OU MME LE BIHAN QUOTE PART", "QUOTE PART", 0, 0, ("transfers", None)),
        157_000,
    ),
    Due(9, _debit("ENGIE HOME", "GZ-771", ("gas", "housing")), -5_400, 2_200),
    Due(16, _debit("CANTINE RENNES METROPOLE", "ENF 112", ("education", None)), -6_800, 2_400),
    Due(19, _debit("ASSURANCE AUTO MATMUT", "774120", ("car_insurance", "bank_insurances")), -5_217),
)

HOUSEHOLD_EN = (
    Due(
        15,
        Label(
            "transfer",
            "DIRECT DEP CASCADIA DESIGN PAYROLL",
            "CASCADIA DESIGN PAYROLL",
            0,
            0,
            ("salary", "income"),
            party=Party("CASCADIA DESIGN LLC", None, "debtor"),
        ),
        128_450,
        early=True,
    ),
    Due(
        29,
        Label(
            "transfer",
            "DIRECT DEP CASCADIA DESIGN PAYROLL",
            "CASCADIA DESIGN PAYROLL",
            0,
            0,
            ("salary", "income"),
            party=Party("CASCADIA DESIGN LLC", None, "debtor"),
        ),
        128_450,
        early=True,
    ),
    Due(
        1,
        Label(
            "order", "ACH DEBIT RIVERSIDE APARTMENTS RENT", "RIVERSIDE APARTMENTS", 0, 0, ("rent", "housing")
        ),
        -89_500,
    ),
    Due(
        7,
        Label(
            "order", "ACH DEBIT CITY POWER & LIGHT", "CITY POWER & LIGHT", 0, 0, ("electricity", "housing")
        ),
        -6_120,
        1_800,
    ),
    Due(
        18, Label("card", "RECURRING STREAMFLIX.COM", "STREAMFLIX", 0, 0, ("video", "subscriptions")), -1_549
    ),
    Due(
        25,
        Label(
            "bank", "MONTHLY SERVICE FEE", "MONTHLY SERVICE FEE", 0, 0, ("banking_fees", "bank_insurances")
        ),
        -500,
    ),
)

NEO_FR = (
    Due(
        4,
        Label("transfer", "VIR RECU COMPTE PRINCIPAL", "COMPTE PRINCIPAL", 0, 0, ("transfers", None)),
        44_000,
    ),
)
SAVINGS_FR = (
    Due(
        1,
        Label("transfer", "VIR PERMANENT DEPUIS COMPTE CHEQUES", "VIR PERMANENT", 0, 0, ("savings", None)),
        15_000,
    ),
    Due(31, INTEREST_FR, 17_843, 900, months=(12,)),
)
SAVINGS_EN = (
    Due(30, Label("profit", "INTEREST PAID", "INTEREST PAID", 0, 0, ("interests", "income")), 412, 60),
)
PEL_FR = (
    Due(5, Label("transfer", "VERSEMENT PERIODIQUE PEL", "VERSEMENT PEL", 0, 0, ("savings", None)), 4_500),
    Due(31, INTEREST_FR, 31_220, 800, months=(12,)),
)
LOAN_ACCOUNT_FR = (
    Due(
        3,
        Label("loan_repayment", "REMBOURSEMENT ECHEANCE", "REMBOURSEMENT ECHEANCE", 0, 0, ("loans", None)),
        42_310,
        120,
    ),
)
INVEST_FR = (
    Due(
        6,
        Label("transfer", "VERSEMENT PROGRAMME", "VERSEMENT PROGRAMME", 0, 0, ("investments", None)),
        20_000,
    ),
)


class DueDays:
    """Which of an account's dues are booked on which day, weekends taken into account."""

    def __init__(self, dues: tuple[Due, ...]) -> None:
        self._dues = dues
        self._days: dict[int, list[Due]] = {}
        self._years: set[int] = set()

    def on(self, day: int) -> list[Due]:
        """Return what is booked on ordinal `day`."""
        if not self._dues:
            return []
        for near in (day - _WEEKEND_REACH, day + _WEEKEND_REACH):
            year = date.fromordinal(near).year
            if year not in self._years:
                self._years.add(year)
                self._fill(year)
        return self._days.get(day, [])

    def _fill(self, year: int) -> None:
        for month in range(1, 13):
            for due in self._dues:
                if not due.months or month in due.months:
                    self._days.setdefault(_booking_day(due, year, month), []).append(due)


def _booking_day(due: Due, year: int, month: int) -> int:
    last = date(year + month // 12, month % 12 + 1, 1).toordinal() - 1
    day = min(date(year, month, 1).toordinal() + due.day - 1, last)
    weekday = (day - 1) % 7  # 0 is Monday, as ordinal 1 was one
    if weekday >= 5:
        day += (4 - weekday) if due.early else (7 - weekday)
    return day
