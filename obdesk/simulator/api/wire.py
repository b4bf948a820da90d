"""Objects as the API writes them: dates, decimals, and every object but transactions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from obdesk.simulator.bank.numbers import CURRENCIES, Currency

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obdesk.simulator.bank.connectors import Connector, LoginField, Source
    from obdesk.simulator.switches import Switches
    from obdesk.simulator.world.entities import Account, Connection, ConnectionSource, User
    from obdesk.simulator.world.world import World

Json = dict[str, Any]

TYPE_IDS = {
    "checking": 2, "savings": 3, "deposit": 4, "loan": 5, "market": 6, "joint": 7, "unknown": 8, "card": 9,
    "lifeinsurance": 10, "pee": 11, "perco": 12, "article83": 13, "rsp": 14, "pea": 15, "capitalisation": 16,
    "perp": 17, "madelin": 18, "livret_a": 19, "livret_b": 20, "ldds": 21, "cel": 22, "pel": 23, "csl": 24,
    "cat": 25, "per": 26, "real_estate": 27, "crowdlending": 28, "lep": 29, "mortgage": 30,
    "consumercredit": 31, "revolvingcredit": 32,
}  # fmt: skip


@lru_cache(maxsize=65_536)
def _stamp(at: int, zone: str, style: str) -> str:
    when = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
    if style == "space":
        return when.strftime("%Y-%m-%d %H:%M:%S")
    return when.strftime("%Y-%m-%dT%H:%M:%S") + ("Z" if style == "iso_z" else "")


@lru_cache(maxsize=16_384)
def day_text(day: int) -> str:
    """Return an ordinal as YYYY-MM-DD."""
    return date.fromordinal(day).isoformat()


def stamp(switches: Switches, at: int | None) -> str | None:
    """Return an instant as the API writes a DateTime, None for None."""
    return None if at is None else _stamp(at, switches.naive_zone, switches.datetime_style)


def money(minor: int | None, precision: int) -> Decimal | None:
    """Return minor units as a decimal of the currency's precision; never by way of a float."""
    return None if minor is None else Decimal(minor).scaleb(-precision)


def french_amount(minor: int, currency: Currency) -> str:
    """Return an amount as French banks print it."""
    text = f"{abs(minor):0{currency.precision + 1}}"
    whole, fraction = (
        (text, "") if not currency.precision else (text[: -currency.precision], text[-currency.precision :])
    )
    grouped = f"{int(whole):,}".replace(",", " ")
    return f"{'-' if minor < 0 else ''}{grouped}{',' + fraction if fraction else ''} {currency.symbol}"


def currency_of(code: str) -> Currency:
    """Return a currency of the simulated world."""
    return CURRENCIES[code]


def currency_json(switches: Switches, code: str) -> Json:
    """Return a currency as accounts and transactions embed it."""
    currency = CURRENCIES[code]
    if switches.currency_style == "id_only":
        return {"id": code}
    return {
        "id": code,
        "name": currency.name,
        "symbol": currency.symbol,
        "precision": currency.precision,
        "prefix": currency.prefix,
        "crypto": False,
        "marketcap": None,
        "datetime": None,
    }


def user_json(switches: Switches, user: User) -> Json:
    """Return a user."""
    return {"id": user.id, "signin": stamp(switches, user.signin), "platform": "sharedAccess"}


def field_json(field: LoginField, language: str = "fr") -> Json:
    """Return a field that a connector asks for."""
    return {
        "name": field.name,
        "type": field.kind,
        "label": field.label(language),
        "description": None,
        "required": field.required,
        "regex": field.regex,
        "values": [{"label": choice.label, "value": choice.value} for choice in field.choices],
        "auth_mechanisms": list(field.mechanisms),
        "connector_sources": list(field.sources),
    }


def connector_source_json(switches: Switches, connector: Connector, source: Source, now: int) -> Json:
    """Return a source of a connector."""
    off = source.disabled or source.id in connector.disabled_sources
    return {
        "id": source.id,
        "id_connector": connector.id,
        "name": source.name,
        "auth_mechanism": source.mechanism,
        "available_auth_mechanisms": list(source.mechanisms),
        "disabled": stamp(switches, now) if off else None,
        "priority": source.priority,
        "account_usages": list(source.usages),
        "account_types": None,
        "capabilities": list(connector.capabilities),
    }


