"""Investments, their history, pockets, market orders and loan amortizations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.answers import Answer
from obdesk.simulator.api.body import as_int
from obdesk.simulator.api.errors import invalid, not_found
from obdesk.simulator.api.rows import parse_day
from obdesk.simulator.api.transactions import PREFIXES, live_pairs
from obdesk.simulator.api.wire import day_text, money, stamp
from obdesk.simulator.bank.portfolio import LIQUIDITY_CODE, Position, positions_of

if TYPE_CHECKING:
    from starlette.routing import Route

    from obdesk.simulator.api.call import Call, Desk
    from obdesk.simulator.world.entities import Account, Connection
    from obdesk.simulator.world.world import World

Json = dict[str, Any]
_CENT = Decimal("0.01")
_SHARE = Decimal("0.0001")
_ID_STEP = 100


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    found = []
    for prefix in PREFIXES:
        one = f"{prefix}/investments/{{investment}}"
        found += [
            desk.route(f"{prefix}/investments", get=listing),
            desk.route(one, get=read),
            desk.route(f"{one}/history", get=history),
            desk.route(f"{one}/security/history", get=security_history),
            desk.route(f"{prefix}/pockets", get=pockets),
            desk.route(f"{prefix}/marketorders", get=orders),
            desk.route(f"{prefix}/amortizations", get=amortizations),
        ]
    return found


def listing(call: Call) -> Answer:
    """List what invested accounts hold, with totals."""
    label, code = call.text("label"), call.text("code")
    shown = [
        item
        for connection, account in live_pairs(call)
        for item in investments_json(call.world, connection, account)
        if (not label or label.lower() in item["label"].lower()) and (not code or item["code"] == code)
    ]
    totals = {
        "valuation": sum((item["valuation"] for item in shown), Decimal(0)),
        "diff": sum((item["diff"] or Decimal(0) for item in shown), Decimal(0)),
        "diff_percent": None,
        "prev_diff": None,
        "prev_diff_percent": None,
        "calculated": ["valuation", "diff"],
    }
    return call.paged("investments", shown, **totals)


def investments_json(world: World, connection: Connection, account: Account) -> list[Json]:
    """Return the lines of one account; an account that is not invested has none."""
    if account.last_update is None:
        return []
    day = world.today
    positions = positions_of(world.branch(connection).account(account.key), world.options.seed)
    total = sum((position.valuation(day) for position in positions), Decimal(0))
    return [
        _investment(world, account, position, account.id * _ID_STEP + number, total)
        for number, position in enumerate(positions)
    ]


def _investment(world: World, account: Account, position: Position, ident: int, total: Decimal) -> Json:
    day, security = world.today, position.security
    valuation, cost = position.valuation(day), (position.quantity * position.unit_price).quantize(_CENT)
    diff = None if security is None else valuation - cost
    return {
        "id": ident,
        "id_account": account.id,
        "id_security": None if security is None else ident,
        "id_type": None,
        "label": "Liquidités" if security is None else security.label,
        "code": LIQUIDITY_CODE if security is None else security.code,
        "code_type": None if security is None else "ISIN",
        "stock_symbol": None if security is None else security.symbol,
        "stock_market": None,
        "source": "website",
        "description": None,
        "quantity": position.quantity,
        "unitprice": None if security is None else position.unit_price,
        "unitvalue": position.unit_value(day),
        "valuation": valuation,
        "diff": diff,
        "diff_percent": None if diff is None or not cost else (diff / cost).quantize(_SHARE),
        "prev_diff": None,
        "prev_diff_percent": None,
        "vdate": day_text(day - 1),
        "prev_vdate": None,
        "portfolio_share": (valuation / total).quantize(_SHARE) if total else None,
        "calculated": ["diff_percent"],
        "deleted": None,
        "last_update": stamp(world.switches, account.last_update),
        "original_currency": None,
        "original_valuation": None,
        "original_unitvalue": None,
        "original_unitprice": None,
        "original_diff": None,
        "details": None
        if security is None
        else {"asset_category": security.asset_category, "srri": security.srri, "recommended_period": None},
    }


def _one(call: Call) -> tuple[Connection, Account, Position, Json]:
    wanted = as_int(call.parts["investment"])
    for connection, account in live_pairs(call):
        if account.id != wanted // _ID_STEP:
            continue
        for item in investments_json(call.world, connection, account):
            if item["id"] == wanted:
                bank_account = call.world.branch(connection).account(account.key)
                position = positions_of(bank_account, call.world.options.seed)[wanted % _ID_STEP]
                return connection, account, position, item
    raise not_found("Investment")


def read(call: Call) -> Answer:
    """Return one line."""
    return Answer(_one(call)[3])


def _history_days(call: Call, connection: Connection) -> range:
    today = call.world.today
    first = today - (call.world.now - connection.created) // 86_400
    text = call.text("min_date")
    if text:
        try:
            first = max(first, parse_day(text, last=False))
        except ValueError as error:
            raise invalid("min_date is not a date") from error
    return range(first, today + 1)


def history(call: Call) -> Answer:
    """List a line's values since the connection was created."""
    connection, _, position, item = _one(call)
    values = [
        {
            "id_investment": item["id"],
            "vdate": day_text(day),
            "unitvalue": position.unit_value(day),
            "quantity": position.quantity,
            "valuation": position.valuation(day),
        }
        for day in _history_days(call, connection)
    ]
    return call.paged("investmentvalues", values)


