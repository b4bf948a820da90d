"""The accounts a bank keeps for its customer, by kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from obdesk.simulator.bank import calendar, catalogue
from obdesk.simulator.bank.connectors import Language
from obdesk.simulator.bank.numbers import french_bban, iban
from obdesk.simulator.dice import dice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obdesk.simulator.bank.calendar import Due
    from obdesk.simulator.bank.connectors import Connector
    from obdesk.simulator.bank.labels import Label


@dataclass(frozen=True, slots=True)
class Plan:
    """What an account of some kind is called and how busy it is.

    `balance_minor` is the balance on the first day the account is imported; `per_100_days` the number
    of everyday rows; `share` its part when a total number of rows is spread over accounts.
    """

    kind: str
    original_name: str
    name: str
    currency: str
    balance_minor: int
    per_100_days: int = 0
    share: int = 1
    shops: tuple[Label, ...] = ()
    dues: tuple[Due, ...] = ()
    coffee: Label | None = None
    ownership: str = "owner"
    company: str | None = None
    deferred: bool = False
    invested: bool = False
    borrowed: bool = False
    numbered: bool = True


_CHECKING_FR = Plan(
    "checking",
    "COMPTE CHEQUES",
    "Compte courant",
    "EUR",
    152_040,
    155,
    12,
    catalogue.SHOPS_FR,
    calendar.HOUSEHOLD_FR,
    catalogue.COFFEE_FR,
)
_SAVINGS_FR = Plan("savings", "COMPTE EPARGNE", "Épargne", "EUR", 310_055, 4, 1, catalogue.SAVER_FR)
_CHECKING_EN = Plan(
    "checking",
    "EVERYDAY CHECKING",
    "Everyday Checking",
    "USD",
    321_418,
    120,
    10,
    catalogue.SHOPS_EN,
    calendar.HOUSEHOLD_EN,
    catalogue.COFFEE_EN,
)
_SAVINGS_EN = Plan(
    "savings",
    "HIGH YIELD SAVINGS",
    "High Yield Savings",
    "USD",
    1_204_055,
    5,
    1,
    catalogue.SAVER_EN,
    calendar.SAVINGS_EN,
)

PLANS = {
    "checking": _CHECKING_FR,
    "joint": replace(
        _CHECKING_FR,
        original_name="COMPTE JOINT M OU MME LE BIHAN",
        name="Compte joint",
        balance_minor=231_007,
        per_100_days=90,
        share=8,
        dues=calendar.JOINT_FR,
        ownership="co-owner",
    ),
    "card": Plan(
        "card",
        "CB VISA DEBIT DIFFERE",
        "Carte Visa",
        "EUR",
        0,
        45,
        4,
        catalogue.SHOPS_FR,
        deferred=True,
    ),
    "livret_a": Plan(
        "livret_a",
        "LIVRET A",
        "Livret A",
        "EUR",
        841_207,
        3,
        1,
        catalogue.SAVER_FR,
        calendar.SAVINGS_FR,
    ),
    "ldds": Plan("ldds", "LDDS", "LDDS", "EUR", 298_000, 3, 1, catalogue.SAVER_FR, calendar.SAVINGS_FR),
    "cel": Plan("cel", "COMPTE EPARGNE LOGEMENT", "CEL", "EUR", 142_590, 2, 1, catalogue.SAVER_FR),
    "csl": Plan("csl", "LIVRET BEAUCE PLUS", "Livret Plus", "EUR", 87_412, 3, 1, catalogue.SAVER_FR),
    "pel": Plan(
        "pel", "PLAN EPARGNE LOGEMENT", "PEL", "EUR", 1_532_000, 0, 1, catalogue.SAVER_FR, calendar.PEL_FR
    ),
    "mortgage": Plan(
        "loan",
        "PRET IMMOBILIER 00417",
        "Prêt immobilier",
        "EUR",
        -14_231_822,
        0,
        0,
        (),
        calendar.LOAN_ACCOUNT_FR,
        borrowed=True,
    ),
    "loan": Plan(
        "loan",
        "PRET PERSONNEL TRAVAUX",
        "Prêt travaux",
        "EUR",
        -761_040,
        0,
        0,
        (),
        calendar.LOAN_ACCOUNT_FR,
        borrowed=True,
    ),
    "pea": Plan(
        "pea",
        "PLAN EPARGNE ACTIONS",
        "PEA",
        "EUR",
        0,
        2,
        1,
        catalogue.INVESTOR,
        calendar.INVEST_FR,
        invested=True,
    ),
    "lifeinsurance": Plan(
        "lifeinsurance",
        "ASSURANCE VIE HORIZON",
        "Assurance vie",
        "EUR",
        0,
        1,
        0,
        catalogue.INVESTOR,
        invested=True,
    ),
    "perp": Plan(
        "perp",
        "PLAN RETRAITE AVENIR",
        "Plan retraite",
        "EUR",
        0,
        1,
        0,
        catalogue.INVESTOR,
        invested=True,
        company="SAS ARMORIQUE CONSEIL",
    ),
    "cash": replace(
        _SAVINGS_FR, kind="checking", original_name="COMPTE ESPECES", name="Compte espèces", share=3
    ),
    "savings": _SAVINGS_FR,
    "neo_checking": replace(
        _CHECKING_FR,
        original_name="RUCHE COURANT",
        name="Ruche",
        balance_minor=41_233,
        per_100_days=60,
        dues=calendar.NEO_FR,
    ),
    "usd_checking": _CHECKING_EN,
    "usd_savings": _SAVINGS_EN,
    "jpy_savings": replace(
        _SAVINGS_EN,
        original_name="YEN TRAVEL POT",
        name="Yen travel pot",
        currency="JPY",
        balance_minor=482_300,
    ),
    "gbp_checking": replace(
        _CHECKING_EN, original_name="CURRENT ACCOUNT", name="Current account", currency="GBP"
    ),
    "gbp_savings": replace(_SAVINGS_EN, original_name="EASY SAVER", name="Easy saver", currency="GBP"),
    "eur_checking": replace(_CHECKING_EN, original_name="GIROKONTO", name="Girokonto", currency="EUR"),
    "spare": replace(
        _CHECKING_FR, original_name="COMPTE", name="Compte", balance_minor=30_050, share=6, dues=()
    ),
}


@dataclass(slots=True)
class BankAccount:
    """One account as the bank keeps it. `gone` is set when the bank no longer shows it."""

    key: str
    plan: Plan
    number: str
    iban: str | None
    bic: str | None
    card: str
    parent: str | None
    gone: bool = False


def _number(connector: Connector, key: str) -> tuple[str, str | None]:
    rng = dice("number", connector.uuid, key)
    digits = f"{rng.randrange(10**11):011}"
    bank = connector.code or "99999"
    match connector.country:
        case "fr":
            return digits, iban("FR", french_bban(bank, f"{rng.randrange(10**5):05}", digits))
        case "gb":
            return digits[:8], iban("GB", f"THTY{bank[:6]:0<6}{digits[:8]}")
        case "de":
            return digits[:10], iban("DE", f"{bank:0<8}{digits[:10]}")
        case _:
            return digits, None


def open_accounts(connector: Connector, count: int | None) -> list[BankAccount]:
    """Return the accounts of a bank: those of its kinds, cut or filled up to `count` when given."""
    kinds: Iterable[str] = connector.kinds
    if count is not None:
        spare = max(0, count - len(connector.kinds))
        kinds = [*connector.kinds[:count], *("spare" for _ in range(spare))]
    accounts = []
    for position, kind in enumerate(kinds):
        plan = PLANS[kind]
        key = kind if kind != "spare" else f"spare{position}"
        if kind == "spare":
            plan = replace(plan, original_name=f"COMPTE {position + 1}", name=f"Compte {position + 1}")
        number, account_iban = _number(connector, key)
        card = f"{dice('card', connector.uuid).randrange(10_000):04}"
        if plan.deferred:
            number, account_iban = f"4973XXXXXXXX{card}", None
        if plan.borrowed or plan.invested:
            account_iban = None
        bic = f"{connector.slug[:4]:X<4}{connector.country.upper()}PPXXX" if account_iban else None
        parent = "checking" if plan.deferred and "checking" in connector.kinds else None
        accounts.append(BankAccount(key, plan, number, account_iban, bic, card, parent))
    return accounts


def is_french(connector: Connector) -> bool:
    """Whether the bank prints French wordings."""
    return connector.language is Language.FR