def connector_json(world: World, connector: Connector, expand: Iterable[str] = ()) -> Json:
    """Return a connector with the sub-resources named in `expand`."""
    mechanisms = sorted({name for source in connector.sources for name in source.mechanisms})
    body: Json = {
        "id": connector.id,
        "uuid": connector.uuid,
        "name": connector.name,
        "hidden": connector.hidden,
        "charged": True,
        "code": connector.code,
        "beta": connector.beta,
        "color": connector.color,
        "slug": connector.slug,
        "sync_frequency": connector.sync_frequency,
        "sync_periodicity": connector.sync_frequency,
        "months_to_fetch": connector.months_to_fetch,
        "auth_mechanism": connector.mechanism,
        "available_auth_mechanisms": mechanisms,
        "transfer_mechanism": None,
        "siret": None,
        "restricted": connector.restricted,
        "capabilities": list(connector.capabilities),
        "account_usages": list(connector.usages),
        "account_types": [],
        "payment_settings": {},
        "products": list(connector.products),
        "stability": {"status": "stable" if connector.stable else "unstable", "last_update": None},
    }
    wanted = set(expand)
    if "sources" in wanted:
        body["sources"] = [
            connector_source_json(world.switches, connector, source, world.now)
            for source in connector.sources
        ]
    if "fields" in wanted:
        body["fields"] = [field_json(field, connector.language.value) for field in connector.fields]
    if "countries" in wanted:
        body["countries"] = [{"id": connector.country, "name": connector.country_name}]
    if "urls" in wanted:
        body["urls"] = [f"https://{connector.slug.lower()}.bank.invalid/"]
    if "payment_fields" in wanted:
        body["payment_fields"] = []
    return body


def source_json(switches: Switches, connection: Connection, source: ConnectionSource) -> Json:
    """Return one way in of a connection."""
    body: Json = {
        "id": source.id,
        "id_connection": connection.id,
        "id_connector_source": source.id_connector_source,
        "name": source.name,
        "last_update": stamp(switches, source.last_update),
        "disabled": stamp(switches, source.disabled),
        "created": stamp(switches, source.created),
        "state": source.state,
        "access_expire": stamp(switches, source.access_expire),
        "expire": stamp(switches, source.expire),
        "next_try": stamp(switches, source.next_try),
    }
    if switches.source_style == "nested":
        body["source"] = {"name": body.pop("name"), "priority": source.priority}
    return body


def connection_json(world: World, connection: Connection, expand: dict[str, list[str]] | None = None) -> Json:
    """Return a connection with the sub-resources named in `expand`."""
    switches = world.switches
    state = _spelt(switches, connection.state)
    body: Json = {
        "id": connection.id,
        "id_user": connection.id_user,
        "id_connector": connection.connector.id,
        "id_bank": connection.connector.id,
        "id_provider": connection.connector.id,
        "connector_uuid": connection.connector.uuid,
        "state": state,
        "error": state,
        "error_message": connection.error_message,
        "last_update": stamp(switches, connection.last_update),
        "created": stamp(switches, connection.created),
        "active": connection.active,
        "last_push": stamp(switches, connection.last_push),
        "expire": stamp(switches, connection.expire),
        "next_try": stamp(switches, connection.next_try),
    }
    if connection.fields is not None:
        body["fields"] = [
            field_json(field, connection.connector.language.value) for field in connection.fields
        ]
    _expand_connection(world, connection, expand or {}, body)
    return body


def _spelt(switches: Switches, state: str | None) -> str | None:
    return switches.wrongpass_code if state == "wrongpass" else state


def _expand_connection(
    world: World, connection: Connection, expand: dict[str, list[str]], body: Json
) -> None:
    for name, nested in expand.items():
        if name in {"connector", "bank", "provider"}:
            body[name] = connector_json(world, connection.connector, nested)
        elif name == "sources":
            body["sources"] = [
                source_json(world.switches, connection, source) for source in connection.sources
            ]
        elif name == "accounts":
            body["accounts"] = [account_json(world, connection, item) for item in connection.live_accounts()]
        elif name == "all_accounts":
            body["all_accounts"] = [account_json(world, connection, item) for item in connection.accounts]
        elif name in {"subscriptions", "all_subscriptions"}:
            body[name] = []
        elif name == "informations":
            body[name] = {}


