"""The wordings a household meets: shops, subscriptions, transfers, in French and in English."""

from __future__ import annotations

from obdesk.simulator.bank.labels import Foreign, Label, Party

_FOOD = "food_and_restaurants"
_HOME = "housing"
_MOVE = "transportation"
_FUN = "leisure"
_SHOP = "shopping"
_HEALTH = "health"


def _fr_card(
    shop: str,
    low: int,
    high: int,
    category: tuple[str, str],
    weight: int,
    *,
    hold_minor: int | None = None,
    hold_unknown: bool = False,
    foreign: Foreign | None = None,
    round_to: int = 1,
    town: str = " {town}",
) -> Label:
    suffix = f" {foreign.currency}" if foreign else ""
    return Label(
        kind="card",
        original=f"CARTE {{d}} {shop}{town}{suffix} CB*{{card}}",
        simple=f"{shop}{town}",
        low=-high,
        high=-low,
        category=category,
        weight=weight,
        lag_days=3,
        pending=f"PAIEMENT CB EN COURS {shop}",
        hold_minor=hold_minor,
        hold_unknown=hold_unknown,
        foreign=foreign,
        round_to=round_to,
    )


def _en_card(
    shop: str,
    low: int,
    high: int,
    category: tuple[str, str],
    weight: int,
    *,
    hold_minor: int | None = None,
    foreign: Foreign | None = None,
) -> Label:
    return Label(
        kind="card",
        original=f"POS PURCHASE {{d}} {shop} {{town}} XXXX{{card}}",
        simple=f"{shop} {{town}}",
        low=-high,
        high=-low,
        category=category,
        weight=weight,
        lag_days=2,
        pending=f"PENDING {shop}",
        hold_minor=hold_minor,
        foreign=foreign,
    )


COFFEE_FR = _fr_card("CAFE DU PORT", 240, 240, ("restaurants", _FOOD), 1)
COFFEE_EN = _en_card("BLUE DOOR COFFEE", 425, 425, ("restaurants", _FOOD), 1)

SHOPS_FR = (
    _fr_card("MONOPRIX 4012", 850, 9_200, ("groceries", _FOOD), 14),
    _fr_card("CARREFOUR CITY", 320, 4_500, ("groceries", _FOOD), 12),
    _fr_card("BOULANGERIE DU QUAI", 110, 1_250, ("groceries", _FOOD), 12),
    _fr_card("BIOCOOP KERBONNE", 1_200, 7_800, ("groceries", _FOOD), 5),
    _fr_card("HALLES SAINT LOUIS", 600, 3_900, ("groceries", _FOOD), 5),
    _fr_card("CREPERIE LA CHAUMIERE", 1_450, 5_600, ("restaurants", _FOOD), 5, hold_unknown=True),
    _fr_card("BRASSERIE L AVENUE", 1_800, 8_200, ("restaurants", _FOOD), 4),
    _fr_card("SUSHI KAORI", 1_290, 4_400, ("restaurants", _FOOD), 3),
    _fr_card("LIBRAIRIE DIALOGUES", 690, 5_400, ("books", _FUN), 4),
    _fr_card("PHARMACIE SIAM", 320, 4_100, ("pharmacy", _HEALTH), 4),
    _fr_card("DR LE GOFF MARINE", 2_500, 6_000, ("doctors", _HEALTH), 1, round_to=50),
    _fr_card("STATION TOTAL ACCESS", 2_900, 8_900, ("fuel", _MOVE), 5, hold_minor=-10_000),
    _fr_card("BIBUS", 160, 1_450, ("public_transport", _MOVE), 5),
    _fr_card("SNCF INTERNET", 2_500, 18_900, ("trains", _MOVE), 2, town=""),
    _fr_card("PARKING LIBERTE", 180, 1_400, ("parking", _MOVE), 3, round_to=10),
    _fr_card("LEROY MERLIN", 990, 18_500, ("home_improvement", _HOME), 2),
    _fr_card("DECATHLON", 700, 11_900, ("sport", _FUN), 2),
    _fr_card("CINEMA LES STUDIOS", 620, 1_980, ("cinema", _FUN), 2, round_to=10),
    _fr_card("FNAC", 990, 19_900, ("electronics", _SHOP), 2),
    _fr_card("VINTED", 450, 5_600, ("clothes", _SHOP), 3, town=""),
    _fr_card("FLEURS D ARMOR", 900, 4_500, ("gifts", _SHOP), 1),
    _fr_card("COIFFURE MARIE ANNE", 2_400, 6_200, ("hairdresser", _SHOP), 1, round_to=50),
    _fr_card(
        "PARKDEAN BOOKSHOP LONDON", 900, 6_500, ("books", _FUN), 1, town="", foreign=Foreign("GBP", "1.1712")
    ),
    _fr_card("HOTEL MIRAMAR LISBOA", 8_900, 21_000, ("hotels", _FUN), 1, town="", hold_minor=-15_000),
    _fr_card(
        "STATESIDE VINYL NYC", 1_500, 7_400, ("music", _FUN), 1, town="", foreign=Foreign("USD", "0.9193", 40)
    ),
    Label(
        "withdrawal",
        "RETRAIT DAB {d} 18H42 {town} SIAM CB*{card}",
        "RETRAIT {town} SIAM",
        -12_000,
        -2_000,
        ("withdrawal", None),
        weight=3,
        lag_days=1,
        round_to=1_000,
    ),
    Label("check", "CHEQUE 0004{dmy}", "CHEQUE", -14_000, -1_800, ("checks", None), weight=1),
    Label(
        "payback",
        "AVOIR CARTE {d} VINTED CB*{card}",
        "AVOIR VINTED",
        450,
        4_200,
        ("refunds", None),
        weight=1,
        lag_days=2,
    ),
    Label(
        "transfer",
        "VIR SEPA RECU /DE CPAM DU FINISTERE /MOTIF REMBOURSEMENT {d}",
        "CPAM DU FINISTERE",
        750,
        4_900,
        ("insurance_repayments", "bank_insurances"),
        weight=1,
        party=Party("CPAM DU FINISTERE", "FR7630003017000005021480321", "debtor"),
    ),
    Label(
        "transfer",
        "VIR INST RECU /DE MLLE JEANNE KERVELLA /MOTIF RESTO",
        "MLLE JEANNE KERVELLA",
        800,
        4_000,
        ("transfers", None),
        weight=1,
        round_to=50,
        party=Party("MLLE JEANNE KERVELLA", "FR7614410000011234567890163", "debtor"),
    ),
)

