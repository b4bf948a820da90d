"""Looking back: balances day by day, indicators, the log of syncs and of observed balances."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.answers import Answer
from obdesk.simulator.api.body import as_int
from obdesk.simulator.api.errors import invalid
from obdesk.simulator.api.rows import parse_day
from obdesk.simulator.api.transactions import live_pairs
from obdesk.simulator.api.wire import day_text, money, stamp
from obdesk.simulator.bank.numbers import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.routing import Route

    from obdesk.simulator.api.call import Call, Desk
    from obdesk.simulator.api.listing import Pair
    from obdesk.simulator.world.entities import Connection, LogEntry

Json = dict[str, Any]


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    return [
        desk.route("/users/{user}/balances", get=balances),
        desk.route("/users/{user}/accounts/{account}/balances", get=balances),
        desk.route("/users/{user}/accounts/{account}/delta", get=delta),
        desk.route("/users/{user}/indicators", get=indicators),
        desk.route("/users/{user}/logs", get=connection_logs),
        desk.route("/users/{user}/connections/{connection}/logs", get=connection_logs),
        desk.route("/users/{user}/accounts/{account}/logs", get=account_logs),
    ]


def _window(call: Call) -> tuple[int, int, bool]:
    """Return first and last day of the question and whether any was given; default the current month."""
    today = date.fromordinal(call.world.today)
    first, last = call.text("min_date"), call.text("max_date")
    try:
        start = parse_day(first, last=False) if first else today.replace(day=1).toordinal()
        end = parse_day(last, last=True) if last else today.toordinal()
    except ValueError as error:
        raise invalid("min_date or max_date is not a date") from error
    if end - start > 4_000:
        raise invalid("The period is too long")
    return start, end, bool(first or last)


def _movements(pairs: list[Pair]) -> dict[str, dict[int, list[int]]]:
    """Return the booked amounts by currency and day."""
    found: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for _, account in pairs:
        ledger, days = account.ledger, found[account.currency]
        for slot, minor in enumerate(ledger.minors):
            note = ledger.notes.get(slot)
            if note is None or not (note.coming or note.deleted is not None):
                days[ledger.days[slot]].append(minor)
    return found


def balances(call: Call) -> Answer:
    """Return balances worked out backwards from today's, so they are flat before the first known row."""
    start, end, dated = _window(call)
    pairs = live_pairs(call)
    movements = _movements(pairs)
    currencies = []
    for code, days in movements.items():
        now = sum(account.balance_minor or 0 for _, account in pairs if account.currency == code)
        currencies.append(_currency(code, now, days, start, end))
    main = currencies[0] if currencies else _currency("EUR", 0, {}, start, end)
    body = {key: value for key, value in main.items() if key not in {"id", "symbol", "daily"}}
    period: Json = {
        "min_date": day_text(start),
        "max_date": day_text(end),
        **body,
        "n_overdraft": sum(1 for item in main["daily"] if item["balance"] < 0),
        "currencies": [{key: value for key, value in item.items() if key != "daily"} for item in currencies],
    }
    if dated:
        period["daily_balances"] = main["daily"]
    known = [day for days in movements.values() for day in days]
    return Answer(
        {
            "balances": [period],
            "first_date": day_text(min(known)) if known else None,
            "last_date": day_text(max(known)) if known else None,
            "result_min_date": day_text(start),
            "result_max_date": day_text(end),
        }
    )


def _currency(code: str, now_minor: int, days: dict[int, list[int]], start: int, end: int) -> Json:
    precision = CURRENCIES[code].precision
    running = now_minor - sum(sum(amounts) for day, amounts in days.items() if day > end)
    balance_minor, incomes, expenses, daily = running, 0, 0, []
    for day in range(end, start - 1, -1):
        amounts = days.get(day, [])
        earned, spent = sum(item for item in amounts if item > 0), sum(item for item in amounts if item < 0)
        daily.append(
            {
                "date": day_text(day),
                "balance": money(running, precision),
                "incomes": money(earned, precision),
                "expenses": money(spent, precision),
                "remains": money(earned + spent, precision),
            }
        )
        running -= earned + spent
        incomes, expenses = incomes + earned, expenses + spent
    return {
        "id": code,
        "symbol": CURRENCIES[code].symbol,
        "balance": money(balance_minor, precision),
        "incomes": money(incomes, precision),
        "expenses": money(expenses, precision),
        "remains": money(incomes + expenses, precision),
        "daily": daily[::-1],
    }


def delta(call: Call) -> Answer:
    """Return the difference between rows and balance, which is nothing unless a row was hidden."""
    start, end, _ = _window(call)
    return Answer({"min_date": day_text(start), "max_date": day_text(end), "delta": money(0, 2)})


def indicators(call: Call) -> Answer:
    """Return the indicators, a product that is off."""
    return Answer({"id_user": call.user().id, "indicators": None})


def connection_logs(call: Call) -> Answer:
    """List syncs, newest first."""
    connections = (
        [call.connection()] if "connection" in call.parts else call.world.connections_of(call.user())
    )
    source = as_int(call.query["id_source"]) if call.text("id_source") else None
    entries = [
        (connection, entry)
        for connection in connections
        for entry in connection.logs
        if source in {None, connection.sources[0].id} and _within(call, entry.timestamp)
    ]
    entries.sort(key=lambda pair: -pair[1].id)
    return call.paged("connectionlogs", (_log_json(call, *pair) for pair in entries))


def _within(call: Call, at: int) -> bool:
    text = stamp(call.world.switches, at) or ""
    low, high = call.text("min_date"), call.text("max_date")
    return (not low or text[:10] >= low[:10]) and (not high or text[:10] <= high[:10])


def _log_json(call: Call, connection: Connection, entry: LogEntry) -> Json:
    switches = call.world.switches
    return {
        "id": entry.id,
        "id_user": connection.id_user,
        "id_connection": connection.id,
        "id_connector": connection.connector.id,
        "id_source": connection.sources[0].id,
        "login": None,
        "start": stamp(switches, entry.start),
        "timestamp": stamp(switches, entry.timestamp),
        "error": entry.error,
        "error_message": entry.error_message,
        "error_uid": None,
        "fields": None,
        "nb_accounts": len(entry.accounts),
        "next_try": stamp(switches, entry.next_try),
        "statut": 1,
        "session_folder_id": None,
        "worker": "w12",
    }


def account_logs(call: Call) -> Answer:
    """List the balances that syncs observed, newest first."""
    connection, account = call.scope()[0]
    precision = CURRENCIES[account.currency].precision

    def rows() -> Iterator[Json]:
        for entry in reversed(connection.logs):
            for account_id, balance_minor, coming_minor in entry.accounts:
                if account_id == account.id and _within(call, entry.timestamp):
                    yield {
                        "id": entry.id * 100 + account.id % 100,
                        "id_account": account.id,
                        "id_connection_log": entry.id,
                        "id_connector": connection.connector.id,
                        "balance": money(balance_minor, precision),
                        "coming": money(coming_minor, precision),
                        "error": entry.error,
                        "error_message": entry.error_message,
                        "timestamp": stamp(call.world.switches, entry.timestamp),
                    }

    return call.paged("accountlogs", rows())