def account_type_json(name: str) -> Json:
    """Return an account type."""
    display = name.replace("_", " ").capitalize()
    return {
        "id": TYPE_IDS[name],
        "name": name,
        "id_parent": None,
        "is_invest": name
        in {"pea", "lifeinsurance", "market", "perp", "pee", "perco", "per", "capitalisation"},
        "display_name": display,
        "display_name_p": f"{display}s",
    }


def account_json(world: World, connection: Connection, account: Account) -> Json:
    """Return an account; a disabled one shows little more than its name."""
    switches = world.switches
    currency = CURRENCIES[account.currency]
    asleep = account.disabled is not None
    coming_minor = None if asleep else coming_of(connection, account)
    body: Json = {
        "id": account.id,
        "id_connection": account.id_connection,
        "id_user": account.id_user,
        "id_source": account.id_source,
        "id_parent": account.id_parent,
        "number": account.number,
        "original_name": account.original_name,
        "name": account.name,
        "balance": money(account.balance_minor, currency.precision),
        "coming": money(coming_minor, currency.precision),
        "coming_balance": None,
        "display": account.display,
        "last_update": stamp(switches, account.last_update),
        "deleted": stamp(switches, account.deleted),
        "disabled": stamp(switches, account.disabled),
        "iban": account.iban,
        "bic": account.bic,
        "webid": None,
        "currency": currency_json(switches, account.currency),
        "type": account_type_json(account.kind) if switches.account_type_style == "object" else account.kind,
        "id_type": TYPE_IDS.get(account.kind, 8),
        "bookmarked": int(account.bookmarked),
        "error": account.error,
        "usage": account.usage,
        "original_usage": "PRIV",
        "ownership": world.branch(connection).account(account.key).plan.ownership,
        "company_name": world.branch(connection).account(account.key).plan.company,
        "opening_date": None,
        "able_to_transfer": False,
        "informations": {},
        "formatted_balance": None,
        "loan": None,
    }
    if account.balance_minor is not None and not asleep:
        body["formatted_balance"] = french_amount(account.balance_minor, currency)
    plan = world.branch(connection).account(account.key).plan
    if plan.borrowed and not asleep:
        body["loan"] = _loan_json(account, world.today)
    return body


def coming_of(connection: Connection, account: Account) -> int:
    """Return the pending total of an account; a checking account also announces its cards."""
    cards = [card for card in connection.live_accounts() if card.id_parent == account.id]
    return account.ledger.coming_minor() + sum(card.ledger.coming_minor() for card in cards)


def _loan_json(account: Account, today: int) -> Json:
    left = 228 if account.kind == "loan" else 40
    total_minor = 18_500_000 if (account.balance_minor or 0) < -5_000_000 else 1_200_000
    when = date.fromordinal(today)
    start = when.replace(year=when.year - 6, day=3)
    following = date(when.year + when.month // 12, when.month % 12 + 1, 3)
    return {
        "total_amount": money(total_minor, 2),
        "available_amount": None,
        "used_amount": None,
        "subscription_date": start.isoformat(),
        "maturity_date": start.replace(year=start.year + 25).isoformat(),
        "start_repayment_date": start.isoformat(),
        "deferred": False,
        "next_payment_amount": money(61_284, 2),
        "next_payment_date": following.isoformat(),
        "rate": Decimal("0.0135"),
        "nb_payments_left": left,
        "nb_payments_done": 300 - left,
        "nb_payments_total": 300,
        "last_payment_amount": money(61_284, 2),
        "last_payment_date": when.replace(day=3).isoformat(),
        "account_label": account.original_name,
        "insurance_label": "ASSURANCE EMPRUNTEUR",
        "insurance_amount": money(1_850, 2),
        "insurance_rate": Decimal("0.0012"),
        "duration": 300,
        "type": "mortgage" if total_minor > 5_000_000 else "consumercredit",
    }