def security_history(call: Call) -> Answer:
    """List a security's quotes since the connection was created."""
    connection, _, position, _ = _one(call)
    days = _history_days(call, connection) if position.security else range(0)
    return call.paged(
        "history", ({"vdate": day_text(day), "unitvalue": position.unit_value(day)} for day in days)
    )


def pockets(call: Call) -> Answer:
    """List pockets; the retirement plan has one for each line."""
    shown = [
        {
            "id": item["id"],
            "id_investment": item["id"],
            "id_account": account.id,
            "label": item["label"],
            "quantity": item["quantity"],
            "value": item["valuation"],
            "condition": "retirement",
            "availability_date": None,
            "deleted": None,
            "last_update": item["last_update"],
        }
        for connection, account in live_pairs(call)
        if account.kind == "perp"
        for item in investments_json(call.world, connection, account)
        if item["unitvalue"] is not None
    ]
    return call.paged("pockets", shown)


def orders(call: Call) -> Answer:
    """List market orders; every line of a share plan was bought once."""
    shown = [
        _order(item)
        for connection, account in live_pairs(call)
        if account.kind == "pea"
        for item in investments_json(call.world, connection, account)
        if item["unitvalue"] is not None
    ]
    return call.paged("marketorders", shown)


def _order(item: Json) -> Json:
    return {
        "id": item["id"],
        "id_account": item["id_account"],
        "number": str(item["id"]),
        "label": item["label"],
        "code": item["code"],
        "stock_symbol": item["stock_symbol"],
        "order_direction": {"id": 1, "name": "BUY"},
        "order_type": {"id": 1, "name": "MARKET"},
        "stock_market": None,
        "state": "Exécuté",
        "payment_method": "CASH",
        "date": "2025-01-15",
        "execution_date": "2025-01-15",
        "validity_date": None,
        "quantity": item["quantity"],
        "amount": (item["quantity"] * item["unitprice"]).quantize(_CENT),
        "ordervalue": None,
        "unitprice": item["unitprice"],
        "unitvalue": item["unitprice"],
        "deleted": None,
        "last_update": item["last_update"],
    }


def amortizations(call: Call) -> Answer:
    """List a loan's next twelve payments."""
    shown: list[Json] = []
    for connection, account in live_pairs(call):
        if (
            call.world.branch(connection).account(account.key).plan.borrowed
            and account.last_update is not None
        ):
            shown += _payments(call.world, account)
    return call.paged("loanamortizations", shown)


def _payments(world: World, account: Account) -> list[Json]:
    left, today = -(account.balance_minor or 0), date.fromordinal(world.today)
    rows = []
    for month in range(1, 13):
        index = today.month - 1 + month
        when = date(today.year + index // 12, index % 12 + 1, 3)
        interest = left * 135 // 120_000
        principal = min(left, 61_284 - 1_850 - interest)
        left -= principal
        rows.append(
            {
                "id_account": account.id,
                "payment_date": when.isoformat(),
                "amortization_amount": _in_euros(principal),
                "interest_amount": _in_euros(interest),
                "insurance_amount": _in_euros(1_850),
                "total_payment_amount": _in_euros(principal + interest + 1_850),
                "remaining_capital": _in_euros(left),
                "period": f"{when.year}_{when.month:02}",
                "calculated": False,
                "deleted": None,
                "last_update": stamp(world.switches, account.last_update),
            }
        )
    return rows


def _in_euros(minor: int) -> Json:
    return {"currency": "EUR", "value": money(minor, 2)}