SHOPS_EN = (
    _en_card("TRADER PIKE GROCERY", 900, 12_400, ("groceries", _FOOD), 14),
    _en_card("CORNER BODEGA 88", 250, 2_900, ("groceries", _FOOD), 10),
    _en_card("NOODLE HOUSE", 1_150, 5_400, ("restaurants", _FOOD), 7),
    _en_card("SUNRISE DINER", 1_400, 6_200, ("restaurants", _FOOD), 5),
    _en_card("GREENLEAF PHARMACY", 500, 6_400, ("pharmacy", _HEALTH), 3),
    _en_card("METRO TRANSIT RELOAD", 1_000, 4_000, ("public_transport", _MOVE), 5),
    _en_card("GAS & GO 2217", 2_200, 7_800, ("fuel", _MOVE), 5, hold_minor=-12_500),
    _en_card("OLD TOWN BOOKS", 800, 5_200, ("books", _FUN), 3),
    _en_card("CASCADE OUTFITTERS", 1_900, 18_900, ("sport", _FUN), 2),
    _en_card("THE LANTERN CINEMA", 1_200, 3_400, ("cinema", _FUN), 2),
    _en_card("HOMEWORKS HARDWARE", 700, 15_400, ("home_improvement", _HOME), 2),
    _en_card("PETIT MARCHE PARIS", 900, 6_400, ("groceries", _FOOD), 1, foreign=Foreign("EUR", "1.0878", 35)),
    Label(
        "withdrawal",
        "ATM WITHDRAWAL {d} {town} 5TH ST",
        "ATM WITHDRAWAL {town}",
        -20_000,
        -2_000,
        ("withdrawal", None),
        weight=3,
        round_to=2_000,
    ),
    Label(
        "deposit",
        "MOBILE CHECK DEPOSIT {d}",
        "MOBILE CHECK DEPOSIT",
        2_500,
        16_000,
        ("deposits", None),
        weight=1,
    ),
    Label(
        "refund",
        "MERCHANT REFUND {d} CASCADE OUTFITTERS",
        "REFUND CASCADE OUTFITTERS",
        1_900,
        8_900,
        ("refunds", None),
        weight=1,
    ),
    Label(
        "transfer",
        "P2P FROM ALEX MORGAN {d}",
        "ALEX MORGAN",
        1_000,
        6_000,
        ("transfers", None),
        weight=1,
        party=Party("ALEX MORGAN", None, "debtor"),
        round_to=100,
    ),
)

SAVER_FR = (
    Label(
        "transfer",
        "VIREMENT INTERNE DEPUIS COMPTE CHEQUES",
        "VIREMENT INTERNE",
        2_000,
        30_000,
        ("savings", None),
        weight=3,
        round_to=1_000,
    ),
    Label(
        "transfer",
        "VIREMENT INTERNE VERS COMPTE CHEQUES",
        "VIREMENT INTERNE",
        -25_000,
        -2_000,
        ("savings", None),
        weight=1,
        round_to=1_000,
    ),
)

SAVER_EN = (
    Label(
        "transfer",
        "TRANSFER FROM CHECKING {d}",
        "TRANSFER FROM CHECKING",
        2_000,
        40_000,
        ("savings", None),
        weight=3,
        round_to=1_000,
    ),
    Label(
        "transfer",
        "TRANSFER TO CHECKING {d}",
        "TRANSFER TO CHECKING",
        -30_000,
        -2_000,
        ("savings", None),
        weight=1,
        round_to=1_000,
    ),
)

INVESTOR = (
    Label(
        "market_order",
        "ACHAT COMPTANT FONDS MONDE ACTIONS C",
        "ACHAT FONDS MONDE ACTIONS C",
        -45_000,
        -9_000,
        ("investments", None),
        weight=2,
    ),
    Label(
        "profit",
        "COUPON ETF EUROPE DIVIDENDES",
        "COUPON ETF EUROPE DIVIDENDES",
        900,
        8_000,
        ("dividends", None),
        weight=1,
    ),
    Label(
        "unknown",
        "VENTE OBLIGATIONS VERTES 2031",
        "VENTE OBLIGATIONS VERTES 2031",
        15_000,
        60_000,
        ("investments", None),
        weight=1,
    ),
    Label("market_fee", "DROITS DE GARDE", "DROITS DE GARDE", -1_200, -300, ("banking_fees", None), weight=1),
)
