"""Transactions: the list with its filters and cursors, one row, and what a user may edit."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from obdesk.simulator.api.answers import Answer
from obdesk.simulator.api.body import as_bool, as_int
from obdesk.simulator.api.errors import ApiError, invalid, missing, not_found
from obdesk.simulator.api.listing import Lister, Page, Pair, Query
from obdesk.simulator.api.rows import RowWriter, parse_day
from obdesk.simulator.api.wire import account_json, day_text
from obdesk.simulator.world.ledger import day_of, id_of

if TYPE_CHECKING:
    from starlette.routing import Route

    from obdesk.simulator.api.call import Call, Desk
    from obdesk.simulator.world.entities import Account
    from obdesk.simulator.world.world import World

PREFIXES = (
    "/users/{user}",
    "/users/{user}/accounts/{account}",
    "/users/{user}/connections/{connection}",
    "/users/{user}/connections/{connection}/accounts/{account}",
)


def routes(desk: Desk, lister: Lister) -> list[Route]:
    """Return the routes of this module."""
    found = []
    for prefix in PREFIXES:
        found += [
            desk.route(f"{prefix}/transactions", get=lambda call: listing(call, lister)),
            desk.route(f"{prefix}/transactions/{{transaction}}", get=read, post=edit, put=edit),
            desk.route(f"{prefix}/transactions/{{transaction}}/attachments", get=attachments),
            desk.route(f"{prefix}/transactions/{{transaction}}/informations", get=informations),
        ]
    return found


def listing(call: Call, lister: Lister) -> Answer:
    """List the rows of enabled accounts, pending ones included, newest first."""
    pairs = live_pairs(call)
    limit_text = call.text("limit")
    if not limit_text and call.world.switches.limit_required:
        raise missing("limit")
    offset, limit = call.window(call.world.switches.default_limit)
    query = read_query(call)
    page = lister.page(pairs, query, call.text("cursor"), offset, limit)
    body: dict[str, Any] = {"transactions": write_page(call.world, pairs, page, call)}
    body |= _dates(call.world, pairs, query, page)
    if call.world.switches.total_present:
        body["total"] = page.total
    body[call.world.switches.links_key] = _links(call, page)
    return Answer(body)


def live_pairs(call: Call) -> list[Pair]:
    """Return the enabled accounts of the scope; raises noAccount when the user has none at all."""
    pairs = [pair for pair in call.scope() if pair[1].disabled is None]
    switches = call.world.switches
    if switches.no_account_error and not any(
        account.disabled is None and account.deleted is None
        for account in call.world.accounts_of(call.user())
    ):
        raise ApiError(switches.no_account_status, "noAccount", "No active account for this user")
    return pairs


def write_page(world: World, pairs: list[Pair], page: Page, call: Call) -> list[dict[str, Any]]:
    """Return the rows of a page with what was asked to be included."""
    expand = call.expand()
    writers = [(RowWriter(world, connection, account), connection, account) for connection, account in pairs]
    found = []
    for key in page.keys:
        row_id = id_of(key)
        for writer, connection, account in writers:
            slot = account.ledger.slot(row_id)
            if slot is None:
                continue
            row = writer.row(slot)
            if "account" in expand:
                row["account"] = account_json(world, connection, account)
            if "attachments" in expand:
                row["attachments"] = []
            found.append(row)
            break
    return found


def read_query(call: Call) -> Query:
    """Return the filters of a request; raises invalidValue for unreadable ones."""
    switches = call.world.switches
    first, last = _day(call, "min_date", last=False), _day(call, "max_date", last=True)
    dated = first is not None or last is not None or call.text("last_update")
    if switches.default_window == "last_month" and not dated:
        first = (date.fromordinal(call.world.today) - timedelta(days=30)).toordinal()
    deleted = call.optional_flag("deleted")
    wanted = call.text("filter") or "application_date"
    if wanted not in {"application_date", "date"}:
        raise invalid("filter is application_date or date")
    return Query(
        by_date=wanted == "date",
        first_day=first,
        last_day=last,
        updated_after=_instant(call, "last_update"),
        with_deleted=call.flag("all") and deleted is None,
        only_deleted=deleted is True,
        income=call.optional_flag("income"),
        wording=call.text("wording"),
        search=call.text("search"),
        low=_decimal(call.text("min_value")),
        high=_decimal(call.text("max_value")),
        values=_values(call.text("value")),
        absolute=switches.value_bounds_absolute,
    )


def _day(call: Call, name: str, *, last: bool) -> int | None:
    text = call.text(name)
    if not text:
        return None
    try:
        return parse_day(text, last=last)
    except ValueError as error:
        raise invalid(f"{name} is not a date") from error


def _instant(call: Call, name: str) -> int | None:
    text = call.text(name)
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise invalid(f"{name} is not a DateTime") from error
    if when.tzinfo is None:
        when = when.replace(tzinfo=ZoneInfo(call.world.switches.naive_zone))
    return int(when.timestamp())


def _decimal(text: str | None) -> Decimal | None:
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise invalid("Not a decimal") from error
    if not value.is_finite():
        raise invalid("Not a decimal")
    return value


def _values(text: str | None) -> tuple[Decimal, ...]:
    if not text:
        return ()
    found: list[Decimal] = []
    for part in text.split("|"):
        value = _decimal(part.lstrip("±")) or Decimal(0)
        found += [value, -value] if part.startswith("±") else [value]
    return tuple(found)


def _dates(world: World, pairs: list[Pair], query: Query, page: Page) -> dict[str, str | None]:
    columns = [
        account.ledger.by_date if query.by_date else account.ledger.by_application_date
        for _, account in pairs
    ]
    filled = [column for column in columns if column]
    dates: dict[str, str | None] = {
        "first_date": day_text(min(day_of(column[-1]) for column in filled)) if filled else None,
        "last_date": day_text(max(day_of(column[0]) for column in filled)) if filled else None,
        "result_min_date": day_text(day_of(page.keys[-1])) if page.keys else None,
        "result_max_date": day_text(day_of(page.keys[0])) if page.keys else None,
    }
    if world.switches.empty_list_dates == "absent":
        return {name: text for name, text in dates.items() if text is not None}
    return dates


def _links(call: Call, page: Page) -> dict[str, dict[str, str] | None]:
    def link(cursor: str | None) -> dict[str, str]:
        kept = [(name, value) for name, value in call.query.items() if name not in {"cursor", "offset"}]
        pairs = kept if cursor is None else [*kept, ("cursor", cursor)]
        root = call.base_url if call.world.switches.links_style == "absolute" else ""
        path = re.sub(r"^.*?/2\.0", f"{root}/2.0", call.path, count=1)
        return {"href": f"{path}?{urlencode(pairs)}"}

    return {
        "self": link(call.text("cursor")),
        "prev": None if page.before is None else link(page.before),
        "next": None if page.after is None else link(page.after),
    }


def _one(call: Call) -> tuple[Pair, int]:
    wanted = as_int(call.parts["transaction"])
    for connection, account in call.scope():
        slot = account.ledger.slot(wanted)
        if slot is not None and account.disabled is None:
            if wanted in account.ledger.deleted and not call.flag("all"):
                break
            return (connection, account), slot
    raise not_found("Transaction")


def read(call: Call) -> Answer:
    """Return one row; a deleted one only with `all`."""
    (connection, account), slot = _one(call)
    row = RowWriter(call.world, connection, account).row(slot)
    if "attachments" in call.expand():
        row["attachments"] = []
    if "account" in call.expand():
        row["account"] = account_json(call.world, connection, account)
    return Answer(row)


def edit(call: Call) -> Answer:
    """Change what a user may change about a row: never its amount or its booking date."""
    (connection, account), slot = _one(call)
    note, body, ledger = account.ledger.note(slot), call.body, account.ledger
    if "wording" in body:
        note.wording = None if body["wording"] is None else str(body["wording"])
    if "comment" in body:
        note.comment = None if body["comment"] is None else str(body["comment"])
    if "active" in body:
        note.active = as_bool(body["active"])
    if "categories" in body:
        note.categories = _categories(body["categories"])
    if body.get("application_date"):
        _refile(account, slot, str(body["application_date"]))
    ledger.touch(slot, call.world.now)
    return Answer(RowWriter(call.world, connection, account).row(slot))


def _categories(value: Any) -> tuple[tuple[str, str | None], ...]:
    if not isinstance(value, list) or not all(isinstance(item, dict) and "code" in item for item in value):
        raise invalid("categories is a list of {code, parent_code}")
    return tuple((str(item["code"]), item.get("parent_code")) for item in value)


def _refile(account: Account, slot: int, text: str) -> None:
    try:
        account.ledger.set_application_day(slot, parse_day(text, last=False))
    except ValueError as error:
        raise invalid("application_date is not a date") from error


def attachments(call: Call) -> Answer:
    """List a row's attachments, of which the simulated banks have none."""
    _one(call)
    return call.paged("attachments", [])


def informations(call: Call) -> Answer:
    """Return a row's free key-value store."""
    _one(call)
    return Answer({"informations": {}})
