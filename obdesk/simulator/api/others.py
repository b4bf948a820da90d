"""Smaller products: ownerships, identity, subscriptions, and the domain's configuration and keys."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from obdesk.simulator.api.answers import Answer
from obdesk.simulator.api.body import as_bool
from obdesk.simulator.api.transactions import live_pairs
from obdesk.simulator.api.wire import stamp
from obdesk.simulator.dice import dice
from obdesk.simulator.world.entities import TokenKind

if TYPE_CHECKING:
    from starlette.routing import Route

    from obdesk.simulator.api.call import Call, Desk

_HOLDER = "MME ARMELLE LE BIHAN"


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    one = "/users/{user}/connections/{connection}"
    return [
        desk.route("/users/{user}/account_ownerships", get=ownerships),
        desk.route(f"{one}/owner_identity", get=identity),
        desk.route(f"{one}/informations", get=identity),
        desk.route("/users/{user}/subscriptions", get=subscriptions),
        desk.route(f"{one}/subscriptions", get=subscriptions),
        desk.route("/users/{user}/documents", get=documents),
        desk.route("/config", get=read_config, post=write_config),
        desk.route("/config/logs", get=config_logs),
        desk.route("/publickey", get=public_key),
        desk.route("/sign-keys", get=sign_keys),
    ]


def ownerships(call: Call) -> Answer:
    """List who holds the accounts."""
    shown = [
        {
            "id_account": account.id,
            "id_connection": connection.id,
            "id_user": account.id_user,
            "id_connector_source": connection.sources[0].id_connector_source,
            "name": account.original_name,
            "bank_name": connection.connector.name,
            "usage": account.usage,
            "multiple_holders": account.key == "joint",
            "calculated": [],
            "parties": [{"role": "holder", "identity": {"is_user": True, "full_name": _HOLDER}}],
            "identifications": [{"scheme_name": "iban", "identification": account.iban}]
            if account.iban
            else None,
        }
        for connection, account in live_pairs(call)
    ]
    return call.paged("account_ownerships", shown)


def identity(call: Call) -> Answer:
    """Return who the bank says the customer is."""
    connection = call.connection()
    return Answer(
        {
            "id_connection": connection.id,
            "id_source": connection.sources[0].id,
            "id_user": connection.id_user,
            "first_name": "ARMELLE",
            "last_name": "LE BIHAN",
            "full_name": _HOLDER,
            "raw_postal_address": "3 QUAI DE LA DOUANE 29200 BREST",
            "postal_address": {"street": "3 QUAI DE LA DOUANE", "postal_code": "29200", "city": "BREST"},
        }
    )


def subscriptions(call: Call) -> Answer:
    """List subscriptions, of which the simulated banks have none."""
    call.user()
    return call.paged("subscriptions", [])


def documents(call: Call) -> Answer:
    """List documents, of which the simulated banks have none."""
    call.user()
    return call.paged("documents", [])


def read_config(call: Call) -> Answer:
    """Return the domain's settings."""
    call.token(TokenKind.CONFIG)
    search = call.text("search") or ""
    return Answer({key: value for key, value in sorted(call.world.config.items()) if search in key})


def write_config(call: Call) -> Answer:
    """Change the domain's settings; those that mean something here take effect."""
    call.token(TokenKind.CONFIG)
    world = call.world
    for key, value in call.body.items():
        world.config[key] = str(value)
        world.config_log.append(
            {"key": key, "value": str(value), "timestamp": stamp(world.switches, world.now)}
        )
        match key:
            case "webhooks.compressions.enabled" | "webhooks.compression.enabled":
                world.switches.webhook_gzip = as_bool(value)
            case "bank.implicit_date_filtering":
                world.switches.default_window = "last_month" if as_bool(value) else "all"
            case "bank.account.cb_coming_to_balance":
                world.switches.coming_in_balance = as_bool(value)
    return read_config(call)


def config_logs(call: Call) -> Answer:
    """List changes of the domain's settings."""
    call.token(TokenKind.CONFIG)
    return call.paged("configlogs", call.world.config_log)


def public_key(call: Call) -> Answer:
    """Return an RSA key in JWK form; nobody holds its private half."""
    modulus = bytearray(dice(call.world.options.seed, "publickey").randbytes(256))
    modulus[0] |= 0x80
    modulus[-1] |= 1
    encoded = urlsafe_b64encode(bytes(modulus)).rstrip(b"=").decode()
    return Answer(
        {"kty": "RSA", "e": "AQAB", "use": "enc", "kid": "sim-1", "alg": "RSA-OAEP-256", "n": encoded}
    )


def sign_keys(call: Call) -> Answer:
    """List the keys of signed responses, a product that is off."""
    return call.paged("keys", [])
